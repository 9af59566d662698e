package docs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// committedSchema reads the schema file as other programs do, with a library that is
// not ours. Its root is State; of selects another definition.
func committedSchema(t *testing.T, of string) *jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile("state.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatalf("read state.schema.json: %v", err)
	}
	if of != "" {
		schema.Ref = "#/$defs/" + of
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatalf("read state.schema.json: %v", err)
	}
	return resolved
}

func plain(t *testing.T, v any) (out any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// filler sets every field to a value, and uses each word of an enumeration in turn.
type filler struct{ used map[reflect.Type]int }

// samples has values of types for which not every value is valid.
var samples = map[reflect.Type][]any{
	reflect.TypeFor[netip.Addr]():            {netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:192.0.2.1"), netip.IPv6Unspecified()},
	reflect.TypeFor[netip.Prefix]():          {netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("::/0")},
	reflect.TypeFor[netip.AddrPort]():        {netip.MustParseAddrPort("192.0.2.1:51820"), netip.MustParseAddrPort("[fe80::1%2]:1")},
	reflect.TypeFor[time.Time]():             {time.Unix(1_700_000_000, 0).UTC(), time.Unix(1_700_000_000, 120_000).UTC()},
	reflect.TypeFor[state.HardwareAddress](): {state.HardwareAddress{0, 0x23, 0x45, 0x67, 0x89, 0x1c}, state.HardwareAddress(make([]byte, 20)), state.HardwareAddress{1}},
	reflect.TypeFor[state.AddressList]():     {state.AddressList{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}},
	reflect.TypeFor[state.VLANProtocol]():    {state.VLAN8021Q, state.VLAN8021AD, state.VLANProtocol(0x9100)},
	reflect.TypeFor[state.MACsecCipher]():    {state.MACsecCipher(0x0080C20001000001), state.MACsecCipher(0x0080C20001000004), state.MACsecCipher(5)},
	reflect.TypeFor[state.Lifetime]():        {state.Forever, state.Lifetime(3600), state.Lifetime(1)},
	reflect.TypeFor[state.AddressFamily]():   {state.FamilyIPv4, state.FamilyIPv6, state.AddressFamily("7")},
	reflect.TypeFor[state.Op]():              {state.Snapshot, state.Resync, state.New, state.Changed, state.Deleted},
	reflect.TypeFor[state.IfaceType]():       {state.IfaceType("wifi"), state.IfaceType("of tomorrow")},
}

func (f filler) fill(v reflect.Value) {
	n := f.used[v.Type()]
	f.used[v.Type()]++
	if all, ok := samples[v.Type()]; ok {
		v.Set(reflect.ValueOf(all[n%len(all)]))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("some"), value)
	default:
		f.fillScalar(v, n)
	}
}

func (f filler) fillScalar(v reflect.Value, n int) {
	switch {
	case v.CanUint():
		// Use each number of an enumeration, and then one that has no name.
		v.SetUint(uint64(n%250) + 1)
	case v.CanInt():
		v.SetInt(int64(-n%100) - 1)
	case v.CanFloat():
		v.SetFloat(0.25)
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprint("text ", n))
	}
}

// TestSchemaHasEveryField fills every field of a State and a Change, and checks that
// the schema has exactly these keys and accepts the value.
func TestSchemaHasEveryField(t *testing.T) {
	m := stateModel(t)
	for _, root := range []any{new(state.State), new(state.Change)} {
		of := reflect.TypeOf(root).Elem()
		validator := committedSchema(t, m.object(of).name)
		f := filler{map[reflect.Type]int{}}
		for range 50 {
			v := reflect.New(of)
			f.fill(v.Elem())
			document := plain(t, v.Interface())
			if err := validator.Validate(document); err != nil {
				t.Fatalf("%s: %v", of.Name(), err)
			}
			m.compareKeys(t, of, document, of.Name())
		}
	}
}

func (m *model) compareKeys(t *testing.T, of reflect.Type, document any, path string) {
	t.Helper()
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch document := document.(type) {
	case []any:
		if of.Kind() == reflect.Slice && m.enum(of) == nil {
			for _, element := range document {
				m.compareKeys(t, of.Elem(), element, path+"[]")
			}
		}
	case map[string]any:
		if of.Kind() == reflect.Map {
			for _, value := range document {
				m.compareKeys(t, of.Elem(), value, path+".NAME")
			}
			return
		}
		o := m.object(of)
		if o == nil {
			return // {"other":…} has no properties of its own
		}
		for _, field := range o.fields {
			value, ok := document[field.key]
			if !ok {
				t.Fatalf("%s has no %s", path, field.key)
			}
			m.compareKeys(t, field.of, value, path+"."+field.key)
			delete(document, field.key)
		}
		if len(document) > 0 {
			t.Fatalf("%s has %v, which are not in the schema", path, document)
		}
	}
}

// TestSchemaRefuses checks that the schema refuses wrong values.
func TestSchemaRefuses(t *testing.T) {
	const iface = `"name":"a","index":1,"iface_type":"veth","state":"up","mtu":1,"flags":[]`
	tests := []struct {
		name, document, says string
	}{
		{"nothing", `{}`, ""},
		{"keys of tomorrow", `{"ifaces":{"a":{` + iface + `,"new":{}}},"new":1}`, ""},
		{"type of an interface that is not known", `{"ifaces":{"a":{"name":"a","index":1,"iface_type":{"other":"new"},"state":"9","mtu":1,"flags":["up","1024"]}}}`, ""},
		{"no list", `{"routes":{}}`, "type"},
		{"null for a list", `{"routes":null}`, "type"},
		{"interface without an index", `{"ifaces":{"a":{"name":"a","iface_type":"veth","state":"up","mtu":1,"flags":[]}}}`, "index"},
		{"type that is no word", `{"ifaces":{"a":{"name":"a","index":1,"iface_type":"vethh","state":"up","mtu":1,"flags":[]}}}`, "anyOf"},
		{"state that is no word", `{"ifaces":{"a":{"name":"a","index":1,"iface_type":"veth","state":"UP","mtu":1,"flags":[]}}}`, "anyOf"},
		{"flag that is no word", `{"ifaces":{"a":{"name":"a","index":1,"iface_type":"veth","state":"up","mtu":1,"flags":["UP"]}}}`, "anyOf"},
		{"hardware address in upper case", `{"ifaces":{"a":{` + iface + `,"mac_address":"00:AA:00:00:00:01"}}}`, "pattern"},
		{"lifetime without a unit", `{"ifaces":{"a":{` + iface + `,"ipv4":{"addresses":[{"address":"192.0.2.1","prefix_len":24,"valid_lft":"5","preferred_lft":"forever","flags":[],"scope":"universe"}]}}}}`, "pattern"},
		{"prefix over 8 bits", `{"ifaces":{"a":{` + iface + `,"ipv4":{"addresses":[{"address":"192.0.2.1","prefix_len":256,"valid_lft":"forever","preferred_lft":"forever","flags":[],"scope":"universe"}]}}}}`, "maximum"},
		{"bridge ID of ip(8)", `{"ifaces":{"a":{` + iface + `,"bridge":{"ports":[],"bridge_id":"8000.0:23:45:67:89:1c"}}}}`, "pattern"},
		{"range of three", `{"ifaces":{"a":{` + iface + `,"bridge_vlan":[{"vid_range":[1,2,3],"is_pvid":false,"is_egress_untagged":false}]}}}`, "maxItems"},
	}
	validator := committedSchema(t, "")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := validator.Validate(plain(t, json.RawMessage(test.document)))
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("got %v, want an error with %q", err, test.says)
			}
		})
	}
}

// settings create kinds of links that every kernel on which the tests run has.
var settings = []string{
	"link set lo up",
	"link add left type veth peer name right",
	"link set left up", "link set right up",
	"link add name br0 type bridge stp_state 1",
	"link set right master br0",
	"link set br0 up",
	"link add vx type vxlan id 5 remote 192.0.2.9 dev left dstport 4789",
	"link add vx6 type vxlan id 6 local fd00::9 dev left dstport 4790",
	"link add mv link left type macvlan mode source",
	"tuntap add tap0 mode tap",
	"address add 192.0.2.1/24 dev left",
	"address add 198.51.100.1 peer 198.51.100.2/32 dev left valid_lft 600 preferred_lft 300",
	"address add fd00::1/64 dev left nodad",
	"route add default via 192.0.2.254 metric 5 mtu 1400 congctl reno",
	"route add 203.0.113.0/24 table 1000 nexthop via 192.0.2.2 weight 3 nexthop via 192.0.2.3",
	"route add blackhole 233.252.0.0/24",
	"route add fd01::/64 via fd00::2 expires 500",
	"nexthop add id 7 via 192.0.2.7 dev left",
	"nexthop add id 8 group 7,5",
	"route add 192.0.3.0/24 nhid 7",
	"rule add priority 999 iif left fwmark 1/3 ipproto tcp sport 1-2 uidrange 0-9 lookup 1000",
	"-6 rule add priority 50 from fd00::/8 goto 32766",
	"neigh add 192.0.2.8 lladdr 00:23:45:67:89:1c dev left nud permanent",
	"neigh add proxy fd00::8 dev left",
}

func TestRealStatesAreValid(t *testing.T) {
	validator := committedSchema(t, "")
	host := read(t)
	netnstest.Thread(t)
	fresh := read(t)
	for _, setting := range settings {
		// If this kernel lacks a kind, the state lacks it, too, which is no error
		// here.
		if out, err := exec.Command("ip", strings.Fields(setting)...).CombinedOutput(); err != nil {
			t.Logf("ip %s: %v: %s", setting, err, out)
		}
	}
	full := read(t)
	if len(full.Ifaces) < 8 || len(full.Routes) < 8 || len(full.Rules) < 7 || len(full.Neighbours) < 1 || len(full.Nexthops) < 2 {
		t.Errorf("there are only %d interfaces, %d routes, %d rules, %d neighbours, %d next hops",
			len(full.Ifaces), len(full.Routes), len(full.Rules), len(full.Neighbours), len(full.Nexthops))
	}
	for name, s := range map[string]*state.State{"this machine": host, "fresh namespace": fresh, "full namespace": full} {
		if err := validator.Validate(plain(t, s)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func read(t *testing.T) *state.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := kernel.Read(ctx, state.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
