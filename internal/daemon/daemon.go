// Package daemon builds netconnectd from its parts and runs them together. It
// translates between the parts: kernel links to the policy's uplinks, targets to
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
	"github.com/netconnectd/netconnectd/internal/declared"
	"github.com/netconnectd/netconnectd/internal/history"
	"github.com/netconnectd/netconnectd/internal/hook"
	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/metrics"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/radio"
	"github.com/netconnectd/netconnectd/internal/resolver"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/systemd"
	"github.com/netconnectd/netconnectd/internal/trial"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Options are what the program hands to the daemon.
type Options struct {
	Version string
	Log     *slog.Logger
	Load    func() (*config.Config, []config.Problem, error)            // reads the settings again
	Parse   func(text []byte) (*config.Config, []config.Problem, error) // reads the settings, with a text in place of the file
	Stop    func()                                                      // ends the daemon
	Self    string                                                      // the path of this program, see process.Runner
}

// daemon holds the parts between which it translates.
type daemon struct {
	Options
	cfg      atomic.Pointer[config.Config]
	wrong    atomic.Pointer[error] // the error of the last read configuration, which is then not in force
	log      *slog.Logger
	began    time.Time
	jitter   float64       // of this run, see policy.Config
	relink   chan struct{} // asks watchLinks to read the links again
	busy     chan struct{} // signals to releaseMemory that the daemon is busy
	monitor  *link.Monitor
	saved    *store.Store // the networks of the wpa_supplicant backend; the candidate of either backend
	profiles *networkmanager.Profiles
	posting  sync.Mutex // held by postNetworks
	radio    slot
	missing  atomic.Pointer[string] // the missing part of the packet filter against phones; nil: none is missing
	runner   *process.Runner
	dns      *nameServers
	sup      *supervisor.Supervisor
	server   *server.Server
	hooks    *hook.Runner
	history  *history.History
	problems problems
	lane     *interfaces.Lane
	declared *declared.Network
	trial    *trial.Trial
	damaged  []client.Problem // of files of earlier runs
	notesErr error            // why the notes on NetworkManager's profiles could not be read
	metrics  *metrics.Metrics
}

// Run runs the daemon, which answers on the listener. It returns nil when ctx ends.
// The children and addresses stay for the next run; TearDown removes them.
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
	d := build(cfg, opts, runner, networks)
	var historyErr error
	d.history, historyErr = openHistory(cfg.StateDir, log)
	d.damaged = fileProblems(err, historyErr, d.notesErr)
	d.configLoaded(cfg.Fault)
	if cfg.Fault == nil {
		d.trial.Keep(cfg)
	}
	d.recordStart()
	defer d.recordEnd()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { d.radio.Run(ctx); return nil })
	group.Go(func() error { return ignoreEnd(ctx, d.monitor.Run(ctx)) })
	group.Go(func() error { d.watchLinks(ctx); return nil })
	group.Go(func() error { return d.declared.Run(ctx) })
	group.Go(func() error { _, err := d.declared.Declare(ctx, cfg.Network); return ignoreEnd(ctx, err) })
	group.Go(func() error { d.trial.Run(ctx); return nil })
	group.Go(func() error { d.dns.run(ctx); return nil })
	group.Go(func() error { d.watchProblems(ctx); return nil })
	group.Go(func() error { return d.server.Serve(ctx, listener) })
	group.Go(func() error { return ignoreEnd(ctx, d.hooks.Run(ctx)) })
	group.Go(func() error { d.history.Run(ctx); return nil })
	group.Go(func() error { return d.decide(ctx) })
	group.Go(func() error { <-ctx.Done(); d.notifySystemd(systemd.Stopping); return nil })
	group.Go(func() error { d.releaseMemory(ctx); return nil })
	log.Info("started", "version", opts.Version, "socket", cfg.Socket, "config", cfg.File)
	return group.Wait()
}

// decide finds the radio and its backend, and then runs the policy. The socket is
// served meanwhile, so that a D-Bus that hangs delays only the policy.
func (d *daemon) decide(ctx context.Context) error {
	if err := d.radio.Discover(ctx); err != nil {
		return ignoreEnd(ctx, err)
	}
	d.log.Info("radio", "iface", d.radio.Interface(), "backend", d.radio.Backend())
	start := policy.Start{Running: d.radio.Running(ctx), Asked: d.stillAsked()}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { d.radio.WatchNetworkManager(ctx); return nil })
	group.Go(func() error {
		return d.sup.Run(ctx, policy.ConfigChanged{Config: d.policyConfig(d.cfg.Load())}, start, d.networks())
	})
	return group.Wait()
}

// nudge wakes the goroutine that receives from c, without blocking. c has room for
// one value, which stands for any number of nudges.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// TearDown removes what a run left: children, addresses, routes and DNS settings.
func TearDown(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	runner, err := newRunner(cfg, log)
	if err != nil {
		return err
	}
	defer runner.Close()
	d := build(cfg, Options{Log: log}, runner, &store.Store{})
	discover, stop := context.WithCancel(ctx)
	owned := make(chan struct{})
	go func() { defer close(owned); d.radio.Run(discover) }()
	discoverErr := d.radio.Discover(ctx)
	stop()
	<-owned
	return errors.Join(
		discoverErr,
		d.radio.EndAccessPoint(ctx),
		runner.EndAll(ctx),
		d.radio.TearDownStation(ctx),
		d.declared.TearDown(ctx),
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

func build(cfg *config.Config, opts Options, runner *process.Runner, networks *store.Store) *daemon {
	log := opts.Log
	d := &daemon{
		Options: opts, log: log, began: time.Now(), jitter: rand.Float64(), relink: make(chan struct{}, 1), busy: make(chan struct{}, 1),
		runner: runner, saved: networks, monitor: link.NewMonitor(log), metrics: metrics.New(opts.Version),
		problems: problems{hint: make(chan struct{}, 1)},
	}
	d.lane = interfaces.New(d.problems.recheck)
	d.declared = d.newDeclared(cfg.RuntimeDir)
	d.trial = d.newTrial()
	runner.Failed = d.metrics.ChildFailed
	d.cfg.Store(cfg)
	d.hooks = hook.New(func() string { return d.cfg.Load().Paths.Hooks }, log)
	var err error
	if d.profiles, err = networkmanager.OpenProfiles(networks, filepath.Join(cfg.StateDir, "networkmanager.json"), log); err != nil {
		log.Warn("open the notes on NetworkManager's profiles", "err", err)
		d.notesErr = err
	}
	d.radio = radio.New(radio.Parts{
		RuntimeDir: cfg.RuntimeDir, StateDir: cfg.StateDir, Runner: runner, Monitor: d.monitor, Interfaces: d.lane, Saved: networks, Profiles: d.profiles, Events: d.radioEvents(), Log: log,
	}, radioSettings(cfg))
	d.dns = &nameServers{dir: cfg.RuntimeDir, hint: make(chan struct{}, 1), radio: d.radio, uplink: func() policy.UplinkStatus { return d.sup.State().Uplink }, declared: d.declared.NameServers, log: log}
	d.server = server.New(server.Config{Log: log, Handler: d, Rights: server.Rights{
		Everyone: cfg.Permissions.Change == "everyone", Group: server.DefaultGroup,
	}})
	d.sup = supervisor.New(supervisor.Config{
		Policy: d.policyConfig(cfg), Radio: d.radio, Prober: d, Scanner: d.radio,
		Networks: d, KeepAsked: d.keepAsked, Log: log, Changed: d.publish,
		Watchdog: supervisor.Watchdog{Every: watchdogEvery(log), Feed: func() { d.notifySystemd(systemd.Alive) }},
	})
	return d
}

// radioEvents returns the handlers that pass the radio's events on to the policy,
// the status and the metrics.
func (d *daemon) radioEvents() radio.Events {
	return radio.Events{
		Join: d.publishJoin,
		Clients: func(ctx context.Context, n int) {
			d.metrics.Clients(n)
			d.sup.Post(ctx, policy.ClientsChanged{Count: n})
		},
		Lease:     func() { d.dns.recheck(); nudge(d.busy) },
		Unguarded: d.unguarded,
		Backend: func(ctx context.Context) {
			d.sup.Post(ctx, policy.ConfigChanged{Config: d.policyConfig(d.cfg.Load())})
		},
		Networks: d.postNetworks,
		Taken: func(ctx context.Context, reason string) {
			d.sup.Post(ctx, policy.RadioChanged{Reason: reason})
		},
	}
}

// radioSettings returns the radio's settings.
func radioSettings(cfg *config.Config) radio.Settings {
	return radio.Settings{
		Interface: cfg.Interfaces.Wifi, Backend: cfg.Wifi.Backend, Free: cfg.Wifi.Free, Reset: cfg.Wifi.Kill,
		Metric: uint32(cfg.Wifi.Metric), SkipGateway: probe.Kind(cfg.Probe.Kind) == probe.KindNone,
		Country: cfg.AP.Country, WPASupplicant: cfg.Paths.WPASupplicant, AccessPoint: apConfig(cfg),
	}
}

// apConfig returns the access point's settings, without an interface.
func apConfig(cfg *config.Config) ap.Config {
	forwardTo := ""
	if cfg.AP.ForwardingToWired {
		forwardTo = cfg.Interfaces.Wired
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // the access point is then reachable by its address only
	}
	return ap.Config{
		Driver: cfg.AP.Driver, SSID: cfg.AP.SSID, PSK: cfg.AP.PSK, Isolate: cfg.AP.Isolated(),
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
		Delegated:   d.radio.Managed(),
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// networks returns what the store holds, as an event for the policy.
func (d *daemon) networks() policy.NetworksChanged {
	var now policy.NetworksChanged
	for _, n := range d.radio.Networks().Networks() {
		now.Saved = append(now.Saved, policy.Network{SSID: string(n.SSID), Hidden: n.Hidden})
	}
	if n, ok := d.radio.Networks().Candidate(); ok {
		now.Candidate = &policy.Network{SSID: string(n.SSID), Hidden: n.Hidden, Candidate: true}
	}
	return now
}

// postNetworks posts what the store holds now to the policy. The lock keeps two
// callers from posting in the wrong order. postNetworks waits for the loop, which
// answers soon; it takes no context, as a change counts even if the client that
// made it has gone.
func (d *daemon) postNetworks() {
	d.posting.Lock()
	defer d.posting.Unlock()
	d.sup.Post(context.Background(), d.networks())
}

// Promote implements supervisor.Networks.
func (d *daemon) Promote(ctx context.Context) error {
	n := d.radio.Tried()
	if n == nil {
		return fmt.Errorf("promote candidate: %w", store.ErrNoCandidate)
	}
	err := d.radio.Networks().Promote(*n)
	if err == nil {
		err = d.recordJoin(n.SSID, false)
	}
	d.postNetworks()
	return err
}

// Joined implements supervisor.Networks. The networks are posted again, as the
// outcome of an attempt may change their order.
func (d *daemon) Joined(ctx context.Context, n policy.Network, failed bool) error {
	err := d.recordJoin([]byte(n.SSID), failed)
	d.postNetworks()
	return err
}

// recordJoin notes how joining a network ended. Without an SSID, it is the network
// that the radio is associated with.
func (d *daemon) recordJoin(ssid []byte, failed bool) error {
	if failed {
		return d.radio.Networks().Failed(ssid)
	}
	var seen wifi.Association
	if a := d.radio.Association(); a != nil && (len(ssid) == 0 || bytes.Equal(a.SSID, ssid)) {
		seen, ssid = *a, a.SSID
	}
	return d.radio.Networks().Worked(ssid, seen, time.Now())
}

// Forget implements supervisor.Networks. The policy assumes that no network is
// left. It has to hear of the profiles that other programs have saved in
// NetworkManager, and of networks that could not be removed, or it would never scan
// for them again.
func (d *daemon) Forget(ctx context.Context) error {
	_, err := d.radio.Networks().Forget()
	d.postNetworks()
	return err
}
