package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/doctor"
	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

const (
	answerLimit  = 5 * time.Second // for the daemon, which answers status at once
	journalLines = "5000"          // an ordinary device logs this much in a week; 100 KiB packed
	mostRoutes   = 10_000          // a router of the Internet has a million
	mostRead     = 4 << 20         // bytes of a file; a saved network takes 300
)

// Device holds what Collect needs to know of the device.
type Device struct {
	Version  string // netconnectd's version
	Config   *config.Config
	Settings []string // in the form of config.Values
	Findings []doctor.Finding
	Silence  string // why the daemon cannot be asked, as the doctor found out; "": it can
}

// Collect gathers the parts. A part that cannot be read contains the reason.
func Collect(ctx context.Context, d Device) []Part {
	parts := []Part{
		jsonPart("findings.json", "what netconnectcli doctor found", d.Findings, nil),
		{"settings.txt", "the settings in force, and where they come from", []byte(strings.Join(d.Settings, "\n") + "\n")},
		{"versions.txt", "netconnectd, kernel, operating system, device", versions(ctx, d.Version)},
	}
	parts = append(parts, fromDaemon(ctx, d)...)
	network, err := readNetwork(ctx)
	return append(parts,
		jsonPart("network.json", "the kernel's network, as netconnectcli show full has it", network, err),
		journal(ctx))
}

// Secrets returns the device's secrets, as far as the caller may read them, so that
// they can be removed from all parts. The files are in folders of the daemon's user,
// who may have put anything there.
func Secrets(ctx context.Context, cfg *config.Config) []string {
	found := []string{cfg.AP.PSK.Reveal()}
	if text, err := namedfile.Read(ctx, filepath.Join(cfg.StateDir, "networks.json"), mostRead); err == nil {
		found = append(found, SecretsIn(text)...)
	}
	if text, err := namedfile.Read(ctx, filepath.Join(cfg.RuntimeDir, "hostapd.conf"), mostRead); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, ok := strings.CutPrefix(line, "wpa_psk="); ok {
				found = append(found, strings.TrimSpace(key))
			}
		}
	}
	return found
}

func jsonPart(name, what string, value any, err error) Part {
	var content []byte
	if err == nil {
		content, err = json.Marshal(value)
	}
	if err != nil {
		content, _ = json.Marshal(map[string]string{"error": err.Error()}) // a map of strings can always be encoded
	}
	return Part{name, what, content}
}

func fromDaemon(ctx context.Context, d Device) []Part {
	var status client.Status
	var saved []client.SavedNetwork
	err := errors.New(d.Silence)
	if d.Silence == "" {
		status, saved, err = ask(ctx, d.Config.Socket)
	}
	return []Part{
		jsonPart("status.json", "what the daemon says of itself", status, err),
		jsonPart("networks.json", "the saved networks, without their passphrases", saved, err),
	}
}

func ask(ctx context.Context, socket string) (status client.Status, saved []client.SavedNetwork, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		return status, nil, err
	}
	defer c.Close()
	if status, err = c.Status(ctx); err == nil {
		saved, err = c.ListNetworks(ctx)
	}
	return status, saved, err
}

func readNetwork(ctx context.Context) (*state.State, error) {
	s, err := kernel.Read(ctx, state.Filter{})
	if err == nil && len(s.Routes) > mostRoutes {
		s.Routes = s.Routes[:mostRoutes]
	}
	return s, err
}

func versions(ctx context.Context, version string) []byte {
	text := "netconnectd " + version + "\n"
	for _, file := range []string{"/proc/version", "/etc/os-release", "/proc/device-tree/model"} {
		if content, err := namedfile.Read(ctx, file, mostRead); err == nil {
			text += fmt.Sprintf("\n%s:\n%s\n", file, strings.TrimRight(string(content), "\n\x00"))
		}
	}
	return []byte(text)
}

// journal returns what the daemon and its programs have logged.
func journal(ctx context.Context) Part {
	p := Part{Name: "journal.txt", What: "the journal of netconnectd's units, its last " + journalLines + " lines"}
	out, err := process.Run(ctx, "/bin/journalctl",
		[]string{"--no-pager", "--quiet", "--output=short-iso-precise", "--lines=" + journalLines, "--unit=netconnectd*"}, nil)
	if err != nil {
		out = fmt.Appendln(out, "the journal could not be read:", err)
	}
	p.Content = out
	return p
}
