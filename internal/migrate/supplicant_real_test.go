package migrate

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// savedBySupplicant lets wpa_supplicant read a file and write it again. It returns
// the settings of each network, or false if wpa_supplicant refuses the file.
func savedBySupplicant(t *testing.T, text string) ([]map[string]string, bool) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: wpa_supplicant opens a packet socket")
	}
	ctrl, conf := t.TempDir(), filepath.Join(t.TempDir(), "conf")
	text = "ctrl_interface=" + ctrl + "\nupdate_config=1\n" + text
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "wpa_supplicant", "-Dnone", "-ilo", "-c"+conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ask := func(args ...string) string {
		out, _ := exec.CommandContext(ctx, "wpa_cli", append([]string{"-p" + ctrl, "-ilo"}, args...)...).Output()
		return strings.TrimSpace(string(out))
	}
	for ask("ping") != "PONG" {
		select {
		case <-ended:
			return nil, false
		case <-time.After(5 * time.Millisecond):
		}
	}
	if got := ask("save_config"); got != "OK" {
		t.Fatalf("save_config: %q", got)
	}
	saved := readFile(t, conf)
	cancel()
	<-ended
	return blocksOf(string(saved)), true
}

// blocksOf reads a file that wpa_supplicant has written. Such files have only one
// form: a text is in quotes or, if it is not ASCII, in hexadecimal.
func blocksOf(text string) (blocks []map[string]string) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case strings.HasPrefix(line, "network={"):
			blocks = append(blocks, map[string]string{})
		case strings.HasPrefix(line, "\t"):
			if plain, ok := strings.CutPrefix(value, `"`); ok {
				value = strings.TrimSuffix(plain, `"`)
			} else if decoded, err := hex.DecodeString(value); err == nil && (kinds[name] == isText || kinds[name] == isPassword) {
				value = string(decoded)
			}
			blocks[len(blocks)-1][name] = value
		}
	}
	return blocks
}

// compare reports where we read a network differently.
func compare(t *testing.T, n Network, theirs map[string]string) {
	t.Helper()
	s, eap := n.Settings, n.Settings.EAP
	if eap == nil {
		eap = &client.EAP{}
	}
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	priority := ""
	if s.Priority != nil && *s.Priority != 0 {
		priority = fmt.Sprint(*s.Priority)
	}
	for _, check := range [][3]string{
		{"ssid", string(n.SSID), theirs["ssid"]},
		{"passphrase", text(s.PSK), theirs["psk"] + theirs["sae_password"]},
		{"scan_ssid", fmt.Sprint(s.Hidden != nil && *s.Hidden), fmt.Sprint(theirs["scan_ssid"] == "1")},
		{"priority", priority, theirs["priority"]},
		{"bssid", strings.ToLower(text(s.BSSID)), theirs["bssid"]},
		{"eap", strings.ToUpper(eap.Method), theirs["eap"]},
		{"identity", eap.Identity, theirs["identity"]},
		{"anonymous_identity", eap.AnonymousIdentity, theirs["anonymous_identity"]},
		{"password", eap.Password, theirs["password"]},
		{"ca_cert", eap.CACert, theirs["ca_cert"]},
		{"client_cert", eap.ClientCert, theirs["client_cert"]},
		{"private_key", eap.PrivateKey, theirs["private_key"]},
		{"private_key_passwd", eap.PrivateKeyPassword, theirs["private_key_passwd"]},
		{"domain_suffix_match", eap.ServerName, theirs["domain_suffix_match"]},
	} {
		if check[1] != check[2] {
			t.Errorf("%q: %s is %q, by wpa_supplicant %q", n.SSID, check[0], check[1], check[2])
		}
	}
}

// TestRealSupplicantReadsTheSameFile compares each network that we take over.
func TestRealSupplicantReadsTheSameFile(t *testing.T) {
	text := readFile(t, "testdata/wpa_supplicant.conf")
	blocks, ok := savedBySupplicant(t, strings.Replace(string(text), "ctrl_interface=DIR=/run/wpa_supplicant GROUP=netdev", "", 1))
	if !ok {
		t.Fatal("wpa_supplicant refuses the file")
	}
	theirs := map[string]map[string]string{} // by name, the first network that is not disabled
	for _, block := range blocks {
		name := block["ssid"]
		if inner, ok := strings.CutPrefix(name, "P"); ok {
			name = unescape(inner)
		}
		if _, again := theirs[name]; !again && block["disabled"] == "" {
			theirs[name] = block
		}
	}
	networks, _ := Read(text)
	for _, n := range networks {
		compare(t, n, theirs[string(n.SSID)])
	}
	if len(networks) < 8 {
		t.Errorf("%d networks were compared", len(networks))
	}
}

// TestRealSupplicantReadsTheSame has one network in each row. If wpa_supplicant
// refuses the file, we must take nothing and report why.
func TestRealSupplicantReadsTheSame(t *testing.T) {
	psk := func(lines string) string { return "network={\n ssid=\"Attic\"\n" + lines + "\n}\n" }
	open := func(lines string) string { return "network={\n key_mgmt=NONE\n" + lines + "\n}\n" }
	eap := func(lines string) string {
		return "network={\n ssid=\"Campus\"\n key_mgmt=WPA-EAP\n eap=PEAP\n ca_cert=\"/ca.pem\"\n" + lines + "\n}\n"
	}
	const key = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
	for _, tt := range []struct{ name, text string }{
		{"a comment behind a passphrase", psk(`psk="lamp#ladder" # mine`)},
		{"quotes in the comment", psk(`psk="lampladder" # the "old" one`)},
		{"quotes and a # in the passphrase", psk(`psk="say "che#ese" twice"`)},
		{"quotes in the passphrase", psk(`psk="say "cheese" twice"`)},
		{"something behind the passphrase", psk(`psk="lampladder"x`)},
		{"no closing quote", psk(`psk="lampladder`)},
		{"a passphrase without quotes", psk(`psk=lampladder`)},
		{"a passphrase without quotes, cut by a comment", psk(`psk=lampladder#7`)},
		{"a passphrase with escapes", psk(`psk=P"lampladder"`)},
		{"a passphrase of 7 bytes", psk(`psk="lampamp"`)},
		{"a passphrase of 63 bytes", psk(`psk="` + strings.Repeat("x", 63) + `"`)},
		{"a passphrase of 64 bytes", psk(`psk="` + strings.Repeat("x", 64) + `"`)},
		{"a passphrase of UTF-8", psk(`psk="lämpladder"`)},
		{"a passphrase with a control character", psk("psk=\"lamp\x01ladder\"")},
		{"a key", psk("psk=" + strings.ToLower(key))},
		{"a key of 63 digits", psk("psk=" + key[1:])},
		{"a key after a passphrase", psk("psk=\"lampladder\"\n psk=" + strings.ToLower(key))},
		{"a passphrase after a key", psk("psk=" + key + "\n psk=\"lampladder\"")},
		{"a passphrase that is unset", psk("psk=NULL")},
		{"a space behind =", psk(`psk= "lampladder"`)},
		{"a space before =", psk(`psk ="lampladder"`)},
		{"a line without =", psk("psk=\"lampladder\"\n scan_ssid")},
		{"key_mgmt in small letters", psk("psk=\"lampladder\"\n key_mgmt=wpa-psk")},
		{"WPA3 by hexadecimal digits", psk("key_mgmt=SAE\n sae_password=6cc3a46d70652d6c6164646572")},
		{"WPA3 without quotes", psk("key_mgmt=SAE\n sae_password=lampladder")},
		{"a password by hexadecimal digits", eap("identity=6ac3bc7267656e\n password=73c3bcc39f7761737365722d37")},
		{"a password without quotes", eap("identity=\"me\"\n password=hunter2")},
		{"a password with escapes", eap(`identity="me"` + "\n" + `password=P"hunter\x32"`)},
		{"an identity that is unset", eap("identity=NULL\n password=\"hunter2\"")},
		{"a method in small letters", eap("eap=peap\n identity=\"me\"\n password=\"hunter2\"")},
		{"a name in hexadecimal digits", open("ssid=636166c3a9 # café")},
		{"a name in hexadecimal digits, odd", open("ssid=636")},
		{"a name with a quote in it", open(`ssid="say "cheese""`)},
		{"a name with a comment behind it, of quotes", open(`ssid="a" # say "hi"`)},
		{"a name twice", open("ssid=\"a\"\n ssid=\"b\"")},
		{"escapes that are none", open(`ssid=P"\q\8\x41\x4"`)},
		{"octal escapes", open(`ssid=P"\101\1012\400"`)},
		{"a backslash at the end", open(`ssid=P"a\"`)},
		{"backslashes without P", open(`ssid="a\n"`)},
		{"a number in octal", open("ssid=\"a\"\n priority=010")},
		{"a number in hexadecimal", open("ssid=\"a\"\n priority=0x10")},
		{"a number with a space", open("ssid=\"a\"\n priority= -7")},
		{"no number", open("ssid=\"a\"\n priority=")},
		{"two numbers", open("ssid=\"a\"\n priority=5 5")},
		{"a number that is none", open("ssid=\"a\"\n priority=high")},
		{"scan_ssid of 2", open("ssid=\"a\"\n scan_ssid=2")},
		{"any cell", open("ssid=\"a\"\n bssid=any")},
		{"any cell, in capitals", open("ssid=\"a\"\n bssid=ANY")},
		{"a cell", open("ssid=\"a\"\n bssid=02:00:00:00:00:0A")},
		{"a cell without colons", open("ssid=\"a\"\n bssid=020000000001")},
		{"a space before the brace", "network ={\n ssid=\"a\"\n key_mgmt=NONE\n}\n"},
		{"a brace on the next line", "network=\n{\n ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n}\n"},
		{"a network on one line", "network={ ssid=\"Attic\" psk=\"lamp-and-ladder\" }\n"},
		{"a network that begins on the line of the brace", "network={ ssid=\"Attic\"\n psk=\"lamp-and-ladder\"\n}\n"},
		{"something behind the closing brace", "network={\n ssid=\"a\"\n key_mgmt=NONE\n} x\n"},
		{"a comment behind the closing brace", "network={\n ssid=\"a\"\n key_mgmt=NONE\n} # x\n"},
		{"a network in a network", "network={\nnetwork={\n ssid=\"a\"\n key_mgmt=NONE\n}\n"},
		{"the ends of lines of Windows", strings.ReplaceAll(psk(`psk="lampladder"`), "\n", "\r\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			blocks, accepted := savedBySupplicant(t, tt.text)
			networks, problems := Read([]byte(tt.text))
			switch {
			case !accepted && (len(networks) > 0 || len(problems) == 0):
				t.Errorf("wpa_supplicant refuses it; we have %d networks and say %v", len(networks), problems)
			case accepted && len(networks) != len(blocks):
				// A network that can never be joined must be left out with a reason.
				if len(problems) == 0 || !bytes.Contains([]byte(fmt.Sprint(problems)), []byte("passphrase")) {
					t.Errorf("wpa_supplicant has %v; we have %d networks and say %v", blocks, len(networks), problems)
				}
			case accepted:
				for i, n := range networks {
					compare(t, n, blocks[i])
				}
			}
		})
	}
}
