package networkmanager

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestFilesForRoot checks that the owner of a folder or link cannot make
// NetworkManager, which reads files as root, read another file.
func TestFilesForRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives files to another user; needs root")
	}
	const stranger = 1000
	folder := t.TempDir()
	roots, somebodys, link := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "somebodys.pem"), filepath.Join(folder, "link")
	err := errors.Join(
		os.WriteFile(roots, nil, 0o644), os.WriteFile(somebodys, nil, 0o644), os.Symlink(roots, link),
		os.Chown(somebodys, stranger, stranger), os.Lchown(link, stranger, stranger),
	)
	if err != nil {
		t.Fatal(err)
	}
	work := func(path string) store.Network {
		return store.Network{Network: wifi.Network{SSID: []byte("office"), Security: wifi.EAP, Hidden: true, EAP: &wifi.EAPCredentials{
			Method: "tls", Identity: "me", CACert: "/etc/passwd", ClientCert: "/etc/passwd", PrivateKey: path, PrivateKeyPassword: secret.New("geheim"),
		}}}
	}
	for _, tt := range []struct {
		name, path string
		refused    bool
	}{
		{"root's", roots, false},
		{"somebody's", somebodys, true},
		{"root's by somebody's link", link, true},
	} {
		var wrong *FileError
		t.Run(tt.name+", new", func(t *testing.T) {
			f, c := start(t)
			if err := f.profiles().Add(work(tt.path)); errors.As(err, &wrong) != tt.refused || tt.refused && wrong.Path != tt.path {
				t.Errorf("add: %v", err)
			}
			if !tt.refused {
				return
			}
			if _, err := c.Join(t.Context(), work(tt.path), "", nil); !errors.As(err, &wrong) {
				t.Errorf("join: %v", err)
			}
		})
		for had, refused := range map[string]bool{"/etc/hostname": tt.refused, tt.path: false} { // a file that the profile names already is not new
			t.Run(tt.name+", in place of "+had, func(t *testing.T) {
				f, _ := start(t)
				f.save(work(had), ourFile)
				err := f.profiles().Replace(work(tt.path))
				if errors.As(err, &wrong) != refused || err != nil && !refused {
					t.Errorf("change: %v", err)
				}
			})
		}
	}
}

// TestKeysThatNetworkManagerKeeps checks that a profile which contains a key in place
// of its path does not reveal that key in a list.
func TestKeysThatNetworkManagerKeeps(t *testing.T) {
	for value, want := range map[string]string{
		"file:///etc/key.pem\x00":         "/etc/key.pem",
		"-----BEGIN RSA PRIVATE KEY-----": "", "\x30\x82\x01": "", "pkcs11:object=key\x00": "", "": "",
	} {
		if got := file([]byte(value)); got != want {
			t.Errorf("%q is listed as %q, want %q", value, got, want)
		}
	}
}
