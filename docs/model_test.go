package docs

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/state"
)

// shapes describes types that are encoded as JSON.
type shapes struct {
	// folders contain these types. The first folder is the public package: its names
	// and comments take precedence over those of the types for which it has other
	// names.
	folders []string
	texts   map[reflect.Type]textForm
	// mayBeEmpty lists fields that are "" instead of absent.
	mayBeEmpty []string
}

// ofState describes the types of the kernel's network state.
var ofState = shapes{
	[]string{"state", "internal/link/rtnl", "internal/link/ethtool", "internal/link/mptcp", "internal/link/wireguard"},
	textForms, []string{"RouteHop.via", "VXLAN.remote", "VXLAN.local"},
}

// model describes everything that the JSON of the roots may contain.
type model struct {
	shapes
	comments *comments
	objects  []*object      // in the order in which they were found
	enums    []*enumeration // in the order in which they were found
	used     []reflect.Type // the types with a textForm that occur
}

// object is a struct in the form of its JSON: the fields of embedded structs count as
// its own.
type object struct {
	name   string
	path   string   // where it was found first, e.g. "ifaces.NAME.bond"
	docs   []string // the comments of its type and of the embedded types
	fields []field
	of     reflect.Type
}

type field struct {
	key    string
	of     reflect.Type
	always bool
	null   bool // the value may be null
	doc    string
	depth  int // the depth of embedding
}

// enumeration is a type whose JSON is a word or a list of words.
type enumeration struct {
	name, doc string
	words     []word
	open      bool // decimal numbers may occur, too
	list      bool
	of        reflect.Type
}

// textForm describes the JSON of a type with its own encoding. The patterns are
// regular expressions that ECMA-262 and Go share.
type textForm struct {
	text    string // for people
	kind    string // the type in JSON
	pattern string
}

const (
	ipv4 = `([0-9]{1,3}\.){3}[0-9]{1,3}`
	ipv6 = `[0-9a-f:]*:[0-9a-f:]*(` + ipv4 + `)?(%[^/]+)?`
)

var textForms = map[reflect.Type]textForm{
	reflect.TypeFor[netip.Addr]():             {"IP address", "string", `^(` + ipv4 + `|` + ipv6 + `)$`},
	reflect.TypeFor[netip.Prefix]():           {"prefix, e.g. `192.0.2.0/24`", "string", `^(` + ipv4 + `|` + ipv6 + `)/[0-9]{1,3}$`},
	reflect.TypeFor[netip.AddrPort]():         {"address and port, e.g. `[fd00::1]:51820`", "string", `^(` + ipv4 + `|\[` + ipv6 + `\]):[0-9]+$`},
	reflect.TypeFor[time.Time]():              {"time (RFC 3339)", "string", `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`},
	reflect.TypeFor[state.HardwareAddress]():  {"hardware address, e.g. `00:23:45:67:89:1c`", "string", `^[0-9a-f]{2}(:[0-9a-f]{2})*$`},
	reflect.TypeFor[state.AddressList]():      {"IPv4 addresses, e.g. `192.0.2.1,192.0.2.2`", "string", `^` + ipv4 + `(,` + ipv4 + `)*$`},
	reflect.TypeFor[state.BridgeID]():         {"bridge ID, e.g. `8000.00234567891c`", "string", `^[0-9a-f]{4}\.[0-9a-f]{12}$`},
	reflect.TypeFor[state.BridgePortID]():     {"hexadecimal, e.g. `0x8001`", "string", `^0x[0-9a-f]{4}$`},
	reflect.TypeFor[state.BridgePortNumber](): {"hexadecimal, e.g. `0x1`", "string", `^0x[0-9a-f]{1,4}$`},
	reflect.TypeFor[state.BridgeOptions]():    {"number", "integer", ""},
	reflect.TypeFor[state.VLANProtocol]():     {"`802.1q`, `802.1ad` or the number, e.g. `0x9100`", "string", `^(802\.1q|802\.1ad|0x[0-9a-f]{4})$`},
	reflect.TypeFor[state.MACsecCipher]():     {"`gcm-aes128`, `gcm-aes256`, `gcm-aes-xpn128`, `gcm-aes-xpn256` or the number", "string", `^(gcm-aes(-xpn)?(128|256)|[0-9]+)$`},
	reflect.TypeFor[state.GUID]():             {"hexadecimal in upper case", "string", `^[0-9A-F]{1,16}$`},
	reflect.TypeFor[state.Lifetime]():         {"`forever` or e.g. `3600sec`", "string", `^(forever|[0-9]+sec)$`},
}

func newModel(of shapes, roots ...reflect.Type) (*model, error) {
	c, err := readComments(of.folders)
	if err != nil {
		return nil, err
	}
	m := &model{shapes: of, comments: c}
	for _, root := range roots {
		if err := m.meet(root, ""); err != nil {
			return nil, err
		}
	}
	return m, m.checkNames()
}

// meet adds a type and all types that it contains.
func (m *model) meet(t reflect.Type, path string) error {
	if _, ok := m.texts[t]; ok {
		if !slices.Contains(m.used, t) {
			m.used = append(m.used, t)
		}
		return nil
	}
	if e := m.enumeration(t); e != nil {
		if m.enum(t) == nil {
			m.enums = append(m.enums, e)
		}
		return nil
	}
	if writesItself(t) {
		return fmt.Errorf("%s at %s writes its JSON itself: say what in the shapes", t, path)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.meet(t.Elem(), path)
	case reflect.Slice, reflect.Array:
		return m.meet(t.Elem(), path+"[]")
	case reflect.Map:
		return m.meet(t.Elem(), path+".NAME")
	case reflect.Struct:
		return m.meetObject(t, path)
	case reflect.Interface, reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128:
		return fmt.Errorf("%s at %s has no schema", t, path)
	}
	return nil
}

func (m *model) meetObject(t reflect.Type, path string) error {
	if m.object(t) != nil {
		return nil
	}
	o := &object{name: t.Name(), path: strings.TrimPrefix(path, "."), of: t}
	m.objects = append(m.objects, o)
	m.flatten(o, t, true, 0)
	for _, f := range o.fields {
		if err := m.meet(f.of, path+"."+f.key); err != nil {
			return err
		}
	}
	return nil
}

// flatten adds the fields of a struct as encoding/json does: those of embedded
// structs, too, unless a field further out has the same key.
func (m *model) flatten(o *object, t reflect.Type, always bool, depth int) {
	o.addDoc(m.comments.types[typeName(t)])
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && key == "" {
			inner, there := f.Type, always
			if inner.Kind() == reflect.Pointer {
				inner, there = inner.Elem(), false
			}
			m.flatten(o, inner, there, depth+1)
			continue
		}
		if key == "" {
			key = f.Name
		}
		o.add(field{
			key: key, of: f.Type, depth: depth, always: always && !omitted(f.Type, options),
			null: f.Type.Kind() == reflect.Pointer && !omitted(f.Type, options),
			doc:  m.comments.fields[typeName(t)+"."+f.Name],
		})
	}
}

func (o *object) add(f field) {
	i := slices.IndexFunc(o.fields, func(other field) bool { return other.key == f.key })
	switch {
	case i < 0:
		o.fields = append(o.fields, f)
	case f.depth < o.fields[i].depth:
		o.fields[i] = f
	}
}

func (o *object) addDoc(doc string) {
	if doc != "" && !slices.Contains(o.docs, doc) {
		o.docs = append(o.docs, doc)
	}
}

// omitted reports whether a field's options can leave it out.
func omitted(t reflect.Type, options string) bool {
	all := strings.Split(options, ",")
	return slices.Contains(all, "omitzero") || slices.Contains(all, "omitempty") && t.Kind() != reflect.Struct
}

func (m *model) object(t reflect.Type) *object {
	i := slices.IndexFunc(m.objects, func(o *object) bool { return o.of == t })
	if i < 0 {
		return nil
	}
	return m.objects[i]
}

func (m *model) enum(t reflect.Type) *enumeration {
	i := slices.IndexFunc(m.enums, func(e *enumeration) bool { return e.of == t })
	if i < 0 {
		return nil
	}
	return m.enums[i]
}

// enumeration returns the enumeration of a type that lists its words, or of a string
// type with constants in the source. For other types it returns nil.
func (m *model) enumeration(t reflect.Type) *enumeration {
	e := &enumeration{name: t.Name(), doc: m.comments.types[typeName(t)], of: t, open: true}
	if generic, spelling, ok := strings.Cut(strings.TrimSuffix(t.Name(), "]"), "["); ok {
		a := m.comments.aliases[spelling]
		e.name, e.doc, e.list = a.name, a.doc, generic == "Bits"
	}
	if of, ok := reflect.Zero(t).Interface().(interface{ Words() []string }); ok && t.Kind() != reflect.Pointer {
		for _, text := range of.Words() {
			e.words = append(e.words, word{text: text})
		}
		return e
	}
	if t.Kind() == reflect.String && len(m.comments.words[typeName(t)]) > 0 {
		e.words = m.comments.words[typeName(t)]
		e.open = t == reflect.TypeFor[state.AddressFamily]()
		return e
	}
	return nil
}

func writesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		return false
	}
	for _, method := range []string{"MarshalJSON", "MarshalText"} {
		if _, ok := reflect.PointerTo(t).MethodByName(method); ok {
			return true
		}
	}
	return false
}

// checkNames checks that a heading and a definition have one meaning each, and that
// everything listed in this file exists.
func (m *model) checkNames() error {
	seen := map[string]bool{}
	empty := slices.Clone(m.mayBeEmpty)
	for _, o := range m.objects {
		if seen[o.name] {
			return fmt.Errorf("two types are named %s", o.name)
		}
		seen[o.name] = true
		for _, f := range o.fields {
			empty = slices.DeleteFunc(empty, func(name string) bool { return name == o.name+"."+f.key })
		}
	}
	for _, e := range m.enums {
		if seen[e.name] {
			return fmt.Errorf("two types are named %s", e.name)
		}
		seen[e.name] = true
	}
	if len(empty) > 0 || len(m.used) != len(m.texts) {
		return fmt.Errorf("mayBeEmpty has %q, which is nowhere; of %d forms of texts %d occur", empty, len(m.texts), len(m.used))
	}
	return nil
}

// typeName returns a type's name as comments has it.
func typeName(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }
