package declared

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/network"
)

// kernel plays the kernel and the DHCP server for a Network.
type kernel struct {
	mu      sync.Mutex
	seen    link.Snapshot
	hint    chan struct{}
	applied []string      // what was desired at each Apply
	err     error         // of each Apply
	slow    time.Duration // of each Apply
	asked   []dhcp.Config
	on      func(dhcp.Event) // of the client that runs; nil: none does
}

func (k *kernel) Snapshot() *link.Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.seen
	return &s
}

func (k *kernel) Subscribe() (<-chan struct{}, func()) { return k.hint, func() {} }

// plug adds a link with a carrier.
func (k *kernel) plug(name string, addresses ...string) {
	k.mu.Lock()
	index := len(k.seen.Links) + 1
	k.seen.Links = append(k.seen.Links, link.Link{Index: index, Name: name, Carrier: true})
	for _, a := range addresses {
		k.seen.Addresses = append(k.seen.Addresses, link.Address{Index: index, Prefix: netip.MustParsePrefix(a)})
	}
	k.mu.Unlock()
	k.hint <- struct{}{}
}

func (k *kernel) Apply(ctx context.Context, want link.Desired) (link.Outcome, error) {
	time.Sleep(k.slow)
	k.mu.Lock()
	defer k.mu.Unlock()
	var text []string
	for _, l := range want.Links {
		text = append(text, l.Name)
		for _, a := range l.Addresses {
			text = append(text, fmt.Sprintf("%v for %v", a.Prefix, a.Valid))
		}
	}
	k.applied = append(k.applied, strings.Join(text, " "))
	return link.Outcome{}, k.err
}

// Plan implements Kernel.
func (k *kernel) Plan(context.Context, link.Desired) ([]link.Change, error) {
	return []link.Change{{Link: "eth0", Path: "lan", Text: "add address 192.0.2.1/24", Class: link.InPlace}}, k.err
}

func (k *kernel) dhcp(ctx context.Context, cfg dhcp.Config, on func(dhcp.Event)) error {
	k.mu.Lock()
	k.asked, k.on = append(k.asked, cfg), on
	k.mu.Unlock()
	<-ctx.Done()
	k.mu.Lock()
	k.on = nil
	k.mu.Unlock()
	return ctx.Err()
}

// play runs a Network in a bubble of synctest, beside a kernel with the link lo.
func play(t *testing.T, dir string, story func(t *testing.T, n *Network, k *kernel)) {
	synctest.Test(t, func(t *testing.T) {
		k := &kernel{hint: make(chan struct{}, 1)}
		n := New(Parts{
			Dir: dir, Links: k, Kernel: k, DHCP: k.dhcp,
			Changed: func() {}, Log: slog.New(slog.DiscardHandler),
		})
		ctx, stop := context.WithCancel(t.Context())
		var ran sync.WaitGroup
		ran.Go(func() {
			if err := n.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		k.plug("lo")
		story(t, n, k)
		stop()
		ran.Wait()
	})
}

func (k *kernel) check(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	if got := strings.Join(k.applied, "; "); got != strings.Join(want, "; ") {
		t.Fatalf("applied %q, want %q", k.applied, want)
	}
	k.applied = nil
}

func static(name, device, prefix string) network.Interface {
	return network.Interface{
		Place: network.Place{Path: name}, Name: name, Device: device, Proto: network.ProtoStatic, Auto: true, ForceLink: true,
		Addresses: []link.AddressSpec{{Prefix: netip.MustParsePrefix(prefix)}},
	}
}

func declare(t *testing.T, n *Network, interfaces ...network.Interface) {
	t.Helper()
	if _, err := n.Declare(t.Context(), network.Spec{Interfaces: interfaces}); err != nil {
		t.Fatal(err)
	}
}

// TestFollowsTheKernel checks that a device that appears gets what is declared, and
// that the status shows both states.
func TestFollowsTheKernel(t *testing.T) {
	play(t, t.TempDir(), func(t *testing.T, n *Network, k *kernel) {
		declare(t, n, static("lan", "eth0", "192.0.2.1/24"))
		k.check(t, "")
		if s, err := n.Status("lan"); err != nil || s.Up || len(s.Errors) != 1 || s.Errors[0].Code != "NO_DEVICE" {
			t.Errorf("%+v, %v", s, err)
		}
		foreign := static("vpn", "eth0", "192.0.2.2/24")
		foreign.Proto = "wireguard"
		declare(t, n, static("lan", "eth0", "192.0.2.1/24"), foreign)
		k.check(t, "")
		if s, err := n.Status("vpn"); err != nil || s.Up || len(s.Errors) != 1 || s.Errors[0].Code != "INVALID_PROTO" || s.Errors[0].Subsystem != "proto" {
			t.Errorf("%+v, %v", s, err)
		}
		k.plug("eth0")
		k.check(t, "eth0 192.0.2.1/24 for 0s")
		if s, err := n.Status("lan"); err != nil || !s.Up || s.L3Device != "eth0" || len(s.IPv4Addresses) != 1 || s.Errors != nil {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestNameServers checks that the name servers of a link are those of its interfaces
// that are up, and that they and the links are in the order of dns_metric.
func TestNameServers(t *testing.T) {
	play(t, t.TempDir(), func(t *testing.T, n *Network, k *kernel) {
		k.plug("eth0")
		k.plug("br-lan")
		asks := func(name, device, server string, metric uint32) network.Interface {
			i := static(name, device, "192.0.2.1/24")
			i.DNS, i.DNSSearch, i.DNSMetric = []netip.Addr{netip.MustParseAddr(server)}, []string{name}, metric
			return i
		}
		declare(t, n, asks("late", "eth0", "192.0.2.53", 2), asks("early", "eth0", "192.0.2.54", 1), asks("other", "br-lan", "192.0.2.55", 0), static("silent", "br-lan", "192.0.2.2/24"), asks("absent", "eth1", "192.0.2.56", 0))
		synctest.Wait()
		if got := fmt.Sprint(n.NameServers()); got != "[{br-lan [192.0.2.55] [other]} {eth0 [192.0.2.54 192.0.2.53] [early late]}]" {
			t.Error(got)
		}
	})
}

// TestLatestWins checks that what is desired while an Apply runs is applied once, as
// it is at the end.
func TestLatestWins(t *testing.T) {
	play(t, t.TempDir(), func(t *testing.T, n *Network, k *kernel) {
		k.plug("eth0")
		synctest.Wait()
		k.slow = time.Second
		for i := range 5 {
			declare(t, n, static("lan", "eth0", fmt.Sprintf("192.0.2.%d/24", i+1)))
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		k.check(t, "eth0 192.0.2.1/24 for 0s", "eth0 192.0.2.5/24 for 0s")
	})
}

// TestRefused checks that a refusal and an error of everything show in the status, and
// that both are tried again.
func TestRefused(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
	}{
		{"one declaration", errors.Join(&link.PathError{Path: "lan", Err: errors.New("EINVAL")})},
		{"everything", errors.New("EINVAL")},
	} {
		t.Run(row.name, func(t *testing.T) {
			play(t, t.TempDir(), func(t *testing.T, n *Network, k *kernel) {
				k.plug("eth0")
				synctest.Wait()
				k.err = row.err
				declare(t, n, static("lan", "eth0", "192.0.2.1/24"))
				synctest.Wait()
				if s, _ := n.Status("lan"); s.Up || len(s.Errors) != 1 || s.Errors[0].Code != "SETUP_FAILED" || s.Errors[0].Data[0] != "EINVAL" {
					t.Errorf("%+v", s)
				}
				k.mu.Lock()
				k.err = nil
				k.mu.Unlock()
				time.Sleep(2 * time.Second)
				if s, _ := n.Status("lan"); !s.Up || s.Errors != nil {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestCommands checks that a command reaches the interface, and that a name that is
// not declared is an error.
func TestCommands(t *testing.T) {
	play(t, t.TempDir(), func(t *testing.T, n *Network, k *kernel) {
		k.plug("eth0")
		declare(t, n, static("lan", "eth0", "192.0.2.1/24"))
		if err := n.Ask(t.Context(), "lan", false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s, _ := n.Status("lan"); s.Up || s.Autostart {
			t.Errorf("%+v", s)
		}
		_, err := n.Status("wan")
		for _, err := range []error{err, n.Ask(t.Context(), "wan", true)} {
			var coded *client.Error
			if !errors.As(err, &coded) || coded.Code != client.CodeNotFound {
				t.Error(err)
			}
		}
	})
}

// TestDeclareReportsItsApply checks that a caller of Declare receives the outcome of the
// first Apply of its configuration, or of an Apply that has replaced it, and never the
// outcome of an earlier Apply.
func TestDeclareReportsItsApply(t *testing.T) {
	play(t, t.TempDir(), func(t *testing.T, n *Network, k *kernel) {
		k.plug("eth0")
		synctest.Wait()
		k.slow, k.err = time.Second, &link.PathError{Path: "lan", Err: errors.New("EINVAL")}
		var applied []<-chan client.NetworkApplied
		began := time.Now()
		for i := range 3 {
			one, err := n.Declare(t.Context(), network.Spec{Interfaces: []network.Interface{static("lan", "eth0", fmt.Sprintf("192.0.2.%d/24", i+1))}})
			if err != nil {
				t.Fatal(err)
			}
			applied = append(applied, one)
			synctest.Wait()
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 2 * time.Second} {
			out := <-applied[i]
			if took := time.Since(began); took != want || len(out.Problems) != 1 || out.Problems[0] != "lan: EINVAL" {
				t.Errorf("declaration %d: %+v after %v, want %v", i, out, took, want)
			}
		}
	})
}

// TestLifetime checks that the address of a lease is applied with the time that is
// left of the lease.
func TestLifetime(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, row := range []struct {
		name  string
		until time.Time
		want  time.Duration
	}{
		{"no end", time.Time{}, 0},
		{"an hour left", now.Add(time.Hour), time.Hour},
		{"ended", now.Add(-time.Hour), time.Second},
	} {
		given := []link.AddressSpec{{Until: row.until}}
		links := []link.LinkSpec{{Addresses: given}}
		ended := endAddresses(link.Desired{Links: links}, now)
		if got := ended.Links[0].Addresses[0].Valid; got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
		if links[0].Addresses[0].Valid != 0 {
			t.Errorf("%s: the state has changed", row.name)
		}
	}
}

// TestKeptLease checks which lease of an earlier run is asked for again.
func TestKeptLease(t *testing.T) {
	wan := network.Interface{Name: "wan", Device: "eth0", Proto: network.ProtoDHCP}
	lease := dhcp.Lease{Address: netip.MustParsePrefix("192.0.2.7/24"), Acquired: time.Now(), Expire: time.Hour}
	for _, row := range []struct {
		name   string
		damage func(t *testing.T, n *Network)
		found  bool
	}{
		{"kept", func(*testing.T, *Network) {}, true},
		{"of another device", func(t *testing.T, n *Network) {
			n.keep(network.StartProtocol{Interface: network.Interface{Name: "wan", Device: "eth1"}, Link: "eth1"}, lease)
		}, false},
		{"damaged", func(t *testing.T, n *Network) {
			if err := os.WriteFile(n.leaseFile("wan"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"none", func(t *testing.T, n *Network) {
			if err := os.Remove(n.leaseFile("wan")); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := New(Parts{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
			n.keep(network.StartProtocol{Interface: wan, Link: "eth0"}, lease)
			if info, err := os.Stat(filepath.Join(n.Dir, "lease-wan.json")); err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("%v, %v", info, err)
			}
			row.damage(t, n)
			if got := n.saved(wan); (got != nil) != row.found {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestHeldLease checks that the address that the kernel still has from an earlier run
// stays while the server is asked for it again.
func TestHeldLease(t *testing.T) {
	dir := t.TempDir()
	wan := network.Interface{Name: "wan", Device: "lo", Proto: network.ProtoDHCP, Auto: true, ForceLink: true}
	play(t, dir, func(t *testing.T, n *Network, k *kernel) {
		declare(t, n, wan)
		k.check(t, "lo")
		k.on(dhcp.Bound{Lease: dhcp.Lease{Address: netip.MustParsePrefix("192.0.2.7/24"), Acquired: time.Now(), Expire: time.Hour}})
		k.check(t, "lo 192.0.2.7/24 for 1h0m0s")
	})
	play(t, dir, func(t *testing.T, n *Network, k *kernel) {
		k.mu.Lock()
		k.seen.Addresses = []link.Address{{Index: 1, Prefix: netip.MustParsePrefix("192.0.2.7/24")}}
		k.mu.Unlock()
		declare(t, n, wan)
		k.check(t, "lo 192.0.2.7/24 for 1h0m0s")
		if asked := k.asked[0]; asked.Previous == nil || !asked.Held {
			t.Errorf("%+v", asked)
		}
	})
}
