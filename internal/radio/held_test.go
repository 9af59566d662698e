package radio

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

func TestHeldLease(t *testing.T) {
	address := netip.MustParsePrefix("192.0.2.7/24")
	has := func(prefix netip.Prefix, valid time.Duration) *link.Snapshot {
		return &link.Snapshot{
			Taken:     time.Now().Add(-time.Minute),
			Links:     []link.Link{{Index: 3, Name: "wlan0"}},
			Addresses: []link.Address{{Index: 3, Prefix: prefix, ValidLifetime: valid}},
		}
	}
	for _, tt := range []struct {
		name     string
		snapshot *link.Snapshot
		expire   time.Duration
		want     time.Duration // its age; negative: it is not held
	}{
		{"it is there", has(address, 41*time.Minute), time.Hour, 20 * time.Minute},
		{"it has just ended", has(address, time.Minute), time.Hour, -1},
		{"it is valid for longer than it was given", has(address, 9*time.Hour), time.Hour, 0},
		{"another address", has(netip.MustParsePrefix("192.0.2.8/24"), time.Hour), time.Hour, -1},
		{"another subnet", has(netip.MustParsePrefix("192.0.2.7/16"), time.Hour), time.Hour, -1},
		{"somebody else made it", has(address, link.Forever), time.Hour, -1},
		{"it is too long for the kernel", has(address, link.Forever), 30 * 24 * time.Hour, 10 * 365 * 24 * time.Hour},
		{"it does not end", has(address, link.Forever), 0, 10 * 365 * 24 * time.Hour},
		{"no such interface", &link.Snapshot{}, time.Hour, -1},
		{"nothing is known", nil, time.Hour, -1},
		{"static address", has(address, link.Forever), 0, -1},
	} {
		// The clock was ten years behind when the lease was given.
		lease := dhcp.Lease{Address: address, Expire: tt.expire, Acquired: time.Now().AddDate(-10, 0, 0)}
		if tt.name != "static address" {
			lease.Server = netip.MustParseAddr("192.0.2.1")
		}
		got, held := heldLease(tt.snapshot, "wlan0", lease)
		if held != (tt.want >= 0) || held && (time.Since(got.Acquired)-tt.want).Abs() > 72*time.Hour {
			t.Errorf("%s: held %v, age %v", tt.name, held, time.Since(got.Acquired))
		}
		if held && tt.want < 24*time.Hour && (time.Since(got.Acquired)-tt.want).Abs() > time.Second {
			t.Errorf("%s: age %v, want %v", tt.name, time.Since(got.Acquired), tt.want)
		}
	}
}

// TestRestartWhileTheServerIsSilent checks that the next daemon keeps a lease that is
// still valid, but that a new attempt does not, nor one that a person asks for.
func TestRestartWhileTheServerIsSilent(t *testing.T) {
	router := netnstest.Another(t)
	r := openStation(t, router)
	server := router.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--port=0",
		"--interface=home", "--bind-dynamic", "--no-ping", "--dhcp-range=198.51.100.50,198.51.100.60,1h",
		"--dhcp-leasefile="+filepath.Join(r.dir, "leases"))
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	stopServer := func() { _ = server.Process.Kill(); _ = server.Wait() }
	t.Cleanup(stopServer)
	home := policy.Target{Station: policy.Station{Wanted: true, Network: policy.Network{SSID: "home"}}}
	if err := holdUntilReady(t.Context(), r, home); err != nil {
		t.Fatalf("with a server: %v", err)
	}
	stopServer()

	next := restarted(t, r)
	if err := holdUntilReady(t.Context(), next, home); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	asked := home
	asked.Station.Asked = true
	for _, tt := range []struct {
		name   string
		radio  *radio
		target policy.Target
	}{
		{"tried again by the same daemon", next, home},
		{"a person asks the next daemon for it", restarted(t, r), asked},
	} {
		const silence = 6 * time.Second // the lease was kept after half of it
		ctx, cancel := context.WithTimeout(t.Context(), silence)
		defer cancel()
		if err := holdUntilReady(ctx, tt.radio, tt.target); err == nil {
			t.Errorf("%s: it has an address", tt.name)
		}
	}
}

// openStation is a radio in the open network "home", over a cable: to
// wpa_supplicant's driver for cables, every open network is there.
func openStation(t *testing.T, router *netnstest.Namespace) *radio {
	t.Helper()
	r := wired(t, "sta0")
	networks := &store.Store{}
	var err error
	if networks, err = store.Open(filepath.Join(r.dir, "networks.json")); err != nil {
		t.Fatal(err)
	}
	if err := networks.Add(store.Network{Network: wifi.Network{SSID: []byte("home")}}); err != nil {
		t.Fatal(err)
	}
	r.networks = networks
	r.station = cableStation(r)
	t.Cleanup(func() {
		if err := r.runner.EndAll(context.Background()); err != nil {
			t.Error(err)
		}
	})
	netnstest.Run(t, "ip", "link", "add", "sta0", "type", "veth", "peer", "name", "home", "netns", router.String())
	router.Run("ip", "addr", "add", "198.51.100.1/24", "dev", "home")
	router.Run("ip", "link", "set", "home", "up")
	return r
}

func cableStation(r *radio) *wifi.Station {
	return wifi.NewStation(wifi.StationConfig{
		Interface: r.iface, Program: "/usr/sbin/wpa_supplicant", Driver: "wired", RuntimeDir: r.dir, Runner: r.runner, Log: r.log,
	})
}

// restarted is the radio as the next daemon has it, which looks at the kernel
// before it does anything. The monitor of the one before may not have seen the
// address yet.
func restarted(t *testing.T, r *radio) *radio {
	t.Helper()
	next := *r
	next.monitor = monitoring(t)
	awaitView(t, &next, func(*link.Snapshot) bool { return true })
	next.runner = &process.Runner{Dir: r.dir, Log: slog.New(slog.DiscardHandler)}
	t.Cleanup(next.runner.Close)
	next.station = cableStation(&next)
	next.backend = supplicant{&next}
	return &next
}

// holdUntilReady returns why the radio was not ready, and leaves everything running
// if it was.
func holdUntilReady(ctx context.Context, r *radio, target policy.Target) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := false
	err := r.hold(ctx, target, func(stage policy.Stage) {
		if stage == policy.StageReady {
			ready = true
			cancel()
		}
	})
	if ready {
		return nil
	}
	return err
}
