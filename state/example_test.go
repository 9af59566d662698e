package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/netip"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// Read a snapshot of the network: here its interfaces and routes.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := kernel.Read(ctx, state.Filter{Parts: state.PartIfaces | state.PartRoutes})
	if err != nil {
		log.Fatal(err)
	}
	for _, route := range s.Routes {
		if !route.Destination.IsValid() && route.Protocol.String() == "dhcp" {
			log.Print("a default route by DHCP, through ", route.OutIface)
		}
	}
	fmt.Println("lo is a", s.Ifaces["lo"].Type)
	// Output: lo is a loopback
}

// Read one interface. A name that does not exist has an error of its own.
func ExampleFilter() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := kernel.Read(ctx, state.Filter{Parts: state.PartIfaces, Iface: "lo"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(s.Ifaces), "interface with index", s.Ifaces["lo"].Index)

	_, err = kernel.Read(ctx, state.Filter{Parts: state.PartIfaces, Iface: "absent0"})
	fmt.Println(errors.Is(err, kernel.ErrNotExist))
	// Output:
	// 1 interface with index 1
	// true
}

// Follow the network: the first change holds the whole state, and Apply carries out
// the later ones.
func ExampleState_Apply() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	enough := errors.New("enough") // ends the example
	var now state.State
	filter := state.Filter{Parts: state.PartIfaces}
	err := kernel.Watch(ctx, filter, slog.New(slog.DiscardHandler), func(c state.Change) error {
		if err := now.Apply(c); err != nil {
			return err
		}
		fmt.Println(c.Op, c.Seq, now.Ifaces["lo"].Type)
		return enough
	})
	if !errors.Is(err, enough) {
		log.Fatal(err)
	}
	// Output: snapshot 1 loopback
}

// Write an interface in the form of nispor and `netconnectcli show`. JSON is a part
// of YAML, so the keys keep their names and their order.
func ExampleIface() {
	mode := state.BondActiveBackup
	iface := state.Iface{
		Name: "bond0", Index: 7, Type: "bond", State: 6, MTU: 1500, Flags: 1<<0 | 1<<6,
		IPv4: &state.IPv4{Addresses: []state.Address{{
			Address: netip.MustParseAddr("192.0.2.7"), PrefixLength: 24, Valid: 3600, Preferred: state.Forever,
		}}},
		Kinds: state.Kinds{Bond: &state.Bond{Subordinates: []string{"eth0", "eth1"}, Mode: &mode}},
	}
	text, err := json.Marshal(iface)
	if err != nil {
		log.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		log.Fatal(err)
	}
	block(&node)
	text, err = yaml.Marshal(&node)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// name: bond0
	// index: 7
	// iface_type: bond
	// state: up
	// mtu: 1500
	// flags:
	//     - up
	//     - running
	// ipv4:
	//     addresses:
	//         - address: 192.0.2.7
	//           prefix_len: 24
	//           valid_lft: 3600sec
	//           preferred_lft: forever
	//           flags: []
	//           scope: universe
	// bond:
	//     subordinates:
	//         - eth0
	//         - eth1
	//     mode: active-backup
}

// block removes JSON's style, with braces and quotes, from a node.
func block(n *yaml.Node) {
	n.Style = 0
	for _, inner := range n.Content {
		block(inner)
	}
}

// A number of the kernel's that has a name has that name as its text. Words lists the
// names.
func ExampleNamed() {
	var mode state.BondMode
	if err := mode.UnmarshalText([]byte("802.3ad")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(mode, mode == state.Bond8023AD)
	fmt.Println(state.BondLACPRate(0).Words(), state.BondLACPRate(7))
	// Output:
	// 802.3ad true
	// [slow fast] 7
}
