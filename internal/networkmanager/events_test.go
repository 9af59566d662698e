package networkmanager

import (
	"testing"

	nm "github.com/Wifx/gonetworkmanager/v3"
)

// TestChange checks what a signal may have changed, because the daemon asks
// NetworkManager only about that.
func TestChange(t *testing.T) {
	state := func(former, now nm.NmDeviceState) event { return event{former: former, state: now} }
	for _, tt := range []struct {
		name string
		e    event
		want Change
	}{
		{"on the way into a network", state(nm.NmDeviceStateDisconnected, nm.NmDeviceStatePrepare), Change{Joined: true}},
		{"in a network", state(nm.NmDeviceStateSecondaries, nm.NmDeviceStateActivated), Change{Joined: true}},
		{"the radio is taken", state(nm.NmDeviceStateUnmanaged, nm.NmDeviceStateUnavailable), Change{Managed: true, Joined: true}},
		{"the radio is left", state(nm.NmDeviceStateActivated, nm.NmDeviceStateUnmanaged), Change{Managed: true, Joined: true}},
		{"an activation", event{active: fakeActive, activation: nm.NmActiveConnectionStateActivated}, Change{Joined: true}},
		{"a device is added", event{}, Change{Managed: true, Joined: true}},
		{"a profile, or NetworkManager itself", event{profiles: true}, Change{Managed: true, Joined: true, Profiles: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.e.change(); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
