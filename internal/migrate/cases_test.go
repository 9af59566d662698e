package migrate

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// inUTF16 returns text as Windows Notepad saves it with the encoding "Unicode".
func inUTF16(text string) string {
	var b strings.Builder
	for _, unit := range append([]uint16{0xfeff}, utf16.Encode([]rune(text))...) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

// TestReportedFiles reads files that users reported to similar programs.
func TestReportedFiles(t *testing.T) {
	const attic = "network={\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"WPA3 whose passphrase is hexadecimal digits", "network={\n ssid=\"Attic\"\n key_mgmt=SAE\n sae_password=6cc3a46d70652d6c6164646572\n}\n",
			`1: "Attic" {"psk":"lämpe-ladder","security":"wpa3"}` + "\n"},
		{"802.1X whose texts are hexadecimal digits", "network={\n ssid=\"Campus\"\n key_mgmt=WPA-EAP\n eap=PEAP\n identity=6ac3bc7267656e\n password=73c3bcc39f7761737365722d37\n ca_cert=\"/ca.crt\"\n phase2=\"auth=MSCHAPV2\"\n}\n",
			`1: "Campus" {"eap":{"method":"peap","identity":"jürgen","anonymous_identity":"","password":"süßwasser-7","phase2":"mschapv2","ca_cert":"/ca.crt","server_name":"","any_server":false,"client_cert":"","private_key":""}}` + "\n"},
		{"a passphrase without quotes that has a #", "network={\n ssid=\"Attic\"\n psk=lampladder#7\n}\n",
			"3: Attic: psk cannot be read: it is neither a passphrase in quotes nor 64 hexadecimal digits; the network is left out\n"},
		{"a certificate in the file itself", "blob-base64-ca={\nTUlJQg==\n}\nnetwork={\n ssid=\"Campus\"\n key_mgmt=WPA-EAP\n eap=TLS\n identity=\"dev\"\n ca_cert=\"blob://ca\"\n client_cert=\"blob://cl\"\n private_key=\"blob://key\"\n}\n",
			"1: blob-base64-ca is not taken over\n9: Campus: its ca_cert is no file but blob:…; write it into a file of its own (PEM), and name that\n"},
		{"a network on one line", "country=DE\nnetwork={ ssid=\"Attic\" psk=\"lamp-and-ladder\" }\n" + attic,
			`3: "Attic" {"psk":"lamp-and-ladder"}` + "\n1: the country is a setting of its own: put ap.country: DE into netconnectd.yaml\n2: " + malformed + "\n"},
		{"a network that begins beside its brace", "network={ ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n}\n", "1: " + malformed + "\n"},
		{"a brace on the next line", "network=\n{\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n}\n", "1: " + malformed + "\n"},
		{"settings that we do not have", "network={\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n freq_list=2412 2437\n bssid_ignore=02:00:00:00:00:01\n bssid_accept=02:00:00:00:00:02\n mac_addr=1\n proto=WPA\n pairwise=TKIP\n bgscan=\"simple:30:-70:300\"\n id_str=\"home\"\n}\n",
			`1: "Attic" {"psk":"lamp-and-ladder","security":"wpa"}` + "\n4: Attic: freq_list is not taken over\n5: Attic: bssid_ignore is not taken over\n6: Attic: bssid_accept is not taken over\n7: Attic: mac_addr is not taken over\n9: Attic: pairwise is not taken over\n10: Attic: bgscan is not taken over\n"},
		{"settings that change nothing", "network={\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n proto=RSN\n key_mgmt=WPA-PSK\n pairwise=CCMP\n auth_alg=OPEN\n mode=0\n disabled=0\n}\n", `1: "Attic" {"psk":"lamp-and-ladder"}` + "\n"},
		{"settings of all networks", "freq_list=2412\nmac_addr=1\n" + attic, `3: "Attic" {"psk":"lamp-and-ladder"}` + "\n1: freq_list is not taken over\n2: mac_addr is not taken over\n"},
		{"open by key_mgmt, with a passphrase", "network={\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n key_mgmt=NONE\n}\n", `1: "Attic" {"psk":""}` + "\n3: Attic: key_mgmt=NONE makes the network open: its passphrase is not taken over\n"},
		{"by passphrase, with credentials of 802.1X", "network={\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n key_mgmt=WPA-PSK\n eap=PEAP\n}\n", `1: "Attic" {"psk":"lamp-and-ladder"}` + "\n"},

		{"UTF-16", inUTF16(attic), "1: " + saysUTF16 + "\n"},
		{"UTF-16 without its mark", inUTF16(attic)[2:], "1: the file is not text: it has zero bytes in it (or it is UTF-16); save it as UTF-8\n"},
		{"lines that end in CR", strings.ReplaceAll(attic, "\n", "\r"), "1: the lines end in CR only, as on an old Macintosh; convert them: tr '\\r' '\\n' <file | netconnectcli import -\n"},
		{"RTF", "{\\rtf1\\ansi\nnetwork=\\{\\\n}\n", "1: the file is RTF, as TextEdit and WordPad save it; save it as plain text (TextEdit: Format, Make Plain Text)\n"},
		{"XML", "<?xml version=\"1.0\"?>\n<WLANProfile/>\n", "1: " + saysXML + "\n"},
		{"a script", "#!/bin/sh\ncat >wpa_supplicant.conf <<EOF\n" + attic, "1: the file is a script; import the file that it writes, such as /etc/wpa_supplicant/wpa_supplicant.conf\n"},
		{"cloud-init's user-data", "#cloud-config\nhostname: attic\n", "1: the file is cloud-init's user-data, which has no networks; import network-config beside it\n"},
		{"iwd", "[Security]\nPassphrase=lamp-and-ladder\n", "2: " + sections["Security"] + "\n"},
		{"systemd-networkd", "[Match]\nName=wlan0\n", "2: " + sections["Match"] + "\n"},
		{"our own configuration with a network", "network:\n  interfaces:\n    - {name: lan, device: eth0}\n", "1: the file is a configuration of netconnectd, which has no networks to join: put it at /etc/netconnectd.yaml\n"},
		{"our own configuration", "ap:\n  psk: lathe-and-mill\nwifi:\n  free: true\n", "1: the file is a configuration of netconnectd, which has no networks to join: put it at /etc/netconnectd.yaml\n"},

		{"the own access point", "auto wlan0\niface wlan0 inet static\n address 192.168.4.1\n netmask 255.255.255.0\n wireless-mode master\n wireless-essid Attic\n",
			"5: Attic: wireless-mode master is no network of an access point to join; the network is left out\n"},
		{"ad hoc", "iface wlan0 inet dhcp\n wireless-essid Attic\n wireless-mode Ad-Hoc\n", "3: Attic: wireless-mode Ad-Hoc is no network of an access point to join; the network is left out\n"},
		{"any network", "iface wlan0 inet dhcp\n wireless-essid any\n", "2: any: wireless-essid any names no network: iwconfig takes any; add the network by its name; the network is left out\n"},
		{"a network that is called any", "iface wlan0 inet dhcp\n wireless-essid -- any\n", `1: "any" {"psk":""}` + "\n"},
		{"no key", "iface wlan0 inet dhcp\n wireless-mode managed\n wireless-essid Attic\n wireless-key off\n", `1: "Attic" {"psk":""}` + "\n"},
		{"a key of WEP", "iface wlan0 inet dhcp\n wireless-essid Attic\n wireless-key s:abcde open\n", "3: Attic: WEP is not supported, it does not protect anything; give the router WPA2\n"},
		{"an address of IPv6 beside DHCP", "iface wlan0 inet dhcp\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\niface wlan0 inet6 static\n address 2001:db8::7/64\n gateway 2001:db8::1\n",
			`1: "Attic" {"psk":"lamp-and-ladder"}` + "\n5: the IPv6 address 2001:db8::7/64 is not taken over: a network gets addresses of IPv6 by router advertisements\n"},
		{"only IPv6", "iface wlan0 inet6 auto\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\n", `1: "Attic" {"psk":"lamp-and-ladder"}` + "\n"},
		{"both families with the network", "iface wlan0 inet dhcp\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\niface wlan0 inet6 auto\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\n", `1: "Attic" {"psk":"lamp-and-ladder"}` + "\n"},
		{"a backslash before a space", "iface wlan0 inet dhcp\n wpa-ssid Attic\\ \n wpa-psk lamp-and-ladder\n", `1: "Attic\\" {"psk":"lamp-and-ladder"}` + "\n"},
		{"no passphrase, and not said to be open", "iface wlan0 inet dhcp\n wpa-ssid Attic\n", "1: Attic: it has neither a passphrase (psk) nor key_mgmt=NONE\n"},
		{"a passphrase that is too short", "iface wlan0 inet dhcp\n wpa-ssid Attic\n wpa-psk short\n", "3: Attic: psk cannot be read: a passphrase has 8 to 63 bytes, not 5; the network is left out\n"},
		{"the address's class is its mask", "iface wlan0 inet static\n address 192.168.1.7\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\n gateway none\n",
			`1: "Attic" {"psk":"lamp-and-ladder","addressing":{"method":"static","address":"192.168.1.7/24"}}` + "\n"},
		{"commands", "iface wlan0 inet dhcp\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\n up iptables-restore\n", `1: "Attic" {"psk":"lamp-and-ladder"}` + "\n4: Attic: the command of up is not taken over; docs/hooks.md has what runs programs\n"},
		{"what wpasupplicant's script does not know", "iface wlan0 inet dhcp\n wpa-ssid Attic\n wpa-psk lamp-and-ladder\n wpa-ieee80211w 2\n", `1: "Attic" {"psk":"lamp-and-ladder"}` + "\n4: Attic: wpa-ieee80211w is not taken over\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, describe(t, []byte(tt.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
