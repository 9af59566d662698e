package link

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

func subnet(a *rtnl.Address) netip.Prefix {
	return netip.PrefixFrom(a.Address, int(a.PrefixLength)).Masked()
}

func (m *model) addAddress(r *rtnl.Address) error {
	l := m.links[int32(r.Index)]
	if l == nil {
		return refuse(unix.ENODEV)
	}
	if l.MTU < 1280 && r.Family == unix.AF_INET6 {
		return refuse(unix.EINVAL)
	}
	for i := range m.addresses {
		a := &m.addresses[i]
		switch {
		case a.Index == r.Index && a.Key() == r.Key():
			a.Lifetimes, a.Metric = r.Lifetimes, r.Metric
			return nil
		case a.Index == r.Index && r.Family == unix.AF_INET6 && a.Own() == r.Own():
			return refuse(unix.EEXIST)
		case a.Index == r.Index && a.Own() == r.Own() && a.PrefixLength == r.PrefixLength:
			return refuse(unix.EEXIST)
		}
	}
	m.addresses = append(m.addresses, *r)
	return nil
}

// removeAddress takes the others of an IPv4 subnet along with the first, but with
// promote_secondaries (__inet_del_ifa, net/ipv4/devinet.c), and routes that need it.
func (m *model) removeAddress(r *rtnl.Address) error {
	i := slices.IndexFunc(m.addresses, func(a rtnl.Address) bool { return a.Key() == r.Key() })
	if i < 0 {
		return refuse(unix.EADDRNOTAVAIL)
	}
	gone, l := m.addresses[i], m.links[int32(r.Index)]
	same := func(a *rtnl.Address) bool {
		return a.Index == gone.Index && a.Family == unix.AF_INET && gone.Family == unix.AF_INET && subnet(a) == subnet(&gone)
	}
	first := slices.IndexFunc(m.addresses, func(a rtnl.Address) bool { return same(&a) }) == i
	m.addresses = slices.Delete(m.addresses, i, i+1)
	if first && m.sysctls["ipv4/conf/"+l.Name+"/promote_secondaries"] != "1" {
		m.addresses = slices.DeleteFunc(m.addresses, func(a rtnl.Address) bool { return same(&a) })
	}
	m.dropRoutes(l.Index, func(r *rtnl.Route) bool {
		return r.PreferredSource.IsValid() && !m.has(r.PreferredSource) || r.Family == gone.Family && r.Gateway.IsValid() && r.Flags&unix.RTNH_F_ONLINK == 0 && r.Family == unix.AF_INET && !m.anyOn(l.Index, unix.AF_INET)
	})
	return nil
}

func (m *model) has(a netip.Addr) bool {
	return slices.ContainsFunc(m.addresses, func(have rtnl.Address) bool { return have.Own() == a })
}

func (m *model) anyOn(index int32, family uint8) bool {
	return slices.ContainsFunc(m.addresses, func(a rtnl.Address) bool { return a.Index == uint32(index) && a.Family == family })
}

func (m *model) reaches(index uint32, gateway netip.Addr) bool {
	return slices.ContainsFunc(m.addresses, func(a rtnl.Address) bool { return a.Index == index && subnet(&a).Contains(gateway) }) ||
		slices.ContainsFunc(m.routes, func(r rtnl.Route) bool {
			return r.OutIndex == index && !r.Gateway.IsValid() && netip.PrefixFrom(r.Destination, int(r.DestinationLength)).Contains(gateway)
		})
}

func (m *model) addRoute(r *rtnl.Route) error {
	added := *r
	if r.Family == unix.AF_INET6 && r.Metric == 0 {
		added.Metric = defaultMetric6
	}
	if r.Type == unix.RTN_UNICAST {
		l := m.links[int32(r.OutIndex)]
		switch {
		case l == nil:
			return refuse(unix.ENODEV)
		case l.Flags&unix.IFF_UP == 0:
			return refuse(unix.ENETDOWN)
		case r.Gateway.IsValid() && r.Flags&unix.RTNH_F_ONLINK == 0 && !m.reaches(r.OutIndex, r.Gateway):
			return refuse(unix.ENETUNREACH)
		case r.PreferredSource.IsValid() && !m.has(r.PreferredSource):
			return refuse(unix.EINVAL)
		}
	}
	if slices.ContainsFunc(m.routes, func(old rtnl.Route) bool { return old.Key() == added.Key() }) {
		return refuse(unix.EEXIST)
	}
	m.routes = append(m.routes, added)
	return nil
}

func (m *model) removeRoute(r *rtnl.Route) error {
	i := slices.IndexFunc(m.routes, func(old rtnl.Route) bool {
		return old.Destination == r.Destination && old.DestinationLength == r.DestinationLength && old.Gateway == r.Gateway && old.OutIndex == r.OutIndex &&
			old.Metric == r.Metric && old.Table == r.Table && old.Protocol == r.Protocol && old.Type == r.Type
	})
	if i < 0 {
		return refuse(unix.ESRCH)
	}
	m.routes = slices.Delete(m.routes, i, i+1)
	return nil
}

func (m *model) changeRule(kind netlink.HeaderType, r *rtnl.Rule) error {
	i := slices.IndexFunc(m.rules, func(old rtnl.Rule) bool { return old.Essence(true) == r.Essence(true) })
	switch {
	case kind == unix.RTM_DELRULE && i < 0:
		return refuse(unix.ENOENT)
	case kind == unix.RTM_DELRULE:
		m.rules = slices.Delete(m.rules, i, i+1)
	case i >= 0:
		return refuse(unix.EEXIST)
	default:
		added := *r
		if added.Priority == 0 {
			added.Priority = uint32(32000 - len(m.rules))
		}
		m.rules = append(m.rules, added)
	}
	return nil
}

func (m *model) changeNeighbour(kind netlink.HeaderType, r *rtnl.Neighbour) error {
	if m.links[r.Index] == nil {
		return refuse(unix.ENODEV)
	}
	i := slices.IndexFunc(m.neighbours, func(old rtnl.Neighbour) bool { return old.Key() == r.Key() })
	if i >= 0 {
		m.neighbours = slices.Delete(m.neighbours, i, i+1)
	} else if kind == unix.RTM_DELNEIGH {
		return refuse(unix.ENOENT)
	}
	if kind == unix.RTM_NEWNEIGH {
		m.neighbours = append(m.neighbours, *r)
	}
	return nil
}

// tables are what a reading has.
func (m *model) tables() *Tables {
	t := &Tables{Sysctls: maps.Clone(m.sysctls), Routes: slices.Clone(m.routes), Rules: slices.Clone(m.rules)}
	for _, l := range m.sorted() {
		t.Links = append(t.Links, *m.show(l))
		if l.BridgeVLANs != nil {
			t.VLANs = append(t.VLANs, rtnl.Link{Index: l.Index, BridgeVLANs: slices.Clone(l.BridgeVLANs)})
		}
	}
	led := map[string]bool{}
	for _, a := range m.addresses {
		if key := fmt.Sprint(a.Index, subnet(&a)); a.Family == unix.AF_INET {
			if led[key] {
				a.Flags |= unix.IFA_F_SECONDARY
			}
			led[key] = true
		}
		t.Addresses = append(t.Addresses, a)
	}
	for _, n := range m.neighbours {
		if n.Flags&unix.NTF_PROXY != 0 {
			t.Proxies = append(t.Proxies, n)
		} else {
			t.Neighbours = append(t.Neighbours, n)
		}
	}
	return t
}

// describe is everything, for comparisons. Promotion may stay as long as a link is ours.
func (m *model) describe() []string {
	var out []string
	name := func(index uint32) string {
		if l := m.links[int32(index)]; l != nil {
			return l.Name
		}
		return "-"
	}
	for _, l := range m.links {
		out = append(out, fmt.Sprintf("%s %s mtu %d queue %d mac %x flags %x on %s master %s data %x port %x vlans %s",
			l.Name, l.Info.Kind, l.MTU, *l.TxQueueLength, l.MAC, l.Flags, name(l.below), name(l.MasterIndex()), payloadOf(l.data), payloadOf(l.port), vlanTexts(l.BridgeVLANs)))
	}
	for _, a := range m.addresses {
		out = append(out, fmt.Sprintf("%s address %v/%d %v %d", name(a.Index), a.Own(), a.PrefixLength, a.Address, a.Protocol))
	}
	for _, r := range m.routes {
		out = append(out, fmt.Sprintf("%s route %v/%d via %v metric %d table %d type %d %d", name(r.OutIndex), r.Destination, r.DestinationLength, r.Gateway, r.Metric, r.Table, r.Type, r.Protocol))
	}
	for _, r := range m.rules {
		out = append(out, fmt.Sprintf("rule %d %v", r.Priority, *r.Protocol))
	}
	for _, n := range m.neighbours {
		out = append(out, fmt.Sprintf("%s neighbour %v", name(uint32(n.Index)), n.Address))
	}
	for key, value := range m.sysctls {
		out = append(out, key+" "+value)
	}
	slices.Sort(out)
	return out
}

func vlanTexts(all []state.BridgeVLAN) string {
	var out []string
	for _, v := range all {
		out = append(out, vlanText(v))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}
