package wifi

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

func TestJoinWritesAFreshNetworkAndReadsTheAssociation(t *testing.T) {
	p, s, _ := newProgram(t)
	p.script(func(string) string { return scanDone + associated + connected })
	a, err := s.join(t.Context(), hinted(homeWPA2), "5e")
	if err != nil {
		t.Fatal(err)
	}
	if string(a.SSID) != "h\x00me" || a.BSSID.String() != "02:00:00:00:01:00" || a.Frequency != 2412 || a.Signal != -42 {
		t.Errorf("association %+v", a)
	}
	want := strings.Join([]string{
		"REMOVE_NETWORK all", "ABORT_SCAN", "BLACKLIST clear", "ADD_NETWORK",
		"SET_NETWORK 0 ssid 686f6d65", `SET_NETWORK 0 id_str "5e"`,
		"SET_NETWORK 0 key_mgmt WPA-PSK WPA-PSK-SHA256", "SET_NETWORK 0 ieee80211w 1", `SET_NETWORK 0 psk "correct horse"`,
		"SELECT_NETWORK 0 freq=2412"}, "\n")
	if got := p.did(); got != want {
		t.Errorf("commands:\n%s\nwant:\n%s", got, want)
	}
}

func TestJoinRemovesTheNetworkAfterAFailure(t *testing.T) {
	p, s, _ := newProgram(t)
	p.script(func(string) string {
		return scanDone + associated + "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15"
	})
	_, err := s.join(t.Context(), homeWPA2, "5e")
	var verdict *JoinError
	if !errors.As(err, &verdict) || verdict.Code != client.CodeWrongKey {
		t.Fatalf("error %v, want wrong_key", err)
	}
	if got := p.did(); !strings.HasSuffix(got, "\nREMOVE_NETWORK all\nABORT_SCAN") {
		t.Errorf("the network was left:\n%s", got)
	}
	if strings.Contains(err.Error(), "correct horse") {
		t.Errorf("the passphrase is in %q", err)
	}
}

// TestJoinTriesLess checks that a radio whose driver refuses the key for management
// frames joins without protecting them.
func TestJoinTriesLess(t *testing.T) {
	deaf := scanDone + associated + "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=1 locally_generated=1"
	for _, row := range []struct {
		name   string
		second string // the result of the second variant
		want   string
		pmf    PMF
	}{
		{"and joins", scanDone + associated + connected, "", PMFOff},
		{"and fails otherwise: the first verdict counts", scanDone + strings.Repeat("CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:01:00 status_code=31\n", 2), client.CodeTimeout, ""},
		{"and hears that the key is wrong", scanDone + associated + "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15", client.CodeWrongKey, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, s, _ := newProgram(t)
			s.cells = airOf(BSS{SSID: homeWPA2.SSID, Security: WPA2})
			traces := []string{deaf, row.second}
			p.script(func(string) string {
				trace := traces[0]
				traces = traces[1:]
				return trace
			})
			a, err := s.join(t.Context(), homeWPA2, "5e")
			var verdict *JoinError
			switch errors.As(err, &verdict); {
			case row.want == "" && (err != nil || a.PMF != row.pmf):
				t.Errorf("association %+v, error %v, want PMF %s", a, err, row.pmf)
			case row.want != "" && (verdict == nil || verdict.Code != row.want):
				t.Errorf("error %v, want %s", err, row.want)
			}
			if got := strings.Count(p.did(), "ieee80211w 1"); got != 1 {
				t.Errorf("PMF was asked for %d times, want once:\n%s", got, p.did())
			}
		})
	}
}

// airOf returns a function that plays the radio's scan results.
func airOf(cells ...BSS) func(context.Context, time.Duration) ([]BSS, error) {
	return func(context.Context, time.Duration) ([]BSS, error) { return cells, nil }
}

// TestJoinOWEAgain checks that a second attempt follows when the router began the
// exchange anew after it had accepted us.
func TestJoinOWEAgain(t *testing.T) {
	p, s, _ := newProgram(t)
	traces := []string{scanDone + associated + connected + "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15", scanDone + associated + connected}
	p.script(func(string) string {
		trace := traces[0]
		traces = traces[1:]
		return trace
	})
	a, err := s.join(t.Context(), homeOWE, "5e")
	if tries := strings.Count(p.did(), "SELECT_NETWORK"); err != nil || a.PMF != PMFRequired || tries != 2 {
		t.Errorf("association %+v, error %v, %d tries", a, err, tries)
	}
}

func TestJoinSearchesEverywhereWhenTheHintIsWrong(t *testing.T) {
	p, s, _ := newProgram(t)
	p.script(func(cmd string) string {
		if strings.Contains(cmd, "freq=") {
			return scanDone + "CTRL-EVENT-NETWORK-NOT-FOUND"
		}
		return "CTRL-EVENT-NETWORK-NOT-FOUND\n" + scanDone + associated + connected
	})
	if _, err := s.join(t.Context(), hinted(homeWPA2), "5e"); err != nil {
		t.Fatal(err)
	}
	if got := p.did(); !strings.HasSuffix(got, "SELECT_NETWORK 0 freq=2412\nSELECT_NETWORK 0") {
		t.Errorf("commands:\n%s", got)
	}
}

func TestJoinAsksTheScanResultsWhenWpaSupplicantIsSilent(t *testing.T) {
	timetest.InTime(t, silence, silence+time.Second, func() time.Duration {
		p, s, _ := newProgram(t)
		p.script(func(string) string { return scanDone })
		s.cells = func(context.Context, time.Duration) ([]BSS, error) {
			return []BSS{{SSID: []byte("home"), Security: WPA3}}, nil
		}
		begun := time.Now()
		_, err := s.join(t.Context(), homeWPA2, "5e")
		took := time.Since(begun)
		var verdict *JoinError
		if !errors.As(err, &verdict) || verdict.Code != client.CodeSecurityMismatch {
			t.Errorf("error %v, want security_mismatch", err)
		}
		return took
	})
}

func TestJoinEndsWithItsContext(t *testing.T) {
	for _, row := range []struct {
		name   string
		state  string
		cancel bool
		want   string
	}{
		{"cancelled: no verdict", "SCANNING", true, ""},
		{"deadline: a time-out", "SCANNING", false, client.CodeTimeout},
		{"disabled interface: at once", "INTERFACE_DISABLED", false, client.CodeRadioOff},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, s, _ := newProgram(t)
			p.script(func(string) string { p.state = row.state; return "" })
			// The time must also suffice for the exchange before the network is
			// selected.
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if row.cancel {
				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(100*time.Millisecond, cancel)
			}
			_, err := s.join(ctx, homeWPA2, "5e")
			var verdict *JoinError
			switch errors.As(err, &verdict); {
			case row.want == "" && !errors.Is(err, context.Canceled):
				t.Errorf("error %v, want context.Canceled", err)
			case row.want != "" && (verdict == nil || verdict.Code != row.want):
				t.Errorf("error %v, want %s", err, row.want)
			}
			if got := p.did(); !strings.HasSuffix(got, "\nREMOVE_NETWORK all\nABORT_SCAN") {
				t.Errorf("the network was left:\n%s", got)
			}
		})
	}
}

func TestJoinEndsWithTheProgram(t *testing.T) {
	p, s, life := newProgram(t)
	p.script(func(string) string { close(life.done); return "" })
	_, err := s.join(t.Context(), homeWPA2, "5e")
	var verdict *JoinError
	if errors.As(err, &verdict) || !errors.Is(err, process.ErrEnded) || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("error %v, want that wpa_supplicant ended and how", err)
	}
}

func TestAssociatedRecognisesTheNetworkByItsMark(t *testing.T) {
	p, s, _ := newProgram(t)
	p.become("COMPLETED", "5e")
	for mark, want := range map[string]bool{"5e": true, "5f": false, "": true} {
		if _, got := s.associated(t.Context(), mark); got != want {
			t.Errorf("associated(%q) = %v, want %v", mark, got, want)
		}
	}
	p.become("4WAY_HANDSHAKE", "5e")
	if _, got := s.associated(t.Context(), "5e"); got {
		t.Error("associated during the handshake")
	}
}

func TestWatch(t *testing.T) {
	goodbye := "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3\n"
	for _, row := range []struct {
		name  string
		story func(*program, lifetime)
		want  string // the reason of the loss; "" if the association holds
	}{
		{"nothing happens", func(*program, lifetime) {}, ""},
		{"router says goodbye", func(p *program, _ lifetime) { p.say(goodbye) }, "the router ended it (reason 3)"},
		{"goodbye, and back at once", func(p *program, _ lifetime) { p.say(goodbye + connected) }, ""},
		{"wpa_supplicant ends", func(p *program, _ lifetime) { p.say("CTRL-EVENT-TERMINATING") }, "wpa_supplicant ended"},
		{"wpa_supplicant is killed", func(_ *program, life lifetime) { close(life.done) }, "wpa_supplicant ended: signal: killed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, s, life := newProgram(t)
			p.become("COMPLETED", "")
			limit := 20 * time.Second // a loss that is reported at all is reported after 2 s
			if row.want == "" {
				limit = recovery + time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			var watching sync.WaitGroup
			var err error
			watching.Go(func() { err = s.watch(ctx) })
			p.attached(t)
			row.story(p, life)
			watching.Wait()
			var lost *LostError
			switch errors.As(err, &lost); {
			case row.want == "" && !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("error %v, want that it still holds", err)
			case row.want != "" && (lost == nil || lost.Reason != row.want):
				t.Errorf("error %v, want lost because %q", err, row.want)
			}
		})
	}
}

func TestWatchNoticesALossBeforeItBegan(t *testing.T) {
	timetest.InTime(t, 0, recovery+time.Second, func() time.Duration {
		_, s, _ := newProgram(t) // its state is DISCONNECTED
		begun := time.Now()
		err := s.watch(t.Context())
		took := time.Since(begun)
		var lost *LostError
		if !errors.As(err, &lost) {
			t.Errorf("error %v, want a LostError", err)
		}
		return took
	})
}

func TestWatchSurvivesManyEventsOfNoMeaning(t *testing.T) {
	p, s, _ := newProgram(t)
	p.become("COMPLETED", "")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var watching sync.WaitGroup
	var err error
	watching.Go(func() { err = s.watch(ctx) })
	p.attached(t)
	noise := slices.Repeat([]string{"CTRL-EVENT-BSS-ADDED 7 02:00:00:00:01:00", "CTRL-EVENT-SCAN-STARTED"}, 20)
	p.say(strings.Join(noise, "\n"))
	watching.Wait()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestSessionLogsNoSecrets(t *testing.T) {
	p, s, _ := newProgram(t)
	var out bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.script(func(string) string { return scanDone + associated + connected })
	if _, err := s.join(t.Context(), homeWPA2, homeWPA2.mark([]byte("k"))); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "correct") || !strings.Contains(text, "associated") {
		t.Errorf("log: %s", text)
	}
}
