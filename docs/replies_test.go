package docs

import (
	"bytes"
	"encoding/json"

	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/netconnectd/netconnectd/client"
)

// ofReplies describes the types of the daemon's replies.
var ofReplies = shapes{
	folders: []string{"client"},
	texts: map[reflect.Type]textForm{
		reflect.TypeFor[time.Time](): {"time (RFC 3339)", "string", `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`},
	},
}

// results lists the types of the results of commands; all other results are texts.
var results = map[string]reflect.Type{
	"status": reflect.TypeFor[client.Status](), "list_wifi": reflect.TypeFor[[]client.BSS](),
	"list_networks": reflect.TypeFor[[]client.SavedNetwork](), "history": reflect.TypeFor[[]client.HistoryEntry](), "interfaces": reflect.TypeFor[[]client.OwnedInterface](),
}

// commandNames returns the names in the server's table.
func commandNames(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/server/request.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "commands" {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			name, _ := strconv.Unquote(row.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
			names = append(names, name)
		}
		return false
	})
	if len(names) < 15 {
		t.Fatalf("the table of commands has %q", names)
	}
	slices.Sort(names)
	return names
}

func repliesModel(t *testing.T) *model {
	t.Helper()
	m, err := newModel(ofReplies, reflect.TypeFor[client.Status](), reflect.TypeFor[client.BSS](), reflect.TypeFor[client.SavedNetwork](),
		reflect.TypeFor[client.HistoryEntry](), reflect.TypeFor[client.OwnedInterface](), reflect.TypeFor[client.Event](),
		reflect.TypeFor[client.NetworkInterface](), reflect.TypeFor[client.NetworkDump](), reflect.TypeFor[client.NetworkPlan](),
		reflect.TypeFor[client.NetworkTrial](), reflect.TypeFor[client.Trial]())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// frame returns the schema of a frame of the daemon's; the properties in optional may
// be absent.
func frame(about string, properties values, optional ...string) values {
	required := slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(key string) bool { return slices.Contains(optional, key) })
	return values{"type": "object", "description": about, "properties": properties, "required": required, "additionalProperties": true}
}

func reference(name string) values { return values{"$ref": "#/$defs/" + name} }

// replies returns the JSON Schema of everything that the daemon sends: one definition
// for the reply to each command, and those of the frames that subscribers receive.
func (m *model) replies(commands []string) values {
	definitions := m.definitions()
	definitions["id"] = values{"type": []string{"string", "number", "boolean", "null"}, "description": "that of the request, if it had one"}
	definitions["error"] = frame("The reply to a request that failed.", values{
		"error": values{"type": "string", "description": "for people; mostly the original's text"}, "code": values{"type": "string", "description": "for programs"},
		"reason": values{"type": "string", "description": "for people, what lies behind the error"}, "id": reference("id"),
	}, "reason", "id")
	definitions["event"] = frame("What subscribers get.", values{"event": reference("Event"), "seq": values{"type": "integer", "minimum": 0}})
	definitions["change"] = frame("What subscribers with network get.", values{"change": values{"$ref": "state.schema.json#/$defs/Change"}})
	all := []any{reference("event"), reference("change"), reference("error")}
	for _, command := range commands {
		result := values{"type": "string"}
		switch of, ok := results[command]; {
		case ok:
			result = m.typeSchema(of)
		case command == "call":
			result = values{"description": "that of the method", "anyOf": []any{
				values{"type": []string{"string", "null"}}, reference("NetworkInterface"), reference("NetworkDump"), reference("NetworkPlan"), reference("NetworkTrial"), reference("Trial"),
			}}
		case command == "show":
			result = values{"$ref": "state.schema.json"}
		}
		name := "reply_" + command
		definitions[name] = values{"anyOf": []any{
			frame("The reply to "+command+".", values{"result": result, "id": reference("id")}, "id"), reference("error"),
		}}
		all = append(all, reference(name))
	}
	return values{
		"$schema":     draft,
		"title":       "What netconnectd sends over its socket",
		"description": "Made from the types of package client; docs/protocol.md says the same for people. A frame is any of these; the reply to a command is #/$defs/reply_COMMAND, and the status is #/$defs/Status.",
		"anyOf":       all,
		"$defs":       definitions,
	}
}

// TestRepliesHaveASchema checks that the schema file equals the one generated from
// the types and the commands.
func TestRepliesHaveASchema(t *testing.T) {
	want := schemaFile(t, repliesModel(t).replies(commandNames(t)))
	if *update {
		if err := os.WriteFile("protocol.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile("protocol.schema.json"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/protocol.schema.json is not what the types in package client and the commands say (%v): %s", err, remedy)
	}
}

// TestReplyTypesAreExplained checks that most fields have a comment, since few names
// explain themselves.
func TestReplyTypesAreExplained(t *testing.T) {
	for _, o := range repliesModel(t).objects {
		if len(o.docs) == 0 {
			t.Errorf("%s has no comment", o.of)
		}
	}
}

// replySchema reads the schema file as other programs do. of names one of its
// definitions; "" means the whole.
func replySchema(t *testing.T, of string) *jsonschema.Resolved {
	t.Helper()
	load := func(uri *url.URL) (*jsonschema.Schema, error) {
		text, err := os.ReadFile(path.Base(uri.Path))
		if err != nil {
			return nil, err
		}
		var schema jsonschema.Schema
		return &schema, json.Unmarshal(text, &schema)
	}
	schema, err := load(&url.URL{Path: "protocol.schema.json"})
	if err != nil {
		t.Fatal(err)
	}
	if of != "" {
		schema.AnyOf, schema.Ref = nil, "#/$defs/"+of
	}
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{BaseURI: "file:///docs/protocol.schema.json", Loader: load})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// TestReplySchemaHasEveryField fills every field of each type, and checks that the
// schema has exactly these keys and accepts the value.
func TestReplySchemaHasEveryField(t *testing.T) {
	m := repliesModel(t)
	for _, of := range []reflect.Type{
		reflect.TypeFor[client.Status](), reflect.TypeFor[client.BSS](), reflect.TypeFor[client.SavedNetwork](),
		reflect.TypeFor[client.HistoryEntry](), reflect.TypeFor[client.OwnedInterface](), reflect.TypeFor[client.Event](),
	} {
		validator := replySchema(t, m.object(of).name)
		f := filler{map[reflect.Type]int{}}
		for range 5 {
			v := reflect.New(of)
			f.fill(v.Elem())
			document := plain(t, v.Interface())
			if err := validator.Validate(document); err != nil {
				t.Fatalf("%s: %v", of, err)
			}
			m.compareKeys(t, of, document, of.Name())
		}
	}
}

// TestReplySchemaRefuses checks that the schema refuses wrong values.
func TestReplySchemaRefuses(t *testing.T) {
	for _, row := range []struct {
		of, document string
		valid        bool
	}{
		{"", `{"result":"started ap"}`, true},
		{"", `{"error":"could not connect","code":"wrong_key","reason":"…","id":7}`, true},
		{"", `{"error":"could not connect"}`, false},
		{"", `{"error":5,"code":"x"}`, false},
		{"", `{}`, false},
		{"", `{"result":"x","id":{}}`, false},
		{"reply_start_ap", `{"result":["x"]}`, false},
		{"reply_list_wifi", `{"result":[]}`, true},
		{"reply_list_wifi", `{"result":null}`, false},
		{"reply_list_wifi", `{"result":[{"ssid":"a","ssid_hex":"61","channel":1,"address":"AA","encrypted":true,"signal":null,"security":"wpa2","frequency":2412,"saved":false,"current":false,"new":1}]}`, true},
		{"reply_list_wifi", `{"result":[{"ssid":"a"}]}`, false},
		{"reply_list_wifi", `{"result":[{"ssid":"a","ssid_hex":"61","channel":"1","address":"AA","encrypted":true,"signal":null,"security":"wpa2","frequency":2412,"saved":false,"current":false}]}`, false},
		{"reply_status", `{"result":{"link":true}}`, false},
		{"reply_show", `{"result":{"routes":{}}}`, false},
		{"reply_show", `{"result":{}}`, true},
		{"event", `{"event":{"type":"uplink","time":"2026-01-02T03:05:00Z","old":"online","new":"joining"},"seq":42}`, true},
		{"event", `{"event":{"type":"uplink","time":"yesterday"},"seq":42}`, false},
		{"event", `{"event":{"type":"uplink","time":"2026-01-02T03:05:00+01:00"},"seq":-1}`, false},
	} {
		err := replySchema(t, row.of).Validate(plain(t, json.RawMessage(row.document)))
		if (err == nil) != row.valid {
			t.Errorf("%s: %s: %v", row.of, row.document, err)
		}
	}
}

// frameKeys returns the keys that a frame may have according to its definition.
func frameKeys(t *testing.T, schema *jsonschema.Schema, of string) []string {
	t.Helper()
	definition := schema.Defs[of]
	if definition == nil {
		t.Fatalf("there is no definition %s", of)
	}
	keys := slices.Collect(maps.Keys(definition.Properties))
	for _, other := range definition.AnyOf {
		keys = append(keys, slices.Collect(maps.Keys(other.Properties))...)
		if name := path.Base(other.Ref); other.Ref != "" {
			keys = append(keys, frameKeys(t, schema, name)...)
		}
	}
	return keys
}

// validFrame checks a frame of the daemon's against a definition: the frame must be
// valid, and have no key that the definition does not name.
func validFrame(t *testing.T, of string, text []byte) {
	t.Helper()
	resolved := replySchema(t, of)
	document := plain(t, json.RawMessage(text))
	if err := resolved.Validate(document); err != nil {
		t.Errorf("%s: %v in\n%s", of, err, text)
		return
	}
	for key := range document.(map[string]any) {
		if !slices.Contains(frameKeys(t, resolved.Schema(), of), key) {
			t.Errorf("%s has %s, which is not in the schema", of, key)
		}
	}
}
