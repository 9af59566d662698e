package address

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestCell(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"as it should be", "02:00:00:00:01:00", ""},
		{"capitals and dashes", "0A-BB-CC-DD-EE-FF", ""},
		{"a word", "any", "is an address such as"},
		{"nothing", "", "is an address such as"},
		{"eight bytes", "02:00:00:00:01:00:00:00", "is an address such as"},
		{"a group", "01:00:5e:00:00:01", "01:00:5E:00:00:01 is a group of stations"},
		{"everybody", "ff:ff:ff:ff:ff:ff", "is a group of stations"},
		{"nobody", "00:00:00:00:00:00", "is the address of no cell"},
	} {
		t.Run(row.name, func(t *testing.T) {
			bssid, err := ParseCell(row.text)
			if row.want == "" && (err != nil || len(bssid) != 6) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, %v, want %q", bssid, err, row.want)
			}
		})
	}
	if err := CheckCell(net.HardwareAddr{2}); err == nil {
		t.Error("one byte is an address")
	}
}

func TestStatic(t *testing.T) {
	for _, row := range []struct{ name, address, gateway, dns, want string }{
		{"as it should be", "192.0.2.7/24", "192.0.2.1", "192.0.2.53", ""},
		{"IPv6", "2001:db8::7/64", "2001:db8::1", "2001:db8::53", ""},
		{"no gateway", "192.0.2.7/24", "", "", ""},
		{"a link between two hosts", "192.0.2.0/31", "192.0.2.1", "", ""},
		{"the same of IPv6", "2001:db8::/127", "2001:db8::1", "", ""},
		{"the last address of IPv6", "2001:db8::ffff:ffff:ffff:ffff/64", "fe80::1", "", ""},
		{"a name server on this device", "192.0.2.7/24", "", "127.0.0.1", ""},
		{"none", "", "", "", "with the length of its prefix"},
		{"no length", "192.0.2.7", "", "", "with the length of its prefix"},
		{"unspecified", "0.0.0.0/8", "", "", "cannot be the address"},
		{"the device itself", "127.0.0.2/8", "", "", "cannot be the address"},
		{"the device itself, in IPv6", "::1/128", "", "", "cannot be the address"},
		{"multicast", "224.0.0.5/24", "224.0.0.1", "", "224.0.0.5 is a multicast address"},
		{"multicast of IPv6", "ff02::5/64", "", "", "ff02::5 is a multicast address"},
		{"reserved", "240.0.0.5/24", "", "", "240.0.0.5 is reserved"},
		{"this network", "0.0.0.5/8", "", "", "0.0.0.5 is reserved"},
		{"everybody", "255.255.255.255/8", "", "", "is reserved"},
		{"IPv4 in IPv6", "::ffff:192.0.2.7/120", "", "", "write it as 192.0.2.7"},
		{"the network", "192.0.2.0/24", "", "", "192.0.2.0 is the network itself"},
		{"all routers", "2001:db8::/64", "", "", "2001:db8:: is the network itself"},
		{"broadcast", "192.0.2.255/24", "", "", "192.0.2.255 is the broadcast address of 192.0.2.0/24"},
		{"IPv6, a gateway that is link-local", "2001:db8::7/64", "fe80::1", "", ""},
		{"the same, with a zone", "2001:db8::7/64", "fe80::1%wlan0", "", "is not another address"},
		{"IPv4, a gateway that is link-local", "192.0.2.7/24", "169.254.0.1", "", "is not another address"},
		{"IPv4, a gateway of the other family", "192.0.2.7/24", "fe80::1", "", "is not another address"},
		{"gateway elsewhere", "192.0.2.7/24", "198.51.100.1", "", "is not another address"},
		{"IPv6, gateway elsewhere", "2001:db8::7/64", "2001:db8:1::1", "", "is not another address"},
		{"own link-local gateway", "fe80::7/64", "fe80::7", "", "is not another address"},
		{"own gateway", "192.0.2.7/24", "192.0.2.7", "", "is not another address"},
		{"gateway is the broadcast address", "192.0.2.7/24", "192.0.2.255", "", "gateway 192.0.2.255 is the broadcast address"},
		{"gateway is the network", "192.0.2.7/24", "192.0.2.0", "", "gateway 192.0.2.0 is the network itself"},
		{"gateway is a name", "192.0.2.7/24", "router", "", "gateway is not an address"},
		{"DNS server is a name", "192.0.2.7/24", "", "dns", "dns has something that is not an address"},
		{"DNS server nowhere", "192.0.2.7/24", "", "0.0.0.0", "a DNS server has no address"},
		{"DNS server is multicast", "192.0.2.7/24", "", "224.0.0.251", "DNS server 224.0.0.251 is a multicast address"},
		{"DNS server is the broadcast address", "192.0.2.7/24", "", "192.0.2.255", "DNS server 192.0.2.255 is the broadcast address"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := ParseStatic(row.address, row.gateway, strings.Fields(row.dns))
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("error %v, want %q", err, row.want)
			}
		})
	}
	if err := new(Static).Check(); err == nil {
		t.Error("no address is one")
	}
}

func TestMAC(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"as it should be", "02:00:00:00:01:00", ""},
		{"capitals and dashes", "0A-BB-CC-DD-EE-FF", ""},
		{"a word", "any", "is not a hardware address such as"},
		{"nothing", "", "is not a hardware address such as"},
		{"eight bytes", "02:00:00:00:01:00:00:00", "is not a hardware address such as"},
		{"multicast", "01:00:5e:00:00:01", "is a multicast address"},
		{"broadcast", "ff:ff:ff:ff:ff:ff", "is a multicast address"},
		{"zero", "00:00:00:00:00:00", "is the address of no interface"},
	} {
		mac, err := ParseMAC(row.text)
		if row.want == "" && (err != nil || len(mac) != 6) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v, %v, want %q", row.name, mac, err, row.want)
		}
	}
}

func TestHost(t *testing.T) {
	for _, row := range []struct{ name, address, want string }{
		{"IPv4", "192.0.2.1", ""},
		{"IPv6", "fe80::1", ""},
		{"this device", "127.0.0.1", ""},
		{"unspecified", "0.0.0.0", "is the address of no host"},
		{"unspecified in IPv6", "::", "is the address of no host"},
		{"with a zone", "fe80::1%eth0", "leave %eth0 out"},
		{"multicast", "ff02::1", "is a multicast address"},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", "write it as 192.0.2.1"},
		{"broadcast", "255.255.255.255", "is reserved"},
	} {
		err := CheckHost(netip.MustParseAddr(row.address))
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
	if CheckHost(netip.Addr{}) == nil {
		t.Error("no address is the address of a host")
	}
}

func TestName(t *testing.T) {
	for _, row := range []struct {
		name, text string
		right      bool
	}{
		{"one label", "printer", true},
		{"several labels", "a.b-1.example", true},
		{"nothing", "", false},
		{"an empty label", "a..b", false},
		{"a dash at the end", "a-.b", false},
		{"an underscore", "a_b", false},
		{"a long label", strings.Repeat("a", 64), false},
		{"a long name", strings.Repeat("abcdefg.", 32) + "a", false},
	} {
		if err := CheckName(row.text); (err == nil) != row.right {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
