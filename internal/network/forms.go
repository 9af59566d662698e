package network

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/internal/address"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// boolean takes the words that netifd takes, and those of YAML.
var boolean = form[bool]{"true or false", func(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", shown.Text(text))
}}

type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

// number takes whole numbers in decimal; zeros in front have no meaning.
func number[N unsigned](low, high N) form[N] {
	return form[N]{fmt.Sprintf("%d to %d", low, high), func(text string) (N, error) {
		return parseNumber(text, 10, low, high)
	}}
}

// bits takes whole numbers in decimal or, after 0x, in hexadecimal.
func bits[N unsigned](low, high N) form[N] {
	return form[N]{fmt.Sprintf("%d to %d, also in hexadecimal after 0x", low, high), func(text string) (N, error) {
		return parseBits(text, low, high)
	}}
}

func parseBits[N unsigned](text string, low, high N) (N, error) {
	if digits, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		return parseNumber(digits, 16, low, high)
	}
	return parseNumber(text, 10, low, high)
}

func parseNumber[N unsigned](text string, base int, low, high N) (N, error) {
	n, err := strconv.ParseUint(text, base, 64)
	if err != nil && !strings.Contains(err.Error(), strconv.ErrRange.Error()) {
		return 0, fmt.Errorf("%s is not a whole number", shown.Text(text))
	}
	if err != nil || n < uint64(low) || n > uint64(high) {
		return 0, fmt.Errorf("%s is not in %d..%d", shown.Text(text), low, high)
	}
	return N(n), nil
}

// seconds takes whole seconds.
func seconds(low, high uint32) form[time.Duration] {
	whole := number(low, high)
	return form[time.Duration]{whole.takes + " s", func(text string) (time.Duration, error) {
		n, err := whole.parse(text)
		return time.Duration(n) * time.Second, err
	}}
}

// hundredths takes whole seconds and returns them in 1/100 s (USER_HZ), as the kernel
// has the times of a bridge.
func hundredths(low, high uint32) form[uint32] {
	whole := number(low, high)
	return form[uint32]{whole.takes + " s", func(text string) (uint32, error) {
		n, err := whole.parse(text)
		return 100 * n, err
	}}
}

// word takes one of several words, and returns its number.
func word[N any](numbers map[string]N, words ...string) form[N] {
	return form[N]{orList(words), func(text string) (N, error) {
		if !slices.Contains(words, text) {
			var none N
			return none, fmt.Errorf("%s is not %s", shown.Text(text), orList(words))
		}
		return numbers[text], nil
	}}
}

// oneOf takes one of several words as it is.
func oneOf(words ...string) form[string] {
	same := map[string]string{}
	for _, w := range words {
		same[w] = w
	}
	return word(same, words...)
}

var linkName = form[string]{"a name of 1 to 15 bytes", func(text string) (string, error) {
	if strings.HasPrefix(text, "@") {
		return "", fmt.Errorf("%s is an alias of an interface, which cannot be declared yet; name the device", shown.Text(text))
	}
	return text, link.CheckName(text)
}}

// interfaceName takes the names that netifd's objects can have. They are in no file of
// the kernel's, so they may be longer than the name of a link.
var interfaceName = form[string]{"a name of letters, digits, _ and -", func(text string) (string, error) {
	other := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-')
	}
	if text == "" || len(text) > 64 || strings.ContainsFunc(text, other) {
		return "", fmt.Errorf("%s is not a name of 1 to 64 letters, digits, _ and -", shown.Text(text))
	}
	return text, nil
}}

var hardwareAddress = form[net.HardwareAddr]{"a hardware address, e.g. 02:00:00:00:01:00", address.ParseMAC}

var domainName = form[string]{"a domain, e.g. example.org", func(text string) (string, error) {
	return text, address.CheckName(text)
}}

// hostname is what a DHCP client can call itself.
var hostname = form[string]{"a name, or * for none", func(text string) (string, error) {
	if text == "*" {
		return text, nil
	}
	return text, address.CheckName(text)
}}

// vendorText is a vendor class (RFC 2132, 9.13).
var vendorText = form[string]{"1 to 255 printable characters", func(text string) (string, error) {
	if text == "" || len(text) > 255 || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		return "", fmt.Errorf("%s is not 1 to 255 printable characters of ASCII", shown.Text(text))
	}
	return text, nil
}}

// hexadecimal is a client identifier (RFC 2132, 9.14).
var hexadecimal = form[string]{"4 to 510 hexadecimal digits", func(text string) (string, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) < 2 || len(b) > 255 {
		return "", fmt.Errorf("%s is not 4 to 510 hexadecimal digits, two for each byte", shown.Text(text))
	}
	return strings.ToLower(text), nil
}}

// host takes the address of a host of either family.
var host = form[netip.Addr]{"an address", func(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return a, fmt.Errorf("%s is not an IP address", shown.Text(text))
	}
	return a, address.CheckHost(a)
}}

// host4 and host6 take the address of a host of one family.
var (
	host4 = form[netip.Addr]{"an IPv4 address", ofFamily(netip.Addr.Is4, "an IPv4 address")}
	host6 = form[netip.Addr]{"an IPv6 address", ofFamily(netip.Addr.Is6, "an IPv6 address")}
)

func ofFamily(is func(netip.Addr) bool, what string) func(string) (netip.Addr, error) {
	return func(text string) (netip.Addr, error) {
		a, err := netip.ParseAddr(text)
		if err != nil || !is(a) {
			return a, fmt.Errorf("%s is not %s", shown.Text(text), what)
		}
		return a, address.CheckHost(a)
	}
}

// broadcast takes any IPv4 address; whether it is in the network, checkAddresses sees.
var broadcast = form[netip.Addr]{"an IPv4 address", func(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return a, fmt.Errorf("%s is not an IPv4 address", shown.Text(text))
	}
	return a, nil
}}

// netmask takes 24 and 255.255.255.0, and returns the number of bits.
var netmask = form[int]{"a netmask, e.g. 255.255.255.0, or its number of bits", parseMask}

func parseMask(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 8)
	if err == nil && n <= 32 {
		return int(n), nil
	}
	mask, err := netip.ParseAddr(text)
	if err == nil && mask.Is4() {
		if ones, size := net.IPMask(mask.AsSlice()).Size(); size == 32 {
			return ones, nil
		}
	}
	return 0, fmt.Errorf("%s is not a netmask such as 255.255.255.0 or 24", shown.Text(text))
}

// prefix is an address as it was typed, perhaps without the length of its prefix.
type prefix struct {
	netip.Addr
	bits int // noBits if there are none
}

const noBits = -1

// parsePrefix reads an address with or without a length. In IPv4 a netmask may stand for
// the length.
func parsePrefix(text string) (prefix, error) {
	base, length, long := strings.Cut(text, "/")
	a, err := netip.ParseAddr(base)
	p := prefix{a, noBits}
	switch {
	case err != nil || a.Zone() != "":
		return p, fmt.Errorf("%s is not an address, e.g. 192.0.2.1/24", shown.Text(text))
	case a.Is4In6():
		return p, fmt.Errorf("%v is IPv4: write it as %v", a, a.Unmap())
	case !long:
		return p, nil
	case a.Is4():
		p.bits, err = parseMask(length)
		return p, err
	}
	n, err := strconv.ParseUint(length, 10, 8)
	if p.bits = int(n); err != nil || n > 128 {
		return p, fmt.Errorf("%s is not the length of an IPv6 prefix, 0 to 128", shown.Text(length))
	}
	return p, nil
}

// whole returns the prefix with all bits where the length was not typed.
func (p prefix) whole() netip.Prefix {
	if p.bits == noBits {
		return netip.PrefixFrom(p.Addr, p.BitLen())
	}
	return netip.PrefixFrom(p.Addr, p.bits)
}

var (
	address4 = form[prefix]{"an IPv4 address, e.g. 192.0.2.1/24", ofPrefix(netip.Addr.Is4, "IPv6: give it in ip6addr")}
	address6 = form[prefix]{"an IPv6 address, e.g. 2001:db8::1/64", ofPrefix(netip.Addr.Is6, "IPv4: give it in ipaddr")}

	// destination takes what a route or a rule is for.
	destination = form[prefix]{"a network or an address, e.g. 192.0.2.0/24", parsePrefix}
)

func ofPrefix(is func(netip.Addr) bool, other string) func(string) (prefix, error) {
	return func(text string) (prefix, error) {
		p, err := parsePrefix(text)
		if err == nil && !is(p.Addr) {
			err = fmt.Errorf("%s is %s", shown.Text(text), other)
		}
		return p, err
	}
}

// Names of routing tables that iproute2 and netifd know without a file.
var tables = map[string]uint32{"prelocal": 128, "default": 253, "main": 254, "local": 255}

// table takes the number of a routing table.
var table = form[uint32]{"1 to 4294967295, or main, default, local or prelocal", func(text string) (uint32, error) {
	if n := tables[text]; n != 0 {
		return n, nil
	}
	n, err := parseNumber[uint32](text, 10, 1, 1<<32-1)
	if err != nil {
		return 0, fmt.Errorf("%s is not a routing table: give its number, 1..4294967295, or main, default, local or prelocal", shown.Text(text))
	}
	return n, nil
}}

// IsTable reports whether a text is a routing table to Read.
func IsTable(text string) bool {
	_, err := table.parse(text)
	return err == nil
}

// span is from the first to the last.
type span[N unsigned] struct{ first, last N }

// between takes "5" and "5-9".
func between[N unsigned](low, high N) form[span[N]] {
	return form[span[N]]{fmt.Sprintf("a number or a range, %d to %d, e.g. %[1]d-%[2]d", low, high), func(text string) (span[N], error) {
		from, to, two := strings.Cut(text, "-")
		if !two {
			to = from
		}
		first, err := parseNumber(from, 10, low, high)
		if err != nil {
			return span[N]{}, err
		}
		last, err := parseNumber(to, 10, low, high)
		if err == nil && last < first {
			err = fmt.Errorf("%d comes before %d", last, first)
		}
		return span[N]{first, last}, err
	}}
}

// masked is a mark under a mask.
type masked struct{ mark, mask uint32 }

// mark takes "1", "0x1" and "0x1/0xff".
var mark = form[masked]{"a number or a number/mask, e.g. 0x1/0xff", func(text string) (masked, error) {
	first, second, two := strings.Cut(text, "/")
	m := masked{mask: 1<<32 - 1}
	var err error
	if m.mark, err = parseBits[uint32](first, 0, 1<<32-1); err == nil && two {
		m.mask, err = parseBits[uint32](second, 0, 1<<32-1)
	}
	if err == nil && m.mark&^m.mask != 0 {
		err = fmt.Errorf("%s can never match: the mark has bits that the mask does not have", shown.Text(text))
	}
	return m, err
}}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// far takes the address of the other end of a tunnel, which may be a group of ends.
var far = form[netip.Addr]{"an address", func(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err == nil && a.IsMulticast() && a.Zone() == "" {
		return a, nil
	}
	return host.parse(text)
}}

// typeOfService takes what the kernel has for the outer packets of a tunnel, of which 1
// stands for that of the inner packets.
var typeOfService = form[uint8]{"0 to 255, also in hexadecimal after 0x, or inherit", func(text string) (uint8, error) {
	if text == "inherit" {
		return 1, nil
	}
	return parseBits[uint8](text, 0, 255)
}}
