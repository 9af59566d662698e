package docs

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestNisporTable checks that the schema has the fields that nispor.md says are here,
// and does not have those that it says are absent.
func TestNisporTable(t *testing.T) {
	text, err := os.ReadFile("nispor.md")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile("state.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`([^`]*)`")
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		at, here := quoted.FindStringSubmatch(cells[1])[1], strings.TrimSpace(cells[3])
		place := propertiesAt(root, at)
		if place == nil {
			t.Errorf("there is no %s", at)
			continue
		}
		if strings.TrimSpace(cells[4]) == "" {
			t.Errorf("%s %s: the last column is empty", at, here)
		}
		for _, field := range quoted.FindAllStringSubmatch(cells[2], -1) {
			path := at + "." + field[1]
			if seen[path] {
				t.Errorf("%s is there twice", path)
			}
			seen[path] = true
			_, exists := place[field[1]]
			switch {
			case here != "same" && here != "differs" && here != "absent":
				t.Errorf("%s: %q is no answer", path, here)
			case exists != (here != "absent"):
				t.Errorf("%s is %q here; in the schema: %v", path, here, exists)
			}
		}
	}
	if len(seen) < 300 {
		t.Errorf("the table has only %d fields", len(seen))
	}
}

// propertiesAt follows a path like "ifaces.NAME.vlan" or "routes[].realm" from the
// root of a schema. It returns nil if the path does not lead to an object.
func propertiesAt(root map[string]any, path string) map[string]any {
	place := resolve(root, root)
	for part := range strings.SplitSeq(strings.ReplaceAll(path, "[]", ".[]"), ".") {
		var next any
		switch part {
		case "":
			continue
		case "NAME":
			next = place["additionalProperties"]
		case "[]":
			next = place["items"]
		default:
			next, _ = place["properties"].(map[string]any)[part]
		}
		object, ok := next.(map[string]any)
		if !ok {
			return nil
		}
		place = resolve(root, object)
	}
	properties, _ := place["properties"].(map[string]any)
	return properties
}

func resolve(root, schema map[string]any) map[string]any {
	if to, ok := schema["$ref"].(string); ok {
		definition, _ := root["$defs"].(map[string]any)[strings.TrimPrefix(to, "#/$defs/")].(map[string]any)
		return definition
	}
	return schema
}
