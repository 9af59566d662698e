package dhcp

import (
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
)

var (
	hardware = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	compare  = cmp.Options{
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	}
)

// answer is an acknowledgement of 192.168.1.50 as a good server sends it.
func answer(t testing.TB, modifiers ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{
		dhcpv4.WithTransactionID(dhcpv4.TransactionID{0, 0, 0, 9}),
		dhcpv4.WithHwAddr(hardware),
		dhcpv4.WithMessageType(dhcpv4.MessageTypeAck),
		dhcpv4.WithYourIP(net.IPv4(192, 168, 1, 50)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 168, 1, 1))),
		dhcpv4.WithOption(dhcpv4.OptIPAddressLeaseTime(time.Hour)),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithRouter(net.IPv4(192, 168, 1, 1)),
		dhcpv4.WithDNS(net.IPv4(192, 168, 1, 1), net.IPv4(9, 9, 9, 9)),
	}, modifiers...)...)
	if err != nil {
		t.Fatal(err)
	}
	m.OpCode = dhcpv4.OpcodeBootReply
	return m
}

func option(code uint8, value ...byte) dhcpv4.Modifier {
	return dhcpv4.WithGeneric(dhcpv4.GenericOptionCode(code), value)
}

func TestDecodeLease(t *testing.T) {
	for _, row := range []struct {
		name   string
		change dhcpv4.Modifier
		want   func(*Lease)
	}{
		{"plain", nil, func(*Lease) {}},
		{"no mask: that of the address class", dhcpv4.WithoutOption(dhcpv4.OptionSubnetMask), func(*Lease) {}},
		{"mask with holes", option(1, 255, 0, 255, 0), func(*Lease) {}},
		{"host mask", option(1, 255, 255, 255, 255), func(l *Lease) { l.Address = netip.MustParsePrefix("192.168.1.50/32") }},
		{"no lease time", dhcpv4.WithoutOption(dhcpv4.OptionIPAddressLeaseTime), func(*Lease) {}},
		{"lease of no time at all", dhcpv4.WithLeaseTime(0), func(l *Lease) {
			l.Renew, l.Rebind, l.Expire = 5*time.Second, 8750*time.Millisecond, 10*time.Second
		}},
		{"infinite lease", dhcpv4.WithLeaseTime(0xffffffff), func(l *Lease) { l.Renew, l.Rebind, l.Expire = 0, 0, 0 }},
		{"T1 and T2 of the server", func(m *dhcpv4.DHCPv4) {
			m.UpdateOption(dhcpv4.OptRenewTimeValue(10 * time.Minute))
			m.UpdateOption(dhcpv4.OptRebindingTimeValue(20 * time.Minute))
		}, func(l *Lease) { l.Renew, l.Rebind = 10*time.Minute, 20*time.Minute }},
		{"T1 after T2", func(m *dhcpv4.DHCPv4) {
			m.UpdateOption(dhcpv4.OptRenewTimeValue(20 * time.Minute))
			m.UpdateOption(dhcpv4.OptRebindingTimeValue(10 * time.Minute))
		}, func(*Lease) {}},
		{"T1 of nothing", dhcpv4.WithOption(dhcpv4.OptRenewTimeValue(0)), func(*Lease) {}},
		{"T2 after the end", dhcpv4.WithOption(dhcpv4.OptRebindingTimeValue(2 * time.Hour)), func(*Lease) {}},
		{"no router", dhcpv4.WithoutOption(dhcpv4.OptionRouter), func(l *Lease) { l.Router = netip.Addr{} }},
		{"unusable routers are skipped", dhcpv4.WithRouter(net.IPv4zero, net.IPv4(192, 168, 1, 50), net.IPv4bcast, net.IPv4(192, 168, 1, 2)),
			func(l *Lease) { l.Router = netip.MustParseAddr("192.168.1.2") }},
		{"unusable resolvers are skipped", dhcpv4.WithDNS(net.IPv4zero, net.IPv4(224, 0, 0, 251), net.IPv4(9, 9, 9, 9)),
			func(l *Lease) { l.DNS = []netip.Addr{netip.MustParseAddr("9.9.9.9")} }},
		{"domain ended by NUL", option(15, []byte("home.arpa\x00")...), func(l *Lease) { l.Domain = "home.arpa" }},
		{"several domains in one option", option(15, []byte("home.arpa lan")...), func(l *Lease) { l.Domain = "home.arpa" }},
		{"routers that no other host can be are skipped", dhcpv4.WithRouter(net.IPv4(127, 0, 0, 1), net.IPv4(0, 0, 0, 9), net.IPv4(239, 1, 1, 1),
			net.IPv4(192, 168, 1, 0), net.IPv4(192, 168, 1, 255), net.IPv4(192, 168, 1, 2)),
			func(l *Lease) { l.Router = netip.MustParseAddr("192.168.1.2") }},
		{"the host itself is no resolver", dhcpv4.WithDNS(net.IPv4(127, 0, 0, 53), net.IPv4(9, 9, 9, 9)),
			func(l *Lease) { l.DNS = []netip.Addr{netip.MustParseAddr("9.9.9.9")} }},
		{"mask of a class A network", option(1, 255, 0, 0, 0), func(l *Lease) { l.Address = netip.MustParsePrefix("192.168.1.50/8") }},
		{"lease of 136 years", dhcpv4.WithLeaseTime(0xfffffff8), func(l *Lease) {
			l.Renew, l.Rebind, l.Expire = 0x7ffffffc*time.Second, 0xdffffff9*time.Second, 0xfffffff8*time.Second
		}},
		{"search list", dhcpv4.WithDomainSearchList("home.arpa", "lan"), func(l *Lease) { l.Search = []string{"home.arpa", "lan"} }},
		{"broken search list", option(119, 0xc0, 0xff, 7), func(*Lease) {}},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := answer(t)
			if row.change != nil {
				row.change(message)
			}
			got, err := identity{hardware: hardware}.decode(message.ToBytes())
			if err != nil {
				t.Fatal(err)
			}
			want := Lease{
				Address: netip.MustParsePrefix("192.168.1.50/24"),
				Router:  netip.MustParseAddr("192.168.1.1"),
				DNS:     []netip.Addr{netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("9.9.9.9")},
				Server:  netip.MustParseAddr("192.168.1.1"),
				Renew:   30 * time.Minute, Rebind: 52*time.Minute + 30*time.Second, Expire: time.Hour,
			}
			row.want(&want)
			if diff := cmp.Diff(want, got.lease, compare); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDecodeRejects(t *testing.T) {
	for _, row := range []struct {
		name   string
		change dhcpv4.Modifier
	}{
		{"request", func(m *dhcpv4.DHCPv4) { m.OpCode = dhcpv4.OpcodeBootRequest }},
		{"message for another client", dhcpv4.WithHwAddr(net.HardwareAddr{2, 0, 0, 0, 0, 2})},
		{"plain BOOTP", dhcpv4.WithoutOption(dhcpv4.OptionDHCPMessageType)},
		{"message type of a client", dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover)},
		{"no server identifier", dhcpv4.WithoutOption(dhcpv4.OptionServerIdentifier)},
		{"server identifier that no host has", dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4bcast))},
		{"no address", dhcpv4.WithYourIP(net.IPv4zero)},
		{"broadcast address", dhcpv4.WithYourIP(net.IPv4bcast)},
		{"multicast address", dhcpv4.WithYourIP(net.IPv4(224, 0, 0, 1))},
		{"loopback address", dhcpv4.WithYourIP(net.IPv4(127, 0, 0, 1))},
		{"address of no network", dhcpv4.WithYourIP(net.IPv4(0, 1, 2, 3))},
		{"the network's own address", dhcpv4.WithYourIP(net.IPv4(192, 168, 1, 0))},
		{"the network's broadcast address", dhcpv4.WithYourIP(net.IPv4(192, 168, 1, 255))},
		{"server at the loopback address", dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(127, 0, 0, 1)))},
		{"server at the client's own address", dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 168, 1, 50)))},
		{"server at the broadcast address", dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 168, 1, 255)))},
		{"half of the Internet on the link", option(1, 128, 0, 0, 0)},
		{"all of the Internet on the link", option(1, 0, 0, 0, 0)},
		{"broken options in the field file", func(m *dhcpv4.DHCPv4) {
			m.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionOptionOverload, []byte{1}))
			m.BootFileName = strings.Repeat("\x06\x00", 62) + "\x06\x09"
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := answer(t, row.change)
			if row.name == "request" {
				row.change(message)
			}
			if r, err := (identity{hardware: hardware}).decode(message.ToBytes()); err == nil {
				t.Errorf("accepted: %+v", r)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	id := newIdentity(Config{HostName: "printer"}, hardware)
	packet, err := id.encode(send{
		kind: request, xid: 9, elapsed: 65 * time.Second,
		requested: netip.MustParseAddr("192.168.1.50"), server: netip.MustParseAddr("192.168.1.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := dhcpv4.FromBytes(packet)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, got, want string }{
		{"type", m.MessageType().String(), "REQUEST"},
		{"transaction id", m.TransactionID.String(), "0x00000009"},
		{"hardware address", m.ClientHWAddr.String(), hardware.String()},
		{"host name", m.HostName(), "printer"},
		{"client id", string(m.Options.Get(dhcpv4.OptionClientIdentifier)), "\x01" + string(hardware)},
		{"requested", m.RequestedIPAddress().String(), "192.168.1.50"},
		{"server", m.ServerIdentifier().String(), "192.168.1.1"},
		{"ciaddr", m.ClientIPAddr.String(), "0.0.0.0"},
		{"flags", m.FlagsToString(), "Unicast"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, want %q", row.name, row.got, row.want)
		}
	}
	if m.NumSeconds != 65 {
		t.Errorf("secs: %d, want 65", m.NumSeconds)
	}
}

// A renewal carries the address in ciaddr and in no option (RFC 2131 table 5).
func TestEncodeRenewal(t *testing.T) {
	packet, err := newIdentity(Config{ClientID: []byte{0, 'x'}}, hardware).encode(send{
		kind: request, client: netip.MustParseAddr("192.168.1.50"), elapsed: 100 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := dhcpv4.FromBytes(packet)
	if err != nil {
		t.Fatal(err)
	}
	if m.ClientIPAddr.String() != "192.168.1.50" || m.RequestedIPAddress() != nil || m.ServerIdentifier() != nil {
		t.Errorf("not a renewal: %s", m.Summary())
	}
	if id := m.Options.Get(dhcpv4.OptionClientIdentifier); string(id) != "\x00x" {
		t.Errorf("client id: %q", id)
	}
	if m.NumSeconds != 0xffff {
		t.Errorf("secs: %d, want no overflow", m.NumSeconds)
	}
}

func TestLeaseSurvivesJSON(t *testing.T) {
	full := Lease{
		Address: netip.MustParsePrefix("192.168.1.50/24"), Router: netip.MustParseAddr("192.168.1.1"),
		DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")}, Domain: "lan", Search: []string{"lan"},
		Server:   netip.MustParseAddr("192.168.1.1"),
		Acquired: epoch, Renew: time.Minute, Rebind: 2 * time.Minute, Expire: 3 * time.Minute,
	}
	for _, want := range []Lease{full, {}} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Lease
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}
