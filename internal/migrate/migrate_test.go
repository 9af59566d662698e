package migrate

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// told is what Read says, a line for each network and each problem.
func told(t *testing.T, text []byte) string {
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

func readFile(t *testing.T, path string) []byte {
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
			got := told(t, text)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(readFile(t, golden)), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			windows := strings.ReplaceAll(string(text), "\n", "\r\n")
			if diff := cmp.Diff(got, told(t, []byte("\ufeff"+windows))); diff != "" {
				t.Errorf("with the ends of lines of Windows (-unix +windows):\n%s", diff)
			}
		})
	}
}

// TestFaults lists files that are not as they should be.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"nothing of ours", "hello\nworld=1\n", ""},
		{"no closing brace", "network={\nssid=\"a\"\n", "1: the network has no closing brace; nothing of it is taken over\n"},
		{"no closing quote", "network={\nssid=\"a\npsk=\"correct horse\"\n}\n", "2: ssid cannot be read; nothing is known of it\n1: the network has no name (ssid)\n"},
		{"no hexadecimal name", "network={\nssid=zz\n}\n", "2: ssid cannot be read; nothing is known of it\n1: the network has no name (ssid)\n"},
		{"a name of 33 bytes", "network={\nssid=\"" + strings.Repeat("x", 33) + "\"\n}\n", "2: a network's name has 1 to 32 bytes, not 33\n"},
		{"a name of no byte", "network={\nssid=\"\"\n}\n", "2: a network's name has 1 to 32 bytes, not 0\n"},
		{"a passphrase that is no text", "network={\nssid=\"a\"\npsk=P\"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\"\n}\n",
			"3: a: its passphrase is not UTF-8; give the key as 64 hexadecimal digits (wpa_passphrase prints them)\n"},
		{"the same, of WPA3 beside WPA2", "network={\nssid=\"a\"\nkey_mgmt=SAE WPA-PSK\nsae_password=P\"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\"\n}\n",
			"4: a: its passphrase is not UTF-8; give the key as 64 hexadecimal digits (wpa_passphrase prints them)\n"},
		{"the same, of WPA3 alone, which has no key of 64 digits", "network={\nssid=\"a\"\nkey_mgmt=SAE\nsae_password=P\"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\"\n}\n",
			"4: a: its passphrase is not UTF-8; write it in UTF-8, or change it to ASCII\n"},
		{"a password that is no text", "network={\nssid=\"a\"\neap=PEAP\nca_cert=\"/ca.pem\"\npassword=P\"\\xff\"\n}\n",
			"5: a: its password is not UTF-8; write it in UTF-8, or change it to ASCII\n"},
		{"priority", "network={\nssid=\"a\"\nkey_mgmt=NONE\npriority=high\n}\n", "4: a: priority is not a number\n"},
		{"credentials of a service", "cred={\nusername=\"x\"\n}\nnetwork={\nssid=\"a\"\nkey_mgmt=NONE\n}\n", "4: \"a\" {\"psk\":\"\"}\n1: cred is not taken over\n"},
		{"comments behind braces", "cred={ # a service's\nusername=\"x\"\n}\nnetwork={\t# home\nssid=\"a\"\nkey_mgmt=NONE\n} # home\n",
			"4: \"a\" {\"psk\":\"\"}\n1: cred is not taken over\n"},
		{"a server by its altsubject_match", "network={\nssid=\"a\"\neap=TLS\nca_cert=\"/ca.pem\"\naltsubject_match=\"DNS:radius.example.org\"\n}\n",
			"5: a: it tells its server by altsubject_match, which is not supported, so that every server with a certificate of ca_cert would do; name the server with domain_suffix_match in the file\n"},
		{"a server by its subject_match", "network={\nssid=\"a\"\neap=TLS\nca_cert=\"/ca.pem\"\nsubject_match=\"/CN=radius\"\n}\n",
			"5: a: it tells its server by subject_match, which is not supported, so that every server with a certificate of ca_cert would do; name the server with domain_suffix_match in the file\n"},
		{"a server by that and its domain", "network={\nssid=\"a\"\neap=TLS\nca_cert=\"/ca.pem\"\nsubject_match=\"/CN=radius\"\ndomain_match=\"example.org\"\n}\n",
			"1: \"a\" {\"eap\":{\"method\":\"tls\",\"identity\":\"\",\"anonymous_identity\":\"\",\"phase2\":\"\",\"ca_cert\":\"/ca.pem\",\"server_name\":\"example.org\",\"any_server\":false,\"client_cert\":\"\",\"private_key\":\"\"}}\n"},
		{"what a terminal would act on", "\x1b[2J={\n}\n", "1: \\x1b[2J is not taken over\n"},
		{"an option outside of a stanza", "auto wlan0\nwpa-ssid home\n", ""},
		{"an iface without a method", "iface wlan0\n wpa-ssid home\n", ""},
		{"an address that is none", "iface wlan0 inet static\naddress home\nwpa-ssid a\nwpa-psk correct horse\n", "1: a: address is not an IP address\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told(t, []byte(tt.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRealWpaSupplicantReadsTheSame has wpa_supplicant itself read the file:
// what it knows of each network that we take over is what we say.
func TestRealWpaSupplicantReadsTheSame(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: wpa_supplicant opens a packet socket")
	}
	ctrl := t.TempDir()
	text := strings.Replace(string(readFile(t, "testdata/wpa_supplicant.conf")), "DIR=/run/wpa_supplicant GROUP=netdev", ctrl, 1)
	conf := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "wpa_supplicant", "-Dnone", "-ilo", "-c"+conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	ask := func(args ...string) string {
		out, _ := exec.Command("wpa_cli", append([]string{"-p" + ctrl, "-ilo"}, args...)...).Output()
		return strings.TrimSpace(string(out))
	}
	for deadline := time.Now().Add(10 * time.Second); ask("ping") != "PONG"; {
		if time.Now().After(deadline) {
			t.Fatal("wpa_supplicant does not answer")
		}
	}
	get := func(id, name string) string {
		if value := ask("get_network", id, name); value != "FAIL" {
			return strings.Trim(value, `"`)
		}
		return ""
	}
	ids := map[string]string{} // of networks that are not disabled, the first of a name
	for line := range strings.Lines(ask("list_networks")) {
		fields := strings.Split(line, "\t")
		if len(fields) > 2 && !strings.Contains(line, "[DISABLED]") {
			if name, ok := unescape(strings.ReplaceAll(fields[1], `\\`, `\`)); ok && ids[name] == "" {
				ids[name] = fields[0]
			}
		}
	}
	networks, _ := Read([]byte(text))
	for _, n := range networks {
		id, ok := ids[string(n.SSID)]
		if !ok {
			t.Errorf("wpa_supplicant has no network %q, but %q", n.SSID, ids)
			continue
		}
		s := n.Settings
		hidden, priority, bssid := s.Hidden != nil && *s.Hidden, "0", ""
		if s.Priority != nil {
			priority = fmt.Sprint(*s.Priority)
		}
		if s.BSSID != nil {
			bssid = *s.BSSID
		}
		eap := s.EAP
		if eap == nil {
			eap = &client.EAP{}
		}
		for _, check := range [][3]string{
			{"scan_ssid", fmt.Sprint(hidden), fmt.Sprint(get(id, "scan_ssid") == "1")},
			{"priority", priority, get(id, "priority")},
			{"bssid", bssid, get(id, "bssid")},
			{"eap", strings.ToUpper(eap.Method), get(id, "eap")},
			{"identity", eap.Identity, get(id, "identity")},
			{"anonymous_identity", eap.AnonymousIdentity, get(id, "anonymous_identity")},
			{"ca_cert", eap.CACert, get(id, "ca_cert")},
			{"client_cert", eap.ClientCert, get(id, "client_cert")},
			{"private_key", eap.PrivateKey, get(id, "private_key")},
			{"domain_suffix_match", eap.ServerName, get(id, "domain_suffix_match")},
		} {
			if check[1] != check[2] {
				t.Errorf("%q: %s is %q, by wpa_supplicant %q", n.SSID, check[0], check[1], check[2])
			}
		}
	}
	if len(networks) < 8 || !slices.ContainsFunc(networks, func(n Network) bool { return n.Settings.EAP != nil }) {
		t.Errorf("%d networks were compared", len(networks))
	}
}

// FuzzRead: whatever a file holds, what is read can be sent, and messages can be
// printed and have no secret in them.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"testdata/wpa_supplicant.conf", "testdata/interfaces"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		networks, problems := Read(text)
		lines := strings.Count(string(text), "\n") + 1
		for _, n := range networks {
			if n.Line < 1 || n.Line > lines || len(n.SSID) == 0 || len(n.SSID) > client.MaxSSID {
				t.Errorf("line %d of %d, SSID %q", n.Line, lines, n.SSID)
			}
			if _, err := json.Marshal(n.Settings); err != nil {
				t.Error(err)
			}
		}
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Text == "" {
				t.Errorf("line %d of %d: %q", p.Line, lines, p.Text)
			}
		}
	})
}
