// Package resolver hands the name servers of a network from the daemon, which
// has no privileges, to the system. The daemon publishes a small file; a path
// unit of systemd (netconnectd-resolv.path) notices and starts
// cmd/netconnectd-resolv as root, which calls System.Apply.
package resolver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
)

const (
	// FileName is what is published, in the format of resolv.conf(5), so that
	// other programs can read it too.
	FileName = "resolv.conf"
	// PendingName is a file that exists from a publication until the root side
	// begins to read what was published. systemd does not watch a file while the
	// started unit runs, but it checks for this file again when the unit has ended
	// (systemd.path(5), PathExists=), so no publication gets lost.
	PendingName = "resolv.pending"

	// MaxServers is how many name servers programs ask (MAXNS, resolv.conf(5)).
	MaxServers = 3

	maxSearch = 6   // glibc up to 2.25, resolv.conf(5)
	maxLine   = 256 // characters of the search list, the same
)

// Config is what a network provides for resolving names.
type Config struct {
	Interface string       // the interface that leads to the servers, e.g. "wlan0"
	Servers   []netip.Addr // in order of preference
	Search    []string     // domains, e.g. "home.arpa"
}

// Publish makes c the published configuration in folder dir. It leaves out invalid
// entries and those beyond the limits. Without a usable server it withdraws the
// published configuration. Publishing the same again is harmless.
func Publish(dir string, c Config) error {
	c = c.usable()
	if len(c.Servers) == 0 {
		return Withdraw(dir)
	}
	if !validInterface(c.Interface) {
		return fmt.Errorf("publish name servers: %q is no interface name", c.Interface)
	}
	if err := atomicfile.Write(filepath.Join(dir, FileName), c.render(), 0o644); err != nil {
		return fmt.Errorf("publish name servers: %w", err)
	}
	return notify(dir)
}

// Withdraw removes what was published in dir.
func Withdraw(dir string) error {
	err := os.Remove(filepath.Join(dir, FileName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("withdraw name servers: %w", err)
	}
	return notify(dir)
}

func notify(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, PendingName), os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("announce name servers: %w", err)
	}
	return f.Close()
}

// usable returns c without entries that resolv.conf(5) cannot hold or that make no
// sense from a network.
func (c Config) usable() Config {
	kept := Config{Interface: c.Interface}
	for _, server := range c.Servers {
		server = server.Unmap().WithZone("")
		if server.Is6() && server.IsLinkLocalUnicast() {
			server = server.WithZone(c.Interface)
		}
		if len(kept.Servers) < MaxServers && validServer(server, c.Interface) && !slices.Contains(kept.Servers, server) {
			kept.Servers = append(kept.Servers, server)
		}
	}
	length := 0
	for _, domain := range c.Search {
		domain = strings.TrimSuffix(domain, ".")
		if len(kept.Search) < maxSearch && validDomain(domain) && !slices.Contains(kept.Search, domain) &&
			length+len(domain)+1 <= maxLine {
			kept.Search = append(kept.Search, domain)
			length += len(domain) + 1
		}
	}
	return kept
}

// header begins every file that we write; the interface name follows.
const header = "# netconnectd: "

func (c Config) render() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n", header, c.Interface)
	for _, server := range c.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	if len(c.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(c.Search, " "))
	}
	return b.Bytes()
}
