package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// Declaration makes of a network namespace what is declared. One declaration at a time
// is applied.
type Declaration struct {
	File string // remembers what is ours; in the runtime folder
	Log  *slog.Logger
}

// Plan returns what Apply would do, and what it could not. It changes nothing.
func (d Declaration) Plan(ctx context.Context, want Desired) ([]Change, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	owned, err := d.owned()
	if err != nil {
		return nil, err
	}
	c, closeConn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn()
	have, err := c.readDeclared(want, owned)
	if err != nil {
		return nil, err
	}
	return PlanAll(have, want, owned)
}

// Apply makes what differs, and returns what there was to do. Afterwards everything is
// read again: what the kernel has accepted and not done is an error, as is what it has
// refused. One item that is refused does not stop others that do not depend on it.
func (d Declaration) Apply(ctx context.Context, want Desired) (Outcome, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	owned, err := d.owned()
	if err != nil {
		return Outcome{}, err
	}
	c, closeConn, err := dial(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer closeConn()
	read := func(owned Owned) (*Tables, error) { return c.readDeclared(want, owned) }
	out, err := converge(ctx, newSender(c), read, want, owned, func(o Owned) error { return o.write(d.File) })
	if err != nil && ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return out, err
}

func (d Declaration) owned() (Owned, error) {
	boot, err := bootID()
	if err != nil {
		return Owned{}, err
	}
	return readOwned(d.File, boot, d.Log)
}

// converge plans and makes changes until nothing is left, or until all that is left was
// refused. A second round repairs what the kernel has removed along with something
// else.
func converge(ctx context.Context, k kernel, read func(Owned) (*Tables, error), want Desired, owned Owned, save func(Owned) error) (Outcome, error) {
	var total Outcome
	for round := range applyRounds {
		have, err := read(owned)
		if err != nil {
			return total, err
		}
		changes, problems := PlanAll(have, want, owned)
		switch {
		case onlyRefused(changes, total):
			return total, errors.Join(problems, total.err())
		case round == applyRounds-1:
			return total, errors.Join(problems, total.err(), ignored(changes, total))
		}
		r := &run{kernel: k, ledger: newLedger(owned, have), save: save, at: indexesOf(have)}
		err = r.make(ctx, changes)
		owned = r.ledger.owned()
		total.Done, total.Refused = append(total.Done, r.out.Done...), r.out.Refused
		if err != nil {
			return total, errors.Join(err, total.err())
		}
	}
	return total, nil // not reached: the last round returns
}

// onlyRefused reports whether an outcome has refused all of changes: trying them again
// would not help.
func onlyRefused(changes []Change, out Outcome) bool { return len(out.without(changes)) == 0 }

// ignored names the changes that the kernel has accepted, again and again, without
// doing them.
func ignored(changes []Change, out Outcome) error {
	var all []error
	for _, c := range out.without(changes) {
		all = append(all, c.failed(ErrIgnored))
	}
	return errors.Join(all...)
}

// without returns the changes that were not refused, nor go with one that was.
func (o Outcome) without(changes []Change) (others []Change) {
	refused, spoilt := make(map[string]bool, len(o.Refused)), map[string]bool{}
	for _, r := range o.Refused {
		refused[r.String()], spoilt[r.Link] = true, true
	}
	for _, c := range changes {
		if !refused[c.String()] && !(c.again && spoilt[c.Link]) {
			others = append(others, c)
		}
	}
	return others
}

// ErrIgnored is a change that the kernel has accepted and not done, or that another
// program undoes.
var ErrIgnored = errors.New("the kernel has accepted the change, and does not show it: it ignores the change, or another program undoes it")

func indexesOf(have *Tables) indexes {
	at := make(indexes, len(have.Links))
	for i := range have.Links {
		at[have.Links[i].Name] = uint32(have.Links[i].Index)
	}
	return at
}

// readDeclared reads what PlanAll needs to know. With many routes of others it reads
// ours only, as long as all that are declared are among them.
func (c conn) readDeclared(want Desired, owned Owned) (*Tables, error) {
	which := Links | Addresses | Rules
	if needsVLANs(want, owned) {
		which |= VLANs
	}
	neighbours := len(want.Neighbours) > 0 || owned.Neighbours
	if neighbours {
		which |= Neighbours
	}
	t := &Tables{}
	if err := c.read(t, which, Filter{}); err != nil {
		return nil, err
	}
	if neighbours {
		if err := c.proxies(t); err != nil {
			return nil, fmt.Errorf("read proxies: %w", err)
		}
	}
	if err := c.read(t, Routes, Filter{Protocol: new(uint8(RouteProtocol))}); err != nil {
		return nil, err
	}
	if !hasRoutes(t, want) {
		if err := c.read(t, Routes, Filter{}); err != nil {
			return nil, err
		}
	}
	t.Sysctls = readSysctls(want)
	return t, nil
}

func needsVLANs(want Desired, owned Owned) bool {
	return slices.ContainsFunc(want.Links, func(l LinkSpec) bool { return l.VLANs != nil }) ||
		slices.ContainsFunc(owned.Links, func(l OwnedLink) bool { return len(l.VLANs) > 0 })
}

// hasRoutes reports whether the routes that are declared are all there.
func hasRoutes(t *Tables, want Desired) bool {
	there := map[routeID]bool{}
	for i := range t.Routes {
		for _, r := range seenRoute(&t.Routes[i]) {
			there[r.id()] = true
		}
	}
	for i := range want.Links {
		for _, r := range want.Links[i].Routes {
			if !there[r.id()] {
				return false
			}
		}
	}
	return true
}

// readSysctls reads those that are declared and that the kernel has.
func readSysctls(want Desired) map[string]string {
	out := map[string]string{}
	var s sender
	for i := range want.Links {
		spec := &want.Links[i]
		for key := range spec.Sysctls {
			if checkSysctl(spec.Name, key) != nil {
				continue // PlanAll refuses it
			}
			if value, err := s.sysctl(key); err == nil {
				out[key] = value
			}
		}
	}
	return out
}

// proxies reads the addresses that the machine answers for.
func (c conn) proxies(t *Tables) error {
	t.Proxies = nil
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		some, err := dump[rtnl.Neighbour](c, unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, &rtnl.Neighbour{Family: family, Flags: unix.NTF_PROXY}, of(family))
		if err != nil {
			return err
		}
		t.Proxies = append(t.Proxies, some...)
	}
	return nil
}
