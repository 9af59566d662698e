package wifi

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// hostileSSIDs are legal names that break careless programs.
var hostileSSIDs = []string{
	"plain", "a\x00b", "\x00", "new\nline", `"quoted"`, `back\slash`, "$(reboot)", "`id`", "' OR 1",
	" leading and trailing ", strings.Repeat("\xff", 32), "<script>", "😀", "\u202eevil", "key=value", "x\tpsk=",
}

func TestMain(m *testing.M) {
	process.RunConfined(os.Args)
	os.Exit(m.Run())
}

// realStation returns a Station with the real wpa_supplicant, without a radio.
func realStation(t *testing.T, dir string) (*Station, *bytes.Buffer) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: wpa_supplicant opens a packet socket, and keeps capabilities")
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	runner := &process.Runner{Dir: dir, Log: slog.New(slog.DiscardHandler), Self: "/proc/self/exe"}
	s := NewStation(StationConfig{
		Interface: "lo", Program: "/usr/sbin/wpa_supplicant", Driver: "none",
		RuntimeDir: dir, StateDir: "/var/lib/netconnectd", Runner: runner, Log: logger,
	})
	t.Cleanup(func() {
		if err := runner.EndAll(context.Background()); err != nil {
			t.Error(err)
		}
		runner.Close()
	})
	return s, &log
}

func TestRealWpaSupplicantAcceptsEveryNetwork(t *testing.T) {
	s, _ := realStation(t, t.TempDir())
	session, err := s.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(cmd string) string {
		t.Helper()
		reply, err := session.ctrl.Request(t.Context(), cmd)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	try := func(t *testing.T, n Network, v variant) (id string) {
		t.Helper()
		if err := n.Check(); err != nil {
			t.Fatal(err)
		}
		id, err := session.add(t.Context(), n, "5e", v)
		if err != nil {
			t.Fatal(err)
		}
		if listed := ask("LIST_NETWORKS"); !bytes.Contains(wpactrl.Unescape(listed), n.SSID) {
			t.Errorf("%q is not in %q", n.SSID, listed)
		}
		return id
	}
	for _, ssid := range hostileSSIDs {
		t.Run(hex.EncodeToString([]byte(ssid)), func(t *testing.T) {
			n := Network{SSID: []byte(ssid), PSK: secret.New("correct horse"), Frequency: 2412, Hidden: true}
			id := try(t, n, n.variants(abilities{sae: true, pmf: true})[0])
			// wpa_supplicant quotes a printable value and otherwise returns
			// hexadecimal.
			got := ask("GET_NETWORK " + id + " ssid")
			if got != `"`+ssid+`"` && got != hex.EncodeToString([]byte(ssid)) {
				t.Errorf("SSID became %s", got)
			}
			ask("REMOVE_NETWORK all")
		})
	}
	password := secret.New("password")
	for name, n := range map[string]Network{
		"open": {}, "OWE": {Security: OWE}, "WPA": {Security: WPA, PSK: password}, "WPA2": {Security: WPA2, PSK: password},
		"WPA2 required": {Security: WPA2, PSK: password, PMF: PMFRequired}, "WPA3": {Security: WPA3, PSK: password},
		"transition": {Security: WPA2WPA3, PSK: password}, "quotes": {PSK: secret.New(`with "quotes" and \ "`)},
		"umlauts": {PSK: secret.New("pässwörter")}, "longest": {PSK: secret.New(strings.Repeat("a", 63))}, "64 digits": {PSK: secret.New(digits64)},
		"one cell": {PSK: password, BSSID: []byte{2, 0, 0, 0, 1, 0}},
		"PEAP":     {EAP: &EAPCredentials{Method: "peap", Identity: `a"b\`, AnonymousIdentity: "ä", Password: secret.New(`p"w`), CACert: "/ca", ServerName: "lab"}},
		"TTLS":     {EAP: &EAPCredentials{Method: "ttls", Identity: "me", Password: password, Phase2: "pap", AnyServer: true}},
		"TLS":      {EAP: &EAPCredentials{Method: "tls", Identity: "me", CACert: "/ca", ClientCert: "/c", PrivateKey: "/k", PrivateKeyPassword: password}},
	} {
		n.SSID = []byte("home")
		for _, v := range n.variants(abilities{sae: true, pmf: true, ftPSK: true, ftSAE: true, ftEAP: true}) {
			t.Run(name+" "+v.keyMgmt, func(t *testing.T) {
				id := try(t, n, v)
				got, want := strings.Fields(ask("GET_NETWORK "+id+" key_mgmt")), strings.Fields(v.keyMgmt)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("key_mgmt = %s, want %s", got, want)
				}
				ask("REMOVE_NETWORK all")
			})
		}
	}
	t.Run("cells to be passed over", func(t *testing.T) {
		session.strangers["5e"] = []string{"02:00:00:00:01:00", "02:00:00:00:01:01"}
		id := try(t, Network{SSID: []byte("home"), PSK: password}, variant{keyMgmt: "WPA-PSK"})
		if got := ask("GET_NETWORK " + id + " bssid_ignore"); got != "02:00:00:00:01:00 02:00:00:00:01:01" {
			t.Errorf("it passes over %q", got)
		}
	})
}

// TestRealWpaSupplicantRefuses shows that the test of accepted settings can fail.
func TestRealWpaSupplicantRefuses(t *testing.T) {
	s, _ := realStation(t, t.TempDir())
	session, err := s.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unchecked := Network{SSID: []byte("home"), PSK: secret.New("short")}
	_, err = session.add(t.Context(), unchecked, "5e", unchecked.variants(abilities{sae: true, pmf: true})[0])
	var verdict *JoinError
	if !errors.As(err, &verdict) || verdict.Code != client.CodeUnsupported || strings.Contains(err.Error(), "short") {
		t.Errorf("error %v, want unsupported without the passphrase", err)
	}
}

func TestStationStartsAdoptsAndEndsWpaSupplicant(t *testing.T) {
	dir := t.TempDir()
	s, log := realStation(t, dir)
	session, err := s.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	// Without a radio there is nothing to join, so the limit ends the attempt. This
	// limit does not bound the start, but the writing of the files.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err = s.Associate(ctx, homeWPA2)
	var verdict *JoinError
	if !errors.As(err, &verdict) || verdict.Code != client.CodeTimeout {
		t.Fatalf("Associate = %v, want a time-out", err)
	}
	child, found := s.cfg.Runner.Find(Role)
	if !found {
		t.Fatal("wpa_supplicant does not run")
	}
	if reply, err := session.ctrl.Request(t.Context(), "LIST_NETWORKS"); err != nil || strings.Count(reply, "\n") != 0 {
		t.Errorf("networks left: %q, %v", reply, err)
	}
	for _, name := range []string{"wpa_supplicant.conf", "station.key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if strings.Contains(log.String(), "correct horse") {
		t.Errorf("the passphrase is in the log: %s", log)
	}

	// The next daemon finds the process.
	next, _ := realStation(t, dir)
	adopted, err := next.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := adopted.child.(*process.Child).PID(); got != child.PID() {
		t.Errorf("pid %d became %d", child.PID(), got)
	}

	if err := next.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, found := next.cfg.Runner.Find(Role); found {
		t.Error("wpa_supplicant runs after End")
	}
	session.close()
	if left, _ := filepath.Glob(filepath.Join(dir, "wpactrl-*")); len(left) != 0 {
		t.Errorf("sockets left: %v", left)
	}
	if err := next.End(t.Context()); err != nil {
		t.Errorf("second End: %v", err)
	}
}

// TestEndWithoutRecord checks that End also ends a child of a daemon that was killed
// before it could record the start.
func TestEndWithoutRecord(t *testing.T) {
	dir := t.TempDir()
	s, _ := realStation(t, dir)
	session, err := s.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "children")); err != nil {
		t.Fatal(err)
	}
	next, _ := realStation(t, dir)
	if err := next.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-session.child.Done():
	case <-time.After(5 * time.Second):
		t.Error("wpa_supplicant still runs")
	}
}

// TestAssociationOutlivesTheDaemon needs no radio: wpa_supplicant's driver for cables
// behaves as if every open network were there.
func TestAssociationOutlivesTheDaemon(t *testing.T) {
	dir := t.TempDir()
	station := func() (*Station, *bytes.Buffer) {
		s, log := realStation(t, dir)
		s.cfg.Driver = "wired"
		return s, log
	}
	first, _ := station()
	n := Network{SSID: []byte("a\x00\"\xff")}
	a, err := first.Associate(t.Context(), n)
	if err != nil || !bytes.Equal(a.SSID, n.SSID) || a.Adopted {
		t.Fatalf("Associate = %+v, %v", a, err)
	}

	second, log := station()
	if a, err := second.Associate(t.Context(), n); err != nil || !strings.Contains(log.String(), "association kept") || !a.Adopted {
		t.Errorf("Associate = %+v, %v, log: %s", a, err, log)
	}
	if a, err := second.Associate(t.Context(), n); err != nil || a.Adopted {
		t.Errorf("Associate again = %+v, %v", a, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := second.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait = %v, want that it holds", err)
	}

	n.SSID = []byte("another")
	if a, err = second.Associate(t.Context(), n); err != nil || string(a.SSID) != "another" {
		t.Errorf("Associate = %+v, %v, want the other network", a, err)
	}
	child, _ := second.cfg.Runner.Find(Role)
	if err := syscall.Kill(child.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var lost *LostError
	if err := second.Wait(t.Context()); !errors.As(err, &lost) || !strings.Contains(lost.Reason, "wpa_supplicant ended") {
		t.Errorf("Wait = %v, want lost because wpa_supplicant ended", err)
	}
	if _, err := second.Associate(t.Context(), n); err != nil {
		t.Errorf("Associate after the kill: %v", err)
	}
}

func TestEnsureReplacesOneThatDoesNotAnswer(t *testing.T) {
	s, _ := realStation(t, t.TempDir())
	if _, err := s.ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, _ := s.cfg.Runner.Find(Role)
	s.replace(nil)
	if err := os.Remove(s.socketPath()); err != nil { // no client can reach wpa_supplicant now
		t.Fatal(err)
	}
	session, err := s.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.ctrl.Request(t.Context(), "PING"); err != nil {
		t.Error(err)
	}
	if fresh, _ := s.cfg.Runner.Find(Role); fresh.PID() == old.PID() {
		t.Error("the deaf one is still there")
	}
}

func TestAssociateSaysWhyWpaSupplicantDoesNotStart(t *testing.T) {
	s, _ := realStation(t, t.TempDir())
	s.cfg.Driver = "no-such-driver"
	begun := time.Now()
	_, err := s.Associate(t.Context(), homeWPA2)
	if err == nil || !strings.Contains(err.Error(), "no-such-driver") {
		t.Errorf("error %v, want wpa_supplicant's own words", err)
	}
	if took := time.Since(begun); took > startLimit/2 {
		t.Errorf("known after %v only", took)
	}
}

func TestAssociateRefusesWhatCannotBeJoined(t *testing.T) {
	s := NewStation(StationConfig{Interface: "lo", RuntimeDir: "/nonexistent"})
	var verdict *JoinError
	if _, err := s.Associate(t.Context(), Network{SSID: []byte("x"), PSK: secret.New("short")}); !errors.As(err, &verdict) {
		t.Errorf("error %v, want a JoinError before anything is touched", err)
	}
}

func TestWaitWithoutAssociation(t *testing.T) {
	var lost *LostError
	if err := NewStation(StationConfig{}).Wait(t.Context()); !errors.As(err, &lost) {
		t.Errorf("error %v, want a LostError", err)
	}
}

func TestMarkKeyStaysTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := markKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := markKey(path); err != nil || !bytes.Equal(first, second) {
		t.Errorf("second key differs, %v", err)
	}
	if err := os.WriteFile(path, []byte("cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	if third, err := markKey(path); err != nil || len(third) != len(first) || bytes.Equal(first, third) {
		t.Errorf("a broken key was not replaced: %v", err)
	}
}
