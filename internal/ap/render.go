package ap

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net"
	"path/filepath"
	"unicode/utf8"
)

// leaseSeconds is short, as in foosel's netconnectd: a phone stays for minutes, and
// the range may be small.
const leaseSeconds = 600

// renderHostapd writes hostapd's configuration (the comments of
// hostapd.conf are its only reference). It holds the network's key. The Config
// must pass Check.
func renderHostapd(c Config) []byte {
	var b bytes.Buffer
	set := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\n", key, value) }
	set("interface", c.Interface)
	set("driver", c.Driver)
	set("ctrl_interface", c.hostapdControlDir())
	set("logger_syslog", 0) // stderr reaches the journal already

	set("ssid2", hex.EncodeToString([]byte(c.SSID))) // the only form that can hold all bytes
	if utf8.ValidString(c.SSID) {
		set("utf8_ssid", 1)
	}
	set("ignore_broadcast_ssid", 0)
	if c.Country != "" {
		set("country_code", c.Country)
		set("ieee80211d", 1)
	}
	set("hw_mode", c.hardwareMode())
	set("channel", c.Channel)
	set("ieee80211n", 1)
	set("wmm_enabled", 1) // 802.11n requires it
	if c.Isolate {
		set("ap_isolate", 1)
	}
	set("auth_algs", 1) // open system, no shared-key WEP
	if !c.PSK.IsZero() {
		set("wpa", 2) // RSN only
		set("wpa_key_mgmt", "WPA-PSK")
		set("rsn_pairwise", "CCMP")
		set("wpa_psk", c.pairwiseKey())
	}
	return b.Bytes()
}

// hardwareMode is hostapd's name of the band.
func (c Config) hardwareMode() string {
	if c.Channel > 14 {
		return "a"
	}
	return "g"
}

// pairwiseKey derives the key from the passphrase as IEEE 802.11 M.4.2 says,
// as hostapd would do. Written as hex digits, a passphrase can neither be taken for
// another line of the file nor be read in the file.
func (c Config) pairwiseKey() string {
	if c.hasHexKey() {
		return c.PSK.Reveal()
	}
	key, err := pbkdf2.Key(sha1.New, c.PSK.Reveal(), []byte(c.SSID), 4096, 32)
	if err != nil {
		// Only Go's FIPS mode refuses, and then WPA2 is impossible anyway.
		panic(fmt.Sprintf("derive the key of the access point: %v", err))
	}
	return hex.EncodeToString(key)
}

// nameService reports whether dnsmasq resolves names besides leasing addresses.
type nameService bool

const (
	withNames    nameService = true
	withoutNames nameService = false
)

// renderDnsmasq writes dnsmasq's configuration (dnsmasq(8)). The Config must
// pass Check.
func renderDnsmasq(c Config, names nameService) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("keep-in-foreground")
	line("log-facility=-") // to stderr
	line("pid-file=")      // none, see package process
	if c.User != "" {
		line("user=%s", c.User)
	}

	line("interface=%s", c.Interface)
	line("except-interface=lo")
	line("bind-dynamic") // dnsmasq starts before the address is there, and serves once it appears

	line("dhcp-range=%v,%v,%v,%d", c.RangeFirst, c.RangeLast, net.IP(net.CIDRMask(c.Address.Bits(), 32)), leaseSeconds)
	line("dhcp-leasefile=%s", c.leaseFile())
	line("dhcp-authoritative") // a phone with a lease from elsewhere receives NAK at once
	line("no-ping")            // saves 3 s per lease; no other server leases addresses here

	if names == withoutNames {
		line("port=0")
		// The program that has the port may also answer on our address.
		line("dhcp-option=option:dns-server,%v", c.Address.Addr())
	}
	if c.ForwardTo == "" {
		line("no-resolv") // no server to ask: refuse other names at once
	} else { // ask the servers of resolv.conf, except for names that only this device could know
		line("domain-needed")
		line("bogus-priv")
	}
	line("localise-queries")
	if c.Domain != "" {
		line("domain=%s", c.Domain)
		line("local=/%s/", c.Domain)
		line("expand-hosts")
		line("host-record=%s,%v", c.Domain, c.Address.Addr())
	}
	if c.HostName != "" {
		line("host-record=%s,%v", c.HostName, c.Address.Addr())
		if c.Domain != "" {
			line("host-record=%s.%s,%v", c.HostName, c.Domain, c.Address.Addr())
		}
	}
	return b.Bytes()
}

func (c Config) hostapdFile() string       { return filepath.Join(c.RuntimeDir, "hostapd.conf") }
func (c Config) dnsmasqFile() string       { return filepath.Join(c.RuntimeDir, "dnsmasq.conf") }
func (c Config) leaseFile() string         { return filepath.Join(c.RuntimeDir, "dnsmasq.leases") }
func (c Config) hostapdControlDir() string { return filepath.Join(c.RuntimeDir, "hostapd") }
func (c Config) hostapdSocket() string     { return filepath.Join(c.hostapdControlDir(), c.Interface) }
