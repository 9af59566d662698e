package client

import (
	"encoding/hex"
	"net"
	"strings"

	ssidtext "github.com/netconnectd/netconnectd/internal/ssid"
)

// MaxSSID is the length of the longest SSID in bytes (IEEE 802.11, 9.4.2.2).
const MaxSSID = 32

// SSIDText turns an SSID, which may be any bytes, into a string for the fields named
// ssid. Valid UTF-8 stays unchanged. Any other SSID is escaped as in printf: bytes
// outside of printable ASCII as \xff, the backslash doubled. The field ssid_hex
// beside it is never ambiguous. Some access points send an SSID of NUL bytes to hide
// their name, so SSIDText returns "" for such an SSID.
func SSIDText(ssid []byte) string {
	if strings.Trim(string(ssid), "\x00") == "" {
		return ""
	}
	return ssidtext.Text(ssid)
}

// SSIDInText writes an SSID as a part of a text for people. The result stays on one
// line and cannot act on a terminal. It equals SSIDText, except for an SSID with
// characters that cannot be printed: all its bytes outside of printable ASCII are
// escaped, and the backslash is doubled.
func SSIDInText(ssid []byte) string {
	if SSIDText(ssid) == "" {
		return ""
	}
	return ssidtext.Printable(ssid)
}

// NewNetwork returns a Network with both forms of the SSID.
func NewNetwork(ssid []byte) Network {
	return Network{SSID: SSIDText(ssid), SSIDHex: hex.EncodeToString(ssid)}
}

// NewBSS returns a BSS with its SSID and address. The caller fills in the other
// fields.
func NewBSS(ssid []byte, bssid net.HardwareAddr) BSS {
	return BSS{Network: NewNetwork(ssid), Address: FormatAddress(bssid)}
}

// FormatAddress writes a hardware address as the original did: "AA:BB:CC:…".
func FormatAddress(address net.HardwareAddr) string {
	return strings.ToUpper(address.String())
}
