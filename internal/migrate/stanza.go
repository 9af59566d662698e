package migrate

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/client"
)

// option is an option of a stanza. If an option is repeated, its values are joined by
// line ends, as ifupdown does.
type option struct {
	line  int
	name  string
	value string
}

// stanza is an iface stanza.
type stanza struct {
	line                 int
	name, family, method string
	options              []option
	mapping              bool // a mapping stanza, whose options do not concern us
	made                 *block
	fault                string // why ifupdown does not read the stanza
}

// newStanza reads the words behind iface. A stanza may inherit the options of an
// earlier one, including its family and method.
func newStanza(line int, words []string, before []*stanza) *stanza {
	s := &stanza{line: line}
	if len(words) > 0 {
		s.name, words = words[0], words[1:]
	}
	if len(words) >= 2 && words[0] != "inherits" {
		s.family, s.method, words = words[0], words[1], words[2:]
	}
	if len(words) >= 2 && words[0] == "inherits" {
		i := slices.IndexFunc(before, func(p *stanza) bool { return p.name == words[1] && (s.family == "" || p.family == s.family) })
		if i < 0 {
			s.fault = "it inherits from a stanza that is not before it: " + short(words[1])
			return s
		}
		parent := before[i]
		s.options = slices.Clone(parent.options)
		if s.family == "" {
			s.family, s.method = parent.family, parent.method
		}
	}
	if s.family == "" || s.method == "" {
		s.fault = "it has no address family and method, such as: iface wlan0 inet dhcp"
	}
	return s
}

func (s *stanza) option(line int, name, value string) {
	if s.mapping {
		return
	}
	if name = optionName(name); value == "" && s.fault == "" && isOfWifi(name) {
		s.fault = short(name) + " has no value"
		s.line = line
	}
	if len(s.options) == mostOptions {
		s.fault = "it has too many options"
		return
	}
	i := slices.IndexFunc(s.options, func(o option) bool { return o.name == name })
	if i < 0 || isCommand(name) || len(s.options[i].value) > 4096 {
		s.options = append(s.options, option{line, name, value})
		return
	}
	s.options[i].line = line
	s.options[i].value += "\n" + value
}

// mostOptions bounds how many options a stanza can have, with those that it inherits.
const mostOptions = 200

func isCommand(name string) bool {
	return slices.Contains([]string{"up", "pre-up", "post-up", "down", "pre-down", "post-down"}, name)
}

func (s *stanza) find(name string) (option, bool) {
	i := slices.IndexFunc(s.options, func(o option) bool { return o.name == name })
	if i < 0 {
		return option{}, false
	}
	return s.options[i], true
}

func (s *stanza) value(name string) string {
	o, _ := s.find(name)
	return o.value
}

func (s *stanza) isOfWifi() bool {
	return slices.ContainsFunc(s.options, func(o option) bool { return isOfWifi(o.name) })
}

// namesNetwork reports whether ifupdown would join a network with the stanza.
func (s *stanza) namesNetwork() bool {
	return slices.ContainsFunc(s.options, func(o option) bool {
		return slices.Contains([]string{"wpa-ssid", "wpa-essid", "wireless-essid"}, o.name)
	})
}

// stanza reads the network of a stanza, or reports why it cannot.
func (r *reader) stanza(s *stanza, all []*stanza) {
	switch elsewhere, conf := s.find("wpa-conf"); {
	case !s.isOfWifi():
		r.lostAddress(s, all)
		return
	case s.fault != "":
		r.problem(s.line, "%s; the stanza is left out", s.fault)
		return
	case conf:
		r.problem(s.line, "its networks are in another file: import that: %s", short(elsewhere.value))
		return
	}
	if roam, ok := s.find("wpa-roam"); ok {
		r.problem(s.line, "its networks are in another file: import that: %s", short(roam.value))
		return
	}
	if !s.namesNetwork() {
		return // an access point, or only settings of the radio
	}
	if s.family == "inet6" && r.sameNetwork(s, all) {
		r.lostAddress(s, all)
		return
	}
	b := s.block()
	s.address(b)
	r.take(b)
}

// sameNetwork reports whether an IPv4 stanza of the same interface names the same
// network, as with an interface that has stanzas for both families.
func (r *reader) sameNetwork(s *stanza, all []*stanza) bool {
	return slices.ContainsFunc(all, func(other *stanza) bool {
		return other.family == "inet" && other.name == s.name && other.namesNetwork() &&
			maps.EqualFunc(other.block().variables, s.block().variables, func(a, b variable) bool { return a.value == b.value })
	})
}

// lostAddress reports that an IPv6 address beside a Wi-Fi network is left out.
func (r *reader) lostAddress(s *stanza, all []*stanza) {
	beside := slices.ContainsFunc(all, func(other *stanza) bool { return other.name == s.name && other.namesNetwork() })
	if o, ok := s.find("address"); ok && beside && s.family == "inet6" && s.method == "static" {
		r.problem(o.line, "the IPv6 address %s is not taken over: a network gets addresses of IPv6 by router advertisements", short(o.value))
	}
}

// address reads how the interface gets its address.
func (s *stanza) address(b *block) {
	switch {
	case s.family == "inet6" && s.method == "static":
		b.note(s.line, "its IPv6 address %s is not taken over: a network gets addresses of IPv6 by router advertisements", short(s.value("address")))
	case s.method == "static":
		static, problem := s.addressing()
		if problem != "" {
			b.fault(s.line, "%s", problem)
			return
		}
		b.static = static
	case s.method == "dhcp", s.method == "auto":
	default:
		b.note(s.line, "the method %s is not taken over: the network is asked for an address (DHCP)", short(s.method))
	}
}

// addressing reads address, netmask (as an address or a length, which takes
// precedence over the length behind the address) and gateway. Without a mask, the
// address has that of its class, as in ifupdown.
func (s *stanza) addressing() (*client.Addressing, string) {
	address, mask, _ := strings.Cut(s.value("address"), "/")
	if own := s.value("netmask"); own != "" {
		mask = own
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Is4() {
		return nil, "address is not an IP address"
	}
	if mask == "" {
		mask = class(ip)
	}
	ones, ok := length(mask)
	if !ok {
		return nil, "netmask is neither a mask nor a length"
	}
	gateway := s.value("gateway")
	if gateway == "none" {
		gateway = ""
	}
	static, err := fixed(netip.PrefixFrom(ip, ones), gateway, strings.Fields(s.value("dns-nameservers")+"\n"+s.value("dns-nameserver")))
	if err != nil {
		return nil, err.Error()
	}
	return static, ""
}

// class returns the length of the mask of an address's class (RFC 791 3.2).
func class(ip netip.Addr) string {
	switch first := ip.As4()[0]; {
	case first < 128:
		return "8"
	case first < 192:
		return "16"
	}
	return "24"
}

// length returns the length of a netmask such as 255.255.255.0 or 24.
func length(mask string) (int, bool) {
	if prefix, err := netip.ParsePrefix("0.0.0.0/" + mask); err == nil {
		return prefix.Bits(), true
	}
	address, err := netip.ParseAddr(mask)
	if err != nil || !address.Is4() {
		return 0, false
	}
	bytes := address.As4()
	ones := bits.LeadingZeros32(^binary.BigEndian.Uint32(bytes[:]))
	return ones, binary.BigEndian.Uint32(bytes[:]) == ^uint32(0)<<(32-ones)
}
