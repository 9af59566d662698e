package declared

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

const (
	// firstAgain and lastAgain bound the pause before the DHCP client is started
	// again after it could not run, e.g. as its sockets were refused.
	firstAgain = time.Second
	lastAgain  = time.Minute

	// maxLease is far above the size of a lease file.
	maxLease = 64 << 10
)

// lease runs the DHCP client of an interface until ctx ends.
func (r *run) lease(ctx context.Context, of network.StartProtocol) {
	post := func(l *network.Lease) {
		// The interface may have gone meanwhile, which ends ctx.
		_ = r.post(ctx, network.Leased{Interface: of.Interface.Name, Session: of.Session, Lease: l})
	}
	for pause := firstAgain; ctx.Err() == nil; pause = min(2*pause, lastAgain) {
		err := r.dhcp(ctx, of, post)
		if ctx.Err() != nil {
			return
		}
		r.Log.Warn("get an address", "interface", of.Interface.Name, "device", of.Link, "err", err)
		post(nil)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (r *run) dhcp(ctx context.Context, of network.StartProtocol, post func(*network.Lease)) error {
	cfg, err := r.dhcpConfig(of)
	if err != nil {
		return err
	}
	return r.DHCP(ctx, cfg, func(e dhcp.Event) {
		switch e := e.(type) {
		case dhcp.Bound:
			r.keep(of, e.Lease)
			post(wanted(e.Lease))
		case dhcp.Renewed:
			r.keep(of, e.Lease)
			post(wanted(e.Lease))
		case dhcp.Lost:
			r.Log.Warn("lease lost", "interface", of.Interface.Name, "reason", e.Reason)
			post(nil)
		}
	})
}

func (r *run) dhcpConfig(of network.StartProtocol) (dhcp.Config, error) {
	nic, err := net.InterfaceByName(of.Link)
	if err != nil {
		return dhcp.Config{}, fmt.Errorf("find %s: %w", of.Link, err)
	}
	cfg := dhcp.Config{Interface: of.Link, HostName: of.Interface.Hostname, Log: r.Log}
	if saved := r.saved(of.Interface); saved != nil && saved.Link == of.Link {
		cfg.Previous, cfg.Held = &saved.Lease, r.has(of.Link, saved.Lease)
	}
	switch cfg.HostName {
	case "":
		if cfg.HostName, err = os.Hostname(); err != nil {
			return dhcp.Config{}, fmt.Errorf("read the host name: %w", err)
		}
	case "*":
		cfg.HostName = ""
	}
	if of.Interface.ClientID != "" {
		if cfg.ClientID, err = hex.DecodeString(of.Interface.ClientID); err != nil {
			return dhcp.Config{}, fmt.Errorf("read clientid of %s: %w", of.Interface.Name, err)
		}
		return cfg, nil
	}
	// RFC 2132 9.14: hardware type 1 (Ethernet) and address.
	cfg.ClientID = append([]byte{1}, nic.HardwareAddr...)
	return cfg, nil
}

// wanted returns what a lease wants of its interface.
func wanted(l dhcp.Lease) *network.Lease {
	search := l.Search
	if len(search) == 0 && l.Domain != "" {
		search = []string{l.Domain}
	}
	return &network.Lease{Addresses: []link.AddressSpec{l.AddressSpec()}, Routes: l.RouteSpecs(), DNS: l.DNS, Search: search}
}

// savedLease is the content of a lease file. The device belongs to the lease: another
// device may be in another network.
type savedLease struct {
	Device string     `json:"device"` // as declared
	Link   string     `json:"link"`   // the kernel's name
	Lease  dhcp.Lease `json:"lease"`
}

// leaseFile returns the path of an interface's lease. network.Read has checked that
// the name has no slash.
func (n *Network) leaseFile(name string) string { return filepath.Join(n.Dir, "lease-"+name+".json") }

// keep saves a lease, so that the next run asks for the same address with one exchange.
func (n *Network) keep(of network.StartProtocol, l dhcp.Lease) {
	data, err := json.Marshal(savedLease{of.Interface.Device, of.Link, l})
	if err == nil {
		err = atomicfile.Write(n.leaseFile(of.Interface.Name), data, 0o600)
	}
	if err != nil {
		n.Log.Warn("keep the lease", "interface", of.Interface.Name, "err", err)
	}
}

// saved returns the lease that an earlier run kept of an interface, nil if there is
// none of its device.
func (n *Network) saved(declared network.Interface) *savedLease {
	var saved savedLease
	err := ownfile.ReadJSON(n.leaseFile(declared.Name), maxLease, &saved)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		n.Log.Warn("read the lease; the server is asked for a new one", "interface", declared.Name, "err", err)
		return nil
	case saved.Device != declared.Device || !saved.Lease.Address.IsValid():
		return nil
	}
	return &saved
}

// held returns the leases that the kernel still has from an earlier run.
func (n *Network) held(spec network.Spec) map[string]*network.Lease {
	all := map[string]*network.Lease{}
	for _, declared := range spec.Interfaces {
		if declared.Proto != network.ProtoDHCP {
			continue
		}
		if saved := n.saved(declared); saved != nil && n.has(saved.Link, saved.Lease) {
			all[declared.Name] = wanted(saved.Lease)
		}
	}
	return all
}

// has reports whether the kernel has the address of a lease.
func (n *Network) has(name string, l dhcp.Lease) bool {
	seen := n.Links.Snapshot()
	nic, there := seen.Link(name)
	return there && slices.ContainsFunc(seen.AddressesOf(nic.Index), func(a link.Address) bool { return a.Prefix == l.Address })
}
