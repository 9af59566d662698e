package daemon

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// TestUplinkInterface checks the status of a wired uplink whose gateway falls silent,
// and what comes next.
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

// TestKindsOfNext checks that the policy's kinds of next steps are the protocol's.
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

// TestWhereTheAccessPointIs checks that the status has the address and the channel of
// an access point that is up.
func TestWhereTheAccessPointIs(t *testing.T) {
	links := &link.Snapshot{
		Links:     []link.Link{{Index: 3, Name: "absent0"}},
		Addresses: []link.Address{{Index: 3, Prefix: netip.MustParsePrefix("10.250.250.1/24")}},
	}
	cell := &ap.Cell{Channel: 11, Frequency: 2462, Width: 20}
	for _, tt := range []struct {
		name string
		cell *ap.Cell
		want client.AccessPoint
	}{
		{"it is up", cell, client.AccessPoint{Channel: 11, Frequency: 2462, Width: 20, Addresses: []string{"10.250.250.1/24"}}},
		{"it is not", nil, client.AccessPoint{Addresses: []string{}}},
	} {
		d := &daemon{radio: &standIn{cell: tt.cell}}
		d.cfg.Store(&config.Config{})
		got := d.accessPoint(policy.State{}, links)
		got.Condition, got.Clients = client.Condition{}, nil
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
