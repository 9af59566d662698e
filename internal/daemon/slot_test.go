package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/radio"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// standIn is a radio.Slot with answers that a test sets.
type standIn struct {
	slot
	networks    radio.NetworkStore
	managed     bool
	association *wifi.Association
	lease       *dhcp.Lease
	advertised  *[]netip.Addr
	cells       []wifi.BSS
	cell        *ap.Cell
	cellsErr    error
}

func (s *standIn) Networks() radio.NetworkStore   { return s.networks }
func (s *standIn) Managed() bool                  { return s.managed }
func (s *standIn) Interface() string              { return "absent0" }
func (s *standIn) Association() *wifi.Association { return s.association }
func (s *standIn) OnAir() *ap.Cell                { return s.cell }
func (s *standIn) Clients() []ap.Client           { return nil }
func (s *standIn) Lease() *dhcp.Lease             { return s.lease }

func (s *standIn) Advertised() ([]netip.Addr, bool) {
	if s.advertised == nil {
		return nil, false
	}
	return *s.advertised, true
}

func (s *standIn) Cells(context.Context, bool) ([]wifi.BSS, error) { return s.cells, s.cellsErr }

// TestWhyNothingIsListed checks the code of each reason why a radio cannot scan, also
// in the answer to config_wifi.
func TestWhyNothingIsListed(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code string
	}{
		{"the radio is down, or blocked", fmt.Errorf("scan on absent0: %w: %w", wifi.ErrDown, unix.ENETDOWN), client.CodeRadioOff},
		{"the driver says that it is blocked", fmt.Errorf("scan on absent0: %w", unix.ERFKILL), client.CodeRadioOff},
		{"there is none", fmt.Errorf("scan on absent0: %w", wifi.ErrNoInterface), "no_radio"},
		{"it is an access point", radio.ErrCannotScan, "busy"},
		{"something else", unix.EIO, ""},
	} {
		d := &daemon{radio: &standIn{cellsErr: tt.err}}
		_, err := d.listWifi(t.Context(), false)
		var coded *client.Error
		if errors.As(err, &coded); err == nil || (coded == nil) != (tt.code == "") || coded != nil && coded.Code != tt.code {
			t.Errorf("%s: %v, want code %q", tt.name, err, tt.code)
		}
	}
}

// The remedy depends on the cause.
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
