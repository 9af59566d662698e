package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// TestRules compares every field with ip(8)'s output for the same rules.
func TestRules(t *testing.T) {
	cable(t)
	netnstest.Lines(t, `
		ip rule add prio 999 tos 0x10 iif v0 oif v1 table 1000
		ip rule add prio 1000 goto 2000
		ip rule add prio 1001 suppress_prefixlength 0 table main
		ip rule add prio 1002 suppress_ifgroup 5 table main
		ip rule add prio 1003 uidrange 0-200 table 1000
		ip rule add prio 1004 ipproto tcp sport 80 dport 1000-2000 table 1000
		ip rule add prio 1005 fwmark 0x10/0xff table 1000
		ip rule add prio 1006 not from 10.0.0.0/8 to 10.1.0.1 blackhole
		ip rule add prio 1007 from 192.0.2.7 unreachable
		ip rule add prio 1008 from 192.0.2.8 prohibit
		ip rule add prio 1009 realms 3/4 table 1000
		ip rule add prio 1010 tun_id 55 table 1000
		ip rule add prio 1011 l3mdev protocol 78
		ip rule add prio 1012 goto 5000
		ip rule add prio 1013 iif gone table 1000
		ip rule add prio 1014 fwmark 7 table 1000
		ip rule add prio 2000 nop
		ip -6 rule add prio 1005 fwmark 0x10/0xff table 1000 protocol dhcp
		ip -6 rule add prio 1006 from 2001:db8::/32 to 2001:db8::1 ipproto udp suppress_prefixlength 64 table main`)
	t.Cleanup(func() {
		netnstest.Lines(t, "ip rule flush\nip rule add prio 32766 table main\nip -6 rule flush\nip -6 rule add prio 32766 table main")
	})
	for _, family := range []state.AddressFamily{state.FamilyIPv4, state.FamilyIPv6} {
		t.Run(string(family), func(t *testing.T) {
			var got []shape
			for _, r := range observe(t, state.PartRules, func(s *state.State) []state.Rule { return s.Rules }) {
				if r.Family == family {
					got = append(got, ipRule(r))
				}
			}
			sameSet(t, witness(t, "ip", "-j", "-d", "-"+strings.TrimPrefix(string(family), "ipv"), "rule"), got)
		})
	}
}

// TestNewRuleSelectors sets selectors that this machine's ip(8) cannot set, and
// checks that the kernel returns them unchanged.
func TestNewRuleSelectors(t *testing.T) {
	netnstest.Need(t)
	want := rtnl.Rule{
		Family: unix.AF_INET6, Action: unix.FR_ACT_TO_TBL, Table: 1000, Priority: 77, IPProtocol: unix.IPPROTO_TCP, Protocol: new(uint8(78)),
		DSCP: new(uint8(8)), DSCPMask: new(uint8(0x38)), FlowLabel: new(uint32(0x12300)), FlowMask: new(uint32(0xfff00)),
		SourcePorts: &rtnl.Ports{First: 0x50, Last: 0x50}, SourceMask: new(uint16(0xfff0)), DestPorts: &rtnl.Ports{First: 1, Last: 9},
	}
	c, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	send := func(kind netlink.HeaderType) error {
		b, err := want.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Execute(netlink.Message{Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Acknowledge | netlink.Create}, Data: b})
		return err
	}
	if err := send(unix.RTM_NEWRULE); errors.Is(err, unix.EINVAL) {
		t.Skip("needs Linux 6.15:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = send(unix.RTM_DELRULE) })
	want.SuppressPrefixLength = new(uint32(rtnl.NoSuppression)) // the kernel always sends this value
	tables, err := link.Read(t.Context(), link.Rules, link.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range tables.Rules {
		if r.Priority == want.Priority {
			if !reflect.DeepEqual(r, want) {
				t.Errorf("got  %+v\nwant %+v", newRule(&r, nil), newRule(&want, nil))
			}
			return
		}
	}
	t.Error("not there")
}

// ipRule writes a rule as ip(8) does.
func ipRule(r state.Rule) shape {
	s := shape{"priority": r.Priority, "src": "all"}
	put := func(key string, there bool, value any) {
		if there {
			s[key] = value
		}
	}
	end := func(key string, p netip.Prefix) {
		if p.IsValid() {
			s[key] = p.Addr()
			put(key+"len", !p.IsSingleIP(), p.Bits())
		}
	}
	end("src", r.Source)
	end("dst", r.Destination)
	put("not", r.Invert, nil)
	put("tos", r.TOS != 0, fmt.Sprintf("%#x", r.TOS))
	put("iif", r.InIface != "", r.InIface)
	put("oif", r.OutIface != "", r.OutIface)
	put("iif_detached", r.Flags&unix.FIB_RULE_IIF_DETACHED != 0, nil)
	put("unresolved", r.Flags&unix.FIB_RULE_UNRESOLVED != 0, nil)
	put("table", r.Table != 0, ipTable(r.Table))
	put("nop", r.Action.String() == "nop", nil)
	put("goto", r.Goto != nil, r.Goto)
	switch action := r.Action.String(); action {
	case "blackhole", "unreachable", "prohibit":
		s["action"] = action
	}
	put("l3mdev", r.L3MDev != nil, nil)
	put("suppress_prefixlen", r.SuppressPrefixLen != nil, r.SuppressPrefixLen)
	put("ipproto", r.IPProtocol != nil, r.IPProtocol)
	put("tun_id", r.TunnelID != nil, r.TunnelID)
	if r.SuppressIfgroup != nil {
		s["suppress_ifgroup"] = strconv.Itoa(int(*r.SuppressIfgroup))
	}
	if r.Mark != nil {
		s["fwmark"] = fmt.Sprintf("%#x", *r.Mark)
		put("fwmask", *r.MarkMask != 1<<32-1, fmt.Sprintf("%#x", *r.MarkMask))
	}
	if r.Realm != (state.Realm{}) {
		s["flow_from"], s["flow_to"] = strconv.Itoa(int(r.Realm.Source)), strconv.Itoa(int(r.Realm.Destination))
	}
	if r.UIDs != nil {
		s["uid_start"], s["uid_end"] = r.UIDs[0], r.UIDs[1]
	}
	for key, ports := range map[string]*[2]uint16{"sport": r.SourcePorts, "dport": r.DestinationPorts} {
		switch {
		case ports == nil:
		case ports[0] == ports[1]:
			s[key] = ports[0]
		default:
			s[key+"_start"], s[key+"_end"] = ports[0], ports[1]
		}
	}
	put("protocol", r.Protocol != nil, r.Protocol)
	return s
}

// TestRuleJSON checks that the text is nispor's, and that it is read back as the same
// rule. The messages contain values that this machine's ip(8) cannot set.
func TestRuleJSON(t *testing.T) {
	tests := []struct {
		name string
		rule rtnl.Rule
		text string
	}{
		{"nothing but a table", rtnl.Rule{Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Table: 1000, SuppressPrefixLength: new(uint32(rtnl.NoSuppression)), SuppressInterfaceGroup: new(uint32(rtnl.NoSuppression))},
			`{"action":"table","address_family":"ipv4","flags":0,"tos":0,"table":1000,"priority":0,"invert":false}`},
		{"all selectors", rtnl.Rule{Family: unix.AF_INET6, DestinationLength: 32, SourceLength: 128, TOS: 16, Action: unix.FR_ACT_GOTO, Flags: unix.FIB_RULE_INVERT, Priority: 7, Goto: 9,
			Destination: netip.MustParseAddr("2001:db8::"), Source: netip.MustParseAddr("2001:db8::1"), InName: "eth0", OutName: "eth1", Mark: new(uint32(1)), MarkMask: new(uint32(3)), Realm: 3<<16 | 4,
			TunnelID: new(uint64(1 << 40)), L3MDev: new(true), Protocol: new(uint8(16)), IPProtocol: 58, UIDs: &rtnl.IDs{First: 0, Last: 0}, SourcePorts: &rtnl.Ports{First: 1, Last: 2},
			DestPorts: &rtnl.Ports{First: 80, Last: 80}, SourceMask: new(uint16(0xff)), DestMask: new(uint16(0xffff)), DSCP: new(uint8(0)), DSCPMask: new(uint8(63)), FlowLabel: new(uint32(0)), FlowMask: new(uint32(0xfffff)),
			SuppressPrefixLength: new(uint32(0)), SuppressInterfaceGroup: new(uint32(0))},
			`{"action":"goto","address_family":"ipv6","flags":2,"tos":16,"dst":"2001:db8::/32","src":"2001:db8::1/128","iif":"eth0","oif":"eth1","goto":9,"priority":7,` +
				`"fw_mark":1,"fw_mask":3,"realm":{"source":3,"destination":4},"tun_id":1099511627776,"suppress_ifgroup":0,"suppress_prefix_len":0,"protocol":"dhcp","ip_proto":"icmpv6",` +
				`"src_port_range":[1,2],"dst_port_range":[80,80],"l3mdev":true,"invert":true,"uid_range":[0,0],"src_port_mask":255,"dst_port_mask":65535,` +
				`"dscp":0,"dscp_mask":63,"flowlabel":0,"flowlabel_mask":1048575}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rule := newRule(&test.rule, always("eth0"))
			b, err := json.Marshal(rule)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.text, string(b)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var again state.Rule
			if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(rule, again) {
				t.Errorf("read back: %+v, %v", again, err)
			}
		})
	}
}
