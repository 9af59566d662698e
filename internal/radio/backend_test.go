package radio

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/internal/networkmanager"
)

// Events of NetworkManager and reloads choose the backend, one at a time.
func TestHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the bus is gone")
		watch := func(ctx context.Context, changed func(networkmanager.Change)) error {
			changed(networkmanager.Change{Managed: true, Joined: true, Profiles: true})
			changed(networkmanager.Change{Joined: true})
			changed(networkmanager.Change{Managed: true})
			time.Sleep(time.Minute)
			return gone
		}
		hint := make(chan struct{}, 1)
		time.AfterFunc(30*time.Second, func() { hint <- struct{}{} })
		var met []bool
		err := hear(t.Context(), watch, hint, func(profiles bool) { met = append(met, profiles) })
		if want := []bool{true, false, false}; !slices.Equal(met, want) || !errors.Is(err, gone) {
			t.Errorf("met %v, %v; want %v, %v", met, err, want, gone)
		}
	})
}
