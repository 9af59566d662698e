package state

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilterJSON(t *testing.T) {
	protocol, scope := RouteProtocol(16), RouteScope(253)
	for _, tt := range []struct {
		name, text, canonical string // canonical "": equal to text
		want                  Filter
	}{
		{name: "everything", text: `{}`},
		{name: "null is absent", text: `{"parts":null,"table":null,"iface":null,"scope":null}`, canonical: `{}`},
		{
			name: "all keys",
			text: `{"parts":["ifaces","routes"],"iface":"eth0","iface_type":"bridge","family":"ipv6","table":4294967295,"protocol":"dhcp","scope":"link","out_iface":"eth1"}`,
			want: Filter{
				Parts: PartIfaces | PartRoutes, Iface: "eth0", Type: "bridge", Family: FamilyIPv6, Table: 4294967295,
				Protocol: &protocol, Scope: &scope, OutIface: "eth1",
			},
		},
		{
			name: "numbers and upper case", text: `{"protocol":"16","scope":"LINK"}`,
			canonical: `{"protocol":"dhcp","scope":"link"}`, want: Filter{Protocol: &protocol, Scope: &scope},
		},
		{
			name: "a type without a word", text: `{"iface_type":{"other":"team"}}`, want: Filter{Type: "team"},
		},
		{name: "no type", text: `{"iface_type":""}`, canonical: `{}`},
		{
			name: "every part",
			text: `{"parts":["ifaces","statistics","drivers","routes","rules","neighbours","fdb","nexthops","mptcp"]}`,
			want: Filter{Parts: Everything},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Filter
			if err := json.Unmarshal([]byte(tt.text), &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			want := tt.canonical
			if want == "" {
				want = tt.text
			}
			if text, err := json.Marshal(got); err != nil || string(text) != want {
				t.Errorf("marshals to %s, %v; want %s", text, err, want)
			}
		})
	}
}

func TestFilterJSONRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an unknown key", `{"prots":[]}`, `decode filter: prots: no such key`},
		{"a key in upper case", `{"Table":1}`, `decode filter: Table: no such key`},
		{"an unknown part", `{"parts":["route"]}`,
			`decode filter: parts: "route" is none of ifaces, statistics, drivers, routes, rules, neighbours, fdb, nexthops, mptcp`},
		{"no part", `{"parts":[]}`, `decode filter: parts: names none; left out it means everything`},
		{"parts that are no list", `{"parts":"routes"}`, `decode filter: parts: it cannot be: string`},
		{"a family", `{"family":"ipx"}`, `decode filter: family: "ipx" is neither ipv4 nor ipv6`},
		{"a table below 0", `{"table":-1}`, `decode filter: table: it cannot be: number -1`},
		{"a table above 32 bits", `{"table":4294967296}`, `decode filter: table: it cannot be: number 4294967296`},
		{"a protocol above 8 bits", `{"protocol":"300"}`, `decode filter: protocol: 300 is larger than 255`},
		{"a type that is misspelt", `{"iface_type":"brigde"}`, `decode filter: iface_type: "brigde" is none of ` +
			strings.Join(IfaceType("").Words(), ", ") + `; of another kind write {"other":"brigde"}`},
		{"a type that is a number", `{"iface_type":7}`, `decode filter: iface_type: it cannot be: number`},
		{"a type of another key", `{"iface_type":{"kind":"team"}}`, `decode filter: iface_type: it cannot be: object`},
		{"an interface that is a number", `{"iface":2}`, `decode filter: iface: it cannot be: number`},
		{"no object", `[]`, `decode filter: it is no object`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Filter{Table: 7}
			err := json.Unmarshal([]byte(tt.text), &got)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if got.Table != 7 {
				t.Errorf("the filter has changed: %+v", got)
			}
		})
	}
}

func TestParseTable(t *testing.T) {
	for text, want := range map[string]uint32{
		"main": 254, "Local": 255, "default": 253, "1": 1, "1000": 1000, "4294967295": 4294967295,
		"0": 0, "": 0, "-1": 0, "4294967296": 0, "mian": 0,
	} {
		if got, err := ParseTable(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("ParseTable(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}
