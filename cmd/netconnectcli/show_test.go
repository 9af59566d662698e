package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// said runs one command line and returns its output.
func said(t *testing.T, args ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	a := &app{out: &out}
	root := a.rootCommand()
	root.SetArgs(args)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out.Bytes()
}

// TestShowRouteFilters uses ip(8) as the witness: the same filters must select the
// same destinations. All rows run in the one namespace that the goroutine is in.
func TestShowRouteFilters(t *testing.T) {
	netnstest.Thread(t)
	shell(t, `
		ip link set lo up
		ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
		ip addr add 192.0.2.7/24 dev v0; ip addr add 198.51.100.7/24 dev v1
		ip -6 addr add 2001:db8::7/64 dev v0 nodad
		ip route add default via 192.0.2.1 proto dhcp
		for i in 1 2 3; do ip route add 10.0.$i.0/24 via 192.0.2.$i table 1000 proto static; done
		ip route add 10.1.0.0/16 dev v1 table 1000 proto bird scope link
		ip route add 10.2.0.0/16 via 192.0.2.1 table 4000000000 proto static
		ip -6 route add 2001:db8:1::/48 via 2001:db8::1 table 1000 proto static`)
	for _, tt := range []struct{ name, ours, ips string }{
		{"all", "", "table all"},
		{"a table by its number", "-t 1000", "table 1000"},
		{"a table of 32 bits", "-t 4000000000", "table 4000000000"},
		{"a table by its name", "-t main", "table main"},
		{"local", "-t LOCAL", "table local"},
		{"a protocol", "-p Static", "table all proto static"},
		{"a protocol of a table", "-t 1000 -p static", "table 1000 proto static"},
		{"a protocol by its number", "-p 12", "table all proto bird"},
		{"a scope", "-t main -s link", "table main scope link"},
		{"an interface", "-d v1 -t 1000", "table 1000 dev v1"},
		{"nothing", "-t 77", "table 77"},
	} {
		var got []struct {
			Family      string `json:"address_family"`
			Destination string `json:"dst"`
		}
		text := said(t, append([]string{"show", "route", "-j"}, strings.Fields(tt.ours)...)...)
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for _, family := range []string{"-4", "-6"} {
			var all []struct{ Dst string }
			// ip reports an error for a table without routes.
			text, err := exec.Command("ip", append([]string{family, "-j", "route", "show"}, strings.Fields(tt.ips)...)...).Output()
			if err == nil && len(text) > 0 && json.Unmarshal(text, &all) != nil {
				t.Fatalf("%s: ip says %s", tt.name, text)
			}
			for _, r := range all {
				want["ipv"+family[1:]+" "+whole(r.Dst)]++
			}
		}
		for _, r := range got {
			want[r.Family+" "+whole(r.Destination)]--
		}
		for route, n := range want {
			if n != 0 {
				t.Errorf("%s: %s: %d more in ip(8)", tt.name, route, n)
			}
		}
	}
}

// whole writes a destination as a prefix.
func whole(dst string) string {
	if a, err := netip.ParseAddr(dst); err == nil {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	if dst == "default" {
		return ""
	}
	return dst
}

// traps are texts that YAML would read as something else without quotes.
var traps = []string{
	"", "~", "null", "yes", "No", "on", "true", "1", "0x8001", "0o7", "1e3", ".5", ".inf", "1_000", "2026-01-02",
	"10:20:30:40:50:59", "00:23:45:67:89:1c", "fe80::1", "::", "192.0.2.1", "192.0.2.0/24", "- a", "a: b", "a #b", "#", "*a", "&a", "!a",
	"%a", "@a", "`a", "'", `"`, "{", "[", "]", ",", "|", ">", "?", "a\nb", "\x1b[2J", "\u0085", "ü", "=", "<<", " a ", "8000.00234567891c",
}

// routes is a routeTable for tests.
type routes []state.Route

func (r routes) Len() int             { return len(r) }
func (r routes) At(i int) state.Route { return r[i] }

// TestYAMLSaysWhatJSONSays reads both back: with this module's parser, and with
// Python's if it is installed. The state has 300 routes, which is more than one
// batch.
func TestYAMLSaysWhatJSONSays(t *testing.T) {
	s := &state.State{Ifaces: map[string]*state.Iface{}, MPTCP: &state.MPTCP{Enabled: true}}
	for i, text := range traps {
		i := &state.Iface{Name: text, Index: int32(i)}
		i.AltNames = traps
		s.Ifaces[text] = i
	}
	for i := range 300 {
		s.Routes = append(s.Routes, state.Route{Family: "ipv4", Table: uint32(i), Destination: netip.MustParsePrefix("10:20::/16")})
	}
	for name, document := range map[string]any{
		"members": membersOf(picture{s, routes(s.Routes)}), "list": listOf(traps), "routes": routeList(routes(s.Routes)), "object": s.MPTCP, "none": listOf([]int{}),
	} {
		t.Run(name, func(t *testing.T) {
			print := func(asJSON bool) []byte {
				var out bytes.Buffer
				a := &app{out: &out, json: asJSON}
				if err := a.print(document); err != nil {
					t.Fatal(err)
				}
				return out.Bytes()
			}
			jsonText, yamlText := print(true), print(false)
			want, got := canonical(t, jsonText, json.Unmarshal), canonical(t, yamlText, yaml.Unmarshal)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-JSON +YAML:\n%s", d)
			}
			const program = "import sys, json, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer)))"
			python := exec.Command("python3", "-c", program)
			python.Stdin = bytes.NewReader(yamlText)
			text, err := python.Output()
			if err != nil && exec.Command("python3", "-c", "import yaml").Run() != nil {
				t.Skip("python3-yaml is not there")
			}
			if err != nil {
				t.Fatalf("Python does not read %s: %v", yamlText, err)
			}
			if d := cmp.Diff(want, canonical(t, text, json.Unmarshal)); d != "" {
				t.Errorf("-JSON +Python's YAML:\n%s", d)
			}
		})
	}
}

// TestYAMLHoldsNothing checks that YAML of a full routing table takes no more memory
// than JSON, which holds one route at a time.
func TestYAMLHoldsNothing(t *testing.T) {
	var table routes
	for i := range 59000 {
		table = append(table, state.Route{
			Family: "ipv4", Table: 1000, Protocol: 4, OutIface: "eth0", Metric: new(uint32(i)),
			Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24), Gateway: netip.MustParseAddr("192.0.2.1"),
		})
	}
	took := func(asJSON bool) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := (&app{out: io.Discard, json: asJSON}).print(membersOf(picture{&state.State{}, table})); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	took(true) // the first call also creates what is created only once
	asJSON, asYAML := took(true), took(false)
	t.Logf("59,000 routes: JSON takes %d bytes, YAML %d", asJSON, asYAML)
	if asYAML > 2*asJSON+1<<20 {
		t.Errorf("YAML takes %d bytes, JSON %d", asYAML, asJSON)
	}
}

// FuzzYAML checks that a JSON text reads the same as YAML, and that any other text is
// an error.
func FuzzYAML(f *testing.F) {
	for _, text := range traps {
		document, err := json.Marshal(map[string]any{text: []any{text, map[string]any{text: text, "a": []any{[]any{text}, []any{}, map[string]any{}, nil, true, -1.5e300}}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	for _, text := range []string{``, `{`, `[`, `{"a"`, `{"a":`, `[1`, `"`, `"\`, `{"a":1]`, `[}`, `1,2`, `{1:2}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		var value any
		if json.Unmarshal(text, &value) != nil {
			_ = (&yamlPrinter{w: w}).text(text, 0, atStart) // the program must not crash
			return
		}
		document, err := json.Marshal(value) // in our own form, and without duplicate keys
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join((&yamlPrinter{w: w}).text(document, 0, atStart), w.Flush()); err != nil {
			t.Fatalf("%v of %s", err, document)
		}
		var got any
		if err := yaml.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%v in\n%s\nof %s", err, out.Bytes(), document)
		}
		if again, err := json.Marshal(got); err != nil || !sameJSON(document, again) {
			t.Errorf("%s became\n%s\nwhich reads %s, %v", document, out.Bytes(), again, err)
		}
	})
}

// sameJSON compares values, because a number may be written in several ways.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// canonical returns a text as JSON with sorted keys.
func canonical(t *testing.T, text []byte, decode func([]byte, any) error) string {
	t.Helper()
	var value any
	if err := decode(text, &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestJSONOfFull compares the fast encoder with encoding/json, and people's form with
// the compact one.
func TestJSONOfFull(t *testing.T) {
	s := &state.State{
		Ifaces:     map[string]*state.Iface{"v0": {Name: "v0"}, "a": {Name: "a"}},
		Routes:     []state.Route{{Family: "ipv4"}, {Family: "ipv6"}},
		Rules:      []state.Rule{{Family: "ipv4"}},
		Neighbours: []state.Neighbour{{Iface: "v0"}}, FDB: []state.FDBEntry{{Iface: "v0"}}, Nexthops: []state.Nexthop{{ID: 7}},
		MPTCP: &state.MPTCP{},
	}
	for name, s := range map[string]*state.State{"all parts": s, "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			want, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := (&app{out: &out, json: true}).print(membersOf(picture{s, routes(s.Routes)})); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want)+"\n", out.String()); d != "" {
				t.Errorf("-encoding/json +ours:\n%s", d)
			}
		})
	}
}

func TestNearestName(t *testing.T) {
	names := []string{"lo", "eth0", "eth1", "wlan0", "br-lan"}
	for _, tt := range []struct{ name, want string }{
		{"eht0", "eth0"}, {"eth", "eth0"}, {"eth2", "eth0"}, {"wlan00", "wlan0"}, {"wan0", "wlan0"}, {"brlan", "br-lan"},
		{"x", ""}, {"absent0", ""}, {"", ""},
	} {
		if got := nearestName(tt.name, names); got != tt.want {
			t.Errorf("nearest to %q is %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDifferences(t *testing.T) {
	object := func(text string) *state.Object {
		var o state.Object
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		return &o
	}
	for _, tt := range []struct{ name, old, now, want string }{
		{"a number", `{"iface":{"mtu":1500}}`, `{"iface":{"mtu":1400}}`, "[mtu 1500 -> 1400]"},
		{"a new member", `{"route":{}}`, `{"route":{"metric":5}}`, "[metric none -> 5]"},
		{"a list", `{"neighbour":{"state":["stale"]}}`, `{"neighbour":{"state":["reachable"]}}`, "[state [stale] -> [reachable]]"},
		{"within", `{"iface":{"veth":{"peer":"a"},"name":"x"}}`, `{"iface":{"veth":{"peer":"b"},"name":"y"}}`, "[name x -> y veth.peer a -> b]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(differences(object(tt.old), object(tt.now))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
