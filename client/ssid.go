package client

import (
	"encoding/hex"
	"net"
	"strings"

	ssidtext "github.com/netconnectd/netconnectd/internal/ssid"
)

// MaxSSID is the length of the longest SSID in bytes (IEEE 802.11, 9.4.2.2).
const MaxSSID = 32

// SSIDText makes an SSID, which may be any bytes, a string for the fields
// named ssid. Valid UTF-8 stays as it is. Anything else is escaped as in
// printf: bytes outside of printable ASCII as \xff, the backslash doubled.
// The field ssid_hex beside it is never ambiguous. An SSID of nothing but NUL
// bytes is how some access points hide it, so it reads as empty.
func SSIDText(ssid []byte) string {
	if strings.Trim(string(ssid), "\x00") == "" {
		return ""
	}
	return ssidtext.Text(ssid)
}

// SSIDInText writes an SSID as a part of a text for people, which stays on one
// line and does nothing to a terminal. It is SSIDText, but for an SSID with
// characters that cannot be printed: all its bytes outside of printable ASCII
// are escaped, and the backslash is doubled.
func SSIDInText(ssid []byte) string {
	if SSIDText(ssid) == "" {
		return ""
	}
	return ssidtext.Printable(ssid)
}

// NewNetwork names a network by its SSID.
func NewNetwork(ssid []byte) Network {
	return Network{SSID: SSIDText(ssid), SSIDHex: hex.EncodeToString(ssid)}
}

// NewBSS describes one cell by its SSID and address. The caller fills in the
// rest.
func NewBSS(ssid []byte, bssid net.HardwareAddr) BSS {
	return BSS{Network: NewNetwork(ssid), Address: FormatAddress(bssid)}
}

// FormatAddress writes a hardware address as the original did: "AA:BB:CC:…".
func FormatAddress(address net.HardwareAddr) string {
	return strings.ToUpper(address.String())
}
