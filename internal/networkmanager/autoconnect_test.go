package networkmanager

import (
	"errors"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestAwait checks what NetworkManager may do by itself, before and after an agent
// appears, for which it tries again.
func TestAwait(t *testing.T) {
	state := func(s nm.NmDeviceState) event { return event{state: s} }
	prepare, up := state(nm.NmDeviceStatePrepare), state(nm.NmDeviceStateActivated)
	joins := []event{prepare, up}
	refused := []event{prepare, {state: nm.NmDeviceStateFailed, reason: nm.NmDeviceStateReasonNoSecrets}, state(nm.NmDeviceStateDisconnected)}
	noAddress := []event{prepare, {state: nm.NmDeviceStateFailed, reason: nm.NmDeviceStateReasonIpConfigUnavailable}, state(nm.NmDeviceStateDisconnected)}
	const agent = "agent leaves, agent netconnectd"
	// The time suffices to subscribe, which it bounds, too, and ends before
	// idleLimit, when NetworkManager is made to try again.
	const short = 2 * time.Second
	for _, tt := range []struct {
		name          string
		before, after []event
		limit         time.Duration
		code          string // "": joined
		told          string
	}{
		{"it joins", joins, nil, 10 * time.Second, "", ""},
		{"nothing happens", nil, nil, short, client.CodeNotFound, ""},
		{"the router throws it out, and not when it tries again", refused, joins, 10 * time.Second, "", agent},
		{"the router throws it out each time", refused, refused, idleLimit + time.Second, client.CodeWrongKey, agent},
		{"it had given up before", nil, joins, 10 * time.Second, "", agent},
		{"it fails for another reason, and tries again by itself", append(noAddress, joins...), nil, 10 * time.Second, "", ""},
		{"it fails for another reason", noAddress, nil, short, "no_address", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, c := start(t)
			f.script(tt.after, nil)
			f.mu.Lock()
			f.asked = func() {
				for _, e := range tt.before {
					f.become(e)
				}
			}
			f.mu.Unlock()
			err := c.Await(t.Context(), tt.limit)
			var join *wifi.JoinError
			if tt.code == "" && err != nil || tt.code != "" && (!errors.As(err, &join) || join.Code != tt.code) {
				t.Errorf("%v, want code %q", err, tt.code)
			}
			if got := f.notes(); got != tt.told {
				t.Errorf("it was told %q, want %q", got, tt.told)
			}
		})
	}
}
