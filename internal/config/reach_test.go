package config

import (
	"strings"
	"testing"
)

// TestAccessPointThatPeopleCannotOrAllCanJoin: the file is right, and yet the
// access point is not what its author meant.
func TestAccessPointThatPeopleCannotOrAllCanJoin(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		{"no passphrase", "ap:\n  ssid: lathe\n", "ap.psk: is not set, so everybody can join the access point; a passphrase has 8 to 63 characters (default)\n"},
		{"an empty one", "ap:\n  psk: \"\"\n", "ap.psk: is empty, so everybody can join the access point; put a passphrase that begins with # in quotes (line 2)\n"},
		{"a passphrase that YAML takes for a comment", "ap:\n  ssid: lathe\n  psk: #1-lamp-and-ladder\n", "ap.psk: is empty, so everybody can join the access point; put a passphrase that begins with # in quotes (line 3)\n"},
		{"null", "ap: {psk: ~}\n", "ap.psk: is empty, so everybody can join the access point; put a passphrase that begins with # in quotes (line 1)\n"},
		{"an access point that never comes up by itself", "ap:\n  mode: never\n", ""},
		{"a passphrase", "ap:\n  psk: lamp-and-ladder\n", ""},
		{"a key", "ap:\n  psk: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", ""},
		{"a zero-width space", "ap:\n  psk: lamp-and-ladder\u200b\n", "ap.psk: has an invisible character (U+200B), which phones"},
		{"a no-break space", "ap:\n  psk: lamp\u00a0and-ladder\n", "ap.psk: has an invisible character (U+00A0), which phones"},
		{"a soft hyphen", "ap:\n  psk: lamp\u00adand-ladder\n", "ap.psk: has an invisible character (U+00AD), which phones"},
		{"typographic quotes", "ap:\n  psk: “lamp-and-ladder”\n", "ap.psk: has a character that is not ASCII, which phones"},
		{"emoji", "ap:\n  psk: \"😀😀😀😀\"\n", "ap.psk: has a character that is not ASCII, which phones"},
		{"an invisible character behind one that is not ASCII", "ap:\n  psk: lämp-and-ladder\u200b\n", "ap.psk: has an invisible character (U+200B), which phones"},
		{"a space at the end", "ap:\n  psk: \"lamp-and-ladder \"\n", "ap.psk: has a space at its beginning or end, which phones"},
		{"a space within", "ap:\n  psk: lamp and ladder\n", ""},
		{"a name with letters of a language", "ap:\n  ssid: Drücker – Wërkstatt ☕\n  psk: lamp-and-ladder\n", ""},
		{"a name with a zero-width space", "ap:\n  ssid: lathe\u200b\n  psk: lamp-and-ladder\n", "ap.ssid: has an invisible character (U+200B), which people neither see nor can type; leave it out (line 2)\n"},
		{"a name with a space at the end", "ap:\n  ssid: 'lathe '\n  psk: lamp-and-ladder\n", "ap.ssid: has a space at its beginning or end, which people"},
		{"a name in typographic quotes", "ap:\n  ssid: “lathe”\n  psk: lamp-and-ladder\n", "ap.ssid: has typographic quotes, which people"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := loadYAML(t, tt.yaml)
			got := texts(warnings)
			if err != nil || !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") || strings.Count(got, "\n") > 1 {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
			if strings.Contains(got, "lamp") {
				t.Errorf("the passphrase is told: %s", got)
			}
		})
	}
}

// TestFilesOfOthersAndOfPrograms has what forks of the original and programs
// that write YAML have written, and words that YAML 1.1 takes for others.
func TestFilesOfOthersAndOfPrograms(t *testing.T) {
	const dumped = "ap:\n  channel: 3\n  domain: null\n  psk: 'it is a \"long\" passphrase: with # and \\ and more'\n  ssid: \"Dr\\xFCcker \\u2615\"\n"
	for _, tt := range []struct {
		name, yaml string
		ssid, psk  string
		country    string
		warns      string // a part of the warnings; "" for none
		fails      string // a part of the error
	}{
		{name: "dumped, block list", yaml: dumped + "  range:\n  - 10.250.250.100\n  - 10.250.250.200\ninterfaces:\n  wifi: wlan0\n  wired: null\n",
			ssid: "Drücker ☕", psk: `it is a "long" passphrase: with # and \ and more`},
		{name: "dumped, flow list", yaml: dumped + "  range: [10.250.250.100, 10.250.250.200]\ninterfaces: {wifi: wlan0, wired: null}\n",
			ssid: "Drücker ☕", psk: `it is a "long" passphrase: with # and \ and more`},
		{name: "byte order mark, Windows, Norway", yaml: "\ufeffap:\r\n  ssid: lathe\r\n  country: NO\r\n  psk: lamp-and-ladder\r\n", ssid: "lathe", psk: "lamp-and-ladder", country: "NO"},
		{name: "a name of NO", yaml: "ap:\n  ssid: NO\n  country: NO\n  psk: lamp-and-ladder\n", ssid: "NO", psk: "lamp-and-ladder", country: "NO"},
		{name: "zeros in front", yaml: "ap:\n  ssid: a\n  channel: 03\n  psk: 0123456701\n", ssid: "a", psk: "0123456701"},
		{name: "a name that is a number", yaml: "ap:\n  ssid: 1e3\n  psk: 12345678\n", ssid: "1e3", psk: "12345678"},
		{name: "UTF-16", yaml: "\xff\xfea\x00p\x00:\x00\n\x00 \x00s\x00s\x00i\x00d\x00:\x00 \x00x\x00\n\x00", ssid: "x", warns: "ap.psk: is not set"},
		{name: "a fork's", yaml: "ap_list:\n  filter_hidden_ssid: True\nap:\n  ssid: a\n  psk: lathe-and-mill\n  captive_portal: true\nwifi:\n  default_country: DE\n",
			ssid: "a", psk: "lathe-and-mill", warns: "wifi.default_country: is not a known key, ignored; did you mean ap.country?"},
		{name: "sections twice", yaml: "ap:\n  ssid: a\nap:\n  psk: lamp-and-ladder\n", fails: "ap: is given twice, first in line 1 (line 3)"},
		{name: "keys at the margin", yaml: "ap:\nssid: lathe\n", warns: "ssid: is not a known key, ignored; did you mean ap.ssid?"},
		{name: "tabs", yaml: "ap:\n\tssid: lathe\n", fails: "indent with spaces"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, warnings, err := loadYAML(t, tt.yaml)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error = %v", err)
				}
				return
			}
			got := texts(warnings)
			if err != nil || !strings.Contains(got, tt.warns) || tt.warns == "" && got != "" {
				t.Fatalf("%q, %v", got, err)
			}
			if tt.ssid != "" && c.AP.SSID != tt.ssid || c.AP.PSK.Reveal() != tt.psk || c.AP.Country != tt.country {
				t.Errorf("ssid %q, psk %q, country %q", c.AP.SSID, c.AP.PSK.Reveal(), c.AP.Country)
			}
		})
	}
}
