package radio

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Who waits for another's scan goes when its context ends: a list for each of
// many clients would hold the search for the saved networks otherwise.
func TestWaitingForAnotherScanEndsWithItsContext(t *testing.T) {
	scanning, release := make(chan struct{}), make(chan struct{})
	saved := &store.Store{}
	if err := saved.Add(store.Network{Network: wifi.Network{SSID: []byte("office")}}); err != nil {
		t.Fatal(err)
	}
	s := newScanner(func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error) {
		close(scanning)
		<-release
		return nil, nil
	}, func() string { return "absent0" }, func() NetworkStore { return saved })
	first := make(chan error, 1)
	go func() { _, err := s.list(t.Context(), true); first <- err }()
	<-scanning
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, look := range map[string]func() error{
		"list":                     func() error { _, err := s.list(ctx, true); return err },
		"look for a saved network": func() error { _, err := s.SavedVisible(ctx, true); return err },
	} {
		done := make(chan error, 1)
		go func() { done <- look() }()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it waits although its context has ended", name)
		}
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
