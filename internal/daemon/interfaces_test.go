package daemon

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/server"
)

// TestInterfaces checks that the reply to interfaces has the wanted state of a real
// interface and its result, and that a refusal of the kernel is a problem until a
// later try succeeds.
func TestInterfaces(t *testing.T) {
	netnstest.Need(t)
	netnstest.Run(t, "ip", "link", "add", "owned0", "type", "veth", "peer", "name", "far0")
	netnstest.Run(t, "ip", "link", "set", "far0", "up")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "owned0").Run() })
	d := idle(t)
	station := d.lane.Owner("station")
	want := link.Spec{
		Name: "owned0", Up: true,
		Addresses: []link.AddressSpec{{Prefix: netip.MustParsePrefix("192.0.2.7/24")}},
		Routes:    []link.RouteSpec{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.1"), Metric: 600}},
	}
	beyond := want
	beyond.Routes = []link.RouteSpec{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("203.0.113.1")}}
	listed := client.OwnedInterface{
		Interface: "owned0", Owner: "station", State: client.InterfaceApplied, Up: true,
		Addresses: []string{"192.0.2.7/24"}, Routes: []string{"0.0.0.0/0 via 192.0.2.1 metric 600"},
	}
	refused := listed
	refused.State, refused.Routes = client.InterfaceRefused, []string{"0.0.0.0/0 via 203.0.113.1"}
	for _, row := range []struct {
		name     string
		spec     link.Spec
		want     client.OwnedInterface
		problems int
	}{
		{"applied", want, listed, 0},
		{"refused", beyond, refused, 1},
		{"applied again", want, listed, 0},
	} {
		err := station.Apply(t.Context(), row.spec)
		if (err != nil) != (row.problems > 0) {
			t.Errorf("%s: %v", row.name, err)
		}
		reply, err := d.Handle(t.Context(), server.Peer{}, server.Interfaces{})
		if err != nil {
			t.Fatal(err)
		}
		got := reply.([]client.OwnedInterface)
		ignore := cmpopts.IgnoreFields(client.OwnedInterface{}, "Reason", "Seconds", "Done")
		if diff := cmp.Diff([]client.OwnedInterface{row.want}, got, ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if row.problems > 0 && !strings.Contains(got[0].Reason, "ENETUNREACH") {
			t.Errorf("%s: the reason is %q", row.name, got[0].Reason)
		}
		found := 0
		for _, p := range d.findProblems(t.Context()) {
			if p.Code == "interface" && strings.Contains(p.Text, "owned0") {
				found++
			}
		}
		if found != row.problems {
			t.Errorf("%s: %d problems, want %d", row.name, found, row.problems)
		}
	}
}
