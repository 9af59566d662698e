package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const keyfileStart = "[connection]\nid=preconfigured\nuuid=11111111-2222-4333-8444-555555555555\ntype=wifi\n[wifi]\nmode=infrastructure\nssid=Attic\n"

// TestKeyfiles reads profiles of NetworkManager.
func TestKeyfiles(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"as Raspberry Pi Imager writes it", keyfileStart + "hidden=false\n[ipv4]\nmethod=auto\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=lamp-and-ladder\n",
			`7: "Attic" {"psk":"lamp-and-ladder"}` + "\n"},
		{"old names, bytes for the name, hidden", "[connection]\ntype=802-11-wireless\nautoconnect-priority=7\n[802-11-wireless]\nssid=99;97;102;195;169;\nhidden=true\nbssid=02:00:00:00:00:01\nsecurity=802-11-wireless-security\n[802-11-wireless-security]\nkey-mgmt=sae\npsk=lamp-and-ladder\npmf=3\n",
			`5: "café" {"psk":"lamp-and-ladder","security":"wpa3","hidden":true,"bssid":"02:00:00:00:00:01","priority":7,"pmf":"required"}` + "\n"},
		{"escapes", "[connection]\ntype=wifi\n[wifi]\nssid=a\\;b\\sc\n", `4: "a;b c" {"psk":""}` + "\n"},
		{"a key of 64 digits", keyfileStart + "[wifi-security]\nkey-mgmt=wpa-psk\npsk=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
			`7: "Attic" {"psk":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}` + "\n"},
		{"a static address", keyfileStart + "[ipv4]\nmethod=manual\naddress1=192.0.2.7/24,192.0.2.1\ndns=192.0.2.53;\n",
			`7: "Attic" {"psk":"","addressing":{"method":"static","address":"192.0.2.7/24","gateway":"192.0.2.1","dns":["192.0.2.53"]}}` + "\n"},
		{"what we do not have", keyfileStart + "cloned-mac-address=random\nband=a\n[ipv6]\nmethod=manual\naddress1=2001:db8::7/64\n",
			`7: "Attic" {"psk":""}` + "\n8: Attic: wifi.cloned-mac-address is not taken over\n9: Attic: wifi.band is not taken over\n11: Attic: ipv6.method manual is not taken over: a network gets addresses of IPv6 by router advertisements\n12: Attic: ipv6.address1 is not taken over\n"},
		{"802.1X", keyfileStart + "[wifi-security]\nkey-mgmt=wpa-eap\n[802-1x]\neap=peap;\nidentity=me\npassword=hunter2\nphase2-auth=mschapv2\nca-cert=/ca.pem\ndomain-suffix-match=radius.example.org\n",
			`7: "Attic" {"eap":{"method":"peap","identity":"me","anonymous_identity":"","password":"hunter2","phase2":"mschapv2","ca_cert":"/ca.pem","server_name":"radius.example.org","any_server":false,"client_cert":"","private_key":""}}` + "\n"},
		{"a secret that is kept elsewhere", keyfileStart + "[wifi-security]\nkey-mgmt=wpa-psk\npsk-flags=1\n", "10: Attic: its psk is kept elsewhere (psk-flags=1); add the network by hand; the network is left out\n"},
		{"WEP", keyfileStart + "[wifi-security]\nkey-mgmt=none\nwep-key0=abcde\n", "9: Attic: WEP is not supported, it does not protect anything; give the router WPA2; the network is left out\n"},
		{"a hotspot", "[connection]\ntype=wifi\n[wifi]\nssid=Attic\nmode=ap\n[ipv4]\nmethod=shared\n", "5: Attic: the mode ap is no network of an access point to join; the network is left out\n"},
		{"a wired profile", "[connection]\ntype=ethernet\n", "2: the profile is of the type ethernet, not wifi\n"},
		{"no passphrase", keyfileStart + "[wifi-security]\nkey-mgmt=wpa-psk\n", "9: Attic: it has no passphrase (psk)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, describe(t, []byte(tt.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNetplan reads files of netplan and cloud-init's network-config.
func TestNetplan(t *testing.T) {
	point := func(lines string) string {
		return "network:\n  version: 2\n  wifis:\n    wlan0:\n      access-points:\n        Attic:\n" + lines
	}
	for _, tt := range []struct{ name, text, want string }{
		{"as Raspberry Pi Imager writes it", "network:\n  version: 2\n  wifis:\n    wlan0:\n      dhcp4: true\n      regulatory-domain: \"DE\"\n      access-points:\n        \"Attic\":\n          password: \"lamp-and-ladder\"\n      optional: true\n",
			`8: "Attic" {"psk":"lamp-and-ladder"}` + "\n6: the country is a setting of its own: put ap.country: DE into netconnectd.yaml\n"},
		{"without the key network", "version: 2\nwifis:\n  wlan0:\n    access-points:\n      Attic: {password: 12345678}\n      1e3: {}\n", `5: "Attic" {"psk":"12345678"}` + "\n" + `6: "1e3" {"psk":""}` + "\n"},
		{"a static address", "network:\n  wifis:\n    wlan0:\n      addresses: [192.0.2.7/24, '2001:db8::7/64']\n      routes: [{to: default, via: 192.0.2.1}]\n      nameservers: {addresses: [192.0.2.53]}\n      access-points: {Attic: {}}\n",
			`7: "Attic" {"psk":"","addressing":{"method":"static","address":"192.0.2.7/24","gateway":"192.0.2.1","dns":["192.0.2.53"]}}` + "\n4: the address 2001:db8::7/64 is not taken over\n"},
		{"WPA3, hidden, one cell", point("          hidden: true\n          bssid: 02:00:00:00:00:01\n          auth: {key-management: sae, password: lamp-and-ladder}\n"),
			`6: "Attic" {"psk":"lamp-and-ladder","security":"wpa3","hidden":true,"bssid":"02:00:00:00:00:01"}` + "\n"},
		{"802.1X", point("          auth:\n            key-management: eap\n            method: ttls\n            identity: me\n            password: hunter2\n            phase2-auth: PAP\n            ca-certificate: /ca.pem\n"),
			`6: "Attic" {"eap":{"method":"ttls","identity":"me","anonymous_identity":"","password":"hunter2","phase2":"pap","ca_cert":"/ca.pem","server_name":"","any_server":false,"client_cert":"","private_key":""}}` + "\n"},
		{"a passphrase that YAML takes for a comment", point("          password: #1-lamp-and-ladder\n"), "7: Attic: psk cannot be read: a passphrase has 8 to 63 bytes, not 0; the network is left out\n"},
		{"credentials without a way", point("          auth: {password: lamp-and-ladder}\n"), "7: Attic: auth has no key-management, so the network would be open; say psk, sae, eap or none; the network is left out\n"},
		{"a hotspot", point("          mode: ap\n          password: lamp-and-ladder\n"), "7: Attic: the mode ap is no network of an access point to join; the network is left out\n"},
		{"what we do not have", point("          band: 5GHz\n          password: lamp-and-ladder\n"), `6: "Attic" {"psk":"lamp-and-ladder"}` + "\n7: Attic: band is not taken over\n"},
		{"no Wi-Fi", "network:\n  ethernets:\n    eth0: {dhcp4: true}\n", "1: the file is YAML of netplan or cloud-init, and no wifis are in it\n"},
		{"large by aliases", "a: &a {" + strings.Repeat("? x : y, ", 200) + "}\nwifis: {" + strings.Repeat("? z : *a, ", 200) + "}\n", "2: aliases of YAML (*) repeat more than 10000 values; write them out\n"},
		{"no YAML", "network:\n\twifis: {\n", "2: the file is not YAML as netplan has it; indent with spaces, and put values that have a : or # in quotes\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, describe(t, []byte(tt.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
