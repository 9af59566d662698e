// Package radio makes one Wi-Fi interface what the policy wants: an access point,
// the station of a network, or idle. It chooses the interface and the backend that
// joins networks (our own wpa_supplicant, or NetworkManager), holds the address of a
// network, and scans.
//
// One goroutine, Slot.Run, owns which interface, settings and backend are in use.
// Changes of the settings, of the interfaces and of NetworkManager reach Slot.Run as
// messages.
package radio

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Settings are the radio's part of a configuration.
type Settings struct {
	Interface   string // e.g. "wlan0"; "": the first that can be an access point
	Backend     string // BackendAuto, BackendOurs or BackendNetworkManager
	Free        bool   // take the radio from NetworkManager for good
	Reset       bool   // reset the radio when it fails
	Metric      uint32 // of the station's default route
	SkipGateway bool   // a network counts as joined although its gateway does not answer
	Country     string // ISO 3166-1 alpha-2 of the station; "": leave what the system has set

	WPASupplicant string    // path of the program
	AccessPoint   ap.Config // without its Interface
}

// NetworkStore is where networks are saved: a store.Store of ours, or the
// profiles of NetworkManager.
type NetworkStore interface {
	Networks() []store.Network               // best first
	Find(ssid []byte) (store.Network, error) // with its secrets
	Add(n store.Network) error
	Replace(n store.Network) error
	Remove(ssid []byte) error
	Forget() (had bool, err error)

	Candidate() (store.Network, bool)
	SetCandidate(n store.Network) error
	Promote(n store.Network) error
	Worked(ssid []byte, seen wifi.Association, when time.Time) error
	Failed(ssid []byte) error
}

// Events are the callbacks of a Slot. Several goroutines call them, and none may
// block for long. All have to be set.
type Events struct {
	Join      func(JoinEvent)
	Clients   func(ctx context.Context, count int) // of the access point, also when their number is the same
	Lease     func()                               // the network, or one of its routers, gave an address or name servers
	Unguarded func(missing error)                  // see ap.AccessPoint

	// Backend reports that another backend joins networks from now on.
	Backend func(ctx context.Context)
	// Networks reports that NetworkManager saves other networks than before.
	Networks func()
	// Taken reports that the radio has to be set up anew, because another program
	// has taken or changed it.
	Taken func(ctx context.Context, reason string)
}

// JoinEvent is the progress of an attempt to join a network.
type JoinEvent struct {
	Network   policy.Network // without an SSID while only NetworkManager knows which it is
	Stage     policy.Stage   // the stage reached; "": the attempt has begun, failed or was abandoned
	Failure   policy.Failure // why the attempt failed; zero: it did not
	Abandoned bool           // the policy has set another target
	Took      time.Duration  // since the attempt began
}

// Parts are what a Slot works with, for as long as it exists.
type Parts struct {
	RuntimeDir string
	StateDir   string // hidden from children
	Runner     *process.Runner
	Monitor    *link.Monitor
	Interfaces *interfaces.Lane         // changes the interface
	Saved      *store.Store             // of the wpa_supplicant backend
	Profiles   *networkmanager.Profiles // of NetworkManager
	Events     Events
	Log        *slog.Logger
}

// Slot holds the current radio, which is replaced when the hardware, the settings or
// NetworkManager change. A Hold keeps the radio with which it began.
type Slot struct {
	Parts
	readings
	scanner *scanner
	current atomic.Pointer[radio]
	inbox   chan message
	ended   chan struct{} // Run has returned
	recheck chan struct{} // asks WatchNetworkManager to read the device again
}

// New returns the slot with the radio that the settings name. It asks neither the
// kernel nor NetworkManager: see Discover.
func New(parts Parts, settings Settings) *Slot {
	s := &Slot{Parts: parts, inbox: make(chan message), ended: make(chan struct{}), recheck: make(chan struct{}, 1)}
	s.scanner = newScanner(wifi.Scan, s.Interface, s.Networks)
	s.build(choice{Settings: settings, iface: settings.Interface, managed: settings.Backend == BackendNetworkManager})
	return s
}

// choice is what a radio is built from.
type choice struct {
	Settings
	iface   string
	managed bool // NetworkManager joins networks
}

// message asks the owner for another choice: change returns it, and reports
// whether the radio has to be built anew.
type message struct {
	change func(choice) (choice, bool)
	done   chan struct{}
}

// Run owns the slot's radio until ctx ends: only Run replaces it.
func (s *Slot) Run(ctx context.Context) {
	defer close(s.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.inbox:
			if next, differs := m.change(s.current.Load().choice); differs {
				s.build(next)
			}
			close(m.done)
		}
	}
}

// ask hands a change to Run, and returns when the change is in force.
func (s *Slot) ask(ctx context.Context, change func(choice) (choice, bool)) error {
	m := message{change, make(chan struct{})}
	select {
	case s.inbox <- m:
		<-m.done // Run never blocks in a change
		return nil
	case <-s.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errEnded is the error of a change after Run has returned, as the daemon ends.
var errEnded = errors.New("the radio is not driven any more")

// Configure puts settings in force. The backend is chosen again afterwards, which
// may take longer.
func (s *Slot) Configure(ctx context.Context, settings Settings) error {
	err := s.ask(ctx, func(c choice) (choice, bool) {
		c.Settings = settings
		return c, true
	})
	s.recheckBackend()
	return err
}

// recheckBackend makes WatchNetworkManager choose the backend again. It does not
// wait for that.
func (s *Slot) recheckBackend() { nudge(s.recheck) }

// FindInterface chooses another interface when the slot's interface is gone and the
// settings name none.
func (s *Slot) FindInterface(ctx context.Context, links *link.Snapshot) error {
	gone := s.current.Load()
	if _, there := links.Link(gone.iface); there || gone.Settings.Interface != "" {
		return nil
	}
	name := chooseInterface(ctx, s.Log)
	return s.ask(ctx, func(c choice) (choice, bool) {
		if c.Settings.Interface != "" || c.iface != gone.iface || c.iface == name {
			return c, false
		}
		s.Log.Info("radio", "iface", name, "instead", c.iface)
		c.iface = name
		return c, true
	})
}

// Discover chooses the interface and the backend at the start. The D-Bus may be slow,
// so other parts of the daemon already run.
func (s *Slot) Discover(ctx context.Context) error {
	if first := s.current.Load(); first.iface == "" {
		name := chooseInterface(ctx, s.Log)
		if err := s.ask(ctx, func(c choice) (choice, bool) { c.iface = name; return c, true }); err != nil {
			return err
		}
	}
	bounded, cancel := context.WithTimeout(ctx, discoverLimit)
	defer cancel()
	device, err := s.networkManager().Device(bounded)
	if s.wantsManager(s.current.Load().choice, device, err) {
		s.refreshProfiles(bounded)
	}
	_, err = s.chooseBackend(ctx, device, err)
	return err
}

// discoverLimit is how long each question of the daemon's start waits for a D-Bus that
// does not answer. Our wpa_supplicant is then the backend until the bus answers.
const discoverLimit = 3 * time.Second

// chooseInterface returns the first interface that can be an access point.
func chooseInterface(ctx context.Context, log *slog.Logger) string {
	radios, err := wifi.Radios(ctx)
	if err != nil {
		log.Warn("look for a radio", "err", err)
	}
	return wifi.ChooseRadio(radios)
}

// build puts a radio of that choice into the slot. If the new radio has the same
// station as the previous radio, it takes over that station, which knows the
// association that it has made.
func (s *Slot) build(c choice) {
	r := newRadio(s, c)
	if last := s.current.Load(); last != nil && last.station.Same(r.station) {
		r.station = last.station
	}
	s.current.Store(r)
}

// Interface returns the name of the radio's interface; "": there is none.
func (s *Slot) Interface() string { return s.current.Load().iface }

// Managed reports whether NetworkManager joins networks.
func (s *Slot) Managed() bool { return s.current.Load().managed }

// Backend returns what joins networks: BackendOurs or BackendNetworkManager.
func (s *Slot) Backend() string {
	if s.Managed() {
		return BackendNetworkManager
	}
	return BackendOurs
}

// Networks returns where the networks of the backend are saved.
func (s *Slot) Networks() NetworkStore { return s.current.Load().networks }

// Hold implements supervisor.Radio.
func (s *Slot) Hold(ctx context.Context, t policy.Target, report func(policy.Part, policy.Stage)) error {
	return s.current.Load().Hold(ctx, t, report)
}

// Running returns what the previous run left the radio as. Like Discover, it does not
// wait long for a D-Bus that does not answer.
func (s *Slot) Running(ctx context.Context) policy.Target {
	bounded, cancel := context.WithTimeout(ctx, discoverLimit)
	defer cancel()
	return s.current.Load().running(bounded)
}

// EndAccessPoint ends the access point of this or an earlier run.
func (s *Slot) EndAccessPoint(ctx context.Context) error { return s.current.Load().endAP(ctx) }

// TearDownStation removes what a station left, and hands the radio back if it was
// taken from NetworkManager. Its wpa_supplicant has to be ended before.
func (s *Slot) TearDownStation(ctx context.Context) error { return s.current.Load().tearDown(ctx) }

// SavedVisible implements supervisor.Scanner.
func (s *Slot) SavedVisible(ctx context.Context, full bool) ([]string, error) {
	return s.scanner.SavedVisible(ctx, full)
}

// Cells returns the cells in reach: those of the last 45 s, unless fresh is set,
// else those of a new scan. Its error is or wraps ErrCannotScan, or one of package
// wifi's.
func (s *Slot) Cells(ctx context.Context, fresh bool) ([]wifi.BSS, error) {
	return s.scanner.list(ctx, fresh)
}

// readings are the radio's current state, which any goroutine may read. A radio that
// replaces another one goes on with the same readings.
type readings struct {
	association atomic.Pointer[wifi.Association] // nil while not a station
	leased      atomic.Pointer[dhcp.Lease]       // the latest
	advertised  atomic.Pointer[[]netip.Addr]     // name servers of routers; nil: not known yet
	clients     atomic.Pointer[[]ap.Client]      // of the access point
	cell        atomic.Pointer[ap.Cell]          // of the access point; nil: it is not up
	tried       atomic.Pointer[store.Network]    // the candidate tried last; another one may be stored by now
	serving     atomic.Bool                      // an access point is up
	metricless  sync.Once                        // logs that the kernel lacks routerMetric
}

// Association returns the station's association, nil if there is none.
func (r *readings) Association() *wifi.Association { return r.association.Load() }

// Lease returns the station's lease, nil if there is none.
func (r *readings) Lease() *dhcp.Lease { return r.leased.Load() }

// Advertised returns the name servers that the network's routers advertise, and
// reports whether the routers have been heard at all.
func (r *readings) Advertised() (servers []netip.Addr, heard bool) {
	if all := r.advertised.Load(); all != nil {
		return *all, true
	}
	return nil, false
}

// Clients returns the stations on the access point.
func (r *readings) Clients() []ap.Client {
	if clients := r.clients.Load(); clients != nil {
		return *clients
	}
	return nil
}

// OnAir returns the cell of the access point, nil while there is none.
func (r *readings) OnAir() *ap.Cell { return r.cell.Load() }

// Tried returns the candidate that was tried last, nil if there was none.
func (r *readings) Tried() *store.Network { return r.tried.Load() }

// Refresh brings the signal of the association up to date. It is called with the
// probes of the uplink, so that it costs no wake-up of its own.
func (s *Slot) Refresh(ctx context.Context) {
	old := s.association.Load()
	if old == nil {
		return
	}
	now, err := wifi.Refresh(ctx, s.Interface(), *old)
	if err != nil {
		s.Log.Debug("signal", "err", err)
		return
	}
	s.association.CompareAndSwap(old, &now) // a newer association is kept
}

// nudge wakes the goroutine that receives from c, without blocking. c has room for
// one value, which stands for any number of nudges.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
