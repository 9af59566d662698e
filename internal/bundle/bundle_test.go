package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/doctor"
)

// These are secrets as people choose them. The test plants them wherever a secret
// could be.
const (
	apPSK    = `it's a "secret" & more`
	homePSK  = "correct horse battery"
	homeKey  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	eapPass  = "Tr0ub4dor&3"
	unknown  = "nobody-told-us-this-one"
	longPass = homePSK + " staple" // contains another secret
)

// unpack returns the whole text of an archive, and the names of its files.
func unpack(t *testing.T, archive []byte) (text string, names []string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(packed); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return text, names
		}
		content, readErr := io.ReadAll(files)
		if err != nil || readErr != nil || header.Mode != 0o600 {
			t.Fatal(header, err, readErr)
		}
		text += string(content)
		names = append(names, header.Name)
	}
}

// TestNoSecretIsPacked plants secrets in every part, in every form.
func TestNoSecretIsPacked(t *testing.T) {
	dir := t.TempDir()
	plant := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	quoted, _ := json.Marshal(apPSK)
	file := plant("netconnectd.yaml", "ap:\n  psk: "+string(quoted)+"\n# the old psk: "+unknown+"\n")
	plant("networks.json", `{"version":1,"networks":[{"ssid":"486f6d65","psk":"`+homePSK+`"},{"ssid":"aa","psk":"`+longPass+`","eap":{"method":"peap","identity":"anna","password":"`+eapPass+`"}}]}`)
	plant("hostapd.conf", "interface=wlan0\nwpa_psk="+homeKey+"\n")
	args := []string{"--config", file, "--path-state", dir, "--path-runtime", dir, "--address", dir + "/socket"}
	cfg, _, err := config.Load(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	values, err := config.Values(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := Collect(t.Context(), Device{Version: "1.2.3", Config: cfg, Settings: values, Findings: []doctor.Finding{{ID: "config", What: "the passphrase is " + apPSK}}})
	for i, p := range parts { // as if the collected content itself held the secrets
		if strings.HasSuffix(p.Name, ".json") {
			parts[i].Content, _ = json.Marshal(map[string]any{
				"was": json.RawMessage(p.Content), "text": apPSK + homeKey, "psk": unknown,
				"list": []any{map[string]any{"password": unknown, "private_key_password": eapPass, "has_psk": true, "bssid": "02:00:5e:10:20:30"}},
			})
		} else {
			parts[i].Content = append(p.Content, "msg=\"joined with "+longPass+"\" psk="+unknown+"\npassword: \""+unknown+"\"\n"+
				"wpa_passphrase="+unknown+" and spaces\nhex "+strings.ToUpper(hex.EncodeToString([]byte(homePSK)))+" key "+homeKey+"\n"+
				"probe http://user:"+unknown+"@example.org/ of 02:00:5E:10:20:30 and fe80::200:5eff:fe10:2030\n"...)
		}
	}
	var archive bytes.Buffer
	if err := Write(&archive, parts, NewRedactor(Secrets(t.Context(), cfg)), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	text, names := unpack(t, archive.Bytes())
	for _, secret := range []string{apPSK, strings.Trim(string(quoted), `"`), homePSK, "staple", homeKey, eapPass, unknown, hex.EncodeToString([]byte(homePSK)), "10:20:30", "10:2030"} {
		if at := strings.Index(strings.ToLower(text), strings.ToLower(secret)); at >= 0 {
			t.Errorf("%q is in the bundle: …%s…", secret, text[max(0, at-60):min(len(text), at+60)])
		}
	}
	for _, want := range []string{"ap.psk: [redacted] (line 2)", "ap.channel: 3 (default)", `"has_psk": true`, "02:00:5e:xx:xx:01", "netconnectd 1.2.3", "PRETTY_NAME=", Hidden} {
		if !strings.Contains(text, want) {
			t.Errorf("the bundle lacks %q", want)
		}
	}
	want := "README findings.json settings.txt versions.txt status.json networks.json network.json journal.txt"
	if got := strings.ReplaceAll(strings.Join(names, " "), "netconnectd/", ""); got != want {
		t.Errorf("files %s, want %s", got, want)
	}
}

// TestStoppedDaemonIsNotAsked checks that the bundle does not connect to a stopped
// daemon's socket, as that would start the daemon.
func TestStoppedDaemonIsNotAsked(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	for _, p := range fromDaemon(t.Context(), Device{Config: &config.Config{Socket: socket}, Silence: "netconnectd.service is inactive"}) {
		if got := string(p.Content); got != `{"error":"netconnectd.service is inactive"}` {
			t.Errorf("%s: %s", p.Name, got)
		}
	}
}

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"an empty setting", "a.txt", `ap.psk: "" (default)`, `ap.psk: "" (default)`},
		{"the rest of the line", "a.txt", "psk=a b c\nnext", "psk=[redacted]\nnext"},
		{"what is in quotes", "a.txt", `psk="a \" b" ssid=home`, `psk=[redacted] ssid=home`},
		{"a word that only ends so", "a.txt", "has_psk: yes", "has_psk: yes"},
		{"addresses of the same device", "a.txt", "02:00:00:00:00:01 02:00:00:00:00:02 02:00:00:00:00:01", "02:00:00:xx:xx:01 02:00:00:xx:xx:02 02:00:00:xx:xx:01"},
		{"addresses of nobody", "a.txt", "ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"},
		{"an IPv6 address", "a.txt", "2001:db8::5eff:fe10:2030/64", "2001:db8::5eff:fexx:xxxx/64"},
		{"numbers of JSON stay as they are", "a.json", `{"n":12345678901234567890}`, "{\n  \"n\": 12345678901234567890\n}\n"},
		{"what is not JSON is left out", "a.json", "psk: 12345678", "left out: invalid character 'p' looking for beginning of value\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(NewRedactor(nil).Redact(Part{Name: tt.file, Content: []byte(tt.text)})); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
