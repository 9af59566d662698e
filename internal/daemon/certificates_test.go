package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
)

// TestCertificatesAreCheckedWhenSaved checks that a file is refused if no join could
// succeed with it, or if it would hang the radio at each start.
func TestCertificatesAreCheckedWhenSaved(t *testing.T) {
	folder := t.TempDir()
	pipe, good := filepath.Join(folder, "pipe"), filepath.Join(folder, "good.pem")
	err := errors.Join(unix.Mkfifo(pipe, 0o644), os.WriteFile(good, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	password := secret.New("hunter2")
	for _, file := range []struct {
		name, path string
		want       string // part of the error; "": it is saved
	}{
		{"a certificate", good, ""},
		{"an endless device", "/dev/zero", "read the CA certificate: read /dev/zero: it is not a regular file"},
		{"a pipe", pipe, "it is not a regular file"},
		{"nothing", filepath.Join(folder, "none"), "no such file"},
	} {
		settings := server.NetworkSettings{Security: new("eap"), EAP: &server.EAP{Method: "peap", Identity: "me", Password: &password, CACert: file.path}}
		for command, req := range map[string]server.Request{
			"add_network": server.AddNetwork{SSID: []byte("work"), Settings: settings},
			"set_network": server.SetNetwork{SSID: []byte("office"), Settings: settings},
		} {
			t.Run(command+" "+file.name, func(t *testing.T) {
				onShelf(t, false, &shelf{networks: []store.Network{ofOurs}}, func(t *testing.T, d *daemon) {
					if err := d.radio.Networks().(*shelf).Store.Add(ofOurs); err != nil {
						t.Fatal(err)
					}
					_, err := d.Handle(t.Context(), server.Peer{}, req)
					var coded *client.Error
					if refused := errors.As(err, &coded); refused != (file.want != "") || refused && (coded.Code != client.CodeUnsupported || !strings.Contains(coded.Message, file.want)) {
						t.Errorf("%v, want %q", err, file.want)
					}
					for _, n := range d.radio.Networks().(*shelf).Store.Networks() {
						if (n.EAP != nil) && file.want != "" {
							t.Errorf("saved: %+v", n)
						}
					}
				})
			})
		}
	}
}
