// Package ap makes a radio an access point: it renders the configuration of
// hostapd and dnsmasq, runs the two, gives the interface its address, lets
// phones through to the wired network where that is wanted, and says when they
// are served and when no longer.
//
// Both programs outlive the daemon (package process). The next daemon's Hold
// adopts them when they run with the wanted configuration, and phones notice
// nothing.
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
	// adoptLimit is what a running hostapd has to say that it serves.
	adoptLimit = 2 * time.Second
)

// Links is what an access point needs to change interfaces: an owner of package
// interfaces.
type Links interface {
	Apply(ctx context.Context, want link.Spec) error
	// Release leaves the interface as rest says; one that is not there needs nothing.
	Release(ctx context.Context, rest link.Spec) error
}

// AccessPoint is one access point on one interface. Hold and End must not
// overlap.
type AccessPoint struct {
	// IsOne reports whether the kernel has the interface as an access point. A
	// hostapd from which another program took that does not notice. New makes
	// one that is always true, for drivers of which the kernel knows nothing.
	IsOne func(ctx context.Context) bool

	// Clients is told while Hold serves who is on the access point: when it
	// begins, when a phone comes or goes, and every few seconds, as addresses
	// come later. New makes one that does nothing.
	Clients func(context.Context, []Client)

	// OnAir is told where on the air the access point is: before Hold calls ready,
	// and every few seconds from then on. It must not block. New makes one that
	// does nothing.
	OnAir func(Cell)

	// Unguarded is told what is missing of the protection from phones, nil if
	// nothing is: before hostapd starts, whenever that changes, and at the end.
	// It must not block. New makes one that does nothing.
	Unguarded func(error)

	config Config
	runner *process.Runner
	links  Links
	log    *slog.Logger

	hostapdConfig func() []byte // rendered once: deriving the key takes a while
	guard         guard
	missing       *string // of the guard, as it was told last; nil: nothing was told
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

// rendered gives the file of hostapd, which is made once.
func rendered(c Config) func() []byte {
	return sync.OnceValue(func() []byte { return renderHostapd(c) })
}

// Hold makes the access point serve, calls ready once when it does, and blocks
// while it does. What runs already with the wanted configuration is adopted.
//
// When ctx ends it returns ctx.Err() and leaves everything running. Any other
// error says why the access point does not serve; what is left of it then is
// for another Hold, which starts only what is dead, or for End.
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
	events           *wpactrl.Events // of hostapd
	names            nameService     // of dnsmasq
}

// bringUp returns when phones are served. The address comes last: hostapd
// takes the interface down to make it an access point, and dnsmasq, which
// starts meanwhile, begins to listen on an address when the address appears.
func (a *AccessPoint) bringUp(ctx context.Context, hostapd, dnsmasq process.Spec) (children, error) {
	var c children
	a.keepGuard(ctx) // before the first phone can come
	if !a.hostapdServes(ctx, hostapd.Hash) {
		if err := a.clear(ctx); err != nil {
			return c, err
		}
	}
	// hostapd makes the folder, and removes it when it ends; but only in one
	// that exists can the appearance of the socket be watched.
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

// clear removes hostapd, if one runs that is no good, and every address from
// the interface. That of a predecessor must go too: dnsmasq could not listen
// on it while hostapd has the interface down, and would not try again.
func (a *AccessPoint) clear(ctx context.Context) error {
	if err := a.runner.End(ctx, RoleHostapd); err != nil {
		return err
	}
	return a.links.Apply(ctx, link.Spec{Name: a.config.Interface})
}

// End ends both programs, whoever started them, clears the interface, which is
// down afterwards, and takes the guard back. An interface that is not there
// needs nothing. While hostapd does not end, the guard stands.
func (a *AccessPoint) End(ctx context.Context) error {
	errs := []error{a.runner.End(ctx, RoleDnsmasq)}
	ended := a.runner.End(ctx, RoleHostapd)
	errs = append(errs, ended)
	errs = append(errs, a.links.Release(ctx, link.Spec{Name: a.config.Interface}))
	if ended == nil {
		a.dropGuard()
	}
	// The key of the network stays in no file that nobody needs.
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
		Pardoned: namesTaken, // it is started again without names
	}
	content := renderDnsmasq(a.config, names)
	return hashed(spec, content), errors.Join(atomicfile.Write(file, content, 0o600), makeFile(a.config.leaseFile()))
}

// makeFile makes an empty file if there is none.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// hashed completes a child's Spec by the hash of its configuration.
func hashed(spec process.Spec, content []byte) process.Spec {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q\n", spec.Path, spec.Args)
	sum.Write(content)
	spec.Hash = hex.EncodeToString(sum.Sum(nil))
	return spec
}
