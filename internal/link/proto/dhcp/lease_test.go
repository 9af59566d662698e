package dhcp

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/rfc1035label"
)

// TestDecodeRoutes is RFC 3442: where there is option 121, option 3, which names
// 192.168.1.1 here, does not count.
func TestDecodeRoutes(t *testing.T) {
	for _, row := range []struct {
		name   string
		option []byte // 121; nil: none
		want   string // router, then routes
	}{
		{"no option 121", nil, "192.168.1.1"},
		{"default route", []byte{0, 192, 168, 1, 2}, "192.168.1.2"},
		{"no default route", []byte{8, 10, 192, 168, 1, 2}, "- 10.0.0.0/8>192.168.1.2"},
		{"several routes", []byte{24, 10, 1, 2, 192, 168, 1, 2, 0, 192, 168, 1, 3, 32, 10, 9, 9, 9, 192, 168, 1, 4},
			"192.168.1.3 10.1.2.0/24>192.168.1.2 10.9.9.9/32>192.168.1.4"},
		{"on the link", []byte{16, 172, 16, 0, 0, 0, 0}, "- 172.16.0.0/16>-"},
		{"router beyond the subnet", []byte{0, 10, 0, 0, 1}, "10.0.0.1"},
		{"bits beyond the prefix", []byte{9, 10, 255, 192, 168, 1, 2}, "- 10.128.0.0/9>192.168.1.2"},
		{"the first of two counts", []byte{8, 10, 192, 168, 1, 2, 8, 10, 192, 168, 1, 3}, "- 10.0.0.0/8>192.168.1.2"},
		{"half of the Internet", []byte{1, 128, 192, 168, 1, 2}, "-"},
		{"all of the Internet on the link", []byte{0, 0, 0, 0, 0}, "-"},
		{"loopback network", []byte{8, 127, 192, 168, 1, 2}, "-"},
		{"multicast", []byte{8, 224, 192, 168, 1, 2}, "-"},
		{"the subnet itself", []byte{24, 192, 168, 1, 192, 168, 1, 2}, "-"},
		{"the own address", []byte{32, 192, 168, 1, 50, 192, 168, 1, 2}, "-"},
		{"by way of the own address", []byte{8, 10, 192, 168, 1, 50}, "-"},
		{"by way of the host itself", []byte{0, 127, 0, 0, 1}, "-"},
		{"by way of the broadcast address", []byte{8, 10, 192, 168, 1, 255}, "-"},
		{"cut off: as if it were not there", []byte{24, 10, 1}, "192.168.1.1"},
		{"prefix of 33 bits: as if it were not there", []byte{33, 10, 1, 1, 1, 1, 192, 168, 1, 2}, "192.168.1.1"},
		{"empty: as if it were not there", []byte{}, "192.168.1.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := answer(t)
			if row.option != nil {
				message.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClasslessStaticRoute, row.option))
			}
			r, err := identity{hardware: hardware}.decode(message.ToBytes())
			if err != nil {
				t.Fatal(err)
			}
			if got := showRoutes(r.lease); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func showRoutes(l Lease) string {
	show := func(a netip.Addr) string {
		if !a.IsValid() {
			return "-"
		}
		return a.String()
	}
	words := []string{show(l.Router)}
	for _, r := range l.Routes {
		words = append(words, fmt.Sprintf("%v>%s", r.Destination, show(r.Gateway)))
	}
	return strings.Join(words, " ")
}

// Router is asked for only after the option that outdoes it (RFC 3442).
func TestClasslessRoutesAreAskedForFirst(t *testing.T) {
	codes := func(code dhcpv4.OptionCode) int {
		return slices.IndexFunc(wantedOptions, func(c dhcpv4.OptionCode) bool { return c.Code() == code.Code() })
	}
	if at := codes(dhcpv4.OptionClasslessStaticRoute); at < 0 || at > codes(dhcpv4.OptionRouter) {
		t.Errorf("asked for: %v", wantedOptions)
	}
}

// TestDecodeOverload reads options that a server puts where options are not
// (RFC 2132 9.3), and parts of one option (RFC 3396).
func TestDecodeOverload(t *testing.T) {
	inFile := []byte{6, 4, 9, 9, 9, 10, 255}
	inName := []byte{6, 4, 9, 9, 9, 11, 255}
	for _, row := range []struct {
		name     string
		overload byte
		split    bool // the option in the options field is in two parts that are no multiple of an address
		want     string
	}{
		{"none", 0, false, "[9.9.9.9]"},
		{"file", 1, false, "[9.9.9.9 9.9.9.10]"},
		{"sname", 2, false, "[9.9.9.9 9.9.9.11]"},
		{"both", 3, false, "[9.9.9.9 9.9.9.10 9.9.9.11]"},
		{"an option in parts", 3, true, "[9.9.9.9 9.9.9.10 9.9.9.11]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			packet := answer(t, dhcpv4.WithDNS(net.IPv4(9, 9, 9, 9)), option(52, row.overload)).ToBytes()
			copy(packet[fileAt:], inFile)
			copy(packet[serverNameAt:], inName)
			if row.split {
				whole := []byte{6, 4, 9, 9, 9, 9}
				packet = bytes.Replace(packet, whole, []byte{6, 1, 9, 6, 3, 9, 9, 9}, 1)
			}
			r, err := identity{hardware: hardware}.decode(packet)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(r.lease.DNS); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}

// wrong gives what is wrong with what came out of a message; "" if nothing is.
func wrong(l Lease) string {
	own := l.Address
	switch {
	case !own.IsValid() || own.Bits() < shortestPrefix || !unicast(own.Addr().AsSlice()).IsValid():
		return fmt.Sprintf("address %v", own)
	case l.Expire != 0 && !(0 < l.Renew && l.Renew < l.Rebind && l.Rebind < l.Expire && l.Expire >= minLease):
		return fmt.Sprintf("times %v %v %v", l.Renew, l.Rebind, l.Expire)
	case !another(own, l.Server) || l.Router.IsValid() && !another(own, l.Router):
		return fmt.Sprintf("server %v, router %v at %v", l.Server, l.Router, own)
	case len(l.DNS) > maxServers || len(l.Routes) > maxRoutes || len(l.Search) > maxSearch || len(l.Domain) > maxDomainName:
		return fmt.Sprintf("%d servers, %d routes, %d names, a domain of %d bytes", len(l.DNS), len(l.Routes), len(l.Search), len(l.Domain))
	}
	for _, r := range l.Routes {
		if r.Destination.Bits() < shortestPrefix || r.Destination != r.Destination.Masked() || r.Gateway.IsValid() && !another(own, r.Gateway) {
			return fmt.Sprintf("route %+v", r)
		}
	}
	for _, a := range l.DNS {
		if !unicast(a.AsSlice()).IsValid() {
			return fmt.Sprintf("name server %v", a)
		}
	}
	return ""
}

// FuzzDecode: whatever is on the wire, nothing but a usable lease comes out.
func FuzzDecode(f *testing.F) {
	f.Add(answer(f).ToBytes())
	f.Add(answer(f, dhcpv4.WithMessageType(dhcpv4.MessageTypeNak)).ToBytes())
	f.Add(answer(f, dhcpv4.WithOption(dhcpv4.OptDomainSearch(&rfc1035label.Labels{Labels: []string{"a.b", "c"}}))).ToBytes())
	f.Add(answer(f, option(1, 255), option(3, 1, 2), option(15), option(26, 1), option(51, 0)).ToBytes())
	f.Add(answer(f, option(52, 3), option(121, 8, 10, 192, 168, 1, 2)).ToBytes())
	f.Fuzz(func(t *testing.T, packet []byte) {
		r, err := identity{hardware: hardware}.decode(packet)
		if err != nil || r.kind == nak {
			return
		}
		if why := wrong(r.lease); why != "" {
			t.Error(why)
		}
	})
}
