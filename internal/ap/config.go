package ap

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/secret"
)

// Config describes the wanted access point.
type Config struct {
	Interface string        // e.g. "wlan0"
	Driver    string        // hostapd's driver: "nl80211"; "none" works without a radio (hostapd.conf)
	SSID      string        // 1 to 32 bytes, any values
	PSK       secret.Secret // passphrase of 8 to 63 printable ASCII characters, or 64 hex digits; zero: open network
	Channel   int           // 1 to 14 (2.4 GHz) or 36 to 177 (5 GHz)
	Isolate   bool          // phones do not reach each other through the radio; through this device they never do
	Country   string        // ISO 3166-1 alpha-2 in capitals, e.g. "DE"; "": the system's setting stays

	Address               netip.Prefix // our IPv4 address on the interface, e.g. 10.250.250.1/24
	RangeFirst, RangeLast netip.Addr   // addresses leased to the phones, within the prefix
	Domain                string       // e.g. "printer.lan"; "": none
	HostName              string       // this device's name, which resolves to Address; "": none

	ForwardTo string // wired interface through which phones reach other networks, which may appear later; "": phones reach this device only

	Hostapd, Dnsmasq string // paths of the programs
	RuntimeDir       string // absolute path for configuration, leases and control sockets; only our user may enter it
	StateDir         string // absolute path of the saved networks, which hostapd and dnsmasq must not be able to read
	User             string // the user that dnsmasq switches to when root starts it; must exist
}

var (
	interfacePattern = regexp.MustCompile(`^[!-.0-~]{1,15}$`) // IFNAMSIZ, no space, no slash
	driverPattern    = regexp.MustCompile(`^[a-z0-9_]+$`)
	countryPattern   = regexp.MustCompile(`^[A-Z]{2}$`)
	hexKeyPattern    = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
	passphrase       = regexp.MustCompile(`^[ -~]{8,63}$`) // IEEE 802.11 M.4.1
	// A domain name is written to dnsmasq's file: RFC 1123 2.1, and "_", which
	// occurs.
	domainPattern = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)
	pathPattern   = regexp.MustCompile(`^/[!-~]*$`) // dnsmasq reads spaces, quotes and '#' in its own ways
	userPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*\$?$`)
)

// Check reports everything that hostapd and dnsmasq would refuse or misread. Its
// texts name the keys of the configuration.
func (c Config) Check() error {
	var problems []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	require(isInterface(c.Interface), "interface %q is not a name of an interface", c.Interface)
	require(c.ForwardTo == "" || isInterface(c.ForwardTo), "interface %q is not a name of an interface", c.ForwardTo)
	require(c.ForwardTo == "" || c.ForwardTo != c.Interface,
		"ap.forwarding_to_wired: %q is the access point's own interface", c.ForwardTo)
	require(driverPattern.MatchString(c.Driver), "ap.driver: %q is not a name of a driver such as nl80211", c.Driver)
	require(len(c.SSID) >= 1 && len(c.SSID) <= 32, "ap.ssid has %d bytes, not 1 to 32", len(c.SSID))
	require(c.PSK.IsZero() || c.hasHexKey() || passphrase.MatchString(c.PSK.Reveal()),
		"ap.psk is neither 8 to 63 printable ASCII characters nor 64 hexadecimal digits")
	require(c.Channel >= 1 && c.Channel <= 14 || c.Channel >= 36 && c.Channel <= 177,
		"ap.channel: %d is neither in 1..14 nor in 36..177", c.Channel)
	require(c.Country == "" || countryPattern.MatchString(c.Country), "ap.country: %q is not two capital letters", c.Country)
	require(c.Address.IsValid() && c.Address.Addr().Is4(), "ap.ip: %v is not an IPv4 address with a prefix", c.Address)
	require(c.rangeFits(), "ap.range: %v to %v is not a range within %v without %v itself",
		c.RangeFirst, c.RangeLast, c.Address.Masked(), c.Address.Addr())
	require(c.Domain == "" || domainPattern.MatchString(c.Domain), "ap.domain: %q is not a domain name", c.Domain)
	require(c.HostName == "" || domainPattern.MatchString(c.HostName), "host name %q is not a domain name", c.HostName)
	require(c.User == "" || userPattern.MatchString(c.User), "user %q is not a name of a user", c.User)
	require(pathPattern.MatchString(c.RuntimeDir) && !strings.ContainsAny(c.RuntimeDir, `"\#,`),
		"runtime folder %q is not a plain absolute path", c.RuntimeDir)
	return errors.Join(problems...)
}

// isInterface also refuses names with another meaning below /proc/sys/net/ipv4/conf.
func isInterface(name string) bool {
	return interfacePattern.MatchString(name) && !slices.Contains([]string{".", "..", "all", "default"}, name)
}

func (c Config) hasHexKey() bool { return hexKeyPattern.MatchString(c.PSK.Reveal()) }

func (c Config) rangeFits() bool {
	net, own := c.Address.Masked(), c.Address.Addr()
	return net.IsValid() && net.Contains(c.RangeFirst) && net.Contains(c.RangeLast) &&
		!c.RangeLast.Less(c.RangeFirst) &&
		(own.Less(c.RangeFirst) || c.RangeLast.Less(own))
}
