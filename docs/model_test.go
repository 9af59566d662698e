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

// shapes is what is known of types that JSON is made of.
type shapes struct {
	// folders have the types that reach JSON. The first is the public package: its
	// names and comments go before those of the types that it gives other names.
	folders []string
	texts   map[reflect.Type]textForm
	// mayBeEmpty are fields that are "" instead of absent.
	mayBeEmpty []string
}

// ofState is of what the kernel's network is told in.
var ofState = shapes{
	[]string{"state", "internal/link/rtnl", "internal/link/ethtool", "internal/link/mptcp", "internal/link/wireguard"},
	textForms, []string{"RouteHop.via", "VXLAN.remote", "VXLAN.local"},
}

// model is all that JSON of the roots may contain.
type model struct {
	shapes
	comments *comments
	objects  []*object      // in the order in which they are met
	enums    []*enumeration // likewise
	used     []reflect.Type // types of texts that are there
}

// object is a struct as JSON has it: the fields of what is embedded are its
// own.
type object struct {
	name   string
	path   string   // where it was met first, e.g. "ifaces.NAME.bond"
	docs   []string // of its type and of those embedded
	fields []field
	of     reflect.Type
}

type field struct {
	key    string
	of     reflect.Type
	always bool
	null   bool // it may be null
	doc    string
	depth  int // of embedding
}

// enumeration is a type of which the JSON is a word, or a list of words.
type enumeration struct {
	name, doc string
	words     []word
	open      bool // numbers in decimal occur, too
	list      bool
	of        reflect.Type
}

// textForm is what a type that writes its JSON itself writes. The patterns are
// regular expressions that ECMA-262 and Go share.
type textForm struct {
	text    string // for people
	kind    string // of JSON
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

// meet adds a type and all that it leads to.
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
// structs, too, unless one further out has their key.
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

// omitted says whether a field's options can leave it out.
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

// enumeration makes that of a type which lists its words, or of strings of
// which the source has constants; of others nil.
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

// checkNames: a heading and a definition have one meaning, and all that is
// listed here exists.
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

// typeName is that of the source.
func typeName(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }
