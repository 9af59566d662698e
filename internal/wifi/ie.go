package wifi

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Information elements of beacons and probe responses (IEEE 802.11-2020, 9.4.2). Any
// device in reach can send them, so no length in them can be trusted.
const (
	elementSSID   = 0
	elementRSN    = 48
	elementVendor = 221

	maxSSID = 32 // bytes, 9.4.2.2
)

// microsoftWPA begins the vendor element of WPA1: OUI 00:50:f2, type 1.
var microsoftWPA = []byte{0x00, 0x50, 0xf2, 0x01}

var (
	ouiIEEE      = [3]byte{0x00, 0x0f, 0xac} // AKM suites of RSN
	ouiMicrosoft = [3]byte{0x00, 0x50, 0xf2} // of WPA1
)

// elements holds what we read from a beacon or a probe response.
type elements struct {
	ssid     []byte
	hasSSID  bool
	rsn, wpa *akms // nil: the element is absent
}

// akms holds the ways to authenticate that a cell offers.
type akms struct {
	psk, sae, owe, eap bool
	plain              bool // at least one suite works without fast transition (802.11r)
	pmf                bool // management frames can be protected (9.4.2.24.4, bit 7)
}

// parseElements reads elements as long as their lengths are plausible. If an element
// is repeated, the first one counts.
func parseElements(b []byte) elements {
	var e elements
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		id, body := b[0], b[2:2+int(b[1])]
		b = b[2+int(b[1]):]
		switch {
		case id == elementSSID && !e.hasSSID && len(body) <= maxSSID:
			e.ssid, e.hasSSID = bytes.Clone(body), true
		case id == elementRSN && e.rsn == nil:
			e.rsn = parseAKMs(body, ouiIEEE)
		case id == elementVendor && e.wpa == nil && bytes.HasPrefix(body, microsoftWPA):
			e.wpa = parseAKMs(body[len(microsoftWPA):], ouiMicrosoft)
		}
	}
	return e
}

// parseAKMs reads the body that RSN (9.4.2.24) and WPA1 share: version, group suite,
// counted pairwise suites, counted AKM suites; each suite has 4 bytes. An absent
// field has the standard's default, which is 802.1X for the AKM.
func parseAKMs(b []byte, oui [3]byte) *akms {
	b, ok := skip(b, 2+4) // version, group data cipher
	if !ok || len(b) < 2 {
		return &akms{eap: true, plain: true}
	}
	pairwise := int(binary.LittleEndian.Uint16(b))
	b, ok = skip(b, 2+4*pairwise)
	if !ok || len(b) < 2 {
		return &akms{eap: true, plain: true}
	}
	count := int(binary.LittleEndian.Uint16(b))
	found := &akms{}
	for b = b[2:]; count > 0 && len(b) >= 4; count, b = count-1, b[4:] {
		if [3]byte(b[:3]) == oui {
			found.add(b[3])
		}
	}
	found.pmf = count == 0 && len(b) >= 2 && b[0]&0x80 != 0
	return found
}

func skip(b []byte, n int) ([]byte, bool) {
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

// fastTransition lists the AKM suites that only stations with fast transition
// (802.11r) can use.
var fastTransition = []byte{3, 4, 9, 13, 16, 17, 19, 22, 25}

// add records an AKM suite (9.4.2.24.3, table 9-151; 24 and 25: 802.11-2024). WPA1
// has only the first two, with the same numbers.
func (a *akms) add(suite byte) {
	a.plain = a.plain || !slices.Contains(fastTransition, suite)
	switch suite {
	case 1, 3, 5, 11, 12, 13, 14, 15, 16, 17, 22, 23: // 802.1X, its FT, SHA-256, Suite B and FILS variants
		a.eap = true
	case 2, 4, 6, 19, 20: // PSK, its FT, SHA-256 and SHA-384 variants
		a.psk = true
	case 8, 9, 24, 25: // SAE, FT, with a group-dependent hash
		a.sae = true
	case 18:
		a.owe = true
	}
}

// fastOnly reports whether a cell accepts only stations with fast transition.
func (e elements) fastOnly() bool {
	return e.rsn != nil && !e.rsn.plain && (e.rsn.psk || e.rsn.sae || e.rsn.eap) && e.wpa == nil
}

// security sums up what a cell offers. If a cell offers several securities, those
// that a passphrase opens come first.
func (e elements) security(privacy bool) Security {
	switch rsn, wpa := e.rsn, e.wpa; {
	case rsn != nil && rsn.psk && rsn.sae:
		return WPA2WPA3
	case rsn != nil && rsn.psk:
		return WPA2
	case rsn != nil && rsn.sae:
		return WPA3
	case wpa != nil && wpa.psk:
		return WPA
	case rsn != nil && rsn.owe:
		return OWE
	case rsn != nil && rsn.eap, wpa != nil && wpa.eap:
		return EAP
	case rsn != nil, wpa != nil:
		return Unknown
	case privacy:
		return WEP
	}
	return Open
}
