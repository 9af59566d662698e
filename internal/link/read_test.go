package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// TestReadAgreesWithIP tells what the Snapshot and ip(8) show in the same
// words and compares.
func TestReadAgreesWithIP(t *testing.T) {
	cable(t, "see0", "see1")
	cable(t, "see2", "see3")
	ip(t, "link", "add", "seebr", "type", "bridge")
	t.Cleanup(func() {
		ip(t, "link", "del", "seebr")
		ip(t, "route", "del", "blackhole", "10.66.0.0/16") // is on no link that goes
	})
	ipAll(t, `link set lo up
		link set see0 up mtu 1400
		link set see1 up
		link set see2 up
		link set see3 master seebr
		addr add 10.7.0.7/24 brd + dev see0
		addr add 10.7.0.8/24 dev see0 label see0:1 valid_lft 400 preferred_lft 300
		addr add fd07::7/64 dev see0 nodad
		addr add fd07::8/64 dev see0 nodad valid_lft 500 preferred_lft 0
		addr add 10.8.0.1 peer 10.8.0.2/32 dev see2
		route add default via 10.7.0.1 metric 600 proto 78
		route add 10.9.0.0/16 dev see0 src 10.7.0.7
		route add blackhole 10.66.0.0/16
		route add 10.67.0.0/16 nexthop via 10.7.0.3 nexthop via 10.8.0.2 weight 3
		route add default via fd07::1 dev see0 metric 700
		route add 10.68.0.0/16 dev see0 table 99`)
	s, diff := takeAsIP(t)
	if diff != "" {
		t.Errorf("(-ip +snapshot):\n%s", diff)
	}
	see0, _ := s.Link("see0")
	if gateway, ok := s.Gateway(see0.Index); !ok || gateway != addr("10.7.0.1") {
		t.Errorf("gateway is %v, %v", gateway, ok)
	}
	if lo, ok := s.LinkByIndex(1); !ok || !lo.Loopback() || see0.Loopback() {
		t.Errorf("link 1 is %+v", lo)
	}
}

// takeAsIP looks again when something moved between both looks: a link's state
// follows its carrier by up to a second, and lifetimes run down.
func takeAsIP(t *testing.T) (s *Snapshot, diff string) {
	t.Helper()
	for range 20 {
		s = take(t)
		diff = cmp.Diff(linksByIP(t), linksBySnapshot(s)) +
			cmp.Diff(addressesByIP(t), addressesBySnapshot(s)) +
			cmp.Diff(routesByIP(t), routesBySnapshot(s))
		if diff == "" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return s, diff
}

func linksByIP(t *testing.T) []string {
	var out []string
	for _, l := range ipJSON[[]ipLink](t, "link") {
		up, carrier := slices.Contains(l.Flags, "UP"), slices.Contains(l.Flags, "LOWER_UP")
		out = append(out, fmt.Sprintf("%d %s kind=%s mtu=%d up=%v carrier=%v state=%s master=%s link=%s mac=%s",
			l.Index, l.Name, l.Info.Kind, l.MTU, up, carrier, strings.ToLower(l.State), l.Master, l.Link, l.MAC))
	}
	return out
}

func linksBySnapshot(s *Snapshot) []string {
	name := func(index int) string {
		l, _ := s.LinkByIndex(index)
		return l.Name
	}
	var out []string
	for _, l := range s.Links {
		state := strings.ReplaceAll(l.OperState, "_", "")
		out = append(out, fmt.Sprintf("%d %s kind=%s mtu=%d up=%v carrier=%v state=%s master=%s link=%s mac=%s",
			l.Index, l.Name, l.Kind, l.MTU, l.Up, l.Carrier, state, name(l.Master), name(l.Parent), l.MAC))
	}
	return out
}

func addressesByIP(t *testing.T) []string {
	var out []string
	for _, l := range ipJSON[[]ipLink](t, "addr") {
		for _, a := range l.Addresses {
			out = append(out, fmt.Sprintf("%s %v/%d %v scope=%s brd=%s label=%s %v %v",
				l.Name, a.Local, a.PrefixLength, a.Peer, a.Scope, a.Broadcast, a.Label, a.Valid/2, a.Preferred/2))
		}
	}
	slices.Sort(out)
	return out
}

func addressesBySnapshot(s *Snapshot) []string {
	scopes := map[uint8]string{unix.RT_SCOPE_UNIVERSE: "global", unix.RT_SCOPE_LINK: "link", unix.RT_SCOPE_HOST: "host"}
	text := func(a netip.Addr) string {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	var out []string
	for _, a := range s.Addresses {
		l, _ := s.LinkByIndex(a.Index)
		// Halves, since a second may begin between the two readings.
		out = append(out, fmt.Sprintf("%s %v/%d %v scope=%s brd=%s label=%s %v %v",
			l.Name, a.Prefix.Addr(), a.Prefix.Bits(), a.Peer, scopes[a.Scope], text(a.Broadcast), a.Label,
			seconds(a.ValidLifetime)/2, zeroSeconds(a)/2))
	}
	slices.Sort(out)
	return out
}

// zeroSeconds is seconds for a lifetime that may have run out.
func zeroSeconds(a Address) uint32 {
	if a.PreferredLifetime == 0 {
		return 0
	}
	return seconds(a.PreferredLifetime)
}

func routesByIP(t *testing.T) []string {
	var out []string
	for _, family := range []string{"-4", "-6"} {
		everywhere := map[string]string{"-4": "0.0.0.0/0", "-6": "::/0"}[family]
		host := map[string]string{"-4": "/32", "-6": "/128"}[family]
		for _, r := range ipJSON[[]ipRoute](t, family, "route", "show", "table", "main") {
			destination := strings.Replace(r.Destination, "default", everywhere, 1)
			if !strings.Contains(destination, "/") {
				destination += host
			}
			tell := func(gateway, device string) {
				out = append(out, fmt.Sprintf("%s %s via=%s dev=%s metric=%d src=%s proto=%s", r.Type, destination, gateway, device, r.Metric, r.Source, r.Protocol))
			}
			for _, hop := range r.Hops {
				tell(hop.Gateway, hop.Device)
			}
			if len(r.Hops) == 0 {
				tell(r.Gateway, r.Device)
			}
		}
	}
	slices.Sort(out)
	return out
}

func routesBySnapshot(s *Snapshot) []string {
	types := map[uint8]string{unix.RTN_UNICAST: "unicast", unix.RTN_BLACKHOLE: "blackhole", unix.RTN_MULTICAST: "multicast"}
	protocols := map[uint8]string{unix.RTPROT_KERNEL: "kernel", unix.RTPROT_BOOT: "boot", RouteProtocol: "78"}
	text := func(a netip.Addr) string {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	var out []string
	for _, r := range s.Routes {
		l, _ := s.LinkByIndex(r.Index)
		out = append(out, fmt.Sprintf("%s %s via=%s dev=%s metric=%d src=%s proto=%s", types[r.Type], r.Destination, text(r.Gateway), l.Name, r.Metric, text(r.Source), protocols[r.Protocol]))
	}
	slices.Sort(out)
	return out
}

// TestKindTable makes a bridge by its table and reads it back by the same,
// with ip(8) as the witness.
func TestKindTable(t *testing.T) {
	netnstest.Need(t)
	c, done, err := dial(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	want := &rtnl.Bridge{Bridge: state.Bridge{
		ForwardDelay: new(uint32(400)), HelloTime: new(uint32(100)), MaxAge: new(uint32(800)), AgeingTime: new(uint32(6000)),
		STPState: new(state.STPKernel), Priority: new(uint16(0x7000)),
	}}
	made := &rtnl.Link{Name: "kindbr", Info: rtnl.LinkInfo{Kind: "bridge", Data: want}}
	if err := c.change(unix.RTM_NEWLINK, netlink.Create|netlink.Excl, made); err != nil {
		t.Fatal(err)
	}
	defer ip(t, "link", "del", "kindbr")

	type data struct {
		ForwardDelay uint32 `json:"forward_delay"`
		HelloTime    uint32 `json:"hello_time"`
		MaxAge       uint32 `json:"max_age"`
		AgeingTime   uint32 `json:"ageing_time"`
		STPState     uint32 `json:"stp_state"`
		Priority     uint16
	}
	type link struct {
		Info struct {
			Data data `json:"info_data"`
		} `json:"linkinfo"`
	}
	witness := ipJSON[[]link](t, "link", "show", "dev", "kindbr")[0].Info.Data
	if diff := cmp.Diff(data{400, 100, 800, 6000, 1, 0x7000}, witness); diff != "" {
		t.Errorf("(-want +ip):\n%s", diff)
	}

	read, err := c.link(rtnl.Link{Name: "kindbr"})
	if err != nil {
		t.Fatal(err)
	}
	// What was not mentioned is shown, too.
	all, ok := read.Info.Data.(*rtnl.Bridge)
	if !ok || all.VLANFiltering == nil || *all.VLANFiltering || all.BridgeID == nil {
		t.Fatalf("read %+v", read.Info.Data)
	}
	got := &rtnl.Bridge{Bridge: state.Bridge{
		ForwardDelay: all.ForwardDelay, HelloTime: all.HelloTime, MaxAge: all.MaxAge, AgeingTime: all.AgeingTime,
		STPState: all.STPState, Priority: all.Priority,
	}}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
}

// TestReadByName finds a link by each of its names.
func TestReadByName(t *testing.T) {
	cable(t, "see0", "see1")
	const long = "the-uplink-in-the-basement-of-the-printer-farm"
	ip(t, "link", "property", "add", "dev", "see0", "altname", "short", "altname", long)
	for _, name := range []string{"see0", "short", long} {
		tables, err := Read(testContext(t), Links, Filter{Link: name})
		if err != nil || len(tables.Links) != 1 || tables.Links[0].Name != "see0" {
			t.Errorf("%s: %+v, %v", name, tables, err)
		}
	}
	for _, name := range []string{"absent0", strings.Repeat("a", 127), strings.Repeat("a", 200)} {
		if _, err := Read(testContext(t), Links, Filter{Link: name}); !errors.Is(err, ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReadOfGone: a link that is not there has no addresses and no routes.
func TestReadOfGone(t *testing.T) {
	netnstest.Need(t)
	for _, part := range []Parts{Addresses, Routes, DefaultRoutes, Neighbours} {
		tables, err := Read(testContext(t), Links|part, Filter{Index: 1 << 20, OutIndex: 1 << 20})
		if err != nil || len(tables.Addresses)+len(tables.Routes)+len(tables.Neighbours) > 0 || len(tables.Links) == 0 {
			t.Errorf("%b: %+v, %v", part, tables, err)
		}
	}
}
