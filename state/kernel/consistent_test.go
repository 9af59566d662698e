package kernel

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// TestNothingIsToldBeforeItsInterface checks the order of changes: an interface is
// reported before the objects that name it, and gone after them. The kernel's message
// about an entry may come before the message about its link (br_fdb_notify in a new
// bridge), and each table is read separately.
func TestNothingIsToldBeforeItsInterface(t *testing.T) {
	lo := rtnl.Link{Index: 1, Name: "lo"}
	br, port := rtnl.Link{Index: 5, Name: "br0"}, rtnl.Link{Index: 6, Name: "port", Master: new(uint32(5))}
	gateway := netip.MustParseAddr("192.0.2.1")
	full := link.Tables{
		Links:      []rtnl.Link{lo, br, port},
		Addresses:  []rtnl.Address{{Family: unix.AF_INET, Index: 5, Address: gateway, PrefixLength: 24}},
		Forwarding: []rtnl.Neighbour{{Family: unix.AF_BRIDGE, Index: 6, Master: 5, MAC: []byte{2, 0, 0, 0, 0, 1}}},
		Neighbours: []rtnl.Neighbour{{Family: unix.AF_INET, Index: 5, Address: gateway}},
		Nexthops:   []rtnl.Nexthop{{ID: 7, Family: unix.AF_INET, OutIndex: 5}},
		Routes: []rtnl.Route{
			{Family: unix.AF_INET, Table: 254, OutIndex: 5},
			{Family: unix.AF_INET, Table: 255, Hops: []rtnl.Hop{{Index: 1}, {Index: 6}}},
		},
	}
	early := full
	early.Links = []rtnl.Link{lo}
	bare := link.Tables{Links: []rtnl.Link{lo}}
	names := []string{"iface br0", "iface port", "address br0", "nexthop br0", "route br0", "route lo port", "neighbour br0", "fdb port br0"}

	for _, row := range []struct {
		name     string
		readings []link.Tables
		want     [][]string // the changes of each reading
	}{
		{"entries first", []link.Tables{bare, early, full}, [][]string{{"snapshot"}, nil, each("new ", names)}},
		{"links go first", []link.Tables{full, early, bare}, [][]string{{"snapshot"}, gone(names), nil}},
		{"in the snapshot", []link.Tables{early, full}, [][]string{{"snapshot"}, each("new ", names)}},
		{"the port is late", []link.Tables{bare, {Links: []rtnl.Link{lo, br}, Forwarding: full.Forwarding}, {Links: full.Links, Forwarding: full.Forwarding}},
			[][]string{{"snapshot"}, {"new iface br0"}, {"new iface port", "new fdb port br0"}}},
		{"the bridge is late", []link.Tables{bare, {Links: []rtnl.Link{lo, {Index: 6, Name: "port"}}, Forwarding: full.Forwarding}, {Links: full.Links, Forwarding: full.Forwarding}},
			[][]string{{"snapshot"}, {"new iface port"}, {"change iface port", "new iface br0", "new fdb port br0"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var reported []string
			w := &watcher{reader: &reader{parts: state.Watched}, seen: func(c state.Change) error {
				reported = append(reported, changeName(c))
				return nil
			}}
			for i, tables := range row.readings {
				reported = nil
				if err := w.read(&link.Reading{Tables: tables, Read: link.AllParts}); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(reported, row.want[i]) {
					t.Errorf("reading %d reports\n%q\nwant\n%q", i+1, reported, row.want[i])
				}
			}
		})
	}
}

func each(word string, names []string) (all []string) {
	for _, name := range names {
		all = append(all, word+name)
	}
	return all
}

// gone returns the names in the order in which objects go: interfaces last.
func gone(names []string) []string {
	return append(each("del ", names[2:]), each("del ", names[:2])...)
}

// changeName returns the name of a change's object. A snapshot must not contain an
// object of an interface that appears only as a number.
func changeName(c state.Change) string {
	switch op := string(c.Op) + " "; {
	case c.State != nil:
		for _, r := range c.State.Routes {
			if r.OutIface != "lo" && r.OutIface != "br0" && len(r.Multipath) == 0 {
				return "snapshot with a route through " + r.OutIface
			}
		}
		if len(c.State.FDB)+len(c.State.Neighbours)+len(c.State.Nexthops) > 0 && len(c.State.Ifaces) < 3 {
			return "snapshot with entries of no interface"
		}
		return "snapshot"
	case c.Iface != nil:
		return op + "iface " + c.Iface.Name
	case c.Address != nil:
		return op + "address " + c.Address.Iface
	case c.Nexthop != nil:
		return op + "nexthop " + c.Nexthop.OutIface
	case c.Route != nil && len(c.Route.Multipath) > 0:
		return op + "route " + c.Route.Multipath[0].Iface + " " + c.Route.Multipath[1].Iface
	case c.Route != nil:
		return op + "route " + c.Route.OutIface
	case c.Neighbour != nil:
		return op + "neighbour " + c.Neighbour.Iface
	case c.FDB != nil:
		return op + "fdb " + c.FDB.Iface + " " + c.FDB.Controller
	}
	return fmt.Sprintf("%+v", c)
}
