package rtnl

import (
	"fmt"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// settable is a link x of one kind, to which each row of its table is written.
type settable struct {
	name    string                             // of the test
	kind    string                             // of the table
	port    bool                               // the table is that of a port of such a link
	make    string                             // commands of ip(8), which make x and set it up
	ports   []string                           // of x, which leave it for what needs x without ports
	indexes []string                           // links whose indexes are values of the fields that have an index
	remade  func(k kernel, field string) *Link // a new link y; nil: not tried
}

// surroundings are what all links of the test can refer to.
const surroundings = `
	link set lo up
	link add v0 type veth peer name w0
	link add v1 type veth peer name w1
	link set v0 up
	link set w0 up
	link set v1 up
	link set w1 up
	address add 192.0.2.2/24 dev v0
	address add fd00::2/64 dev v0 nodad
`

// remake returns a new link of a kind with the data that the kernel asks for.
func remake(kind string, data any) func(kernel, string) *Link {
	return func(kernel, string) *Link {
		fresh := reflect.New(reflect.TypeOf(data).Elem())
		fresh.Elem().Set(reflect.ValueOf(data).Elem())
		return &Link{Info: LinkInfo{Kind: kind, Data: fresh.Interface()}}
	}
}

// TestEverySettableRow writes each settable attribute of a link that is in use, with
// zero and none among the values. It reads each value back and lets ip(8) show the
// value, and it measures what the kernel needed to take the value, which has to be the
// class of the row. What the kernel neither refuses nor does is a row with the wrong
// class.
func TestEverySettableRow(t *testing.T) {
	found, complete := findings{}, 0
	for _, s := range settables {
		t.Run(s.name, func(t *testing.T) {
			if !s.canBeMade(t) {
				return
			}
			complete++
			for _, field := range s.fields(t) {
				t.Run(field, func(t *testing.T) { s.writeField(t, field, found) })
			}
		})
	}
	if complete == len(settables) && netnstest.InLab() {
		found.check(t)
	}
}

// canBeMade reports whether the kernel has the kind. The lab's kernel has all kinds.
func (s settable) canBeMade(t *testing.T) bool {
	t.Helper()
	netnstest.Thread(t)
	out, err := s.runMake()
	lacks := strings.Contains(out, "Unknown device type") || strings.Contains(out, "Operation not supported")
	switch {
	case err == nil:
		return true
	case lacks && !netnstest.InLab():
		t.Skipf("this kernel has no such kind: %s", out)
	}
	t.Fatalf("%v: %s", err, out)
	return false
}

func (s settable) runMake() (string, error) {
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(surroundings + s.make)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// fields returns the names of what the table has, in their alphabetical order.
func (s settable) fields(t *testing.T) []string {
	t.Helper()
	data := s.data(dialKernel(t).link("x"))
	if data == nil {
		t.Fatal("the kernel shows no data")
	}
	var names []string
	for name := range leaves(reflect.New(reflect.TypeOf(data).Elem())) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// data is what the kernel shows of x.
func (s settable) data(l *Link) any {
	if s.port {
		return l.Info.PortData
	}
	return l.Info.Data
}

func (s settable) compare(have, want any) (Change, error) {
	if s.port {
		return PortDelta(s.kind, have, want)
	}
	return Delta(s.kind, have, want)
}

// message is a request that changes x.
func (s settable) message(index int32, p Payload) *Link {
	if s.port {
		return &Link{Index: index, Info: LinkInfo{PortKind: s.kind, PortData: p}}
	}
	return &Link{Index: index, Info: LinkInfo{Kind: s.kind, Data: p}}
}

// table is the name of the table in which the rows are.
func (s settable) table() string {
	if s.port {
		return "port of " + s.kind
	}
	return s.kind
}

// enough values of a number show that the row writes it.
const enough = 5

// writeField writes all values of one field to a new x.
func (s settable) writeField(t *testing.T, field string, found findings) {
	netnstest.Thread(t)
	if out, err := s.runMake(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	k := dialKernel(t)
	w := writer{settable: s, kernel: k, field: field, id: k.link("x").Index, ip: startShower(t)}
	w.seen = w.shown("x")
	if !netnstest.InLab() && w.lacks() {
		t.Skip("this kernel does not have it")
	}
	taken := 0
	for _, value := range w.values() {
		if taken == enough && !isSpelled(typeOfField(value, field)) {
			return
		}
		change, err := s.compare(s.data(k.index(w.id)), value)
		if err != nil && strings.Contains(err.Error(), "cannot be set") {
			return // the row is read-only
		}
		if err != nil && (strings.Contains(err.Error(), "does not fit") || strings.Contains(err.Error(), "and the kernel takes")) {
			continue // it is no value of this kind
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(change.Names) > 0 && w.write(change, value, found) {
			taken++
		}
	}
}

// TestEverySettableRowOfLink is the same for what links of all kinds have.
func TestEverySettableRowOfLink(t *testing.T) {
	netnstest.Thread(t)
	ip(t, "link add v0 type veth peer name w0\nlink add x link v0 type macvlan\nlink add bridge0 type bridge\nlink set x up")
	k := dialKernel(t)
	bridge := uint32(k.link("bridge0").Index)
	index, written := k.link("x").Index, map[string]bool{}
	for _, write := range []struct {
		want  *Link
		key   string // of ip(8)
		shown any    // under the key; nil: nothing
	}{
		{&Link{MTU: 1400}, "mtu", 1400.0}, {&Link{MTU: 1500}, "mtu", 1500.0},
		{&Link{TxQueueLength: new(uint32(500))}, "txqlen", 500.0}, {&Link{TxQueueLength: new(uint32(0))}, "txqlen", nil},
		{&Link{Group: new(uint32(7))}, "group", "7"}, {&Link{Group: new(uint32(0))}, "group", "default"},
		{&Link{Alias: new("words")}, "ifalias", "words"}, {&Link{Alias: new("")}, "ifalias", nil},
		{&Link{LinkMode: new(uint8(1))}, "linkmode", "DORMANT"}, {&Link{LinkMode: new(uint8(0))}, "linkmode", "DEFAULT"},
		{&Link{ProtoDown: new(true)}, "proto_down", true}, {&Link{ProtoDown: new(false)}, "proto_down", nil},
		{&Link{MAC: []byte{2, 0, 0, 0, 0, 9}}, "address", "02:00:00:00:00:09"},
		{&Link{Broadcast: []byte{2, 0xff, 0xff, 0xff, 0xff, 0xff}}, "broadcast", "02:ff:ff:ff:ff:ff"},
		{&Link{Master: &bridge}, "master", "bridge0"}, {&Link{Master: new(uint32(0))}, "master", nil},
		{&Link{GSOMaxSize: 5000}, "gso_max_size", 5000.0}, {&Link{GSOMaxSegments: 40}, "gso_max_segs", 40.0}, {&Link{GROMaxSize: 6000}, "gro_max_size", 6000.0},
		{&Link{IPv6: &LinkIPv6{AddrGenMode: new(uint8(1))}}, "inet6_addr_gen_mode", "none"},
		{&Link{IPv6: &LinkIPv6{AddrGenMode: new(uint8(0))}}, "inet6_addr_gen_mode", "eui64"},
		{&Link{Name: "y"}, "ifname", "y"}, {&Link{Name: "x"}, "ifname", "x"},
	} {
		now := k.index(index)
		change, err := LinkDelta(now, write.want)
		if err != nil || len(change.Names) != 1 || change.Class != InPlace {
			t.Fatalf("%+v: %v, class %d, %v", write.want, change.Texts, change.Class, err)
		}
		m := *write.want
		m.Index = now.Index
		if err := k.try(&m, 0); err != nil {
			t.Errorf("%v: %v", change.Texts, err)
			continue
		}
		now = k.index(index)
		if left, err := LinkDelta(now, write.want); err != nil || len(left.Names) > 0 {
			t.Errorf("the kernel accepted %v, and ignored it, %v", change.Texts, err)
		}
		if shown := showAll(t, now.Name)[write.key]; shown != write.shown {
			t.Errorf("%v: ip shows %s %v", change.Texts, write.key, shown)
		}
		written[change.Names[0]] = true
	}
	for _, row := range linkTable { // a carrier is set by few kinds, such as dummy
		if row.class == InPlace && row.number != unix.IFLA_LINKINFO && row.number != unix.IFLA_CARRIER && !written[row.name] {
			t.Errorf("%s was not written", row.name)
		}
	}
}

// TestEveryKindIsWritten: a kind whose table is new is written, too.
func TestEveryKindIsWritten(t *testing.T) {
	written := map[string]bool{}
	for _, s := range settables {
		written[s.table()] = true
	}
	for kind := range kinds {
		if !written[kind] && unwritten[kind] == "" {
			t.Errorf("TestEverySettableRow does not write kind %s", kind)
		}
	}
	for kind := range portKinds {
		if !written["port of "+kind] {
			t.Errorf("TestEverySettableRow does not write the port of a %s", kind)
		}
	}
}

// unwritten are the kinds that TestEverySettableRow does not make, with the reason.
var unwritten = map[string]string{
	"ipoib": "it needs InfiniBand hardware",
	"veth":  "the kernel shows no data of it",
}

func describe(change Change, value any) string {
	return fmt.Sprintf("%s (%v)", strings.Join(change.Texts, ", "), reflect.TypeOf(value).Elem().Name())
}

// try sends a request, and returns the kernel's refusal.
func (k kernel) try(l *Link, flags netlink.HeaderFlags) error {
	k.t.Helper()
	b, err := l.MarshalBinary()
	if err != nil {
		k.t.Fatal(err)
	}
	_, err = k.conn.Execute(netlink.Message{Header: netlink.Header{Type: unix.RTM_NEWLINK, Flags: netlink.Request | netlink.Acknowledge | flags}, Data: b})
	return err
}

// index reads the link of an index.
func (k kernel) index(n int32) *Link {
	k.t.Helper()
	for _, answer := range k.execute(unix.RTM_GETLINK, 0, &Link{Index: n}) {
		if answer.Header.Type == unix.RTM_NEWLINK {
			l := new(Link)
			if err := l.UnmarshalBinary(answer.Data); err != nil {
				k.t.Fatal(err)
			}
			return l
		}
	}
	k.t.Fatalf("no link %d", n)
	return nil
}
