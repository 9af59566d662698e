package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// shelf is a store whose networks a test controls. Its candidate is that of a real
// store.
type shelf struct {
	*store.Store
	networks []store.Network
	err      error // of what changes a network, or finds it
	stuck    bool  // Forget removes nothing
}

func (s *shelf) Networks() []store.Network { return s.networks }

// Find implements radio.NetworkStore.
func (s *shelf) Find([]byte) (store.Network, error) { return s.networks[0], s.err }

// Remove removes the networks that are ours, and returns the error of the test.
func (s *shelf) Remove([]byte) error {
	s.networks = foreign(s.networks)
	return s.err
}

// Forget does the same for all networks.
func (s *shelf) Forget() (bool, error) {
	if !s.stuck {
		s.networks = foreign(s.networks)
	}
	return true, s.err
}

// Worked keeps nothing.
func (s *shelf) Worked([]byte, wifi.Association, time.Time) error { return nil }

func foreign(networks []store.Network) (left []store.Network) {
	for _, n := range networks {
		if n.Origin != store.Ours {
			left = append(left, n)
		}
	}
	return left
}

// roles is a radio that reaches each target and notes it.
type roles struct{ held []policy.Part }

// Hold implements supervisor.Radio.
func (r *roles) Hold(ctx context.Context, t policy.Target, report func(policy.Part, policy.Stage)) error {
	part := t.Parts()[0]
	r.held = append(r.held, part)
	report(part, policy.StageReady)
	<-ctx.Done()
	return ctx.Err()
}

// onShelf plays with a daemon that has joined one of the networks. There is no
// access point. It returns how often the radio was a station, and what it was at
// last: another target in between may be gone before it is held.
func onShelf(t *testing.T, managed bool, s *shelf, play func(*testing.T, *daemon)) string {
	t.Helper()
	air := &roles{}
	synctest.Test(t, func(t *testing.T) {
		s.Store = &store.Store{}
		d := &daemon{log: slog.New(slog.DiscardHandler)}
		d.cfg.Store(&config.Config{Wifi: config.Wifi{Name: "wifi"}})
		d.radio = &standIn{networks: s, managed: managed}
		d.sup = supervisor.New(supervisor.Config{
			Policy: policy.Config{Delegated: true, JoinTimeout: time.Minute, Rescan: time.Minute, Interval: time.Minute, MaxLinkDown: 3},
			Radio:  air, Networks: d, Log: d.log, Changed: func(policy.State, policy.State) {},
		})
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.sup.Run(ctx, policy.Start{}, d.networks(), policy.LinksChanged{Radio: true}) }()
		synctest.Wait()
		play(t, d)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		end()
		<-ended
	})
	joined := len(slices.DeleteFunc(slices.Clone(air.held), func(p policy.Part) bool { return p != policy.PartStation }))
	return fmt.Sprintf("%d, %s", joined, air.held[len(air.held)-1])
}

var (
	ofOurs    = store.Network{Network: wifi.Network{SSID: []byte("office")}}
	ofNetplan = store.Network{Network: wifi.Network{SSID: []byte("home")}, Origin: store.Netplan}
)

// TestForgottenNetworks checks that a reset keeps the profiles of other programs and
// reports them, and that the device joins them again.
func TestForgottenNetworks(t *testing.T) {
	const stays = "; home stays: the network was saved by netplan: change it in /etc/netplan, then run netplan apply"
	for _, tt := range []struct {
		name    string
		managed bool
		saved   []store.Network
		stuck   bool
		request server.Request
		reply   string
		radio   string
	}{
		{"our own backend", false, []store.Network{ofOurs}, false, server.ForgetWifi{}, client.ResultForgotten, "1, rest"},
		{"NetworkManager, nothing stays", true, []store.Network{ofOurs}, false, server.ForgetWifi{}, client.ResultForgotten, "1, rest"},
		{"NetworkManager, netplan's stays", true, []store.Network{ofOurs, ofNetplan}, false, server.ForgetWifi{}, client.ResultForgotten + stays, "2, station"},
		{"all is netplan's", true, []store.Network{ofNetplan}, false, server.ForgetWifi{}, client.ResultForgotten + stays, "2, station"},
		{"NetworkManager removes nothing", true, []store.Network{ofOurs}, true, server.ForgetWifi{},
			client.ResultForgotten + "; office stays: NetworkManager did not remove it, the log has the reason", "2, station"},
		{"reset", true, []store.Network{ofNetplan}, false, server.Reset{}, client.ResultReset + stays, "2, station"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			radio := onShelf(t, tt.managed, &shelf{networks: tt.saved, stuck: tt.stuck}, func(t *testing.T, d *daemon) {
				reply, err := d.Handle(t.Context(), server.Peer{}, tt.request)
				if reply != tt.reply || err != nil {
					t.Errorf("%q, %v; want %q", reply, err, tt.reply)
				}
			})
			if radio != tt.radio {
				t.Errorf("the radio was a station %s; want %s", radio, tt.radio)
			}
		})
	}
}

// TestRefusedNetworks lists how a store may refuse, and the error that the client
// gets. The policy hears of the change in any case.
func TestRefusedNetworks(t *testing.T) {
	refusal := &networkmanager.Refusal{Action: "modify", Text: "no"}
	beside := &networkmanager.ForeignError{Origin: store.Netplan, Removed: true}
	set := server.SetNetwork{SSID: ofOurs.SSID, Settings: server.NetworkSettings{Priority: new(1)}}
	remove := server.RemoveNetwork{SSID: ofOurs.SSID}
	const absent = "NetworkManager does not answer: it is being restarted, or systemctl status NetworkManager says why"
	for _, tt := range []struct {
		name    string
		err     error
		request server.Request
		code    string // "": no client.Error
		text    string // within
		radio   string
	}{
		{"set: not saved", store.ErrUnknown, set, client.CodeNotFound, "office", "1, station"},
		{"set: polkit refuses the secrets", fmt.Errorf("read the secrets: %w", refusal), set, client.CodePermissionDenied, "install netconnectd's rules", "1, station"},
		{"set: NetworkManager is being restarted", fmt.Errorf("read the secrets: %w", networkmanager.ErrAbsent), set, client.CodeInternal, absent, "1, station"},
		{"removed, and there is another", beside, remove, client.CodeForeign, "is removed, and another one is still there", "1, rest"},
		{"removed, and the profiles cannot be read", networkmanager.ErrAbsent, remove, client.CodeInternal, absent, "1, rest"},
		{"removed, and the disk is full", unix.ENOSPC, remove, "", unix.ENOSPC.Error(), "1, rest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			radio := onShelf(t, true, &shelf{networks: []store.Network{ofOurs}, err: tt.err}, func(t *testing.T, d *daemon) {
				_, err := d.Handle(t.Context(), server.Peer{}, tt.request)
				var coded *client.Error
				errors.As(err, &coded)
				if (coded != nil) != (tt.code != "") || coded != nil && coded.Code != tt.code || err == nil || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("%v, want code %q and %q", err, tt.code, tt.text)
				}
			})
			if radio != tt.radio {
				t.Errorf("the radio was a station %s; want %s", radio, tt.radio)
			}
		})
	}
}

// TestRetypedWithoutSecrets checks that new credentials keep the other settings of a
// network, even if NetworkManager does not hand out its secrets.
func TestRetypedWithoutSecrets(t *testing.T) {
	saved := store.Network{
		Network:  wifi.Network{SSID: []byte("home"), Hidden: true, BSSID: []byte{2, 0, 0, 0, 0, 1}},
		Priority: 3, Addressing: &store.Addressing{Address: netip.MustParsePrefix("192.0.2.7/24")},
	}
	psk := secret.New("correct horse")
	want := saved
	want.PSK, want.Security, want.Frequency = psk, wifi.WPA2, 2412
	onShelf(t, true, &shelf{networks: []store.Network{saved}, err: networkmanager.ErrAbsent}, func(t *testing.T, d *daemon) {
		d.radio.(*standIn).cells = []wifi.BSS{{SSID: saved.SSID, Security: wifi.WPA2, Frequency: 2412}}
		if _, err := d.Handle(t.Context(), server.Peer{}, server.ConfigWifi{SSID: saved.SSID, PSK: psk}); err != nil {
			t.Fatal(err)
		}
		got, _ := d.radio.Networks().Candidate()
		same := cmp.Options{cmp.Comparer(func(a, b secret.Secret) bool { return a == b }), cmpopts.IgnoreUnexported(store.Network{}), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})}
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("the candidate (-want +got):\n%s", diff)
		}
	})
}
