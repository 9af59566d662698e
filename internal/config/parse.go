package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/internal/address"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// setting has the functions that put a key's value into a draft and take it from a Config.
type setting struct {
	// set checks the text and puts the value into the draft. The text of its error
	// continues "<key>: ", and never shows a secret.
	set func(d *draft, text string) error
	// get returns what the key decides of a Config. The result can be compared by ==.
	get func(c *Config) any
}

// plain returns the setting of a field that can be compared by ==.
func plain[T comparable](field func(*draft) *T, set func(d *draft, text string) error) setting {
	return setting{set: set, get: func(c *Config) any { return *field(&draft{Config: *c}) }}
}

// text returns a setting that accepts a string if every check accepts it.
func text(field func(*draft) *string, checks ...func(string) error) setting {
	return plain(field, func(d *draft, text string) error {
		for _, check := range checks {
			if err := check(text); err != nil {
				return err
			}
		}
		*field(d) = text
		return nil
	})
}

// ignored accepts every value. It is the setting of keys without effect.
var ignored = setting{
	set: func(*draft, string) error { return nil },
	get: func(*Config) any { return nil },
}

// boolean returns a setting that accepts the words of YAML 1.1, as the original does.
func boolean(field func(*draft) *bool) setting {
	return plain(field, func(d *draft, text string) error {
		truth, ok := truthOf(text)
		if !ok {
			return fmt.Errorf("%s is neither true nor false", shown.Text(text))
		}
		*field(d) = truth
		return nil
	})
}

// choice returns a setting that accepts what boolean accepts, and a word that leaves the
// choice to the daemon. The field becomes the word, "true" or "false".
func choice(field func(*draft) *string, undecided string) setting {
	return plain(field, func(d *draft, text string) error {
		truth, ok := truthOf(text)
		if !ok && text != undecided {
			return fmt.Errorf("%s is neither true nor false nor %s", shown.Text(text), undecided)
		}
		if *field(d) = text; ok {
			*field(d) = strconv.FormatBool(truth)
		}
		return nil
	})
}

// Settings that concern more than one field.
var (
	passphrase = setting{setPassphrase, func(c *Config) any { return c.AP.PSK }}
	country    = setting{setCountry, func(c *Config) any { return c.AP.Country }}
	apIP       = setting{setIP, func(c *Config) any { return c.AP.Address.Addr() }}
	apNetwork  = setting{setNetwork, func(c *Config) any { return c.AP.Address.Masked() }}
	apRange    = setting{setRange, func(c *Config) any { return [2]netip.Addr{c.AP.RangeFirst, c.AP.RangeLast} }}
	probeHosts = setting{setHosts, func(c *Config) any { return fmt.Sprint(c.Probe.Hosts) }}
)

func truthOf(text string) (truth, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

// whole returns a setting that accepts a decimal number. Zeros in front have no meaning.
func whole(field func(*draft) *int, check func(int) error) setting {
	return plain(field, func(d *draft, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%s is not a whole number", shown.Text(text))
		}
		if err := check(n); err != nil {
			return err
		}
		*field(d) = n
		return nil
	})
}

func within(low, high int) func(int) error {
	return func(n int) error {
		if n < low || n > high {
			return fmt.Errorf("%d is not in %d..%d", n, low, high)
		}
		return nil
	}
}

// channels5GHz are the channels of 5 GHz on which an access point may start at once. On
// the channels 52 to 144 an access point first has to listen for radar, for up to ten
// minutes (ETSI EN 301 893). A user who needs the access point cannot wait so long.
var channels5GHz = []int{36, 40, 44, 48, 149, 153, 157, 161, 165}

func channel(n int) error {
	if n >= 1 && n <= 13 || slices.Contains(channels5GHz, n) {
		return nil
	}
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(channels5GHz), " ", ", "), "[]")
	return fmt.Errorf("%d is not in 1..13 (2.4 GHz) and none of %s (5 GHz)", n, list)
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// seconds returns a setting that accepts a number of seconds, with or without a fraction.
func seconds(field func(*draft) *time.Duration, low, high time.Duration) setting {
	return plain(field, func(d *draft, text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) {
			return fmt.Errorf("%s is not a number of seconds", shown.Text(text))
		}
		// The comparison is one of floats, because a huge number would overflow a Duration.
		if n < low.Seconds() || n > high.Seconds() {
			return fmt.Errorf("%s is not in %v..%v seconds", shown.Text(text), low.Seconds(), int64(high.Seconds()))
		}
		*field(d) = time.Duration(math.Round(n * float64(time.Second)))
		return nil
	})
}

// oneOf returns a check that accepts one of the words.
func oneOf(words ...string) func(string) error {
	return func(text string) error {
		if slices.Contains(words, text) {
			return nil
		}
		return fmt.Errorf("%s is not one of: %s", shown.Text(text), strings.Join(words, ", "))
	}
}

// absolute accepts the path of a file or folder from the root.
func absolute(text string) error {
	if !filepath.IsAbs(text) || strings.ContainsAny(text, "\x00\n") {
		return fmt.Errorf("%s is not an absolute path", shown.Text(text))
	}
	return nil
}

// socketPath accepts what fits into sun_path with its final NUL, unix(7).
func socketPath(text string) error {
	if len(text) > 107 {
		return fmt.Errorf("has %d bytes; the kernel allows 107 in the path of a socket", len(text))
	}
	return nil
}

// interfaceName accepts the name of a link of the kernel, or nothing.
func interfaceName(text string) error {
	if text != "" && link.CheckName(text) != nil {
		return fmt.Errorf("%s is not the name of an interface", shown.Text(text))
	}
	return nil
}

// word accepts letters, digits and underscores, which cannot break out of a
// line of hostapd.conf(5).
func word(text string) error {
	other := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')
	}
	if text == "" || strings.ContainsFunc(text, other) {
		return fmt.Errorf("%s is not a single word", shown.Text(text))
	}
	return nil
}

// ssid accepts 1 to 32 bytes (IEEE 802.11), or nothing for the default.
func ssid(text string) error {
	if len(text) > 32 {
		return fmt.Errorf("has %d bytes; the name of a network has at most 32", len(text))
	}
	return nil
}

// setPassphrase accepts what hostapd and wpa_supplicant accept, or nothing for an open
// network.
func setPassphrase(d *draft, text string) error {
	n := len(text)
	hex := n == 64 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
	if n != 0 && (n < 8 || n > 63) && !hex {
		return errors.New("has neither 8 to 63 characters nor 64 hexadecimal digits")
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return errors.New("has control characters")
	}
	d.AP.PSK = secret.New(text)
	return nil
}

// setCountry accepts two letters of ISO 3166-1, or nothing.
func setCountry(d *draft, text string) error {
	upper := strings.ToUpper(text)
	if upper != "" && (len(upper) != 2 || strings.Trim(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return fmt.Errorf("%s is not the code of a country in two letters, e.g. DE", shown.Text(text))
	}
	d.AP.Country = upper
	return nil
}

// domain accepts a DNS name (RFC 1123 2.1), or nothing.
func domain(text string) error {
	if text == "" {
		return nil
	}
	return address.CheckName(text)
}

func setIP(d *draft, text string) (err error) {
	d.ip, err = ipv4(text)
	return err
}

// setNetwork accepts 10.250.250.0/24 and, as the original did, a netmask and
// an address with bits behind the mask.
func setNetwork(d *draft, text string) error {
	base, mask, _ := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(base)
	bits, ok := maskBits(mask)
	if err != nil || !addr.Is4() || !ok {
		return fmt.Errorf("%s is not an IPv4 network, e.g. 10.250.250.0/24", shown.Text(text))
	}
	if bits < 8 || bits > 30 {
		return fmt.Errorf("%s leaves no room for an access point and a client, or far too much: /8 to /30", shown.Text(text))
	}
	d.network = netip.PrefixFrom(addr, bits).Masked()
	return nil
}

// maskBits returns the number of bits of a mask such as "24" or "255.255.255.0".
func maskBits(text string) (int, bool) {
	if n, err := strconv.Atoi(text); err == nil {
		return n, n >= 0 && n <= 32
	}
	mask, err := netip.ParseAddr(text)
	if err != nil || !mask.Is4() {
		return 0, false
	}
	ones, size := net.IPMask(mask.AsSlice()).Size()
	return ones, size == 32
}

// setRange accepts "first,last".
func setRange(d *draft, text string) error {
	first, last, two := strings.Cut(text, ",")
	if !two || strings.Contains(last, ",") {
		return fmt.Errorf("%s is not a first and a last address", shown.Text(text))
	}
	from, err := ipv4(strings.TrimSpace(first))
	if err != nil {
		return err
	}
	to, err := ipv4(strings.TrimSpace(last))
	if err != nil {
		return err
	}
	d.AP.RangeFirst, d.AP.RangeLast = from, to
	return nil
}

func ipv4(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		return netip.Addr{}, fmt.Errorf("%s is not an IPv4 address", shown.Text(text))
	}
	return addr, nil
}
