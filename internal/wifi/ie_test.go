package wifi

import (
	"encoding/hex"
	"strings"
	"testing"
)

// unhex decodes groups of hexadecimal digits.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rsn returns an RSN element with CCMP and the AKM suites of the given numbers.
func rsn(akms ...byte) []byte {
	body := []byte{1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, byte(len(akms)), 0}
	for _, akm := range akms {
		body = append(body, 0, 0x0f, 0xac, akm)
	}
	return append([]byte{elementRSN, byte(len(body))}, body...)
}

func TestSecurityOfElements(t *testing.T) {
	wpa1 := "dd16 0050f201 0100 0050f202 0100 0050f202 0100 0050f202" // TKIP, PSK
	for _, row := range []struct {
		name     string
		elements []byte
		privacy  bool
		want     Security
	}{
		{"nothing", nil, false, Open},
		{"nothing, privacy", nil, true, WEP},
		{"WPA2 as hostapd sends it", unhex(t, "3014 0100 000fac04 0100 000fac04 0100 000fac02 0000"), true, WPA2},
		{"WPA1 as hostapd sends it", unhex(t, wpa1), true, WPA},
		{"WPA1 and WPA2", append(unhex(t, wpa1), rsn(2)...), true, WPA2},
		{"PSK with SHA-256", rsn(6), true, WPA2},
		{"fast transition", rsn(2, 4), true, WPA2},
		{"SAE", rsn(8), true, WPA3},
		{"SAE, group-dependent hash", rsn(24), true, WPA3},
		{"transition", rsn(2, 8), true, WPA2WPA3},
		{"transition, other order, fast transition too", rsn(8, 9, 6, 4, 2), true, WPA2WPA3},
		{"OWE", rsn(18), true, OWE},
		{"802.1X", rsn(1), true, EAP},
		{"Suite B", rsn(12), true, EAP},
		{"802.1X and PSK", rsn(1, 2), true, WPA2},
		{"an AKM that nobody knows", rsn(99), true, Unknown},
		{"AKM of another vendor", unhex(t, "3014 0100 000fac04 0100 000fac04 0100 00409602 0000"), true, Unknown},
		{"WPA1 with 802.1X", unhex(t, "dd16 0050f201 0100 0050f202 0100 0050f202 0100 0050f201"), true, EAP},
		{"RSN, all left to defaults", unhex(t, "3002 0100"), true, EAP},
		{"RSN, cut in the AKM list", unhex(t, "3012 0100 000fac04 0100 000fac04 0200 000fac02"), true, WPA2},
		{"RSN, pairwise count beyond the end", unhex(t, "3008 0100 000fac04 ffff"), true, EAP},
		{"RSN, AKM count beyond the end", unhex(t, "3012 0100 000fac04 0100 000fac04 ffff 000fac08"), true, WPA3},
		{"RSN, empty", unhex(t, "3000"), true, EAP},
		{"WMM and WPS are not WPA", unhex(t, "dd07 0050f202000100 dd05 0050f20400"), false, Open},
		{"second RSN does not count", append(rsn(8), rsn(2)...), true, WPA3},
		{"RSN with a length beyond the end", unhex(t, "30ff 0100"), true, WEP},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := parseElements(row.elements).security(row.privacy); got != row.want {
				t.Errorf("security = %s, want %s", got, row.want)
			}
		})
	}
}

// TestProtectionOfElements checks that bit 7 of the RSN capabilities is read as
// protection of management frames.
func TestProtectionOfElements(t *testing.T) {
	const psk = "0100 000fac04 0100 000fac04 0100 000fac02"
	for _, row := range []struct {
		name, body string
		want       bool
	}{
		{"capable", psk + "8000", true},
		{"required", psk + "c000", true},
		{"not capable", psk + "0000", false},
		{"required says nothing of capable", psk + "4000", false},
		{"no capabilities", psk, false},
		{"half of them", psk + "80", false},
		{"fewer suites than counted", "0100 000fac04 0100 000fac04 0200 000fac02 8000", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := unhex(t, row.body)
			e := parseElements(append([]byte{elementRSN, byte(len(body))}, body...))
			if e.rsn == nil || e.rsn.pmf != row.want {
				t.Errorf("%+v, want pmf %v", e.rsn, row.want)
			}
		})
	}
}

func TestSSIDOfElements(t *testing.T) {
	long := strings.Repeat("a", 33)
	for _, row := range []struct{ name, elements, want string }{
		{"plain", "\x00\x04home\x01\x01\x82", "home"},
		{"32 times 0xff", "\x00\x20" + strings.Repeat("\xff", 32), strings.Repeat("\xff", 32)},
		{"NUL, newline, quote", "\x00\x04a\x00\n\"", "a\x00\n\""},
		{"hidden, empty", "\x00\x00\x01\x01\x82", ""},
		{"hidden, zero bytes", "\x00\x03\x00\x00\x00", "\x00\x00\x00"},
		{"longer than allowed", "\x00\x21" + long, ""},
		{"cut", "\x00\x05hom", ""},
		{"first counts", "\x00\x01a\x00\x01b", "a"},
		{"after an unknown element", "\xfe\x02xy\x00\x01a", "a"},
		{"one byte", "\x00", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := parseElements([]byte(row.elements)).ssid; string(got) != row.want {
				t.Errorf("SSID = %q, want %q", got, row.want)
			}
		})
	}
}

func FuzzElements(f *testing.F) {
	f.Add(append([]byte("\x00\x04home"), rsn(2, 8)...), true)
	f.Add([]byte("\x30\x08\x01\x00\x00\x0f\xac\x04\xff\xff"), true)
	f.Add([]byte("\xdd\x16\x00\x50\xf2\x01\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02"), false)
	f.Fuzz(func(t *testing.T, b []byte, privacy bool) {
		e := parseElements(b)
		if len(e.ssid) > maxSSID {
			t.Errorf("SSID of %d bytes", len(e.ssid))
		}
		if e.security(privacy) == "" {
			t.Error("no security")
		}
	})
}

func TestChannel(t *testing.T) {
	for mhz, want := range map[int]int{
		2412: 1, 2437: 6, 2472: 13, 2484: 14, 2413: 0, 2477: 0,
		4920: 184, 5180: 36, 5825: 165, 5885: 177, 5181: 0,
		5935: 2, 5955: 1, 6115: 33, 7115: 233,
		58320: 1, 60480: 2, 69120: 6,
		0: 0, -5: 0, 100000: 0,
	} {
		if got := Channel(mhz); got != want {
			t.Errorf("Channel(%d) = %d, want %d", mhz, got, want)
		}
	}
}
