package link

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// applyRounds bounds how often Apply looks whether there is something to do. A
// second time repairs what the kernel removed along with something else; the
// last only finds that somebody else changes the link at the same time.
const applyRounds = 4

// Apply makes a link what want describes and returns when it is so. The error is
// ErrNotExist when there is no such link, and a *Refusal when the kernel does
// not do it, e.g. unix.ERFKILL when the radio is blocked.
func Apply(ctx context.Context, want Spec) error {
	_, err := Repair(ctx, want)
	return err
}

// Repair is Apply, and returns what there was to do, in the order in which it was
// done; also beside an error.
func Repair(ctx context.Context, want Spec) ([]Op, error) {
	if err := want.check(); err != nil {
		return nil, err
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	c, closeConn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn()
	done, err := c.apply(want)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return done, fmt.Errorf("apply %s: %w", want.Name, err)
	}
	return done, nil
}

func (c conn) apply(want Spec) (done []Op, err error) {
	for round := range applyRounds {
		have, l, err := c.about(want.Name)
		if err != nil {
			return done, err
		}
		ops, err := Plan(have, want)
		if err != nil || len(ops) == 0 {
			return done, err
		}
		if round == applyRounds-1 {
			return done, fmt.Errorf("somebody else is changing it too, still to do: %v", ops)
		}
		for _, op := range ops {
			if err := c.run(op, l.Index); err != nil {
				return done, err
			}
			done = append(done, op)
		}
	}
	return done, nil
}

// about reads what Plan needs to know of one link.
func (c conn) about(name string) (*Snapshot, Link, error) {
	l, err := c.link(rtnl.Link{Name: name, Filter: filterSkipStatistics})
	if err != nil {
		return nil, Link{}, err
	}
	t := &Tables{Links: []rtnl.Link{l}}
	if err := c.read(t, Addresses|Routes, Filter{Index: uint32(l.Index), OutIndex: uint32(l.Index), Table: unix.RT_TABLE_MAIN}); err != nil {
		return nil, Link{}, err
	}
	s := &Snapshot{}
	s.see(t, Links|Addresses|Routes)
	return s, s.Links[0], nil
}

func (c conn) run(op Op, index int) error {
	r := op.request(index)
	err := c.change(r.kind, r.flags, r.body)
	switch {
	case err == nil || op.done(err):
		return nil
	case errors.Is(err, unix.ENODEV):
		// It went away since we read it.
		return fmt.Errorf("%v: %w", op, errors.Join(ErrNotExist, err))
	default:
		return fmt.Errorf("%v: %w", op, err)
	}
}
