package radio

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/ownfile"
	"github.com/netconnectd/netconnectd/internal/store"
)

// lasting returns a static address as a lease without a server, which never ends.
func lasting(a *store.Addressing) dhcp.Lease {
	return dhcp.Lease{Address: a.Address, Router: a.Gateway, DNS: a.DNS, Acquired: time.Now()}
}

// configure applies the lease to the interface.
func (s *session) configure(ctx context.Context, l dhcp.Lease) error {
	if err := s.addressing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.addressing.Release(1)
	spec := leaseSpec(s.iface, s.Metric, l)
	if err := s.links.Apply(ctx, spec); err != nil {
		return err
	}
	s.log.Info("lease", "iface", s.iface, "address", l.Address, "gateway", l.Router, "server", l.Server, "valid", spec.Addresses[0].Valid.Round(time.Second))
	s.leased.Store(&l)
	s.events.Lease() // publishes the name servers, as the radio may already be the uplink by IPv6 alone
	return s.saveLease(l)
}

// leaseSpec returns how the lease wants the interface.
func leaseSpec(iface string, metric uint32, l dhcp.Lease) link.Spec {
	spec := link.Spec{Name: iface, Up: true, Autoconf: true, Addresses: []link.AddressSpec{l.AddressSpec()}, Routes: l.RouteSpecs()}
	spec.Addresses[0].Metric = metric
	if until := spec.Addresses[0].Until; !until.IsZero() {
		spec.Addresses[0].Valid = max(time.Until(until), time.Second) // 0 is for ever
	}
	for i := range spec.Routes {
		spec.Routes[i].Metric = metric
	}
	return spec
}

// savedLease is the content of the lease file: the lease that the interface has, and
// the network that it belongs to.
type savedLease struct {
	SSID     string     `json:"ssid_hex"`
	Lease    dhcp.Lease `json:"lease"`
	OnlyIPv6 bool       `json:"only_ipv6,omitempty"` // the network gave no lease, but works by IPv6
}

func (r *radio) leaseFile() string { return filepath.Join(r.dir, "lease.json") }

func (s *session) saveLease(l dhcp.Lease) error {
	data, err := json.Marshal(savedLease{SSID: hex.EncodeToString(s.ssid), Lease: l, OnlyIPv6: !l.Address.IsValid()})
	if err != nil {
		return fmt.Errorf("write the lease: %w", err)
	}
	return atomicfile.Write(s.leaseFile(), data, 0o600)
}

// noteIPv6 saves that the network has IPv6 alone, so that the next run goes on with
// the network; without this note, the next run joins the network anew. A lease that
// has come meanwhile stays.
func (s *session) noteIPv6(ctx context.Context) {
	if s.addressing.Acquire(ctx, 1) != nil {
		return
	}
	defer s.addressing.Release(1)
	if s.leased.Load() != nil {
		return
	}
	if err := s.saveLease(dhcp.Lease{}); err != nil {
		s.log.Warn("note that the network has IPv6 alone", "err", err)
	}
}

// loadLease returns the lease that the interface has from that network, or nil. In
// a network that has IPv6 alone, the lease has no address.
func (r *radio) loadLease(ssid []byte) *dhcp.Lease {
	var saved savedLease
	err := ownfile.ReadJSON(r.leaseFile(), maxKept, &saved)
	if err == nil && !saved.Lease.Address.IsValid() && !saved.OnlyIPv6 {
		err = ownfile.Damaged(r.leaseFile(), errors.New("the lease has no address"))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.log.Warn("read the lease; the network is asked for a new one", "err", err)
	}
	if err != nil || saved.SSID != hex.EncodeToString(ssid) {
		return nil
	}
	return &saved.Lease
}

// maxKept is far above the size of a lease file.
const maxKept = 64 << 10

// dropLease forgets the lease, and with it the network's name servers, those of
// routers included.
func (r *radio) dropLease() error {
	r.leased.Store(nil)
	r.advertised.Store(nil)
	err := os.Remove(r.leaseFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
