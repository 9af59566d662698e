// Package ap makes a radio an access point: it renders the configuration of hostapd
// and dnsmasq, runs both programs, gives the interface its address, forwards phones
// to the wired network if the configuration wants that, and reports when the access
// point starts and stops serving.
//
// Both programs outlive the daemon (package process). The next daemon's Hold adopts
// them when they run with the wanted configuration, so phones notice nothing.
package ap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// The roles of the children in the runtime folder.
const (
	RoleHostapd = "hostapd"
	RoleDnsmasq = "dnsmasq"
)

const (
	// hostapdLimit bounds hostapd's start. Measured: 0.8 s in a slow VM; a
	// change of the country takes up to 5 s (COUNTRY_UPDATE in its sources).
	hostapdLimit = 15 * time.Second
	// dnsmasqLimit bounds dnsmasq's start once the address is there. Measured:
	// 0.5 s in a slow VM.
	dnsmasqLimit = 5 * time.Second
	// adoptLimit is how long a running hostapd may take to answer that it serves.
	adoptLimit = 2 * time.Second
)

// Links is what an access point needs to change interfaces. An owner of package
// interfaces implements it.
type Links interface {
	Apply(ctx context.Context, want link.Spec) error
	// Release leaves the interface as rest describes. It does nothing if the
	// interface does not exist.
	Release(ctx context.Context, rest link.Spec) error
}

// AccessPoint is one access point on one interface. Hold and End must not
// overlap.
type AccessPoint struct {
	// IsOne reports whether the kernel has the interface as an access point. hostapd
	// does not notice when another program changes that. The default is always
	// true, for drivers that the kernel does not know of.
	IsOne func(ctx context.Context) bool

	// Clients is called with the stations on the access point while Hold serves: at
	// the start, when a station comes or goes, and every few seconds, as their
	// addresses come later. The default does nothing.
	Clients func(context.Context, []Client)

	// OnAir is called with the channel of the access point: before Hold calls ready,
	// and every few seconds from then on. It must not block. The default does
	// nothing.
	OnAir func(Cell)

	// Unguarded is called with the missing part of the protection from phones, nil
	// if none is missing: before hostapd starts, at each change, and at the end. It
	// must not block. The default does nothing.
	Unguarded func(error)

	config Config
	runner *process.Runner
	links  Links
	log    *slog.Logger

	hostapdConfig func() []byte // rendered once, because deriving the key takes a while
	guard         guard
	missing       *string // the last argument of Unguarded, as text; nil: Unguarded was not called yet
}

// New returns an access point that does nothing yet.
func New(config Config, runner *process.Runner, links Links, log *slog.Logger) *AccessPoint {
	return &AccessPoint{
		IsOne:   func(context.Context) bool { return true },
		Clients: func(context.Context, []Client) {}, OnAir: func(Cell) {}, Unguarded: func(error) {},
		config: config, runner: runner, links: links, log: log,
		hostapdConfig: rendered(config),
		guard:         newGuard(config, log),
	}
}

// rendered returns a function that returns hostapd's configuration. It renders the
// configuration only once.
func rendered(c Config) func() []byte {
	return sync.OnceValue(func() []byte { return renderHostapd(c) })
}

// Hold makes the access point serve, calls ready once it serves, and blocks while it
// serves. Programs that already run with the wanted configuration are adopted.
//
// When ctx ends, Hold returns ctx.Err() and leaves everything running. Any other
// error is the reason why the access point does not serve. A program may then still
// run; another Hold starts only the dead ones, and End ends all.
func (a *AccessPoint) Hold(ctx context.Context, ready func()) error {
	err := a.hold(ctx, ready)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if blocked := blockedError(a.config.Interface); blocked != nil && !errors.Is(err, ErrBlocked) {
		err = fmt.Errorf("%w: %w", blocked, err)
	}
	return fmt.Errorf("access point on %s: %w", a.config.Interface, err)
}

func (a *AccessPoint) hold(ctx context.Context, ready func()) error {
	if err := a.config.Check(); err != nil {
		return err
	}
	if err := blockedError(a.config.Interface); err != nil {
		return err
	}
	return a.onSomeChannel(ctx, ready)
}

func (a *AccessPoint) serve(ctx context.Context, ready func()) error {
	hostapd, err := a.hostapdSpec()
	if err != nil {
		return err
	}
	dnsmasq, err := a.dnsmasqSpec(withNames)
	if err != nil {
		return err
	}
	running, err := a.bringUp(ctx, hostapd, dnsmasq)
	if err != nil {
		return err
	}
	defer running.events.Close()
	a.OnAir(running.cell)
	ready()
	return a.watch(ctx, running)
}

// children are the two programs while they serve.
type children struct {
	hostapd, dnsmasq *process.Child
	cell             Cell
	events           *wpactrl.Events // hostapd's events
	names            nameService     // whether dnsmasq resolves names
}

// bringUp returns when phones are served. The address is set last: hostapd takes
// the interface down to make it an access point. dnsmasq starts meanwhile, and
// begins to listen on the address when the address appears.
func (a *AccessPoint) bringUp(ctx context.Context, hostapd, dnsmasq process.Spec) (children, error) {
	var c children
	a.keepGuard(ctx) // before the first phone can join
	if !a.hostapdServes(ctx, hostapd.Hash) {
		if err := a.clear(ctx); err != nil {
			return c, err
		}
	}
	// hostapd would make the folder itself, but the appearance of the socket can be
	// watched only in an existing folder. hostapd removes the folder when it ends.
	err := os.MkdirAll(a.config.hostapdControlDir(), 0o700)
	if err != nil {
		return c, err
	}
	if c.hostapd, _, err = a.runner.Ensure(ctx, hostapd); err != nil {
		return c, err
	}
	if c.dnsmasq, _, err = a.runner.Ensure(ctx, dnsmasq); err != nil {
		return c, err
	}
	if c.cell, c.events, err = a.awaitHostapd(ctx, c.hostapd); err != nil {
		return c, err
	}
	if c.dnsmasq, c.names, err = a.awaitDnsmasq(ctx, c.dnsmasq); err != nil {
		c.events.Close()
		return c, err
	}
	return c, nil
}

// clear ends a hostapd that does not serve, and removes every address from the
// interface. The address of a previous run must go too: dnsmasq could not listen on
// it while hostapd has the interface down, and would not try again.
func (a *AccessPoint) clear(ctx context.Context) error {
	if err := a.runner.End(ctx, RoleHostapd); err != nil {
		return err
	}
	return a.links.Apply(ctx, link.Spec{Name: a.config.Interface})
}

// End ends both programs, whether this run or an earlier one started them, clears the
// interface, which is down afterwards, and removes the guard. It does nothing to an
// interface that does not exist. The guard stays if hostapd does not end.
func (a *AccessPoint) End(ctx context.Context) error {
	errs := []error{a.runner.End(ctx, RoleDnsmasq)}
	ended := a.runner.End(ctx, RoleHostapd)
	errs = append(errs, ended)
	errs = append(errs, a.links.Release(ctx, link.Spec{Name: a.config.Interface}))
	if ended == nil {
		a.dropGuard()
	}
	// The file holds the key of the network and is no longer needed.
	if err := os.Remove(a.config.hostapdFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("end access point on %s: %w", a.config.Interface, err)
	}
	return nil
}

func (a *AccessPoint) hostapdSpec() (process.Spec, error) {
	return a.hostapdChild(), atomicfile.Write(a.config.hostapdFile(), a.hostapdConfig(), 0o600)
}

func (a *AccessPoint) hostapdChild() process.Spec {
	return hashed(process.Spec{
		Role: RoleHostapd, Path: a.config.Hostapd, Args: []string{a.config.hostapdFile()},
		Caps:    []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW},
		Confine: &process.Confinement{Hidden: a.config.StateDir, Own: []string{a.config.hostapdControlDir()}},
	}, a.hostapdConfig())
}

func (a *AccessPoint) dnsmasqSpec(names nameService) (process.Spec, error) {
	file := a.config.dnsmasqFile()
	spec := process.Spec{
		Role: RoleDnsmasq, Path: a.config.Dnsmasq, Args: []string{"--conf-file=" + file},
		Caps:     []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE},
		Confine:  &process.Confinement{Hidden: a.config.StateDir, Own: []string{a.config.leaseFile()}},
		Pardoned: namesTaken, // dnsmasq is started again without names
	}
	content := renderDnsmasq(a.config, names)
	return hashed(spec, content), errors.Join(atomicfile.Write(file, content, 0o600), makeFile(a.config.leaseFile()))
}

// makeFile creates an empty file if there is none.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// hashed returns a child's Spec with the hash of its configuration.
func hashed(spec process.Spec, content []byte) process.Spec {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q\n", spec.Path, spec.Args)
	sum.Write(content)
	spec.Hash = hex.EncodeToString(sum.Sum(nil))
	return spec
}
