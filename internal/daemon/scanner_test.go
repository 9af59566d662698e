package daemon

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestWhyNothingIsListed: what keeps a radio from scanning has a code, which
// also config_wifi gives on.
func TestWhyNothingIsListed(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code string
	}{
		{"the radio is down, or blocked", fmt.Errorf("scan on absent0: %w: %w", wifi.ErrDown, unix.ENETDOWN), codeRadioOff},
		{"the driver says that it is blocked", fmt.Errorf("scan on absent0: %w", unix.ERFKILL), codeRadioOff},
		{"there is none", fmt.Errorf("scan on absent0: %w", wifi.ErrNoInterface), "no_radio"},
		{"it is an access point", fmt.Errorf("scan on absent0: %w", wifi.ErrNotSupported), "busy"},
		{"something else", unix.EIO, ""},
	} {
		s := newScanner(func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error) { return nil, tt.err }, func() string { return "absent0" }, nil)
		_, err := s.list(t.Context(), false)
		var coded *client.Error
		if errors.As(err, &coded); err == nil || (coded == nil) != (tt.code == "") || coded != nil && coded.Code != tt.code {
			t.Errorf("%s: %v, want code %q", tt.name, err, tt.code)
		}
	}
}

// The remedy is that of the cause.
func TestDownRadioHasARemedy(t *testing.T) {
	for blocked, want := range map[bool]string{
		true:  "Wifi interface wlan0 is switched off: turn it on by `rfkill unblock wlan`, or by the device's switch",
		false: "Wifi interface wlan0 is down: try again in some seconds",
	} {
		var coded *client.Error
		if err := downError("wlan0", blocked); !errors.As(err, &coded) || coded.Message != want {
			t.Errorf("blocked %v: %v, want %q", blocked, err, want)
		}
	}
}

// Who waits for another's scan goes when its context ends: a list for each of
// many clients would hold the search for the saved networks otherwise.
func TestWaitingForAnotherScanEndsWithItsContext(t *testing.T) {
	scanning, release := make(chan struct{}), make(chan struct{})
	saved := &shelf{networks: []store.Network{ofOurs}}
	s := newScanner(func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error) {
		close(scanning)
		<-release
		return nil, nil
	}, func() string { return "absent0" }, func() book { return saved })
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
