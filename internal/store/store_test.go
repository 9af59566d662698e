package store

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

var (
	when   = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	home   = Network{Network: wifi.Network{SSID: []byte("Home & Garden"), PSK: secret.New("01234567"), Security: "wpa2", Frequency: 2412}}
	office = Network{Network: wifi.Network{SSID: []byte("Caf\xe9\x00"), PSK: secret.New(" <ß\"\\> "), Security: "wpa3", Hidden: true}}
	work   = Network{
		Network: wifi.Network{
			SSID: []byte("work"), Security: wifi.EAP, BSSID: net.HardwareAddr{2, 0, 0, 0, 1, 0}, PMF: wifi.PMFRequired,
			EAP: &wifi.EAPCredentials{
				Method: "peap", Identity: "me@work", AnonymousIdentity: "anonymous@work", Password: secret.New("hunter2"), Phase2: "mschapv2",
				CACert: "/etc/ssl/work.pem", ServerName: "radius.work", ClientCert: "/c.pem", PrivateKey: "/k.pem", PrivateKeyPassword: secret.New("geheim"),
			},
		},
		Priority: -3,
		Addressing: &Addressing{
			Address: netip.MustParsePrefix("192.0.2.7/24"), Gateway: netip.MustParseAddr("192.0.2.1"),
			DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")},
		},
	}
	open = Network{Network: wifi.Network{SSID: []byte("Open"), Security: "open"}}
)

// sameNetwork compares secrets, too, which print alike, and ignores what only memory
// holds.
var sameNetwork = cmp.Options{
	cmp.Comparer(func(a, b secret.Secret) bool { return a == b }),
	cmpopts.IgnoreFields(Network{}, "Failures"),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
}

func newStore(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "networks.json")
	return mustOpen(t, path), path
}

func mustOpen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// saved returns a store in which n has worked, and its path.
func saved(t *testing.T, n Network) (*Store, string) {
	t.Helper()
	s, path := newStore(t)
	must(t, s.SetCandidate(n))
	must(t, promote(s))
	return s, path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantContents(t *testing.T, s *Store, candidate *Network, networks ...Network) {
	t.Helper()
	got := s.Networks()
	if diff := cmp.Diff(append([]Network{}, networks...), got, sameNetwork); diff != "" {
		t.Errorf("networks (-want +got):\n%s", diff)
	}
	c, ok := s.Candidate()
	if ok != (candidate != nil) {
		t.Errorf("candidate there: %t", ok)
	} else if ok && !cmp.Equal(c, *candidate, sameNetwork) {
		t.Errorf("candidate = %+v, want %+v", c, *candidate)
	}
}

// promote promotes the present candidate.
func promote(s *Store) error {
	n, _ := s.Candidate()
	return s.Promote(n)
}

func TestStory(t *testing.T) {
	touched := home
	touched.Frequency, touched.LastSuccess = 5180, when
	first, tried := work, office
	first.Priority, tried.LastSuccess = 1, when
	type step struct {
		name      string
		do        func(*Store) error
		candidate *Network
		saved     []Network
	}
	steps := []step{
		{"nothing at first", func(*Store) error { return nil }, nil, nil},
		{"a candidate is beside", func(s *Store) error { return s.SetCandidate(open) }, &open, nil},
		{"another replaces it", func(s *Store) error { return s.SetCandidate(home) }, &home, nil},
		{"success saves it", promote, nil, []Network{home}},
		{"it works again", func(s *Store) error { return s.Worked(home.SSID, wifi.Association{Frequency: 5180}, when) }, nil, []Network{touched}},
		{"a new candidate changes nothing saved", func(s *Store) error { return s.SetCandidate(office) }, &office, []Network{touched}},
		{"it failed", func(s *Store) error { return s.DropCandidate(office) }, nil, []Network{touched}},
		{"dropping none is fine", func(s *Store) error { return s.DropCandidate(office) }, nil, []Network{touched}},
		{"the next one", func(s *Store) error { return s.SetCandidate(office) }, &office, []Network{touched}},
		{"comes before what was saved", promote, nil, []Network{office, touched}},
		{"what works becomes the best", func(s *Store) error { return s.Worked(home.SSID, wifi.Association{Frequency: 5180}, when) }, nil, []Network{touched, office}},
		{"a failure changes nothing", func(s *Store) error { return s.Failed(home.SSID) }, nil, []Network{touched, office}},
		{"nor a second", func(s *Store) error { return s.Failed(home.SSID) }, nil, []Network{touched, office}},
		{"a success between starts anew", func(s *Store) error { return s.Worked(home.SSID, wifi.Association{Frequency: 5180}, when) }, nil, []Network{touched, office}},
		{"so this is the first", func(s *Store) error { return s.Failed(home.SSID) }, nil, []Network{touched, office}},
		{"a candidate of a saved name", func(s *Store) error { return s.SetCandidate(office) }, &office, []Network{touched, office}},
		{"replaces that one", promote, nil, []Network{office, touched}},
		{"removing one keeps the others", func(s *Store) error { return s.Remove(touched.SSID) }, nil, []Network{office}},
		{"a candidate before forgetting", func(s *Store) error { return s.SetCandidate(home) }, &home, []Network{office}},
		{"one that was never tried comes last", func(s *Store) error { return s.Add(work) }, &home, []Network{office, work}},
		{"and may be changed", func(s *Store) error { return s.Replace(first) }, &home, []Network{first, office}},
		{"its priority counts more than a success", func(s *Store) error { return s.Worked(office.SSID, wifi.Association{}, when) }, &home, []Network{first, tried}},
		{"forget takes both", func(s *Store) error { _, err := s.Forget(); return err }, nil, nil},
	}
	s, path := newStore(t)
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			must(t, step.do(s))
			wantContents(t, s, step.candidate, step.saved...)
			wantContents(t, mustOpen(t, path), step.candidate, step.saved...)
		})
	}
}

func TestThirdFailureInARowPutsANetworkLast(t *testing.T) {
	s, path := newStore(t)
	for _, n := range []Network{open, office, home} {
		must(t, s.SetCandidate(n))
		must(t, promote(s))
	}
	for range failuresThatCount {
		wantContents(t, s, nil, home, office, open)
		must(t, s.Failed(home.SSID))
	}
	wantContents(t, s, nil, office, open, home)
	wantContents(t, mustOpen(t, path), nil, home, office, open) // the file is not written, to spare the flash
	if n, err := s.Find(home.SSID); err != nil || !cmp.Equal(n, home, sameNetwork) {
		t.Errorf("found %+v, %v", n, err)
	}
	if n, err := s.Find([]byte("stranger")); !errors.Is(err, ErrUnknown) {
		t.Errorf("found %+v, %v", n, err)
	}
}

func TestForgetTellsWhetherThereWasAny(t *testing.T) {
	s, _ := newStore(t)
	if had, err := s.Forget(); had || err != nil {
		t.Errorf("empty: %t, %v", had, err)
	}
	must(t, s.SetCandidate(home))
	if had, err := s.Forget(); !had || err != nil {
		t.Errorf("candidate: %t, %v", had, err)
	}
	s, _ = saved(t, home)
	if had, err := s.Forget(); !had || err != nil {
		t.Errorf("saved: %t, %v", had, err)
	}
}

func TestFile(t *testing.T) {
	s, path := saved(t, home)
	must(t, s.Worked(home.SSID, wifi.Association{}, when))
	must(t, s.SetCandidate(office))
	const want = `{
  "version": 1,
  "networks": [
    {
      "name": "Home & Garden",
      "ssid": "486f6d6520262047617264656e",
      "psk": "01234567",
      "security": "wpa2",
      "frequency": 2412,
      "last_success": "2026-05-04T03:02:01Z"
    }
  ],
  "candidate": {
    "ssid": "436166e900",
    "psk": " <ß\"\\> ",
    "security": "wpa3",
    "hidden": true
  }
}
`
	if diff := cmp.Diff(want, string(read(t, path))); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	wantMode(t, path)
}

// TestFileOfAllThereIs checks that every field comes back from the file.
func TestFileOfAllThereIs(t *testing.T) {
	s, path := saved(t, work)
	const want = `{
  "version": 1,
  "networks": [
    {
      "name": "work",
      "ssid": "776f726b",
      "security": "eap",
      "bssid": "02:00:00:00:01:00",
      "pmf": "required",
      "eap": {
        "method": "peap",
        "identity": "me@work",
        "anonymous_identity": "anonymous@work",
        "password": "hunter2",
        "phase2": "mschapv2",
        "ca_cert": "/etc/ssl/work.pem",
        "server_name": "radius.work",
        "client_cert": "/c.pem",
        "private_key": "/k.pem",
        "private_key_password": "geheim"
      },
      "priority": -3,
      "addressing": {
        "address": "192.0.2.7/24",
        "gateway": "192.0.2.1",
        "dns": [
          "192.0.2.53",
          "2001:db8::53"
        ]
      }
    }
  ]
}
`
	if diff := cmp.Diff(want, string(read(t, path))); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	wantContents(t, s, nil, work)
	wantContents(t, mustOpen(t, path), nil, work)
}

// TestWhatWorkedWeakensNothing checks that a network which was once joined with a
// weaker variant is not joined that way first, and that a router's Transition Disable
// is kept for good.
func TestWhatWorkedWeakensNothing(t *testing.T) {
	without, over := home, home
	without.PMF, over.TransitionOver = wifi.PMFOff, true
	for _, row := range []struct {
		name   string
		before Network
		worked wifi.Association
		pmf    wifi.PMF
		over   bool
	}{
		{"joined without protection of management frames", home, wifi.Association{PMF: wifi.PMFOff}, home.PMF, false},
		{"what a person has set stays", without, wifi.Association{PMF: wifi.PMFOptional}, wifi.PMFOff, false},
		{"the router has no weaker cells", home, wifi.Association{TransitionOver: true}, home.PMF, true},
		{"and does not say so each time", over, wifi.Association{}, home.PMF, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, path := saved(t, row.before)
			must(t, s.Worked(home.SSID, row.worked, when))
			if got := mustOpen(t, path).Networks()[0]; got.PMF != row.pmf || got.TransitionOver != row.over {
				t.Errorf("PMF %q, transition over %v, want %q, %v", got.PMF, got.TransitionOver, row.pmf, row.over)
			}
		})
	}
}

func TestRefusedChangesLeaveFileAndMemory(t *testing.T) {
	tests := []struct {
		name string
		do   func(*Store) error
		is   error
	}{
		{"candidate without SSID", func(s *Store) error { return s.SetCandidate(Network{}) }, nil},
		{"candidate with 33 bytes", func(s *Store) error { return s.SetCandidate(Network{Network: wifi.Network{SSID: make([]byte, 33)}}) }, nil},
		{"passphrase that JSON would change", func(s *Store) error {
			return s.SetCandidate(Network{Network: wifi.Network{SSID: []byte("x"), PSK: secret.New("\xff2345678")}})
		}, nil},
		{"a cell that is a group of stations", func(s *Store) error {
			return s.Add(Network{Network: wifi.Network{SSID: []byte("x"), BSSID: net.HardwareAddr{1, 0, 0x5e, 0, 0, 1}}})
		}, nil},
		{"a cell that is nobody", func(s *Store) error {
			return s.SetCandidate(Network{Network: wifi.Network{SSID: []byte("x"), BSSID: make(net.HardwareAddr, 6)}})
		}, nil},
		{"a static address that is the network's broadcast address", func(s *Store) error {
			n := work.Clone()
			n.SSID, n.Addressing.Address = []byte("x"), netip.MustParsePrefix("192.0.2.255/24")
			return s.Add(n)
		}, nil},
		{"failure of a stranger", func(s *Store) error { return s.Failed([]byte("home")) }, ErrUnknown},
		{"removing a stranger", func(s *Store) error { return s.Remove([]byte("home")) }, ErrUnknown},
		{"adding what is saved", func(s *Store) error { return s.Add(home) }, ErrExists},
		{"adding without SSID", func(s *Store) error { return s.Add(Network{}) }, nil},
		{"changing a stranger", func(s *Store) error { return s.Replace(office) }, ErrUnknown},
		{"EAP password that JSON would change", func(s *Store) error {
			return s.Add(Network{Network: wifi.Network{SSID: []byte("x"), EAP: &wifi.EAPCredentials{Password: secret.New("\xff")}}})
		}, nil},
		{"nothing to promote", promote, ErrNoCandidate},
		{"success of a stranger", func(s *Store) error { return s.Worked([]byte("home"), wifi.Association{Frequency: 2412}, when) }, ErrUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, path := saved(t, home)
			before := read(t, path)
			err := tt.do(s)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v", err)
			}
			if !bytes.Equal(before, read(t, path)) {
				t.Error("the file has changed")
			}
			wantContents(t, s, nil, home)
		})
	}
}

func TestWorkedSparesTheFlash(t *testing.T) {
	s, path := saved(t, home)
	must(t, s.Worked(home.SSID, wifi.Association{Frequency: 2412}, when))
	file := read(t, path)
	must(t, s.Worked(home.SSID, wifi.Association{Frequency: 2412}, when.Add(9*time.Minute)))
	if !bytes.Equal(file, read(t, path)) {
		t.Error("written again for 9 minutes")
	}
	if got := s.Networks()[0].LastSuccess; !got.Equal(when.Add(9 * time.Minute)) {
		t.Errorf("memory has %v", got)
	}
	for name, touch := range map[string]func() error{
		"later":          func() error { return s.Worked(home.SSID, wifi.Association{Frequency: 2412}, when.Add(20*time.Minute)) },
		"clock set back": func() error { return s.Worked(home.SSID, wifi.Association{Frequency: 2412}, when.AddDate(-10, 0, 0)) },
		"new frequency": func() error {
			return s.Worked(home.SSID, wifi.Association{Frequency: 2437}, s.Networks()[0].LastSuccess)
		},
	} {
		before := read(t, path)
		must(t, touch())
		if bytes.Equal(before, read(t, path)) {
			t.Errorf("%s: not written", name)
		}
	}
}

// TestPromoteWhatWasTried checks what happens if a client corrects a candidate while
// it is being tried.
func TestPromoteWhatWasTried(t *testing.T) {
	s, _ := saved(t, home)
	must(t, s.SetCandidate(office))
	corrected := office
	corrected.PSK = secret.New("as it should be")
	must(t, s.SetCandidate(corrected))
	must(t, s.Promote(office))
	wantContents(t, s, &corrected, office, home)
	must(t, s.DropCandidate(office)) // there is no candidate any more
	wantContents(t, s, &corrected, office, home)
	must(t, s.Promote(corrected))
	wantContents(t, s, nil, corrected, home)
}

func TestOnlyReadableNamesAreShown(t *testing.T) {
	for ssid, want := range map[string]string{
		"Home & Garden": "Home & Garden", "Wi-Fi ☕": "Wi-Fi ☕", "Caf\xe9": "", "a\x00b": "", "\x1b[31m": "", "a\u202eb": "",
	} {
		if got := readable([]byte(ssid)); got != want {
			t.Errorf("%q: %q", ssid, got)
		}
	}
}
