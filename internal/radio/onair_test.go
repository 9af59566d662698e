package radio

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// TestOnAir checks that the channel of an access point is reported as hostapd has it,
// from the moment at which it is up, and no longer than it is up.
func TestOnAir(t *testing.T) {
	r := wired(t, "wlan0")
	netnstest.Run(t, "ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "phone0")
	netnstest.Run(t, "ip", "link", "set", "phone0", "up")
	netnstest.Run(t, "ip", "link", "set", "lo", "up")
	dir, err := os.MkdirTemp("/tmp", "ap") // a short name: that of a socket has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r.runner.Dir, r.runner.Self = dir, "/proc/self/exe"
	r.ap = ap.New(ap.Config{
		Interface: "wlan0", Driver: "none", SSID: "printer", Channel: 11,
		Address:    netip.MustParsePrefix("10.250.250.1/24"),
		RangeFirst: netip.MustParseAddr("10.250.250.100"), RangeLast: netip.MustParseAddr("10.250.250.200"),
		Hostapd: "/usr/sbin/hostapd", Dnsmasq: "/usr/sbin/dnsmasq", RuntimeDir: dir, StateDir: t.TempDir(), User: "root",
	}, r.runner, interfaces.New(func() {}).Owner("access point"), r.log)
	r.ap.OnAir = func(cell ap.Cell) { r.cell.Store(&cell) }
	t.Cleanup(func() {
		if err := r.ap.End(context.Background()); err != nil {
			t.Error(err)
		}
	})

	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan *ap.Cell, 1), make(chan error, 1)
	go func() {
		ended <- r.holdAP(ctx, func(stage policy.Stage) {
			if stage == policy.StageReady {
				ready <- r.OnAir()
			}
		})
	}()
	select {
	case got := <-ready:
		if got == nil || got.Channel != 11 || got.Width != 20 {
			t.Errorf("told when it is up: %+v, want channel 11, 20 MHz", got)
		}
	case err := <-ended:
		t.Fatalf("not up: %v", err)
	}
	stop()
	<-ended
	if got := r.OnAir(); got != nil {
		t.Errorf("told when it is not up any more: %+v", got)
	}
}
