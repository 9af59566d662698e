package radio

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/ownfile"
	"github.com/netconnectd/netconnectd/internal/store"
)

// lasting is a static address as a lease that nobody gave and that does not end.
func lasting(a *store.Addressing) dhcp.Lease {
	return dhcp.Lease{Address: a.Address, Router: a.Gateway, DNS: a.DNS, Acquired: time.Now()}
}

// configure gives the interface what the lease says.
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
	s.events.Lease() // whose name servers are wanted: by IPv6 alone the radio may be the way out already
	return s.saveLease(l)
}

// leaseSpec is the interface as the lease wants it.
func leaseSpec(iface string, metric uint32, l dhcp.Lease) link.Spec {
	valid := time.Duration(0) // an infinite lease, an address for ever
	if l.Expire > 0 {
		valid = max(l.Expire-time.Since(l.Acquired), time.Second) // 0 is for ever
	}
	spec := link.Spec{
		Name: iface, Up: true, Autoconf: true,
		Addresses: []link.AddressSpec{{Prefix: l.Address, Valid: valid, Preferred: valid, Metric: metric}},
	}
	ways := l.Routes
	if l.Router.IsValid() {
		ways = append(slices.Clone(ways), dhcp.Route{Destination: everywhere(l.Router), Gateway: l.Router})
	}
	for _, way := range ways {
		spec.Routes = append(spec.Routes, link.RouteSpec{
			Destination: way.Destination, Gateway: way.Gateway, Metric: metric, Source: sourceOf(l),
			OnLink: way.Gateway.IsValid() && !l.Address.Masked().Contains(way.Gateway),
		})
	}
	return spec
}

// sourceOf is the source of what goes to the gateway. In IPv6 the kernel chooses
// it: it refuses an address that may turn out to be somebody else's, as a new one
// is for a second (RFC 4862, duplicate address detection).
func sourceOf(l dhcp.Lease) netip.Addr {
	if l.Address.Addr().Is6() {
		return netip.Addr{}
	}
	return l.Address.Addr()
}

// everywhere is the destination of a default route of the gateway's family.
func everywhere(gateway netip.Addr) netip.Prefix {
	if gateway.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// savedLease is the content of the lease file: what the interface has, and
// which network it is of.
type savedLease struct {
	SSID     string     `json:"ssid_hex"`
	Lease    dhcp.Lease `json:"lease"`
	OnlyIPv6 bool       `json:"only_ipv6,omitempty"` // the network gave no lease, and is one all the same
}

func (r *radio) leaseFile() string { return filepath.Join(r.dir, "lease.json") }

func (s *session) saveLease(l dhcp.Lease) error {
	data, err := json.Marshal(savedLease{SSID: hex.EncodeToString(s.ssid), Lease: l, OnlyIPv6: !l.Address.IsValid()})
	if err != nil {
		return fmt.Errorf("write the lease: %w", err)
	}
	return atomicfile.Write(s.leaseFile(), data, 0o600)
}

// noteIPv6 saves that the network has IPv6 alone, for the next run, which goes on
// with it; where that fails, the next run joins it anew. A lease that has come
// meanwhile stays.
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

// maxKept is far above what the file of a lease has.
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
