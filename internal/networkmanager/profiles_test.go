package networkmanager

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// These are files of profiles.
const (
	ourFile     = "/etc/NetworkManager/system-connections/x.nmconnection"
	netplanFile = "/run/NetworkManager/system-connections/netplan-x.nmconnection"
)

var when = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

var refusal = dbus.NewError("org.freedesktop.NetworkManager.Settings.PermissionDenied", []any{"no"})

// profiles returns the Profiles of a NetworkManager that a test has started.
func (f *fakeManager) profiles() *Profiles {
	f.t.Helper()
	p, err := OpenProfiles(&store.Store{}, filepath.Join(f.t.TempDir(), "notes.json"), slog.New(slog.DiscardHandler))
	if err == nil {
		err = p.Refresh(f.t.Context())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// first returns n with a priority above the others.
func first(n store.Network) store.Network {
	n.Priority = 1
	return n
}

// TestRemove checks what removing a network may leave.
func TestRemove(t *testing.T) {
	type saved struct {
		n    store.Network
		file string
	}
	ours, theirs, another := saved{home, ourFile}, saved{home, netplanFile}, saved{office, ourFile}
	for _, tt := range []struct {
		name  string
		saved []saved
		left  []int
		want  string // part of the error; "": none
	}{
		{"ours", []saved{ours, another}, []int{1}, ""},
		{"two of ours", []saved{ours, another, ours}, []int{1}, ""},
		{"somebody else's", []saved{theirs, another}, []int{0, 1}, "\"home\": the network was saved by netplan"},
		{"ours beside somebody else's", []saved{ours, theirs}, []int{1}, "netconnectd's profile is removed, and another one is still there: the network was saved by netplan"},
		{"ours behind somebody else's", []saved{{first(home), netplanFile}, ours}, []int{0}, "netconnectd's profile is removed"},
		{"none", []saved{another}, []int{0}, store.ErrUnknown.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := start(t)
			for _, s := range tt.saved {
				f.save(s.n, s.file)
			}
			err := f.profiles().Remove(home.SSID)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if got := f.has(); !reflect.DeepEqual(got, tt.left) {
				t.Errorf("profiles %v are left, want %v", got, tt.left)
			}
		})
	}
}

// TestForget checks that another program's profile stays and is reported.
func TestForget(t *testing.T) {
	f, _ := start(t)
	for _, s := range []struct {
		n    store.Network
		file string
	}{{home, ourFile}, {home, netplanFile}, {office, ourFile}} {
		f.save(s.n, s.file)
	}
	p := f.profiles()
	had, err := p.Forget()
	if left := f.has(); !had || err != nil || !reflect.DeepEqual(left, []int{1}) {
		t.Errorf("had %v, %v; profiles %v are left, want 1", had, err, left)
	}
	if n := p.Networks(); len(n) != 1 || n[0].Origin != store.Netplan {
		t.Errorf("then %+v is saved, want netplan's", n)
	}
	f.save(office, ourFile)
	p = f.profiles()
	f.script(nil, refusal)
	if had, err := p.Forget(); !had || !isRefusal(err) {
		t.Errorf("refused: had %v, %v, want a refusal", had, err)
	}
}

// TestPromote checks that a network which has worked replaces all our profiles of
// that network.
func TestPromote(t *testing.T) {
	f, _ := start(t)
	for _, file := range []string{ourFile, netplanFile, ourFile} {
		f.save(home, file)
	}
	p := f.profiles()
	if err := p.Promote(home); !errors.Is(err, store.ErrNoCandidate) {
		t.Errorf("without a trial: %v", err)
	}
	tried := f.save(home, ourFile)
	if err := p.SetCandidate(home); err != nil {
		t.Fatal(err)
	}
	p.Joined(&Trial{profile: tried.path})
	if err := p.Promote(home); err != nil {
		t.Fatal(err)
	}
	if got, want := f.notes(), "save "+tried.uuid; got != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
	if left := f.has(); !reflect.DeepEqual(left, []int{1, 3}) {
		t.Errorf("profiles %v are left, want 1 and 3", left)
	}
	if c, ok := p.Candidate(); ok {
		t.Errorf("the candidate is still %+v", c)
	}
}

// TestFind checks when the secrets of a network can be read.
func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*fakeManager)
		fits  func(error) bool
	}{
		{"there", func(*fakeManager) {}, func(err error) bool { return err == nil }},
		{"polkit refuses them", func(f *fakeManager) { f.script(nil, refusal) }, isRefusal},
		{"NetworkManager is being restarted", func(f *fakeManager) { _, _ = f.bus.ReleaseName(nm.NetworkManagerInterface) },
			func(err error) bool { return errors.Is(err, ErrAbsent) && !errors.Is(err, store.ErrUnknown) }},
		{"it was removed meanwhile", func(f *fakeManager) { f.saved[0].Delete() }, func(err error) bool { return errors.Is(err, store.ErrUnknown) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := start(t)
			f.save(home, ourFile)
			p := f.profiles()
			tt.spoil(f)
			n, err := p.Find(home.SSID)
			if !tt.fits(err) || (err == nil) != (n.PSK == home.PSK) {
				t.Errorf("%v, %+v", err, n)
			}
			if _, err := p.Find([]byte("stranger")); !errors.Is(err, store.ErrUnknown) {
				t.Errorf("a network that is not saved: %v", err)
			}
		})
	}
}

// TestFailingProfile checks that our profile can be corrected even when it ranks
// behind another program's, as it does after three failures.
func TestFailingProfile(t *testing.T) {
	theirs := home
	theirs.PSK = secret.New("battery staple")
	f, _ := start(t)
	saved := f.save(home, ourFile)
	f.save(theirs, netplanFile)
	p := f.profiles()
	for range 3 {
		if err := p.Failed(home.SSID); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.Networks(); len(n) != 1 || n[0].Origin != store.Netplan {
		t.Fatalf("the first is %+v, want netplan's", n)
	}
	found, err := p.Find(home.SSID)
	if err != nil || found.PSK != home.PSK {
		t.Fatalf("found %+v, %v; want ours", found, err)
	}
	found.PSK = secret.New("correct horse 2")
	if err := p.Replace(found); err != nil {
		t.Fatal(err)
	}
	if got := saved.setting(settingSecurity)["psk"].Value(); got != found.PSK.Reveal() {
		t.Errorf("then its passphrase is %q", got)
	}
	if err := p.Remove(home.SSID); err == nil {
		t.Error("netplan's is removed")
	}
	var foreign *ForeignError
	if found, err := p.Find(home.SSID); err != nil || found.PSK != theirs.PSK || !errors.As(p.Replace(found), &foreign) {
		t.Errorf("without ours %+v is found, %v; want netplan's, which is not ours to change", found, err)
	}
}

// TestReplace checks that a static address is removed when DHCP is asked for, over a
// bus that transfers the address in its own types.
func TestReplace(t *testing.T) {
	f, _ := start(t)
	n := home
	n.Addressing = &store.Addressing{Address: netip.MustParsePrefix("192.0.2.7/24"), DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}
	saved := f.save(n, ourFile)
	p := f.profiles()
	before := saved.setting("ipv4")
	found, err := p.Find(home.SSID)
	if err != nil {
		t.Fatal(err)
	}
	found.Priority = 3
	if err := p.Replace(found); err != nil {
		t.Fatal(err)
	}
	if after := saved.setting("ipv4"); !reflect.DeepEqual(after, before) || saved.setting("connection")["autoconnect-priority"].Value() != int32(3) {
		t.Errorf("of another priority: ipv4 became %v, was %v", after, before)
	}
	found.Addressing = nil
	if err := p.Replace(found); err != nil {
		t.Fatal(err)
	}
	if got := saved.setting("ipv4"); got["method"].Value() != "auto" || got["address-data"].Value() != nil || got["dns"].Value() != nil {
		t.Errorf("with DHCP ipv4 became %v", got)
	}
	if n := p.Networks(); n[0].Addressing != nil {
		t.Errorf("then the address is %+v, want one by DHCP", n[0].Addressing)
	}
}

// TestReadersGetCopies checks that no caller can change what others read, and that
// only Find returns secrets.
func TestReadersGetCopies(t *testing.T) {
	f, _ := start(t)
	n := office
	n.Security, n.EAP = wifi.EAP, &wifi.EAPCredentials{Method: "peap", Identity: "me", Password: secret.New("hunter2"), AnyServer: true}
	f.save(n, ourFile)
	p := f.profiles()
	var asking sync.WaitGroup
	asking.Go(func() {
		if found, err := p.Find(office.SSID); err != nil || found.EAP.Password != n.EAP.Password {
			t.Errorf("%v, %+v", err, found)
		}
	})
	for range 1000 {
		if !p.Networks()[0].EAP.Password.IsZero() {
			t.Fatal("the list of networks has a password")
		}
	}
	asking.Wait()
	p.Networks()[0].EAP.Identity = "you"
	p.Networks()[0].SSID[0] = 'X'
	profile, _ := p.Profile(office.SSID)
	profile.EAP.Identity, profile.SSID[0] = "you", 'X'
	if profile, ok := p.Profile(office.SSID); !ok || profile.EAP.Identity != "me" || !profile.EAP.Password.IsZero() {
		t.Errorf("%v, %+v", ok, profile)
	}
}

// TestNotesThatCannotBeWritten checks that the change counts nevertheless.
func TestNotesThatCannotBeWritten(t *testing.T) {
	f, _ := start(t)
	f.save(home, ourFile)
	var log bytes.Buffer
	p, err := OpenProfiles(&store.Store{}, filepath.Join(t.TempDir(), "gone", "notes.json"), slog.New(slog.NewTextHandler(&log, nil)))
	if err == nil {
		err = p.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Worked(home.SSID, wifi.Association{Frequency: 2412}, when); err == nil {
		t.Error("the notes were written to a folder that is not there")
	}
	if err := p.Remove(home.SSID); err != nil || len(p.Networks()) != 0 {
		t.Errorf("removed: %v, and %+v is saved", err, p.Networks())
	}
	if !strings.Contains(log.String(), "notes") {
		t.Errorf("the log says %q", log.String())
	}
}

// TestBestFirst checks that the order equals that of a store.
func TestBestFirst(t *testing.T) {
	of := func(ssid string, priority, failures, minutes int) Profile {
		n := store.Network{Network: wifi.Network{SSID: []byte(ssid)}, Priority: priority, Failures: failures}
		if minutes > 0 {
			n.LastSuccess = when.Add(time.Duration(minutes) * time.Minute)
		}
		return Profile{Network: n}
	}
	all := []Profile{of("never", 0, 0, 0), of("fails", 0, 3, 9), of("last", 0, 2, 8), of("before", 0, 0, 7), of("preferred", 1, 9, 0)}
	bestFirst(all)
	var got []string
	for _, p := range all {
		got = append(got, string(p.SSID))
	}
	if want := []string{"preferred", "last", "before", "never", "fails"}; !reflect.DeepEqual(got, want) {
		t.Errorf("the order is %q, want %q", got, want)
	}
}

// TestWaitingForAnotherReadingEndsWithItsContext checks that a NetworkManager which
// takes long to answer does not delay a caller whose context has ended.
func TestWaitingForAnotherReadingEndsWithItsContext(t *testing.T) {
	f, _ := start(t)
	p := f.profiles()
	if err := p.reading.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	defer p.reading.Release(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Refresh(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
