package daemon

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// TestUplinkInterface: what is told of a wired uplink whose gateway falls
// silent, and what comes next.
func TestUplinkInterface(t *testing.T) {
	gateway := netip.MustParseAddr("192.0.2.1")
	links := &link.Snapshot{
		Links:     []link.Link{{Index: 2, Name: "eth0", Type: unix.ARPHRD_ETHER, Carrier: true}},
		Addresses: []link.Address{{Index: 2, Prefix: netip.MustParsePrefix("192.0.2.7/24")}},
	}
	u := policy.Uplink{Name: "eth0", Carrier: true, Addressed: true, Gateway: gateway}
	begin := time.Now().Add(-25 * time.Second)
	s := policy.State{Config: policy.Config{Fallback: true, Gateway: true, MaxLinkDown: 3, Interval: 10 * time.Second}}
	want := client.Interface{Name: "eth0", Kind: "wired", Carrier: true, Addresses: []string{"192.0.2.7/24"}, Gateway: "192.0.2.1"}
	check := func(name string, next []client.Next) {
		t.Helper()
		if diff := cmp.Diff(want, uplinkInterface(s, links, u)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(next, nextSteps(s)); diff != "" {
			t.Errorf("%s: next (-want +got):\n%s", name, diff)
		}
	}
	step := func(after time.Duration, ev policy.Event) { s, _ = policy.Step(s, begin.Add(after), ev) }

	step(0, policy.Start{})
	step(0, policy.LinksChanged{Uplinks: []policy.Uplink{u}})
	check("before the first verdict", []client.Next{})
	step(0, policy.ProbeDone{Uplink: "eth0", Gen: 1})
	want.Works, want.Probe = true, &client.Probe{OK: true, Seconds: 25}
	check("the gateway answers", []client.Next{})
	step(10*time.Second, policy.Wake{})
	step(20*time.Second, policy.ProbeDone{Uplink: "eth0", Gen: 2, Reason: "no reply"})
	want.Probe = &client.Probe{Seconds: 5, Reason: "no reply", Failures: 1}
	check("the gateway is silent", []client.Next{
		{Kind: client.NextLost, Seconds: 15, Text: "eth0 counts as lost, if its probes go on to fail"},
	})
}

// TestKindsOfNext: those of the policy are those of the protocol.
func TestKindsOfNext(t *testing.T) {
	for ours, theirs := range map[policy.NextKind]string{
		policy.NextAccessPoint: client.NextAccessPoint, policy.NextEnd: client.NextEnd, policy.NextYield: client.NextYield,
		policy.NextJoin: client.NextJoin, policy.NextScan: client.NextScan, policy.NextGiveUp: client.NextGiveUp, policy.NextLost: client.NextLost,
	} {
		if string(ours) != theirs {
			t.Errorf("%s is %s in the protocol", ours, theirs)
		}
	}
}

// TestWhereTheAccessPointIs: status has the address and the channel of an access
// point from the moment when it is up, as hostapd has them, and no longer than it
// is.
func TestWhereTheAccessPointIs(t *testing.T) {
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
	}, r.runner, link.Kernel{}, r.log)
	t.Cleanup(func() {
		if err := r.ap.End(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d := &daemon{log: slog.New(slog.DiscardHandler), monitor: r.monitor}
	d.cfg.Store(&config.Config{})
	r.live = &d.radio.live
	r.book, r.clientsChanged = &shelf{Store: &store.Store{}}, func(context.Context, int) {}
	d.radio.current.Store(r)
	told := func() client.AccessPoint { return d.status(policy.State{}, d.monitor.Snapshot()).AccessPoint }

	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan client.AccessPoint, 1), make(chan error, 1)
	go func() {
		ended <- r.holdAP(ctx, func(stage policy.Stage) {
			if stage == policy.StageReady {
				ready <- told()
			}
		})
	}()
	select {
	case got := <-ready:
		if got.Channel != 11 || got.Width != 20 {
			t.Errorf("told when it is up: %+v, want channel 11, 20 MHz", got)
		}
	case err := <-ended:
		t.Fatalf("not up: %v", err)
	}
	awaitView(t, r, func(*link.Snapshot) bool { return slices.Contains(told().Addresses, "10.250.250.1/24") })
	stop()
	<-ended
	if got := told(); got.Channel != 0 || got.Frequency != 0 || got.Width != 0 || len(got.Addresses) != 0 {
		t.Errorf("told when it is not up any more: %+v", got)
	}
}
