package networkmanager

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestAbsent checks that no call starts a NetworkManager that does not run.
func TestAbsent(t *testing.T) {
	c := &Client{Interface: "wlan0"}
	if _, err := c.Device(t.Context()); !errors.Is(err, ErrAbsent) {
		t.Errorf("without NetworkManager: %v, want ErrAbsent", err)
	}
	p, err := OpenProfiles(&store.Store{}, filepath.Join(t.TempDir(), "notes.json"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p.current.Store(&[]Profile{{Network: home, UUID: "1"}})
	_, findErr := p.Find(home.SSID)
	for what, err := range map[string]error{
		"find": findErr, "add": p.Add(office), "change": p.Replace(home), "remove": p.Remove(home.SSID), "read": p.Refresh(t.Context()),
	} {
		if !errors.Is(err, ErrAbsent) {
			t.Errorf("%s without NetworkManager: %v, want ErrAbsent", what, err)
		}
	}
	if _, err := os.Stat(activated); err == nil {
		t.Error("that has started NetworkManager")
	}
	_, there := start(t)
	there.Interface = "wlan9"
	if _, err := there.Device(t.Context()); !errors.Is(err, ErrAbsent) {
		t.Errorf("of an unknown interface: %v, want ErrAbsent", err)
	}
}

func TestReleaseAndHandBack(t *testing.T) {
	f, c := start(t)
	for range 2 { // the second time there is nothing to do
		if err := c.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := c.Device(t.Context()); err != nil || d.Managed || d.State != nm.NmDeviceStateUnmanaged {
		t.Errorf("released: %+v, %v", d, err)
	}
	if err := c.HandBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := f.notes(), "managed false, managed true"; got != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
}

// TestSwitchedOff checks that a radio which is switched off is reported at once to
// every waiting call, and can be handed back nevertheless.
func TestSwitchedOff(t *testing.T) {
	for _, tt := range []struct {
		name string
		wait func(*Client) error
		told string
	}{
		{"handed back", func(c *Client) error { return c.HandBack(t.Context()) }, "managed false, managed true"},
		{"is to join", func(c *Client) error { return c.Await(t.Context(), 10*time.Second) }, "managed false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, c := start(t)
			if err := c.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.switchOff()
			f.become(event{state: nm.NmDeviceStateUnavailable})
			begin := time.Now()
			err := tt.wait(c)
			var join *wifi.JoinError
			if !errors.As(err, &join) || join.Code != client.CodeRadioOff || !strings.Contains(join.Reason, "rfkill unblock") || time.Since(begin) > 5*time.Second {
				t.Errorf("after %v: %v, want radio_off and its remedy at once", time.Since(begin), err)
			}
			if got := f.notes(); got != tt.told {
				t.Errorf("it was told %q, want %q", got, tt.told)
			}
		})
	}
}

// TestMute checks that a NetworkManager which does not answer delays no caller for
// longer than the deadline, and that the next call asks again.
func TestMute(t *testing.T) {
	f, c := start(t)
	f.beMute(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := c.Device(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Errorf("after %v: %v, want a deadline after 0.2 s", time.Since(begin), err)
	}
	f.beMute(false)
	if _, err := c.Device(t.Context()); err != nil {
		t.Errorf("when it answers again: %v", err)
	}
}

var home = store.Network{Network: wifi.Network{SSID: []byte("home"), PSK: secret.New("correct horse"), Security: wifi.WPA2}}

// office is hidden, so Join does not search for it.
var office = store.Network{Network: wifi.Network{SSID: []byte("office"), Hidden: true, EAP: &wifi.EAPCredentials{Method: "peap", Identity: "me"}}}

// TestJoin checks how a join may end, and which calls NetworkManager receives.
func TestJoin(t *testing.T) {
	air := func(security wifi.Security) fakeAir {
		return fakeAir{cells: map[int][]wifi.BSS{0: {{SSID: []byte("home"), Security: security}}}}
	}
	state := func(s nm.NmDeviceState, r nm.NmDeviceStateReason) event { return event{state: s, reason: r} }
	prepare, needAuth := state(nm.NmDeviceStatePrepare, 0), state(nm.NmDeviceStateNeedAuth, 0)
	failed := func(r nm.NmDeviceStateReason) event { return state(nm.NmDeviceStateFailed, r) }
	taken := state(nm.NmDeviceStateDeactivating, nm.NmDeviceStateReasonNewActivation)
	up, over := event{active: fakeActive, activation: nm.NmActiveConnectionStateActivated}, event{active: fakeActive, activation: nm.NmActiveConnectionStateDeactivated}
	otherUp, otherOver := event{active: otherActive, activation: up.activation}, event{active: otherActive, activation: over.activation}
	eap := func(status, parameter string) event { return event{authentication: eapSignal{status, parameter}} }
	lost := &wifi.JoinError{Code: client.CodeLost, Reason: "the router vanished"}
	for _, tt := range []struct {
		name   string
		n      store.Network
		states []event
		refuse *dbus.Error
		air    fakeAir
		code   string // "": joined
	}{
		{"it works", home, []event{prepare, up}, nil, fakeAir{}, ""},
		{"it works, after what was before has failed", home, []event{prepare, failed(nm.NmDeviceStateReasonNoSecrets), otherOver, prepare, up}, nil, fakeAir{}, ""},
		{"it works, after what was before had come up", home, []event{otherUp, taken, otherOver, prepare, up}, nil, fakeAir{}, ""},
		{"another network takes its place", home, []event{prepare, taken, over, prepare, otherUp}, nil, air(wifi.WPA2), client.CodeRejected},
		{"a wrong passphrase", home, []event{prepare, needAuth, failed(nm.NmDeviceStateReasonNoSecrets), over}, nil, air(wifi.WPA2), client.CodeWrongKey},
		{"the same, and the router is gone", home, []event{prepare, failed(nm.NmDeviceStateReasonNoSecrets), over}, nil, fakeAir{}, client.CodeLost},
		{"the router's frames prove why", home, []event{prepare}, nil, fakeAir{verdict: lost}, client.CodeLost},
		{"they prove nothing when the keys are in place", home, []event{prepare, state(nm.NmDeviceStateIpConfig, 0), awaitListener, up}, nil, fakeAir{verdict: lost, late: make(chan struct{})}, ""},
		{"nowhere to be seen", home, []event{prepare, failed(nm.NmDeviceStateReasonSsidNotFound), over}, nil, fakeAir{}, client.CodeNotFound},
		{"seen, with another security", home, []event{prepare, failed(nm.NmDeviceStateReasonSsidNotFound), over}, nil, air(wifi.WPA3), client.CodeSecurityMismatch},
		{"no address", home, []event{prepare, failed(nm.NmDeviceStateReasonIpConfigUnavailable), over}, nil, air(wifi.WPA2), "no_address"},
		{"no address, and NetworkManager waits on", home, []event{prepare, state(nm.NmDeviceStateIpConfig, 0)}, nil, air(wifi.WPA2), "no_address"},
		{"the router does not finish", home, []event{prepare, failed(nm.NmDeviceStateReasonSupplicantTimeout), over}, nil, air(wifi.WPA2), client.CodeTimeout},
		{"somebody else has it do another thing", home, []event{prepare, state(nm.NmDeviceStateDeactivating, nm.NmDeviceStateReasonUserRequested), over}, nil, air(wifi.WPA2), client.CodeRejected},
		{"it ends without a word", home, []event{over}, nil, air(wifi.WPA2), client.CodeRejected},
		{"it does not even begin", home, nil, dbus.NewError("org.freedesktop.NetworkManager.UnknownConnection", []any{"not available"}), fakeAir{}, client.CodeNotFound},
		{"802.1X, the server is not trusted", office, []event{prepare, eap("remote certificate verification", "unable to get local issuer certificate")}, nil, fakeAir{}, client.CodeServerNotTrusted},
		{"802.1X, the password is wrong", office, []event{prepare, eap("remote certificate verification", "success"), eap("completion", "failure")}, nil, fakeAir{}, client.CodeWrongKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, c := start(t)
			c.AddressLimit = time.Second
			f.become(state(nm.NmDeviceStateActivated, 0)) // still in the previous network
			f.late = tt.air.late
			f.script(tt.states, tt.refuse)
			trial, err := c.Join(t.Context(), tt.n, "", tt.air)
			want := "checkpoint of 1 device, flags 8, add and activate, volatile"
			var join *wifi.JoinError
			switch {
			case tt.code != "":
				want += ", roll back"
				if !errors.As(err, &join) || join.Code != tt.code || join.Reason == "" {
					t.Errorf("%v, want code %s", err, tt.code)
				}
			case err != nil:
				t.Fatal(err)
			default:
				want += ", destroy it, save, 0 settings, flags 1"
				if err := errors.Join(trial.Keep(t.Context()), trial.Save(t.Context())); err != nil {
					t.Error(err)
				}
			}
			if got := f.notes(); got != want {
				t.Errorf("it was told %q, want %q", got, want)
			}
			if got := f.setting("802-11-wireless-security.psk"); tt.n.EAP == nil && got != "correct horse" {
				t.Errorf("the passphrase was %q", got)
			}
		})
	}
}

// TestJoinFromNothing checks that without a previous network Join makes no
// checkpoint: a rollback to no network would make NetworkManager treat the network as
// one that a person has left.
func TestJoinFromNothing(t *testing.T) {
	prepare := event{state: nm.NmDeviceStatePrepare}
	up, over := event{active: fakeActive, activation: nm.NmActiveConnectionStateActivated}, event{active: fakeActive, activation: nm.NmActiveConnectionStateDeactivated}
	refused := fakeAir{verdict: &wifi.JoinError{Code: client.CodeWrongKey, Reason: "the passphrase is not the router's"}}
	for _, tt := range []struct {
		name   string
		uuid   string // "": a candidate
		states []event
		air    fakeAir
		want   string // the calls that NetworkManager receives
	}{
		{"a candidate works", "", []event{prepare, up}, fakeAir{}, "add and activate, volatile"},
		{"a candidate is refused", "", []event{prepare}, refused, "add and activate, volatile, deactivate"},
		{"a candidate fails by itself", "", []event{prepare, over}, fakeAir{}, "add and activate, volatile, deactivate"},
		{"a saved network is refused", "1", []event{prepare}, refused, "activate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, c := start(t)
			f.script(tt.states, nil)
			trial, err := c.Join(t.Context(), home, tt.uuid, tt.air)
			if err == nil {
				err = trial.Keep(t.Context())
			}
			if works := slices.Contains(tt.states, up); works != (err == nil) {
				t.Errorf("joined: %v (%v), want %v", err == nil, err, works)
			}
			if got := f.notes(); got != tt.want {
				t.Errorf("it was told %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRefused checks that the text of a refusal contains the remedy.
func TestRefused(t *testing.T) {
	f, c := start(t)
	f.script(nil, dbus.NewError("org.freedesktop.NetworkManager.PermissionDenied", []any{"Not authorized to control networking."}))
	_, err := c.Join(t.Context(), home, "", fakeAir{})
	var refusal *Refusal
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "Not authorized") || refusal.Action != actionControl || !strings.Contains(err.Error(), actionControl) {
		t.Errorf("%v, want a Refusal with its remedy", err)
	}
}

// TestLookFirst checks that a network which is absent, or has another security, is
// refused before NetworkManager leaves its present network.
func TestLookFirst(t *testing.T) {
	elsewhere := home
	elsewhere.Frequency = 2462
	known := home
	known.Security = wifi.WPA3
	for _, tt := range []struct {
		name  string
		n     store.Network
		cells map[int][]wifi.BSS // by frequency; 0: all
		code  string             // "": the join goes on
	}{
		{"not heard now, but NetworkManager knows another security of it", known, nil, client.CodeSecurityMismatch},
		{"not there", home, nil, client.CodeNotFound},
		{"not where it was, nor elsewhere", elsewhere, nil, client.CodeNotFound},
		{"another security", home, map[int][]wifi.BSS{0: {{SSID: []byte("home"), Security: wifi.WPA3}}}, client.CodeSecurityMismatch},
		{"it has moved", elsewhere, map[int][]wifi.BSS{0: {{SSID: []byte("home"), Security: wifi.WPA2}}}, ""},
		{"there", elsewhere, map[int][]wifi.BSS{2462: {{SSID: []byte("home"), Security: wifi.WPA2}}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, c := start(t)
			f.mu.Lock()
			f.blind = tt.n.Security != known.Security
			f.mu.Unlock()
			f.script([]event{{state: nm.NmDeviceStatePrepare}, {active: fakeActive, activation: nm.NmActiveConnectionStateActivated}}, nil)
			heard := func() {
				if tt.code == "" {
					f.telling.Go(f.hears)
				}
			}
			_, err := c.Join(t.Context(), tt.n, "", fakeAir{cells: tt.cells, scanned: heard})
			var join *wifi.JoinError
			errors.As(err, &join)
			switch {
			case tt.code == "" && err != nil:
				t.Error(err)
			case tt.code != "" && (join == nil || join.Code != tt.code):
				t.Errorf("%v, want code %s", err, tt.code)
			case tt.code != "" && f.notes() != "":
				t.Errorf("it was told %q, want nothing", f.notes())
			}
		})
	}
}
