package rtnl

import (
	"bufio"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// writer writes the values of one field to x.
type writer struct {
	settable
	kernel
	field string
	id    int32 // index of x
	ip    *shower
	seen  map[string]any // what ip showed last
}

// shower is an ip(8) that shows links one after the other. Starting a program is the
// most expensive step in the lab's machine.
type shower struct {
	in  io.Writer
	out *bufio.Reader
}

func startShower(t *testing.T) *shower {
	t.Helper()
	cmd := exec.Command("ip", "-d", "-j", "-batch", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	return &shower{in, bufio.NewReader(out)}
}

func (s *shower) show(t *testing.T, name string) ipLink {
	t.Helper()
	_, err := io.WriteString(s.in, "link show dev "+name+"\n")
	var links []ipLink
	var line []byte
	if err == nil {
		line, err = s.out.ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &links)
	}
	if err != nil || len(links) != 1 {
		t.Fatalf("ip link show dev %s: %v in %s", name, err, line)
	}
	return links[0]
}

// errIgnored says that the kernel accepted a value and did not take it.
var errIgnored = errors.New("accepted, and ignored")

// values are those that the field can have in this namespace.
func (w writer) values() []any {
	data := w.data(w.index(w.id))
	if !slices.Contains(indexFields, w.field) {
		return valuesOf(data, w.field, candidates(typeOfField(data, w.field)))
	}
	all := []any{}
	for _, name := range w.indexes {
		all = append(all, uint32(w.link(name).Index))
	}
	return valuesOf(data, w.field, append(all, uint32(0)))
}

// lacks reports whether the kernel does not show a field that kernels with the field
// show with every value.
func (w writer) lacks() bool {
	now := w.data(w.index(w.id))
	at := leaves(reflect.ValueOf(now))[w.field]()
	if at.Kind() != reflect.Pointer || !at.IsNil() {
		return false
	}
	values := w.values()
	if len(values) == 0 {
		return false
	}
	zero, err := w.compare(now, values[0])
	return err == nil && len(zero.Names) > 0 && zero.Class != Recreate
}

// write writes one value, with as little trouble for the link as the kernel needs, and
// reports whether the kernel has taken it.
func (w *writer) write(change Change, value any, found findings) bool {
	w.t.Helper()
	var refusals []string
	ignored := false
	for class := InPlace; class <= Recreate; class++ {
		if len(w.ports) == 0 && (class == NoPorts || class == NoPortsDown) {
			continue
		}
		w.furnish()
		before := w.holding()
		if len(before.addresses) == 0 {
			w.t.Fatal("the link has no address to lose")
		}
		err := w.try(class, value)
		if err != nil {
			ignored = ignored || errors.Is(err, errIgnored)
			refusals = append(refusals, fmt.Sprintf("%s: %v", class.words(), err))
			continue
		}
		switch {
		case class == w.withoutPorts(change.Class):
			return true // what it takes with ports is not seen here
		case class != change.Class:
			w.t.Errorf("%s: the kernel takes it %s (%s), and the row says %s", describe(change, value), class.words(), strings.Join(refusals, "; "), change.Class.words())
		}
		found.take(w.table(), w.field, change.Names[0], class, before.lost(w.holding(), class))
		if class != Recreate {
			w.checkShown(change, value)
		}
		return true
	}
	if _, known := otherwise[w.table()+" "+w.field]; ignored && !known && change.Class != Recreate {
		w.t.Errorf("%s: %s", describe(change, value), strings.Join(refusals, "; "))
	}
	found.refuse(w.table(), w.field, change.Names[0], strings.Join(refusals, "; "))
	return false
}

// withoutPorts returns what a class that needs the link without ports is for a link that
// has none, and else a class that there is not.
func (w writer) withoutPorts(class Class) Class {
	switch {
	case len(w.ports) > 0:
	case class == NoPorts:
		return InPlace
	case class == NoPortsDown:
		return LinkDown
	}
	return ReadOnly
}

// try writes a value in one way, and reports why the kernel has not taken it.
func (w writer) try(class Class, value any) error {
	w.t.Helper()
	switch {
	case class == Recreate:
		return w.tryNew(value)
	case class == LinkDown || class == NoPortsDown:
		w.change(&Link{Index: w.id, Change: unix.IFF_UP})
		defer w.change(&Link{Index: w.id, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	}
	if class == NoPorts || class == NoPortsDown {
		w.setPorts(0)
		defer w.setPorts(uint32(w.id))
	}
	change, err := w.compare(w.data(w.index(w.id)), value)
	if err != nil || len(change.Names) == 0 {
		return fmt.Errorf("nothing differs any more, %v", err)
	}
	if err := w.kernel.try(w.message(w.id, change.Payload), 0); err != nil {
		return err
	}
	left, err := w.compare(w.data(w.index(w.id)), value)
	if err == nil && len(left.Names) > 0 {
		err = fmt.Errorf("%w: %s", errIgnored, strings.Join(left.Texts, ", "))
	}
	return err
}

// setPorts makes the ports those of another link, or of none.
func (w writer) setPorts(master uint32) {
	w.t.Helper()
	for _, name := range w.ports {
		port := w.link(name).Index
		w.change(&Link{Index: port, Change: unix.IFF_UP}) // a bond takes only ports that are down
		w.change(&Link{Index: port, Master: &master})
		w.change(&Link{Index: port, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	}
}

// tryNew makes another link with the value.
func (w writer) tryNew(value any) error {
	w.t.Helper()
	if w.remade == nil {
		return errors.New("not tried")
	}
	made := w.remade(w.kernel, w.field)
	made.Name = "y"
	if !slices.Contains([]string{"hsr"}, w.kind) {
		made.Parent = new(uint32(w.link("v0").Index))
	}
	leaves(reflect.ValueOf(made.Info.Data))[w.field]().Set(leaves(reflect.ValueOf(value))[w.field]())
	if v, ok := made.Info.Data.(*VXLAN); ok {
		v.VXLANPorts = value.(*VXLAN).VXLANPorts
	}
	delta, err := Delta(w.kind, nil, made.Info.Data)
	if err != nil {
		w.t.Fatal(err)
	}
	made.Info.Data = delta.Payload
	if err := w.kernel.try(made, netlink.Create|netlink.Excl); err != nil {
		return err
	}
	y := w.link("y")
	left, err := w.compare(w.data(y), value)
	if err == nil && len(left.Names) > 0 {
		err = fmt.Errorf("%w: %s", errIgnored, strings.Join(left.Texts, ", "))
	}
	w.execute(unix.RTM_DELLINK, netlink.Acknowledge, &Link{Index: y.Index})
	return err
}

// What x holds while it is written to.
var (
	heldAddresses = []Address{
		{Family: unix.AF_INET, PrefixLength: 24, Address: netip.MustParseAddr("198.51.100.1"), Local: netip.MustParseAddr("198.51.100.1")},
		{Family: unix.AF_INET6, PrefixLength: 64, Flags: unix.IFA_F_NODAD, Address: netip.MustParseAddr("fd01::1")},
	}
	heldRoutes = []Route{
		{Family: unix.AF_INET, DestinationLength: 24, Destination: netip.MustParseAddr("203.0.113.0"), Scope: unix.RT_SCOPE_LINK},
		{Family: unix.AF_INET6, DestinationLength: 64, Destination: netip.MustParseAddr("fd02::")},
	}
)

// furnish sets x up, with addresses, routes and a link above, as far as its kind can
// have them.
func (w writer) furnish() {
	w.t.Helper()
	w.change(&Link{Index: w.id, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	for _, a := range heldAddresses {
		a.Index = uint32(w.id)
		w.send(unix.RTM_NEWADDR, &a)
	}
	for _, r := range heldRoutes {
		r.OutIndex, r.Table, r.Type, r.Protocol = uint32(w.id), unix.RT_TABLE_MAIN, unix.RTN_UNICAST, unix.RTPROT_STATIC
		w.send(unix.RTM_NEWROUTE, &r)
	}
	above := &Link{Name: "above", Parent: new(uint32(w.id)), Info: LinkInfo{Kind: "vlan", Data: &state.VLAN{ID: new(uint16(99))}}}
	w.send(unix.RTM_NEWLINK, above)
}

// send sends a request that may be refused, because the object is there or the kind
// cannot have it.
func (k kernel) send(kind uint16, m encoding.BinaryMarshaler) {
	k.t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		k.t.Fatal(err)
	}
	flags := netlink.Request | netlink.Acknowledge | netlink.Create | netlink.Replace
	_, _ = k.conn.Execute(netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: flags}, Data: b})
}

func (k kernel) dump(kind uint16, m encoding.BinaryMarshaler) []netlink.Message {
	k.t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		k.t.Fatal(err)
	}
	answers, err := k.conn.Execute(netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.Request | netlink.Dump}, Data: b})
	if err != nil {
		k.t.Fatal(err)
	}
	return answers
}

// holding is what stands on x.
type holding struct{ addresses, routes, above map[string]bool }

func (w writer) holding() holding {
	w.t.Helper()
	h := holding{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, answer := range w.dump(unix.RTM_GETADDR, &Address{}) {
		var a Address
		if err := a.UnmarshalBinary(answer.Data); err == nil && a.Index == uint32(w.id) && a.Scope == unix.RT_SCOPE_UNIVERSE {
			h.addresses[familyName(a.Family)+" addresses"] = true
		}
	}
	for _, answer := range w.dump(unix.RTM_GETROUTE, &Route{}) {
		var r Route
		if err := r.UnmarshalBinary(answer.Data); err == nil && r.OutIndex == uint32(w.id) && r.Protocol == unix.RTPROT_STATIC {
			h.routes[familyName(r.Family)+" routes"] = true
		}
	}
	for _, answer := range w.dump(unix.RTM_GETLINK, &Link{}) {
		var l Link
		if err := l.UnmarshalBinary(answer.Data); err == nil && l.ParentIndex() == uint32(w.id) {
			h.above["links above"] = true
		}
	}
	return h
}

func familyName(family uint8) string {
	if family == unix.AF_INET {
		return "IPv4"
	}
	return "IPv6"
}

// lost are those of the things that are not there any more.
func (h holding) lost(after holding, class Class) []string {
	if class == Recreate {
		return []string{"everything"}
	}
	var lost []string
	for _, of := range [][2]map[string]bool{{h.addresses, after.addresses}, {h.routes, after.routes}, {h.above, after.above}} {
		for _, name := range slices.Sorted(maps.Keys(of[0])) {
			if !of[1][name] {
				lost = append(lost, name)
			}
		}
	}
	return lost
}

// shown is what ip(8) shows of the kind of a link, and of the link below.
func (w writer) shown(name string) map[string]any {
	w.t.Helper()
	l := w.ip.show(w.t, name)
	data := l.Info.Data
	if w.port {
		data = l.Info.PortData
	}
	out := map[string]any{"link": l.Link}
	for key, value := range data {
		if object, ok := value.(map[string]any); ok {
			for inner, value := range object {
				out[key+"."+inner] = value
			}
			continue
		}
		out[key] = value
	}
	return out
}

// checkShown: ip(8) shows the value under one of the keys that have changed.
func (w *writer) checkShown(change Change, value any) {
	w.t.Helper()
	before, after := w.seen, w.shown("x")
	w.seen = after
	if unseen[w.table()+" "+w.field] != "" || unseen[w.settable.name+" "+w.field] != "" {
		return
	}
	ours := w.asShown(value)
	changed := map[string]any{}
	for _, of := range []map[string]any{before, after} {
		for key := range of {
			if fmt.Sprint(before[key]) != fmt.Sprint(after[key]) {
				changed[key] = after[key]
			}
		}
	}
	for _, shown := range changed {
		if slices.ContainsFunc(ours, func(one any) bool { return sameValue(shown, one) }) {
			return
		}
	}
	w.t.Errorf("%s: ip does not show %v; it shows as changed %v", describe(change, value), ours, changed)
}

// asShown returns the forms that the value can have in ip(8).
func (w writer) asShown(value any) []any {
	w.t.Helper()
	at := leaves(reflect.ValueOf(value))[w.field]()
	forms := []any{asJSON(w.t, at.Interface())}
	if at.Kind() == reflect.Pointer {
		at = at.Elem()
	}
	if bit := bitsOf[w.table()+" "+w.field]; bit != "" {
		return []any{bitShown{bit, at.Bool()}}
	}
	if !at.CanUint() {
		return forms
	}
	n := at.Uint()
	words := wordsOf[w.table()+" "+w.field]
	switch {
	case slices.Contains(indexFields, w.field) && n != 0:
		return []any{w.index(int32(n)).Name}
	case n < uint64(len(words)):
		return []any{words[n]}
	}
	return append(forms, float64(n))
}
