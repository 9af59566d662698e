// Package daemon builds netconnectd from its parts and runs them together. It
// translates between them: kernel links to the policy's uplinks, targets to
// hostapd and wpa_supplicant, socket requests to commands, states to status.
package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/history"
	"github.com/netconnectd/netconnectd/internal/hook"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/metrics"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/resolver"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// nl80211Driver is the driver of hostapd that makes the kernel know of the
// access point.
const nl80211Driver = "nl80211"

// Options are what the daemon needs of its program.
type Options struct {
	Version string
	Log     *slog.Logger
	Load    func() (*config.Config, []config.Problem, error) // reads the settings again
	Stop    func()                                           // ends the daemon
	Self    string                                           // see process.Runner
}

// daemon holds the parts that translate into each other.
type daemon struct {
	Options
	cfg      atomic.Pointer[config.Config]
	wrong    atomic.Pointer[error] // of the configuration that was read last, which is not in force then
	log      *slog.Logger
	jitter   float64       // of this run, see policy.Config
	relink   chan struct{} // asks watchLinks to look again
	backends chan struct{} // asks watchNetworkManager to decide again
	busy     chan struct{} // tells rest that something happens
	monitor  *link.Monitor
	saved    *store.Store // of our own backend; the candidate of either
	profiles *networkmanager.Profiles
	managed  atomic.Bool // NetworkManager joins networks
	telling  sync.Mutex  // of tellNetworks
	radio    slot
	runner   *process.Runner
	scanner  *scanner
	dns      *nameServers
	sup      *supervisor.Supervisor
	server   *server.Server
	hooks    *hook.Runner
	history  *history.History
	problems problems
	damaged  []client.Problem // files of earlier runs
	notesErr error            // of the notes on NetworkManager's profiles
	metrics  *metrics.Metrics
}

// Run is the daemon, which answers on the listener. It returns nil when ctx
// ends; what it made (children, addresses) stays for the next run, and TearDown
// removes it.
func Run(ctx context.Context, cfg *config.Config, listener net.Listener, opts Options) error {
	defer listener.Close()
	log := opts.Log
	if err := process.ClearInheritable(); err != nil {
		log.Warn("keep capabilities from children", "err", err)
	}
	runner, err := newRunner(cfg, log)
	if err != nil {
		return err
	}
	defer runner.Close()
	runner.Self = opts.Self
	if err := process.CanHide(); err != nil {
		log.Warn("hostapd, dnsmasq and wpa_supplicant can read the saved networks", "err", err)
	}
	only, err := lock(cfg.RuntimeDir)
	if err != nil {
		return err
	}
	defer only.Close()
	networks, err := store.Open(filepath.Join(cfg.StateDir, "networks.json"))
	if err != nil {
		log.Error("open the saved networks", "err", err)
	}
	d := build(ctx, cfg, opts, runner, networks)
	var historyErr error
	d.history, historyErr = openHistory(cfg.StateDir, log)
	d.damaged = savedFiles(err, historyErr, d.notesErr)
	d.configLoaded(cfg.Fault)
	d.keepConfig()
	d.recordStart()
	defer d.recordEnd()
	running := d.radio.current.Load().running(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ignoreEnd(ctx, d.monitor.Run(ctx)) })
	group.Go(func() error { d.watchLinks(ctx); return nil })
	group.Go(func() error { d.dns.run(ctx); return nil })
	group.Go(func() error { d.watchNetworkManager(ctx); return nil })
	group.Go(func() error { d.watchProblems(ctx); return nil })
	group.Go(func() error { return d.server.Serve(ctx, listener) })
	group.Go(func() error { return ignoreEnd(ctx, d.hooks.Run(ctx)) })
	group.Go(func() error { d.history.Run(ctx); return nil })
	group.Go(func() error {
		return d.sup.Run(ctx, policy.Start{Running: running, Asked: d.stillAsked()}, d.networks())
	})
	group.Go(func() error { <-ctx.Done(); d.tellSystemd(stopping); return nil })
	group.Go(func() error { d.rest(ctx); return nil })
	log.Info("started", "version", opts.Version, "radio", d.radio.iface(), "socket", cfg.Socket, "config", cfg.File)
	return group.Wait()
}

// nudge tells whoever waits at c that there is something to look at, and does not
// wait itself: c has room for one, which stands for all.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// TearDown ends what a run left: children, addresses, routes and DNS.
func TearDown(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	runner, err := newRunner(cfg, log)
	if err != nil {
		return err
	}
	defer runner.Close()
	d := build(ctx, cfg, Options{Log: log}, runner, &store.Store{})
	r := d.radio.current.Load()
	return errors.Join(
		r.endAP(ctx),
		runner.EndAll(ctx),
		r.tearDownStation(ctx),
		resolver.Withdraw(cfg.RuntimeDir),
		dropAsked(askedFile(cfg.RuntimeDir)),
	)
}

func newRunner(cfg *config.Config, log *slog.Logger) (*process.Runner, error) {
	if err := os.MkdirAll(cfg.RuntimeDir, 0o750); err != nil {
		return nil, fmt.Errorf("make the runtime folder: %w", err)
	}
	return &process.Runner{Dir: cfg.RuntimeDir, Output: os.Stderr, Log: log}, nil
}

func build(ctx context.Context, cfg *config.Config, opts Options, runner *process.Runner, networks *store.Store) *daemon {
	log := opts.Log
	d := &daemon{
		Options: opts, log: log, jitter: rand.Float64(), relink: make(chan struct{}, 1), backends: make(chan struct{}, 1), busy: make(chan struct{}, 1),
		runner: runner, saved: networks, monitor: link.NewMonitor(log), metrics: metrics.New(opts.Version),
		problems: problems{hint: make(chan struct{}, 1)},
	}
	runner.Failed = d.metrics.ChildFailed
	d.cfg.Store(cfg)
	d.hooks = hook.New(func() string { return d.cfg.Load().Paths.Hooks }, log)
	d.radio.clientsChanged = func(ctx context.Context, n int) {
		d.metrics.Clients(n)
		d.sup.Post(ctx, policy.ClientsChanged{Count: n})
	}
	d.radio.joinChanged = d.publishJoin
	d.radio.joinEnded = d.metrics.Join
	d.radio.leaseChanged = func() { d.dns.changed(); nudge(d.busy) }
	iface := radioName(ctx, cfg, log)
	var err error
	if d.profiles, err = networkmanager.OpenProfiles(networks, filepath.Join(cfg.StateDir, "networkmanager.json"), log); err != nil {
		log.Warn("open the notes on NetworkManager's profiles", "err", err)
		d.notesErr = err
	}
	d.managed.Store(d.wantsManager((&networkmanager.Client{Interface: iface, Log: log}).Device(ctx)))
	if d.managed.Load() {
		if err := d.profiles.Refresh(ctx); err != nil {
			log.Warn("read the saved networks", "err", err)
		}
	}
	d.radio.current.Store(d.newRadio(iface))
	d.dns = &nameServers{dir: cfg.RuntimeDir, hint: make(chan struct{}, 1), radio: &d.radio, way: func() string { return d.sup.State().Uplink.Name }, log: log}
	d.scanner = newScanner(wifi.Scan, d.radio.iface, d.book)
	d.radio.seenAt = d.scanner.frequency
	d.server = server.New(server.Config{Log: log, Handler: d, Rights: server.Rights{
		Everyone: cfg.Permissions.Change == "everyone", Group: server.DefaultGroup,
	}})
	d.sup = supervisor.New(supervisor.Config{
		Policy: d.policyConfig(cfg), Radio: &d.radio, Prober: d, Scanner: d.scanner,
		Networks: d, KeepAsked: d.keepAsked, Log: log, Changed: d.publish,
		Watchdog: supervisor.Watchdog{Every: watchdogEvery(log), Feed: func() { d.tellSystemd(alive) }},
	})
	return d
}

// newRadio makes the interface of that name the radio, by the settings of now.
func (d *daemon) newRadio(iface string) *radio {
	cfg := d.cfg.Load()
	r := &radio{
		iface:   iface,
		metric:  uint32(cfg.Wifi.Metric),
		blind:   probe.Kind(cfg.Probe.Kind) == probe.KindNone,
		dir:     cfg.RuntimeDir,
		book:    d.saved,
		runner:  d.runner,
		log:     d.log,
		monitor: d.monitor,
		live:    &d.radio.live,
		ap:      ap.New(apConfig(cfg, iface), d.runner, link.Kernel{}, d.log),
		station: wifi.NewStation(wifi.StationConfig{
			Interface: iface, Program: cfg.Paths.WPASupplicant, Country: cfg.AP.Country, RuntimeDir: cfg.RuntimeDir, StateDir: cfg.StateDir, Runner: d.runner, Log: d.log,
		}),
	}
	r.ap.Unguarded = d.unguarded
	// One that only goes on knows which association it has made itself.
	if last := d.radio.current.Load(); last != nil && last.station.Same(r.station) {
		r.station = last.station
	}
	if cfg.Wifi.Kill {
		r.reset = ap.Reset
	}
	if cfg.AP.Driver == nl80211Driver {
		r.ap.IsOne = func(ctx context.Context) bool { return isAccessPoint(ctx, iface) }
	}
	if d.managed.Load() {
		r.book = d.profiles
		r.manager = &manager{Client: &networkmanager.Client{Interface: iface, Log: d.log}, profiles: d.profiles, marker: markerFile(cfg.RuntimeDir)}
	}
	return r
}

// book is where networks are saved.
type book interface {
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

func (d *daemon) book() book { return d.radio.current.Load().book }

// radioName is the interface that the daemon drives: the one that the config
// names, else the first that can be an access point.
func radioName(ctx context.Context, cfg *config.Config, log *slog.Logger) string {
	if cfg.Interfaces.Wifi != "" {
		return cfg.Interfaces.Wifi
	}
	radios, err := wifi.Radios(ctx)
	if err != nil {
		log.Warn("look for a radio", "err", err)
	}
	return wifi.ChooseRadio(radios)
}

func apConfig(cfg *config.Config, iface string) ap.Config {
	forwardTo := ""
	if cfg.AP.ForwardingToWired {
		forwardTo = cfg.Interfaces.Wired
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // the access point answers to its address only
	}
	return ap.Config{
		Interface: iface, Driver: cfg.AP.Driver, SSID: cfg.AP.SSID, PSK: cfg.AP.PSK, Isolate: cfg.AP.Isolated(),
		Channel: cfg.AP.Channel, Country: cfg.AP.Country, Address: cfg.AP.Address,
		RangeFirst: cfg.AP.RangeFirst, RangeLast: cfg.AP.RangeLast, Domain: cfg.AP.Domain,
		Hostapd: cfg.Paths.Hostapd, Dnsmasq: cfg.Paths.Dnsmasq, RuntimeDir: cfg.RuntimeDir, StateDir: cfg.StateDir,
		HostName: host, ForwardTo: forwardTo,
	}
}

func (d *daemon) policyConfig(cfg *config.Config) policy.Config {
	return policy.Config{
		Fallback:    cfg.LinkMonitor.Enabled && cfg.AP.Mode == "fallback",
		Always:      cfg.AP.Mode == "always",
		Gateway:     probe.Kind(cfg.Probe.Kind) == probe.KindGateway,
		MaxLinkDown: cfg.LinkMonitor.MaxLinkDown,
		Interval:    cfg.LinkMonitor.Interval,
		Hold:        cfg.LinkMonitor.Hold,
		Settle:      cfg.Start.Settle,
		JoinTimeout: cfg.Wifi.JoinTimeout,
		AskedLimit:  cfg.AP.AskedLimit,
		YieldAfter:  cfg.AP.YieldAfter,
		Rescan:      cfg.AP.Rescan,
		Jitter:      d.jitter,
		Delegated:   d.managed.Load(),
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// networks tells the policy what the store holds.
func (d *daemon) networks() policy.NetworksChanged {
	var now policy.NetworksChanged
	for _, n := range d.book().Networks() {
		now.Saved = append(now.Saved, policy.Network{SSID: string(n.SSID), Hidden: n.Hidden})
	}
	if n, ok := d.book().Candidate(); ok {
		now.Candidate = &policy.Network{SSID: string(n.SSID), Hidden: n.Hidden, Candidate: true}
	}
	return now
}

// tellNetworks hands the policy what the store holds now; one at a time, so that
// nobody overtakes another with what it held before. It waits for the loop, which
// is never long, also for a client that has gone: what it has changed counts.
func (d *daemon) tellNetworks() {
	d.telling.Lock()
	defer d.telling.Unlock()
	d.sup.Post(context.Background(), d.networks())
}

// Promote implements supervisor.Networks.
func (d *daemon) Promote(ctx context.Context) error {
	n := d.radio.tried.Load()
	if n == nil {
		return fmt.Errorf("promote candidate: %w", store.ErrNoCandidate)
	}
	err := d.book().Promote(*n)
	if err == nil {
		err = d.recordJoin(n.SSID, false)
	}
	d.tellNetworks()
	return err
}

// Joined implements supervisor.Networks. How it ended may change which of the
// networks is the best.
func (d *daemon) Joined(ctx context.Context, n policy.Network, failed bool) error {
	err := d.recordJoin([]byte(n.SSID), failed)
	d.tellNetworks()
	return err
}

// recordJoin notes how joining a network ended; without an SSID, the one that
// the radio is in.
func (d *daemon) recordJoin(ssid []byte, failed bool) error {
	if failed {
		return d.book().Failed(ssid)
	}
	var seen wifi.Association
	if a := d.radio.current.Load().association.Load(); a != nil && (len(ssid) == 0 || bytes.Equal(a.SSID, ssid)) {
		seen, ssid = *a, a.SSID
	}
	return d.book().Worked(ssid, seen, time.Now())
}

// Forget implements supervisor.Networks. The policy thinks that nothing is left:
// it has to hear of what somebody else has saved in NetworkManager, and of what
// could not be removed, or it would never look for those again.
func (d *daemon) Forget(ctx context.Context) error {
	_, err := d.book().Forget()
	d.tellNetworks()
	return err
}
