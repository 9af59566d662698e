package network

import (
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// onBridge is a row of a bridge.
//
//go:noinline
func onBridge[V any](name string, f form[V], put func(b *rtnl.Bridge, v V), doc string) *option[*device] {
	return row(name, f, func(d *device, v V) { put(d.bridge, v) }, doc).only(typeBridge)
}

// Intervals of a bridge are hundredths of a second. The kernel has no largest; a day is
// far above what RFC 3376 has in mind, and every kernel can count that far.
const longestInterval = 24 * 3600 * 100

var bridgeOptions = []*option[*device]{
	rows("ports", linkName, addPort,
		"Names of the devices that are ports of the bridge. Ports that other programs add stay.").also("ifname").only(typeBridge).without("none"),
	row("bridge_empty", boolean, func(d *device, v bool) { d.Empty = v },
		"Whether the bridge is there even while none of its ports is.").only(typeBridge).without("false"),
	onBridge("stp", boolean, func(b *rtnl.Bridge, v bool) { b.STPState = spanningTree(v) }, "Whether the bridge speaks the spanning tree protocol."),
	onBridge("forward_delay", hundredths(0, 30), func(b *rtnl.Bridge, v uint32) { b.ForwardDelay = &v },
		"Seconds of listening and of learning before a port forwards. With stp at least 2."),
	onBridge("hello_time", hundredths(1, 10), func(b *rtnl.Bridge, v uint32) { b.HelloTime = &v }, "Seconds between two messages of the spanning tree."),
	onBridge("max_age", hundredths(6, 40), func(b *rtnl.Bridge, v uint32) { b.MaxAge = &v }, "Seconds after which a message of the spanning tree is void."),
	onBridge("ageing_time", hundredths(0, 1_000_000), func(b *rtnl.Bridge, v uint32) { b.AgeingTime = &v },
		"Seconds after which the bridge forgets behind which port a hardware address is; 0: at once."),
	onBridge("priority", number[uint16](0, 65535), func(b *rtnl.Bridge, v uint16) { b.Priority = &v }, "Priority in the spanning tree; the lowest becomes the root."),
	onBridge("vlan_filtering", boolean, func(b *rtnl.Bridge, v bool) { b.VLANFiltering = &v }, "Whether the bridge looks at VLAN tags."),
	onBridge("igmp_snooping", boolean, func(b *rtnl.Bridge, v bool) { b.MulticastSnooping = &v },
		"Whether multicast packets go only to ports behind which somebody wants them."),
	onBridge("multicast_querier", boolean, func(b *rtnl.Bridge, v bool) { b.MulticastQuerier = &v }, "Whether the bridge asks who wants multicast packets."),
	onBridge("hash_max", number[uint32](1, 1<<32-1), func(b *rtnl.Bridge, v uint32) { b.MulticastHashMax = &v }, "How many multicast groups the bridge knows."),
	row("robustness", number[uint32](1, 255), func(d *device, v uint32) { d.query.robustness = v },
		"How many queries may be lost; how often the last member is asked, and how many queries a start has.").only(typeBridge),
	row("query_interval", number[uint32](100, longestInterval), func(d *device, v uint32) { d.query.interval = v },
		"Hundredths of a second between two queries for members of multicast groups.").only(typeBridge),
	row("query_response_interval", number[uint32](1, longestInterval), func(d *device, v uint32) { d.query.response = v },
		"Hundredths of a second that members may take to answer.").only(typeBridge),
	onBridge("last_member_interval", number[uint64](1, longestInterval), func(b *rtnl.Bridge, v uint64) { b.MulticastLastMemberInterval = &v },
		"Hundredths of a second between two queries after a member has left."),
}

func addPort(d *device, name string) { d.Ports = append(d.Ports, name) }

func spanningTree(on bool) *state.BridgeSTPState {
	s := state.STPDisabled
	if on {
		s = state.STPKernel
	}
	return &s
}

// query is what the options say of multicast queries; 0: nothing. Other times of the
// bridge follow from these, as in netifd and RFC 3376, 8.
type query struct {
	robustness         uint32
	interval, response uint32 // 1/100 s
}

// The kernel's defaults, which are those of RFC 3376.
const (
	usualRobustness = 2
	usualInterval   = 125_00
	usualResponse   = 10_00

	// The kernel takes no shorter interval of the queries at the start (net/bridge,
	// BR_MULTICAST_STARTUP_QUERY_INTVL_MIN).
	shortestStartup = 1_00
)

// apply sets what follows from the options.
func (q query) apply(b *rtnl.Bridge) {
	if q == (query{}) {
		return
	}
	if q.robustness != 0 {
		n, m := q.robustness, q.robustness
		b.MulticastStartupQueryCount, b.MulticastLastMemberCount = &n, &m
	}
	if q.interval != 0 {
		interval, startup := uint64(q.interval), max(uint64(q.interval)/4, shortestStartup)
		b.MulticastQueryInterval, b.MulticastStartupQueryInterval = &interval, &startup
	}
	if q.response != 0 {
		response := uint64(q.response)
		b.MulticastQueryResponseInterval = &response
	}
	robustness, interval, response := orUsual(q.robustness, usualRobustness), orUsual(q.interval, usualInterval), orUsual(q.response, usualResponse)
	membership, querier := robustness*interval+response, robustness*interval+response/2
	b.MulticastMembershipInterval, b.MulticastQuerierInterval = &membership, &querier
}

func orUsual(value, usual uint32) uint64 {
	if value == 0 {
		return uint64(usual)
	}
	return uint64(value)
}

// onPort is a row of a device that is a port of a bridge.
//
//go:noinline
func onPort[V any](name string, f form[V], put func(p *rtnl.BridgePort, v V), doc string) *option[*device] {
	return row(name, f, func(d *device, v V) {
		if d.port == nil {
			d.port = &rtnl.BridgePort{}
		}
		put(d.port, v)
	}, doc)
}

func learnFrom(p *rtnl.BridgePort, v bool) { p.Learning = &v }

// portOptions count while the device is a port of a bridge.
var portOptions = []*option[*device]{
	onPort("learning", boolean, learnFrom, "Of a port: whether the bridge learns hardware addresses from it.").except(typeVXLAN),
	onPort("port_learning", boolean, learnFrom, "Of a port: whether the bridge learns hardware addresses from this VXLAN, whose own learning is another.").only(typeVXLAN),
	onPort("unicast_flood", boolean, func(p *rtnl.BridgePort, v bool) { p.UnicastFlood = &v },
		"Of a port: whether packets for hardware addresses that are not known go out."),
	onPort("broadcast_flood", boolean, func(p *rtnl.BridgePort, v bool) { p.BroadcastFlood = &v }, "Of a port: whether broadcast packets go out."),
	onPort("isolate", boolean, func(p *rtnl.BridgePort, v bool) { p.Isolated = &v },
		"Of a port: whether it reaches only ports that are not isolated."),
	onPort("multicast_to_unicast", boolean, func(p *rtnl.BridgePort, v bool) { p.MulticastToUnicast = &v },
		"Of a port: whether each member gets a copy of a multicast packet of its own."),
	onPort("multicast_router", number[uint32](0, 2), func(p *rtnl.BridgePort, v uint32) { r := state.MulticastRouter(v); p.MulticastRouter = &r },
		"Of a port: whether a multicast router is behind it; 0: never, 1: where the bridge sees one, 2: always."),
	onPort("multicast_fast_leave", boolean, func(p *rtnl.BridgePort, v bool) { p.FastLeave = &v },
		"Of a port: whether a member that leaves a group gets nothing of it at once."),
}
