package declared

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/network"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	os.Exit(m.Run())
}

// device is a Network beside the real kernel, in a network namespace of the tests.
type device struct {
	t    *testing.T
	dir  string
	log  strings.Builder
	mu   sync.Mutex // of log
	net  *Network
	stop func()

	applied atomic.Int64 // how often Apply has ended
}

// counted is a Kernel that counts what has been applied.
type counted struct {
	Kernel
	ended *atomic.Int64
}

func (c counted) Apply(ctx context.Context, want link.Desired) (link.Outcome, error) {
	defer c.ended.Add(1)
	return c.Kernel.Apply(ctx, want)
}

func newDevice(t *testing.T) *device {
	netnstest.Need(t)
	d := &device{t: t, dir: t.TempDir()}
	d.start()
	t.Cleanup(func() {
		d.stop()
		if err := d.net.TearDown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Write implements io.Writer, for the log.
func (d *device) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(b)
}

func (d *device) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

func (d *device) start() {
	log := slog.New(slog.NewTextHandler(d, nil))
	monitor := link.NewMonitor(log)
	d.net = New(Parts{
		Dir: d.dir, Links: monitor, DHCP: dhcp.Run,
		Kernel:  counted{interfaces.New(func() {}).Declarer(filepath.Join(d.dir, "declared.json"), log), &d.applied},
		Changed: func() {}, Log: log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = monitor.Run(ctx) }) // ends with ctx
	running.Go(func() { _ = d.net.Run(ctx) })
	d.stop = func() { cancel(); running.Wait() }
}

// declare declares what the sections say.
func (d *device) declare(sections ...network.Section) {
	d.t.Helper()
	spec, problems := network.Read(sections)
	if len(problems) > 0 {
		d.t.Fatal(problems)
	}
	if _, err := d.net.Declare(d.t.Context(), spec); err != nil {
		d.t.Fatal(err)
	}
}

// section returns a section with options such as "ports: a b".
func section(kind, name string, options ...string) network.Section {
	s := network.Section{Kind: kind, Name: name, Place: network.Place{Path: kind + " " + name, Line: 1}}
	for _, text := range append([]string{"name: " + name}, options...) {
		option, values, _ := strings.Cut(text, ": ")
		s.Options = append(s.Options, network.Option{Name: option, Place: s.Place, Values: strings.Fields(values), List: strings.Contains(values, " ")})
	}
	return s
}

// await waits at most a second until the interface is up, or down, and the witness ip(8)
// has the address on the device, or has not.
func (d *device) await(name string, up bool, on, address string) {
	d.t.Helper()
	var seen string
	for end := time.Now().Add(time.Second); ; {
		s, err := d.net.Status(name)
		has := slices.Contains(addresses(d.t, on), address)
		if err == nil && s.Up == up && has == up {
			return
		}
		seen = fmt.Sprintf("up %v, errors %v, %v; ip: %v", s.Up, s.Errors, err, addresses(d.t, on))
		if time.Now().After(end) {
			d.t.Fatalf("%s is not up=%v with %s on %s: %s\n%s", name, up, address, on, seen, d.logged())
		}
	}
}

// witness is what ip(8) shows of a link.
type witness struct {
	Name      string   `json:"ifname"`
	Index     int      `json:"ifindex"`
	Flags     []string `json:"flags"`
	Addresses []struct {
		Local  string `json:"local"`
		Length int    `json:"prefixlen"`
	} `json:"addr_info"`
}

func shown(t *testing.T, name string) (found witness) {
	t.Helper()
	var all []witness
	text, err := exec.Command("ip", "-j", "addr").Output() // on its other output ip(8) warns of changes in between
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if l.Name == name {
			found = l
		}
	}
	return found
}

func addresses(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, a := range shown(t, name).Addresses {
		all = append(all, fmt.Sprintf("%s/%d", a.Local, a.Length))
	}
	return all
}

// TestHotplugInTheKernel checks that an interface comes up within a second of its
// device, goes down with it, and comes back, without many words in the log.
func TestHotplugInTheKernel(t *testing.T) {
	d := newDevice(t)
	d.declare(section("interface", "lan", "device: v0", "proto: static", "ipaddr: 192.0.2.1/24"))
	for range 2 {
		d.await("lan", false, "v0", "192.0.2.1/24")
		if s, err := d.net.Status("lan"); err != nil || s.Available || len(s.Errors) != 1 || s.Errors[0].Code != network.NoDevice {
			t.Errorf("%+v, %v", s, err)
		}
		netnstest.Run(t, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
		d.await("lan", true, "v0", "192.0.2.1/24")
		netnstest.Run(t, "ip", "link", "del", "v0")
	}
	d.await("lan", false, "v0", "192.0.2.1/24")
	if lines := strings.Count(d.logged(), "\n"); lines > 10 {
		t.Errorf("%d lines of log:\n%s", lines, d.logged())
	}
}

// TestSharedDevice checks that a device of two interfaces is up until both are down.
func TestSharedDevice(t *testing.T) {
	netnstest.Need(t)
	netnstest.Run(t, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "v0") })
	d := newDevice(t)
	d.declare(
		section("interface", "a", "device: v0", "proto: static", "ipaddr: 192.0.2.1/24"),
		section("interface", "b", "device: v0", "proto: static", "ipaddr: 198.51.100.1/24"),
	)
	d.await("a", true, "v0", "192.0.2.1/24")
	d.await("b", true, "v0", "198.51.100.1/24")
	for _, step := range []struct {
		name, address string
		up            bool
	}{{"a", "192.0.2.1/24", true}, {"b", "198.51.100.1/24", false}} {
		if err := d.net.Ask(t.Context(), step.name, false); err != nil {
			t.Fatal(err)
		}
		d.await(step.name, false, "v0", step.address)
		if up := slices.Contains(shown(t, "v0").Flags, "UP"); up != step.up {
			t.Errorf("after %s is down, v0 is up: %v", step.name, up)
		}
	}
}

// TestDevicesOnDevices checks that a macvlan on a bridge of a veth, declared in reverse
// order, goes and comes back with the veth.
func TestDevicesOnDevices(t *testing.T) {
	d := newDevice(t)
	d.declare(
		section("device", "mv0", "type: macvlan", "ifname: br0", "mode: bridge"),
		section("device", "br0", "type: bridge", "ports: v0"),
		section("interface", "lan", "device: mv0", "proto: static", "ipaddr: 192.0.2.1/24"),
	)
	for range 2 {
		netnstest.Run(t, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
		d.await("lan", true, "mv0", "192.0.2.1/24")
		netnstest.Run(t, "ip", "link", "del", "v0")
		d.await("lan", false, "mv0", "192.0.2.1/24")
	}
}

// TestNextRunAdopts checks that a run after one that was killed keeps the same links
// with their addresses, removes what is declared no longer, and leaves what is another
// program's.
func TestNextRunAdopts(t *testing.T) {
	netnstest.Need(t)
	netnstest.Lines(t, "ip link add v0 type veth peer name v1\nip link set v1 up")
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "v0") })
	d := newDevice(t)
	bridge := section("device", "br0", "type: bridge", "ports: v0")
	lan := section("interface", "lan", "device: br0", "proto: static", "ipaddr: 192.0.2.1/24", "gateway: 192.0.2.254")
	d.declare(bridge, lan, section("device", "old0", "type: bridge", "bridge_empty: 1"), section("interface", "old", "device: old0", "proto: none"))
	d.await("lan", true, "br0", "192.0.2.1/24")
	before := shown(t, "br0")
	netnstest.Lines(t, "ip addr add 203.0.113.9/24 dev br0\nip route add 198.18.0.0/24 via 203.0.113.1")
	d.stop()
	d.start()
	d.declare(bridge, lan)
	d.await("lan", true, "br0", "192.0.2.1/24")
	after := shown(t, "br0")
	if after.Index != before.Index || !slices.Contains(addresses(t, "br0"), "203.0.113.9/24") {
		t.Errorf("%+v became %+v", before, after)
	}
	if gone := shown(t, "old0"); gone.Name != "" {
		t.Errorf("%+v is still there", gone)
	}
	if routes := netnstest.Run(t, "ip", "route"); !strings.Contains(routes, "198.18.0.0/24") || !strings.Contains(routes, "default via 192.0.2.254") {
		t.Error(routes)
	}
}
