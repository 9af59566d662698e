package config

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"github.com/netconnectd/netconnectd/internal/address"
)

// crossCheck checks values that only make sense together. It skips values if one of them
// has a problem already.
func crossCheck(d *draft, winners map[string]value, r *report) {
	if !r.bad("interfaces.wifi", "interfaces.wired") && d.Interfaces.Wifi != "" && d.Interfaces.Wifi == d.Interfaces.Wired {
		r.problem("interfaces.wired", winners["interfaces.wired"].from, "%s is interfaces.wifi already", d.Interfaces.Wired)
	}
	if !r.bad("ap.channel", "ap.country") && d.AP.Channel > 13 && d.AP.Country == "" {
		r.warning("ap.channel", winners["ap.channel"].from, "%d is in 5 GHz, where most radios need ap.country", d.AP.Channel)
	}
	checkReach(d, winners, r)
	checkProbe(d, winners, r)
	if d.AP.ForwardingToWired && d.Interfaces.Wired == "" && !r.bad("interfaces.wired") {
		r.warning("ap.forwarding_to_wired", winners["ap.forwarding_to_wired"].from, "has no effect without interfaces.wired")
		d.AP.ForwardingToWired = false
	}
	if r.bad("ap.ip", "ap.network") {
		return
	}
	checkAddress(d, winners["ap.ip"].from, r)
	if !r.bad("ap.ip", "ap.range") {
		checkRange(d, winners["ap.range"].from, r)
	}
}

// checkReach warns of an access point that everybody can join, and of a name or a
// passphrase that nobody can type on a phone.
func checkReach(d *draft, winners map[string]value, r *report) {
	if d.AP.Mode == "never" {
		return // the access point comes up only when a user asks for it
	}
	from := winners["ap.psk"].from
	if place, empty := r.empty["ap.psk"]; empty && winners["ap.psk"].text == "" {
		from = place
	}
	switch psk := d.AP.PSK.Reveal(); {
	case r.bad("ap.psk"):
	case psk == "" && from.line > 0:
		r.surprise("ap.psk", from, "is empty, so everybody can join the access point; put a passphrase that begins with # in quotes")
	case psk == "":
		r.surprise("ap.psk", from, "is not set, so everybody can join the access point; a passphrase has 8 to 63 characters")
	case untypable(psk) != "":
		r.surprise("ap.psk", from, "has %s, which phones cannot type or send as other bytes; use the characters of an ASCII keyboard", untypable(psk))
	}
	if what := surprising(winners["ap.ssid"].text); what != "" && !r.bad("ap.ssid") {
		r.surprise("ap.ssid", winners["ap.ssid"].from, "has %s, which people neither see nor can type; leave it out", what)
	}
}

// surprising returns what makes a name differ from what people see, or "". Letters of
// every language are right, since phones show the names of networks in a list.
func surprising(text string) string {
	if what := untypable(text); what != notASCII {
		return what
	}
	if strings.ContainsAny(text, "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f") {
		return "typographic quotes"
	}
	return ""
}

const notASCII = "a character that is not ASCII"

// untypable describes the part of a text that a phone's keyboard cannot send, without
// showing the part, or returns "". A passphrase has the characters 32 to 126 (IEEE
// 802.11-2020 J.4.1).
func untypable(text string) string {
	if text != strings.TrimSpace(text) {
		return "a space at its beginning or end"
	}
	what := ""
	for _, c := range text {
		switch {
		case c >= ' ' && c <= '~':
		case c < ' ' || c == 0x7f:
			return "a control character"
		case !unicode.IsGraphic(c) || unicode.IsSpace(c) || unicode.Is(unicode.Mn, c):
			return fmt.Sprintf("an invisible character (U+%04X)", c)
		default:
			what = notASCII
		}
	}
	return what
}

// checkAddress makes the address of the access point from ap.ip and ap.network.
func checkAddress(d *draft, from origin, r *report) {
	switch {
	case !d.network.Contains(d.ip):
		r.problem("ap.ip", from, "%s is outside ap.network %s", d.ip, d.network)
	case address.CheckDevice(netip.PrefixFrom(d.ip, d.network.Bits())) != nil:
		r.problem("ap.ip", from, "%s is not an address for a device in ap.network %s", d.ip, d.network)
	default:
		d.AP.Address = netip.PrefixFrom(d.ip, d.network.Bits())
	}
}

func checkRange(d *draft, from origin, r *report) {
	first, last := d.AP.RangeFirst, d.AP.RangeLast
	for _, a := range []netip.Addr{first, last} {
		if !d.network.Contains(a) {
			r.problem("ap.range", from, "%s is outside ap.network %s", a, d.network)
			return
		}
	}
	switch {
	case last.Less(first):
		r.problem("ap.range", from, "%s comes before %s", last, first)
	case !d.ip.Less(first) && !last.Less(d.ip):
		// dnsmasq gives its own address to no client.
		r.warning("ap.range", from, "holds ap.ip %s, which no client will get", d.ip)
	}
}
