package rtnl

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// message is a pointer to any of the messages.
type message interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

var examples = []struct {
	name    string
	message message
	bytes   string // hexadecimal, little endian, of the headers of linux/*.h
}{
	{"link up", &Link{Index: 3, Flags: unix.IFF_UP, Change: unix.IFF_UP},
		"00 00 0000 03000000 01000000 01000000"},
	{"link by name", &Link{Name: "wlan0", Filter: 8},
		"00 00 0000 00000000 00000000 00000000  0a00 0300 776c616e3000 0000  0800 1d00 08000000"},
	{"port of a bridge", &Link{Type: 1, Index: 4, MAC: []byte{2, 0, 0, 0, 0, 9}, MTU: 1500, Master: new(uint32(7)), OperState: 6, Info: LinkInfo{Kind: "veth", PortKind: "bridge"}},
		`00 00 0100 04000000 00000000 00000000  0500 1000 06 000000  0800 0400 dc050000  0a00 0100 020000000009 0000
		 1c00 1280 0900 0100 7665746800 000000  0b00 0400 62726964676500 00  0800 0a00 07000000`},
	{"bridge", &Link{Info: LinkInfo{Kind: "bridge", Data: &Bridge{Bridge: state.Bridge{STPState: new(state.STPDisabled), Priority: new(uint16(0x8000)), VLANFiltering: new(true)}}}},
		`00 00 0000 00000000 00000000 00000000  2c00 1280  0b00 0100 62726964676500 00
		 1c00 0200 0800 0500 00000000  0600 0600 0080 0000  0500 0700 01 000000`},
	{"IPv4 address", &Address{Family: unix.AF_INET, PrefixLength: 24, Index: 3, Address: netip.MustParseAddr("10.7.0.7"), Local: netip.MustParseAddr("10.7.0.7"),
		Broadcast: netip.MustParseAddr("10.7.0.255"), Metric: 600, Protocol: 78, Lifetimes: Lifetimes{Preferred: 300, Valid: Infinity}},
		`02 18 00 00 03000000  0800 0100 0a070007  0800 0200 0a070007  0800 0400 0a0700ff  0800 0900 58020000  0500 0b00 4e 000000
		 1400 0600 2c010000 ffffffff 00000000 00000000`},
	{"flags that do not fit into the header", &Address{Family: unix.AF_INET6, PrefixLength: 64, Index: 3, Flags: unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_PERMANENT, Address: netip.MustParseAddr("fd07::7")},
		"0a 40 80 00 03000000  1400 0100 fd070000000000000000000000000007  0800 0800 80020000"},
	{"default route", &Route{Family: unix.AF_INET, Table: 254, Protocol: 78, Type: 1, Gateway: netip.MustParseAddr("10.7.0.1"), OutIndex: 3, Metric: 600},
		"02 00 00 00 fe 4e 00 01 00000000  0800 0f00 fe000000  0800 0500 0a070001  0800 0400 03000000  0800 0600 58020000"},
	{"large table", &Route{Family: unix.AF_INET, DestinationLength: 8, Destination: netip.MustParseAddr("10.0.0.0"), Table: 1000},
		"02 08 00 00 fc 00 00 00 00000000  0800 0f00 e8030000  0800 0100 0a000000"},
	{"multipath", &Route{Family: unix.AF_INET, Hops: []Hop{{Index: 3, Gateway: netip.MustParseAddr("10.7.0.1")}, {Weight: 2, Flags: 16, Index: 4, Via: netip.MustParseAddr("fe80::1")}}},
		`02 00 00 00 00 00 00 00 00000000  3400 0900 1000 00 00 03000000 0800 0500 0a070001
		 2000 10 02 04000000 1600 1200 0a00 fe800000000000000000000000000001 0000`},
	{"neighbour", &Neighbour{Family: unix.AF_INET, Index: 3, State: unix.NUD_PROBE, Flags: unix.NTF_USE, Type: 1, Address: netip.MustParseAddr("10.7.0.1"), MAC: []byte{2, 0, 0, 0, 0, 1}},
		"02 00 0000 03000000 1000 01 01  0800 0100 0a070001  0a00 0200 020000000001 0000"},
}

// TestBothWays: what is written is what the kernel's headers say, and reading
// it returns the same message again.
func TestBothWays(t *testing.T) {
	for _, example := range examples {
		t.Run(example.name, func(t *testing.T) { checkBothWays(t, example.message, example.bytes) })
	}
}

func checkBothWays(t *testing.T, m message, hexadecimal string) {
	t.Helper()
	want := unhex(t, hexadecimal)
	got, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	again := reflect.New(reflect.TypeOf(m).Elem()).Interface().(message)
	if err := again.UnmarshalBinary(want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again, compareAll...); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

var compareAll = []cmp.Option{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Exporter(func(reflect.Type) bool { return true }),
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadRefuses(t *testing.T) {
	const link = "00 00 0000 00000000 00000000 00000000 "
	tests := []struct {
		name    string
		message message
		bytes   string
		text    string
	}{
		{"no header", &Link{}, "00 00", "read link message: 2 bytes are too short for a header of 16"},
		{"integer of three bytes", &Link{}, link + "0700 0400 dc0500 00", "IFLA_MTU: 3 bytes instead of 4"},
		{"longer than the message", &Link{}, link + "ff00 0400 dc050000", "length too short or too large"},
		{"shorter than its header", &Link{}, link + "0200 0400 dc050000", "length too short or too large"},
		{"nested", &Link{}, link + "0c00 1280 ff00 0100 76657468", "IFLA_LINKINFO: "},
		{"data of the kind, before the kind", &Link{}, link + "1a00 1280 0a00 0200 0600 0500 0000 0000  0a00 0100 627269646765", "data of kind bridge: attribute IFLA_BR_STP_STATE"},
		{"address of five bytes", &Address{}, "02 18 00 00 03000000 0900 0100 0a07000700 000000", "IFA_ADDRESS: 5 bytes are no IP address"},
		{"short cache info", &Address{}, "02 18 00 00 03000000 0800 0600 00000000", "IFA_CACHEINFO: too short"},
		{"hop longer than the attribute", &Route{}, "02 00 00 00 00 00 00 00 00000000  0c00 0900 0900 00 00 03000000", "hop of 9 bytes in 8"},
		{"hop of no length", &Route{}, "02 00 00 00 00 00 00 00 00000000  0c00 0900 0000 00 00 03000000", "hop of 0 bytes in 8"},
		{"short via", &Route{}, "02 00 00 00 00 00 00 00 00000000  0500 1200 02 000000", "RTA_VIA: too short"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.message.UnmarshalBinary(unhex(t, test.bytes))
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want …%s…", err, test.text)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := []struct {
		name string
		link Link
		text string
	}{
		{"kind without table", Link{Info: LinkInfo{Kind: "lowpan", Data: &Bridge{}}}, `data of kind "lowpan": *rtnl.Bridge has no table`},
		{"data of another kind", Link{Info: LinkInfo{Kind: "bridge", Data: &Route{}}}, "data is *rtnl.Route instead of *rtnl.Bridge"},
		{"too long", Link{Name: strings.Repeat("x", 1<<16)}, "IFLA_IFNAME: 65537 bytes do not fit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.link.MarshalBinary()
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want …%s…", err, test.text)
			}
		})
	}
}

// FuzzRead: hostile bytes never panic, and what could be read can be written
// and read again to the same.
func FuzzRead(f *testing.F) {
	kinds := []func() message{
		func() message { return &Link{} }, func() message { return &Address{} },
		func() message { return &Route{} }, func() message { return &Neighbour{} },
		func() message { return &Rule{} }, func() message { return &Nexthop{} },
	}
	for _, example := range examples {
		b, err := example.message.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		for kind := range kinds {
			f.Add(uint8(kind), b)
		}
	}
	for _, example := range bridgingExamples {
		f.Add(uint8(0), unhex(f, example.bytes))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		fresh := kinds[int(kind)%len(kinds)]
		first := fresh()
		if first.UnmarshalBinary(b) != nil {
			return
		}
		written, err := first.MarshalBinary()
		if err != nil {
			// Many hops may need more room when all of them are written.
			if !strings.Contains(err.Error(), "do not fit") {
				t.Fatal(err)
			}
			return
		}
		second := fresh()
		if err := second.UnmarshalBinary(written); err != nil {
			t.Fatalf("read again: %v", err)
		}
		if diff := cmp.Diff(first, second, compareAll...); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
