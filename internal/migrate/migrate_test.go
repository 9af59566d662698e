package migrate

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// describe returns the result of Read, one line for each network and each problem.
func describe(t *testing.T, text []byte) string {
	t.Helper()
	networks, problems := Read(text)
	var b strings.Builder
	for _, n := range networks {
		settings, err := json.Marshal(n.Settings)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d: %q %s\n", n.Line, n.SSID, settings)
	}
	for _, p := range problems {
		fmt.Fprintf(&b, "%d: %s\n", p.Line, p.Text)
	}
	return b.String()
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFiles(t *testing.T) {
	for _, name := range []string{"wpa_supplicant.conf", "interfaces"} {
		t.Run(name, func(t *testing.T) {
			text := readFile(t, filepath.Join("testdata", name))
			golden := filepath.Join("testdata", name+".golden")
			got := describe(t, text)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(readFile(t, golden)), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			one := strings.ReplaceAll(string(text), "\\\n", "") // a backslash before CR does not continue the line
			got = describe(t, []byte(one))
			windows := strings.ReplaceAll(one, "\n", "\r\n")
			if diff := cmp.Diff(got, describe(t, []byte("\ufeff"+windows))); diff != "" {
				t.Errorf("with the ends of lines of Windows (-unix +windows):\n%s", diff)
			}
		})
	}
}

// TestFaults reads files that contain faults.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"nothing of ours", "hello\nworld=1\n", ""},
		{"no closing brace", "network={\nssid=\"a\"\n", "1: the network has no closing brace; nothing of it is taken over\n"},
		{"no closing quote", "network={\nssid=\"a\npsk=\"correct horse\"\n}\n", "2: ssid cannot be read: a closing quote is missing at its end; the network is left out\n"},
		{"no hexadecimal name", "network={\nssid=zz\n}\n", "2: ssid cannot be read: it is neither text in quotes nor an even number of hexadecimal digits; the network is left out\n"},
		{"a name of 33 bytes", "network={\nssid=\"" + strings.Repeat("x", 33) + "\"\n}\n", "2: a network's name has 1 to 32 bytes, not 33\n"},
		{"a name of no byte", "network={\nssid=\"\"\n}\n", "2: a network's name has 1 to 32 bytes, not 0\n"},
		{"a passphrase that is no text", "network={\nssid=\"a\"\npsk=\"\xff\xff\xff\xff\xff\xff\xff\xff\"\n}\n",
			"3: a: its passphrase is not UTF-8; give the key as 64 hexadecimal digits (wpa_passphrase prints them)\n"},
		{"the same, of WPA3 beside WPA2", "network={\nssid=\"a\"\nkey_mgmt=SAE WPA-PSK\nsae_password=P\"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\"\n}\n",
			"4: a: its passphrase is not UTF-8; give the key as 64 hexadecimal digits (wpa_passphrase prints them)\n"},
		{"the same, of WPA3 alone, which has no key of 64 digits", "network={\nssid=\"a\"\nkey_mgmt=SAE\nsae_password=P\"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\"\n}\n",
			"4: a: its passphrase is not UTF-8; write it in UTF-8, or change it to ASCII\n"},
		{"a password that is no text", "network={\nssid=\"a\"\neap=PEAP\nca_cert=\"/ca.pem\"\npassword=P\"\\xff\"\n}\n",
			"5: a: its password is not UTF-8; write it in UTF-8, or change it to ASCII\n"},
		{"priority", "network={\nssid=\"a\"\nkey_mgmt=NONE\npriority=high\n}\n", "4: a: priority cannot be read: it is not a number; the network is left out\n"},
		{"credentials of a service", "cred={\nusername=\"x\"\n}\nnetwork={\nssid=\"a\"\nkey_mgmt=NONE\n}\n", "4: \"a\" {\"psk\":\"\"}\n1: cred is not taken over\n"},
		{"comments behind braces", "cred={ # a service's\nusername=\"x\"\n}\nnetwork={\t# home\nssid=\"a\"\nkey_mgmt=NONE\n} # home\n",
			"4: \"a\" {\"psk\":\"\"}\n1: cred is not taken over\n"},
		{"a server by its altsubject_match", "network={\nssid=\"a\"\neap=TLS\nca_cert=\"/ca.pem\"\naltsubject_match=\"DNS:radius.example.org\"\n}\n",
			"5: a: it tells its server by altsubject_match, which is not supported, so that every server with a certificate of ca_cert would do; name the server with domain_suffix_match in the file\n"},
		{"a server by its subject_match", "network={\nssid=\"a\"\neap=TLS\nca_cert=\"/ca.pem\"\nsubject_match=\"/CN=radius\"\n}\n",
			"5: a: it tells its server by subject_match, which is not supported, so that every server with a certificate of ca_cert would do; name the server with domain_suffix_match in the file\n"},
		{"a server by that and its domain", "network={\nssid=\"a\"\neap=TLS\nca_cert=\"/ca.pem\"\nsubject_match=\"/CN=radius\"\ndomain_match=\"example.org\"\n}\n",
			"1: \"a\" {\"eap\":{\"method\":\"tls\",\"identity\":\"\",\"anonymous_identity\":\"\",\"phase2\":\"\",\"ca_cert\":\"/ca.pem\",\"server_name\":\"example.org\",\"any_server\":false,\"client_cert\":\"\",\"private_key\":\"\"}}\n5: a: subject_match is not taken over\n6: a: domain_match is taken as domain_suffix_match: servers whose names end so are trusted, too\n"},
		{"what a terminal would act on", "\x1b[2J={\n}\n", "1: \\x1b[2J is not taken over\n"},
		{"an option outside of a stanza", "auto wlan0\nwpa-ssid home\n", "2: wpa-ssid stands in no iface stanza; it is not taken over\n"},
		{"an iface without a method", "iface wlan0\n wpa-ssid home\n", "1: it has no address family and method, such as: iface wlan0 inet dhcp; the stanza is left out\n"},
		{"an address that is none", "iface wlan0 inet static\naddress home\nwpa-ssid a\nwpa-psk correct horse\n", "1: a: address is not an IP address; the network is left out\n"},
		{"a cell that is everybody", "network={\nssid=\"a\"\nkey_mgmt=NONE\nbssid=ff:ff:ff:ff:ff:ff\n}\n",
			"4: a: bssid cannot be read: FF:FF:FF:FF:FF:FF is a group of stations, no cell; the network is left out\n"},
		{"a cell that is nobody", "iface wlan0 inet dhcp\nwpa-ssid a\nwpa-psk correct horse\nwpa-bssid 00:00:00:00:00:00\n",
			"4: a: bssid cannot be read: 00:00:00:00:00:00 is the address of no cell; the network is left out\n"},
		{"an address that is the broadcast address", "iface wlan0 inet static\naddress 192.0.2.255/24\nwpa-ssid a\nwpa-psk correct horse\n",
			"1: a: address 192.0.2.255 is the broadcast address of 192.0.2.0/24; the network is left out\n"},
		{"a gateway that is the network", "iface wlan0 inet static\naddress 192.0.2.7/24\ngateway 192.0.2.0\nwpa-ssid a\nwpa-psk correct horse\n",
			"1: a: gateway 192.0.2.0 is the network itself, not a host of 192.0.2.0/24; the network is left out\n"},
		{"a name server that is no address", "iface wlan0 inet static\naddress 192.0.2.7/24\ndns-nameservers 192.0.2.1 \xff\nwpa-ssid a\nwpa-psk correct horse\n",
			"1: a: dns has something that is not an address; the network is left out\n"},
		{"a profile with a multicast address", keyfileStart + "[ipv4]\nmethod=manual\naddress1=224.0.0.5/24\n",
			"10: Attic: address 224.0.0.5 is a multicast address; the network is left out\n"},
		{"netplan with the address of the network", "network:\n  wifis:\n    wlan0:\n      addresses: [192.0.2.0/24]\n      access-points: {Attic: {}}\n",
			"4: Attic: address 192.0.2.0 is the network itself, not a host of 192.0.2.0/24; the network is left out\n"},
		{"a name that is two lines in a terminal", "network={\nssid=P\"a\\nb\\e[2J\"\n}\n", "1: a\\x0ab\\x1b[2J: it has neither a passphrase (psk) nor key_mgmt=NONE\n"},
		{"names that differ in bytes that are no text", "network={\nssid=61ff\nkey_mgmt=NONE\n}\nnetwork={\nssid=61fe\nkey_mgmt=NONE\n}\nnetwork={\nssid=61ff\nkey_mgmt=NONE\n}\n",
			"1: \"a\\xff\" {\"psk\":\"\"}\n5: \"a\\xfe\" {\"psk\":\"\"}\n9: a\\xff: left out, the file has it in line 1 already\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, describe(t, []byte(tt.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzRead checks for any file that the networks read can be sent, and that each
// problem has a line of the file.
func FuzzRead(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { check(t, string(text)) })
}
