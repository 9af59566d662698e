package daemon

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
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
		s := &scanner{iface: func() string { return "absent0" }, scan: func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error) { return nil, tt.err }}
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
