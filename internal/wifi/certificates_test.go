package wifi

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/secret"
)

const pemText = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

// TestEAPFiles checks that a fault of a file is reported before wpa_supplicant runs,
// which would only say that the TLS library failed, or hang. Any local user who may
// change networks can name such a file.
func TestEAPFiles(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, text := range map[string]string{"good.pem": pemText, "bad.pem": "hello", "long.pem": pemText + strings.Repeat("x", maxCertificates)} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(in("pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, path, want string }{
		{"there", in("good.pem"), ""},
		{"none wanted", "", ""},
		{"absent", "/nowhere.pem", "no such file"},
		{"something else", in("bad.pem"), "not a PEM file"},
		{"an endless device", "/dev/zero", "not a regular file"},
		{"no file at all", "/dev/null", "not a PEM file"},
		{"a pipe that nobody writes to", in("pipe"), "not a regular file"},
		{"a folder", folder, "not a regular file"},
		{"too large", in("long.pem"), "more than 1048576 bytes"},
	} {
		for _, c := range []EAPCredentials{{CACert: row.path}, {ClientCert: row.path}, {PrivateKey: row.path}} {
			t.Run(row.name, func(t *testing.T) {
				copies := filepath.Join(t.TempDir(), "copies")
				copied, copyErr := c.copyFiles(t.Context(), copies)
				for _, err := range []error{c.CheckFiles(t.Context()), copyErr} {
					var verdict *JoinError
					if row.want == "" && err != nil || row.want != "" && (!errors.As(err, &verdict) || !strings.Contains(verdict.Reason, row.want)) {
						t.Errorf("error %v, want %q", err, row.want)
					}
				}
				if copyErr != nil {
					return
				}
				for _, f := range copied.Files() {
					info, err := os.Stat(f.Path)
					if err != nil || filepath.Dir(f.Path) != copies || info.Mode() != 0o600 || info.Size() != int64(len(pemText)) {
						t.Errorf("copied as %s: %v, %v", f.Path, info, err)
					}
				}
				if len(copied.Files()) != len(c.Files()) || c.Files() != nil && c.Files()[0].Path != row.path {
					t.Errorf("of %+v the copy is %+v", c, copied)
				}
			})
		}
	}
}

// TestRealWpaSupplicantReadsCopies checks that wpa_supplicant does not read a file
// that replaced the original after the check, and that the copies are removed in the
// end.
func TestRealWpaSupplicantReadsCopies(t *testing.T) {
	dir := t.TempDir()
	s, _ := realStation(t, dir)
	named := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(named, []byte(pemText), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // there is no radio, and so no network to join
	defer cancel()
	n := Network{SSID: []byte("work"), EAP: &EAPCredentials{Method: "peap", Identity: "me", Password: secret.New("p"), CACert: named}}
	if _, err := s.Associate(ctx, n); err == nil {
		t.Fatal("it has joined a network without a radio")
	}
	copied := filepath.Join(dir, "certificates", "ca.pem")
	if text, err := os.ReadFile(copied); err != nil || string(text) != pemText {
		t.Errorf("the copy: %q, %v", text, err)
	}
	if n.EAP.CACert != named {
		t.Errorf("the network's own file became %s", n.EAP.CACert)
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(copied); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy after the end: %v", err)
	}
}
