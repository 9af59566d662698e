package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// model is a small kernel: it takes the requests of a run, and does with links,
// addresses and routes what Linux does, as far as a plan has to know it. What it drops
// by itself is written after the kernel's source, named beside it.
type model struct {
	links      map[int32]*modelLink
	last       int32
	addresses  []rtnl.Address
	routes     []rtnl.Route
	rules      []rtnl.Rule
	neighbours []rtnl.Neighbour
	sysctls    map[string]string

	requests int  // that were carried out
	stopAt   int  // the program is killed before this request; 0: never
	deaf     bool // the kernel accepts changes of attributes, and does not make them
}

type modelLink struct {
	rtnl.Link
	data, port map[uint16][]byte // attributes of the kind, and of the port
	below      uint32            // index of the link that it stands on
}

var errKilled = errors.New("killed")

func newModel() *model {
	m := &model{links: map[int32]*modelLink{}, sysctls: map[string]string{}}
	m.make("lo", "")
	return m
}

// fullKinds are those that take a change for all of their data.
var fullKinds = []string{"gre", "ipip", "sit"}

func (m *model) byName(name string) *modelLink {
	for _, l := range m.links {
		if l.Name == name {
			return l
		}
	}
	return nil
}

func (m *model) make(name, kind string) *modelLink {
	m.last++
	l := &modelLink{Link: rtnl.Link{Index: m.last, Name: name, MTU: 1500, TxQueueLength: new(uint32(1000)), MAC: []byte{2, 0, 0, 0, 9, byte(m.last)}}, data: map[uint16][]byte{}, port: map[uint16][]byte{}}
	l.Info.Kind = kind
	m.links[l.Index] = l
	m.sysctls["ipv4/conf/"+name+"/promote_secondaries"] = "0"
	m.sysctls["ipv4/conf/"+name+"/forwarding"] = "0"
	return l
}

func refuse(errno unix.Errno) error { return &Refusal{Errno: errno} }

func (m *model) send(_ context.Context, all []request) ([]reply, error) {
	replies := make([]reply, len(all))
	for i, r := range all {
		if m.stopAt > 0 && m.requests >= m.stopAt {
			return nil, errKilled
		}
		m.requests++
		if r.kind == unix.RTM_GETLINK {
			l := m.byName(r.body.(*rtnl.Link).Name)
			if l == nil {
				replies[i].err = refuse(unix.ENODEV)
				continue
			}
			replies[i].link = m.show(l)
			continue
		}
		replies[i].err = m.change(r)
	}
	return replies, nil
}

func (m *model) sysctl(key string) (string, error) {
	value, ok := m.sysctls[key]
	if !ok {
		return "", unix.ENOENT
	}
	return value, nil
}

func (m *model) setSysctl(key, value string) error {
	if _, err := m.sysctl(key); err != nil {
		return err
	}
	if m.stopAt > 0 && m.requests >= m.stopAt {
		return errKilled
	}
	m.requests++
	m.sysctls[key] = value
	return nil
}

func (m *model) change(r request) error {
	switch body := r.body.(type) {
	case *rtnl.Link:
		switch {
		case body.Family == unix.AF_BRIDGE:
			return m.changeVLANs(r.kind, body)
		case r.kind == unix.RTM_DELLINK:
			return m.removeLink(body.Index)
		case r.flags&netlink.Create != 0:
			return m.createLink(body)
		}
		return m.changeLink(body)
	case *rtnl.Address:
		if r.kind == unix.RTM_DELADDR {
			return m.removeAddress(body)
		}
		return m.addAddress(body)
	case *rtnl.Route:
		if r.kind == unix.RTM_DELROUTE {
			return m.removeRoute(body)
		}
		return m.addRoute(body)
	case *rtnl.Rule:
		return m.changeRule(r.kind, body)
	case *rtnl.Neighbour:
		return m.changeNeighbour(r.kind, body)
	}
	panic(fmt.Sprintf("%T is new here", r.body))
}

// attributesOf reads what a message has of a kind.
func attributesOf(payload any) map[uint16][]byte {
	out := map[uint16][]byte{}
	b, ok := payload.(rtnl.Payload)
	if !ok {
		return out
	}
	decoder, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		panic(err)
	}
	for decoder.Next() {
		out[decoder.Type()] = slices.Clone(decoder.Bytes())
	}
	return out
}

func payloadOf(attributes map[uint16][]byte) rtnl.Payload {
	encoder := netlink.NewAttributeEncoder()
	for _, number := range slices.Sorted(maps.Keys(attributes)) {
		encoder.Bytes(number, attributes[number])
	}
	b, err := encoder.Encode()
	if err != nil {
		panic(err)
	}
	return b
}

func (m *model) createLink(r *rtnl.Link) error {
	if m.byName(r.Name) != nil {
		return refuse(unix.EEXIST)
	}
	below := uint32(0)
	data := attributesOf(r.Info.Data)
	switch r.Info.Kind {
	case "macvlan", "vlan":
		if below = r.ParentIndex(); m.links[int32(below)] == nil {
			return refuse(unix.ENODEV)
		}
	case "vxlan":
		if b := data[unix.IFLA_VXLAN_LINK]; b != nil {
			if below = binary.NativeEndian.Uint32(b); below != 0 && m.links[int32(below)] == nil {
				return refuse(unix.ENODEV)
			}
		}
	}
	var peer *modelLink
	if veth, ok := r.Info.Data.(*rtnl.Veth); ok {
		if m.byName(veth.Peer.Name) != nil || veth.Peer.Name == r.Name {
			return refuse(unix.EEXIST)
		}
		peer = m.make(veth.Peer.Name, "veth")
	}
	l := m.make(r.Name, r.Info.Kind)
	l.below, l.data = below, data
	if r.MAC != nil {
		l.MAC = slices.Clone(r.MAC)
	}
	if peer != nil {
		l.Parent, peer.Parent = new(uint32(peer.Index)), new(uint32(l.Index))
	}
	if below != 0 && r.Info.Kind != "vxlan" {
		l.Parent = &below
	}
	return nil
}

// removeLink takes along what stands on the link (NETDEV_UNREGISTER in macvlan.c,
// 8021q/vlan.c, vxlan_core.c), and the other end of a veth.
func (m *model) removeLink(index int32) error {
	l := m.links[index]
	if l == nil {
		return refuse(unix.ENODEV)
	}
	delete(m.links, index)
	m.fall(l, true)
	for key := range m.sysctls {
		if strings.Split(key, "/")[2] == l.Name {
			delete(m.sysctls, key)
		}
	}
	m.neighbours = slices.DeleteFunc(m.neighbours, func(n rtnl.Neighbour) bool { return n.Index == index })
	for _, other := range m.sorted() {
		if other.MasterIndex() == uint32(index) {
			other.Master, other.Info.PortKind, other.port, other.BridgeVLANs = nil, "", map[uint16][]byte{}, nil
		}
		if other.below == uint32(index) || l.Info.Kind == "veth" && other.Info.Kind == "veth" && other.ParentIndex() == uint32(index) {
			_ = m.removeLink(other.Index) // it is there
		}
	}
	return nil
}

// fall drops what a link loses that goes down (addrconf_ifdown, fib_disable_ip) or,
// with all, that goes away.
func (m *model) fall(l *modelLink, all bool) {
	m.addresses = slices.DeleteFunc(m.addresses, func(a rtnl.Address) bool {
		return a.Index == uint32(l.Index) && (all || a.Family == unix.AF_INET6)
	})
	m.dropRoutes(l.Index, func(*rtnl.Route) bool { return true })
}

func (m *model) dropRoutes(index int32, which func(*rtnl.Route) bool) {
	m.routes = slices.DeleteFunc(m.routes, func(r rtnl.Route) bool { return r.OutIndex == uint32(index) && which(&r) })
}

func (m *model) changeLink(r *rtnl.Link) error {
	l := m.links[r.Index]
	if l == nil {
		return refuse(unix.ENODEV)
	}
	if r.Info.Data != nil && r.Info.Kind != l.Info.Kind || r.Info.PortData != nil && r.Info.PortKind != l.Info.PortKind {
		return refuse(unix.EINVAL)
	}
	if m.deaf && r.Change == 0 {
		return nil
	}
	if slices.Contains(fullKinds, l.Info.Kind) && r.Info.Data != nil {
		l.data = map[uint16][]byte{}
	}
	maps.Copy(l.data, attributesOf(r.Info.Data))
	maps.Copy(l.port, attributesOf(r.Info.PortData))
	if b := l.data[unix.IFLA_VXLAN_LINK]; l.Info.Kind == "vxlan" && b != nil {
		l.below = binary.NativeEndian.Uint32(b)
	}
	if r.MTU != 0 {
		l.MTU = r.MTU
		if l.MTU < 1280 {
			m.addresses = slices.DeleteFunc(m.addresses, func(a rtnl.Address) bool { return a.Index == uint32(l.Index) && a.Family == unix.AF_INET6 })
			m.dropRoutes(l.Index, func(r *rtnl.Route) bool { return r.Family == unix.AF_INET6 })
		}
	}
	if r.TxQueueLength != nil {
		l.TxQueueLength = r.TxQueueLength
	}
	if r.MAC != nil {
		l.MAC = slices.Clone(r.MAC)
	}
	if r.Master != nil {
		if err := m.enslave(l, *r.Master); err != nil {
			return err
		}
	}
	before := l.Flags
	l.Flags = l.Flags&^r.Change | r.Flags&r.Change
	if before&unix.IFF_UP != 0 && l.Flags&unix.IFF_UP == 0 {
		m.fall(l, false)
	}
	return nil
}

func (m *model) enslave(l *modelLink, master uint32) error {
	above := m.links[int32(master)]
	switch {
	case master != 0 && (above == nil || !slices.Contains([]string{"bridge", "vrf", "bond"}, above.Info.Kind) || above == l):
		return refuse(unix.EINVAL)
	case master == l.MasterIndex():
		return nil
	}
	old := m.links[int32(l.MasterIndex())]
	l.Master, l.Info.PortKind, l.port, l.BridgeVLANs = nil, "", map[uint16][]byte{}, nil
	if master != 0 {
		l.Master, l.Info.PortKind = &master, above.Info.Kind
		if above.Info.Kind == "bridge" {
			l.port[unix.IFLA_BRPORT_COST] = binary.NativeEndian.AppendUint32(nil, 2)
			l.BridgeVLANs = []state.BridgeVLAN{{VID: new(uint16(1)), IsPVID: true, IsEgressUntagged: true}}
		}
	}
	if above != nil && above.Info.Kind == "vrf" || old != nil && old.Info.Kind == "vrf" {
		m.fall(l, false) // cycle_netdev, drivers/net/vrf.c
	}
	return nil
}

func (m *model) changeVLANs(kind netlink.HeaderType, r *rtnl.Link) error {
	l := m.links[r.Index]
	if l == nil || l.Info.PortKind != "bridge" && l.Info.Kind != "bridge" || r.BridgeSelf != (l.Info.Kind == "bridge") {
		return refuse(unix.EOPNOTSUPP)
	}
	for _, v := range r.BridgeVLANs {
		for _, id := range vlanIDs(v) {
			l.BridgeVLANs = slices.DeleteFunc(l.BridgeVLANs, func(old state.BridgeVLAN) bool { return *old.VID == id })
			if kind == unix.RTM_DELLINK {
				continue
			}
			if v.IsPVID {
				for i := range l.BridgeVLANs {
					l.BridgeVLANs[i].IsPVID = false
				}
			}
			l.BridgeVLANs = append(l.BridgeVLANs, state.BridgeVLAN{VID: &id, IsPVID: v.IsPVID, IsEgressUntagged: v.IsEgressUntagged})
		}
	}
	return nil
}

func (m *model) sorted() []*modelLink {
	all := slices.Collect(maps.Values(m.links))
	slices.SortFunc(all, func(a, b *modelLink) int { return int(a.Index - b.Index) })
	return all
}

// show is a link as a dump has it.
func (m *model) show(l *modelLink) *rtnl.Link {
	message := l.Link
	message.BridgeVLANs = nil
	message.Info.Data, message.Info.PortData = nil, nil
	if len(l.data) > 0 {
		message.Info.Data = payloadOf(l.data)
	}
	if len(l.port) > 0 {
		message.Info.PortData = payloadOf(l.port)
	}
	b, err := message.MarshalBinary()
	if err != nil {
		panic(err)
	}
	out := new(rtnl.Link)
	if err := out.UnmarshalBinary(b); err != nil {
		panic(err)
	}
	return out
}
