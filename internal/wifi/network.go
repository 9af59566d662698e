package wifi

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/address"
)

// setting is one variable of a network block of wpa_supplicant.conf(5), in
// the syntax of SET_NETWORK.
type setting struct{ name, value string }

// Check reports whether the network can be joined at all. The error is nil or a
// *JoinError with a text for the person who typed the passphrase.
func (n Network) Check() error {
	if len(n.SSID) == 0 || len(n.SSID) > maxSSID {
		return joinError(client.CodeUnsupported, "a network's name has 1 to %d bytes, not %d", maxSSID, len(n.SSID))
	}
	if n.BSSID != nil {
		if err := address.CheckCell(n.BSSID); err != nil {
			return joinError(client.CodeUnsupported, "the network's only cell: %v", err)
		}
	}
	if err := n.checkPMF(); err != nil {
		return err
	}
	switch n.security() {
	case Open, OWE:
		if !n.PSK.IsZero() {
			// An attacker who imitates the name must not be joined without the
			// passphrase.
			return joinError(client.CodeSecurityMismatch, "the network is open, but there is a passphrase for it")
		}
		return nil
	case WPA, WPA2, WPA3, WPA2WPA3:
		return n.checkPSK()
	case WEP:
		return joinError(client.CodeUnsupported, "the network uses WEP, which does not protect anything")
	case EAP:
		if n.EAP == nil {
			return joinError(client.CodeSecurityMismatch, "the network wants a user's own credentials (802.1X)")
		}
		return n.EAP.check()
	}
	return joinError(client.CodeUnsupported, "the network's security %q is not supported", n.Security)
}

func (n Network) checkPSK() error {
	psk := n.PSK.Reveal()
	switch {
	case psk == "":
		return joinError(client.CodeSecurityMismatch, "the network wants a passphrase")
	case n.rawKey() && n.security() == WPA3:
		return joinError(client.CodeUnsupported, "the network is WPA3 only and wants the passphrase itself, not a key of 64 digits")
	case n.rawKey():
		return nil
	case len(psk) < 8 || len(psk) > 63: // IEEE 802.11-2020, annex J.4
		return joinError(client.CodeUnsupported, "a passphrase has 8 to 63 bytes, not %d", len(psk))
	case strings.ContainsFunc(psk, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return joinError(client.CodeUnsupported, "a passphrase has no control characters")
	}
	return nil
}

// rawKey reports whether PSK is the key itself, 64 hexadecimal digits, and not a
// passphrase. SAE cannot use a raw key.
func (n Network) rawKey() bool {
	psk := n.PSK.Reveal()
	_, err := hex.DecodeString(psk)
	return len(psk) == 64 && err == nil
}

// keyExchangeProves reports whether a wrong passphrase shows in the key exchange,
// whichever program stores it. SAE proves the passphrase before the key exchange.
func (n Network) keyExchangeProves() bool {
	return slices.Contains([]Security{WPA, WPA2, WPA2WPA3}, n.security())
}

// security replaces "" by the network's security, and applies what the router has
// announced about it.
func (n Network) security() Security {
	switch {
	case n.TransitionOver && !n.PSK.IsZero() && !n.rawKey():
		return WPA3
	case n.Security != "":
		return n.Security
	case n.EAP != nil:
		return EAP
	case n.PSK.IsZero():
		return Open
	}
	return WPA2WPA3
}

// accepts reports whether our settings can join a cell with the security seen.
func (n Network) accepts(seen Security) bool {
	switch n.security() {
	case Open:
		return seen == Open
	case OWE:
		return seen == OWE
	case WPA:
		return seen == WPA
	case WPA2:
		return seen == WPA2 || seen == WPA2WPA3 || seen == WPA
	case WPA3:
		return seen == WPA3 || seen == WPA2WPA3
	case EAP:
		return seen == EAP
	case WPA2WPA3:
		return seen == WPA || seen == WPA2 || seen == WPA2WPA3 || seen == WPA3 && !n.rawKey()
	}
	return false
}

// printable renders an SSID for a log, without loss and in one line.
func printable(ssid []byte) string {
	quoted := strconv.Quote(string(ssid))
	return quoted[1 : len(quoted)-1]
}

// settings renders the network for SET_NETWORK. The network must have passed Check.
// Every value is safe whatever bytes the user entered: texts are hexadecimal. A
// passphrase cannot be; it ends at the *last* quote of the command, so quotes within
// it need no escape, and it has no control characters.
func (n Network) settings(mark string, v variant) []setting {
	list := []setting{
		{"ssid", hex.EncodeToString(n.SSID)},
		{"id_str", strconv.Quote(mark)},
	}
	if n.Hidden {
		list = append(list, setting{"scan_ssid", "1"})
	}
	if n.BSSID != nil {
		list = append(list, setting{"bssid", n.BSSID.String()})
	}
	list = append(list, setting{"key_mgmt", v.keyMgmt})
	if level, ok := map[PMF]string{PMFOptional: "1", PMFRequired: "2"}[v.pmf]; ok {
		list = append(list, setting{"ieee80211w", level})
	}
	return append(list, n.keySettings()...)
}

func (n Network) keySettings() []setting {
	psk := setting{"psk", `"` + n.PSK.Reveal() + `"`}
	if n.rawKey() {
		psk.value = n.PSK.Reveal()
	}
	switch n.security() {
	case Open, OWE:
		return nil
	case EAP:
		return n.EAP.settings()
	case WPA3:
		psk.name = "sae_password"
	case WPA:
		return []setting{{"proto", "WPA"}, psk}
	}
	return []setting{psk}
}

// mark identifies the network, its passphrase and the demands that an association
// must have been made with, without revealing any of them: wpa_supplicant logs the
// mark. With a hash without a key, readers of the log could try passphrases faster
// than the radio's own handshake allows. The other levels of PMF are no reason to
// join anew.
func (n Network) mark(key []byte) string {
	mac := hmac.New(sha256.New, key)
	binary.Write(mac, binary.BigEndian, uint32(len(n.SSID))) // never fails
	mac.Write(n.SSID)
	mac.Write([]byte(n.PSK.Reveal()))
	if n.EAP != nil {
		for _, s := range n.EAP.settings() {
			mac.Write([]byte("\x00" + s.name + "=" + s.value))
		}
	}
	if n.BSSID != nil {
		mac.Write([]byte("\x00bssid=" + n.BSSID.String()))
	}
	if n.PMF == PMFRequired {
		mac.Write([]byte("\x00pmf=required"))
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Mismatch looks for the network among the cells of a scan. The verdict is nil if a
// cell fits or the network is absent; present distinguishes the two.
func (n Network) Mismatch(cells []BSS) (verdict *JoinError, present bool) {
	for _, cell := range cells {
		if !bytes.Equal(cell.SSID, n.SSID) || n.BSSID != nil && !bytes.Equal(cell.BSSID, n.BSSID) {
			continue
		}
		if n.accepts(cell.Security) {
			return nil, true
		}
		present = true
		verdict = joinError(client.CodeSecurityMismatch, "the network's security is %s, expected was %s", cell.Security, n.expected())
	}
	return verdict, present
}

// onlyFast reports whether every cell of the network requires fast transition.
func (n Network) onlyFast(cells []BSS) bool {
	return !slices.ContainsFunc(cells, func(c BSS) bool { return n.isOf(c) && !c.FastOnly }) &&
		slices.ContainsFunc(cells, n.isOf)
}

func (n Network) expected() string {
	switch {
	case n.rawKey():
		return "wpa2 (a key of 64 digits)"
	case n.Security == "" && !n.PSK.IsZero():
		return "a passphrase"
	}
	return fmt.Sprint(n.security())
}
