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

// MaxLinks is how many links can have name servers of their own, far more than a device
// with several uplinks has.
const MaxLinks = 16

// Config is what the networks of the device provide for resolving names.
type Config struct {
	Links []Link // the most preferred link first

	// Apart is set when another program sets the name servers of the uplink: then only a
	// resolver that keeps the servers of each link apart takes these ones. A resolv.conf,
	// which has one list for all, is left to the other program.
	Apart bool
}

// Link is what the network behind one link provides.
type Link struct {
	Interface string       // the link that leads to the servers, e.g. "wlan0"
	Servers   []netip.Addr // in order of preference
	Search    []string     // domains, e.g. "home.arpa"
}

// Publish makes c the published configuration in folder dir. It leaves out invalid
// entries and those beyond the limits, and links without a usable server. Without any
// link Publish withdraws the published configuration. Publishing the same again is
// harmless.
func Publish(dir string, c Config) error {
	c = c.usable()
	if len(c.Links) == 0 {
		return Withdraw(dir)
	}
	for _, l := range c.Links {
		if !validInterface(l.Interface) {
			return fmt.Errorf("publish name servers: %q is no interface name", l.Interface)
		}
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
	kept := Config{Apart: c.Apart}
	for _, l := range c.Links {
		l = merge(l.Interface, []Link{l})
		if len(l.Servers) > 0 && len(kept.Links) < MaxLinks {
			kept.Links = append(kept.Links, l)
		}
	}
	return kept
}

// merge returns the servers and domains of several links in one list each, as far as
// they are valid, are not twice, and are within the limits of resolv.conf(5).
func merge(name string, links []Link) Link {
	kept := Link{Interface: name}
	length := 0
	for _, l := range links {
		for _, server := range l.Servers {
			server = server.Unmap().WithZone("")
			if server.Is6() && server.IsLinkLocalUnicast() {
				server = server.WithZone(l.Interface)
			}
			if len(kept.Servers) < MaxServers && validServer(server, l.Interface) && !slices.Contains(kept.Servers, server) {
				kept.Servers = append(kept.Servers, server)
			}
		}
		for _, domain := range l.Search {
			domain = strings.TrimSuffix(domain, ".")
			if len(kept.Search) < maxSearch && validDomain(domain) && !slices.Contains(kept.Search, domain) &&
				length+len(domain)+1 <= maxLine {
				kept.Search = append(kept.Search, domain)
				length += len(domain) + 1
			}
		}
	}
	return kept
}

const (
	header     = "# netconnectd: " // begins every file that we write; the name of the first link follows
	linkPrefix = "# link "         // begins a line of one link: name, key, values
)

// render returns a resolv.conf(5) with the servers of all links. Where that does not
// show which link has which servers, comments behind that do.
func (c Config) render() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n", header, c.Links[0].Interface)
	if !c.Apart {
		b.Write(merge("", c.Links).render())
	}
	if len(c.Links) == 1 && !c.Apart {
		return b.Bytes()
	}
	for _, l := range c.Links {
		for line := range bytes.Lines(l.render()) {
			fmt.Fprintf(&b, "%s%s %s", linkPrefix, l.Interface, line)
		}
	}
	return b.Bytes()
}

// render returns the lines of resolv.conf(5) for one link.
func (l Link) render() []byte {
	var b bytes.Buffer
	for _, server := range l.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	if len(l.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(l.Search, " "))
	}
	return b.Bytes()
}
