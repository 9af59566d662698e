package declared

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

// manager is a network manager that tests compare.
type manager interface {
	set(device, address string) // what the device's only address is from the next start or reload on
	start()
	reload()
}

// managers make the managers that tests compare, by their names.
var managers = map[string]func(t *testing.T) manager{
	"netconnectd":      func(t *testing.T) manager { return newOurs(t) },
	"systemd-networkd": func(t *testing.T) manager { return newNetworkd(t) },
}

// ours is our network manager.
type ours struct {
	*device
	sections map[string]network.Section
}

func newOurs(t *testing.T) *ours {
	return &ours{newDevice(t), map[string]network.Section{}}
}

func (o *ours) set(device, address string) {
	o.sections[device] = section("interface", device, "device: "+device, "proto: static", "ipaddr: "+address)
}

func (o *ours) start() { o.reload() }

// reload returns when the kernel is as declared.
func (o *ours) reload() {
	before := o.applied.Load()
	o.declare(slices.Collect(maps.Values(o.sections))...)
	awaitSoon(o.t, "an Apply", func() bool { return o.applied.Load() > before })
}

// has reports whether a device has an address, and no other of IPv4.
func has(t *testing.T, device, address string) bool {
	t.Helper()
	all, err := ipv4(device)
	if err != nil {
		t.Fatal(err)
	}
	return len(all) == 1 && all[0] == address
}

// ipv4 returns the addresses of a device. The standard library reads them.
func ipv4(device string) (all []string, err error) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	addresses, err := i.Addrs()
	for _, a := range addresses {
		if a.(*net.IPNet).IP.To4() != nil {
			all = append(all, a.String())
		}
	}
	return all, err
}

// samples counts how often a device has an address.
type samples struct{ all, absent int }

// sample counts until done is closed.
func (s *samples) sample(device string, done chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		all, err := ipv4(device)
		if err != nil {
			return err
		}
		s.all++
		if len(all) == 0 {
			s.absent++
		}
	}
}

// TestAddressIsNeverAbsent changes the address of an interface within its subnet again
// and again, and checks that each of 1,000 samples has an address, and that the user's
// route stays. systemd-networkd, which does not promise that, is sampled beside it.
func TestAddressIsNeverAbsent(t *testing.T) {
	for name, new := range managers {
		t.Run(name, func(t *testing.T) {
			m := new(t)
			netnstest.Lines(t, "ip link add v0 type veth peer name v1\nip link set v1 up")
			t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "v0") })
			next := []string{"192.0.2.9/24", "192.0.2.1/24"}
			m.set("v0", next[1])
			m.start()
			awaitSoon(t, "the first address", func() bool { return has(t, "v0", next[1]) })
			var seen samples
			changes, lost := 0, 0
			for ; seen.all < 1000 || changes < 20; changes++ {
				netnstest.Run(t, "ip", "route", "replace", "198.51.100.0/24", "via", "192.0.2.254")
				address := next[changes%2]
				m.set("v0", address)
				var sampler errgroup.Group
				done := make(chan struct{})
				sampler.Go(func() error { return seen.sample("v0", done) })
				m.reload()
				awaitSoon(t, "the address", func() bool { return has(t, "v0", address) })
				close(done)
				if err := sampler.Wait(); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(netnstest.Run(t, "ip", "route"), "198.51.100.0/24") {
					lost++
				}
			}
			t.Logf("%d changes: %d of %d samples without an address, the user's route lost %d times", changes, seen.absent, seen.all, lost)
			if name == "netconnectd" && (seen.absent > 0 || lost > 0) {
				t.Error("an address or a route was absent")
			}
		})
	}
}

// TestBesideNetworkd measures how long both managers take for many interfaces.
func TestBesideNetworkd(t *testing.T) {
	netnstest.Need(t)
	if os.Getenv("NETCONNECTD_STRICT") == "" || timetest.Beside {
		t.Skip("make bench measures this, on a quiet machine")
	}
	const interfaces, rounds = 200, 3
	took := map[string]map[string][]time.Duration{}
	for round := range rounds {
		for name, new := range managers {
			if took[name] == nil {
				took[name] = map[string][]time.Duration{}
			}
			t.Run(fmt.Sprint(name, round), func(t *testing.T) { measure(t, new(t), interfaces, took[name]) })
		}
	}
	for _, column := range []string{"up", "no-op", "one address"} {
		mine, theirs := median(took["netconnectd"][column]), median(took["systemd-networkd"][column])
		t.Logf("%d interfaces, %s: %v, systemd-networkd %v", interfaces, column, mine, theirs)
		if mine >= theirs {
			t.Errorf("%s takes %v, and systemd-networkd %v", column, mine, theirs)
		}
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func batch(t *testing.T, ip *exec.Cmd, lines string) {
	t.Helper()
	ip.Stdin = strings.NewReader(lines)
	if out, err := ip.CombinedOutput(); err != nil {
		t.Errorf("ip -batch: %v: %s", err, out)
	}
}

// measure adds to took how long m takes from its start to all addresses, for a reload
// without a change, and for one address.
func measure(t *testing.T, m manager, interfaces int, took map[string][]time.Duration) {
	far := netnstest.Another(t)
	var links, ups, ends strings.Builder
	for i := range interfaces {
		fmt.Fprintf(&links, "link add s%d type veth peer name t%d netns %s\n", i, i, far)
		fmt.Fprintf(&ups, "link set t%d up\n", i)
		fmt.Fprintf(&ends, "link del s%d\n", i)
		m.set(fmt.Sprintf("s%d", i), fmt.Sprintf("10.%d.%d.1/24", i/250, i%250))
	}
	batch(t, exec.Command("ip", "-batch", "-"), links.String())
	batch(t, far.Command("ip", "-batch", "-"), ups.String())
	t.Cleanup(func() { batch(t, exec.Command("ip", "-batch", "-"), ends.String()) })
	record := func(column string, f func()) {
		began := time.Now()
		f()
		took[column] = append(took[column], time.Since(began))
	}
	record("up", func() {
		m.start()
		awaitSoon(t, "all addresses", func() bool { return assigned(t) == interfaces })
	})
	record("no-op", m.reload)
	m.set("s7", "192.0.2.1/24")
	record("one address", func() {
		m.reload()
		awaitSoon(t, "the address", func() bool { return has(t, "s7", "192.0.2.1/24") })
	})
}
