package link

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// errNoResolution means that the link or an administrator's entry maps
// addresses without asking anybody, so that nothing can be learnt.
var errNoResolution = errors.New("its hardware address is not resolved by asking")

// Solicit asks the neighbour itself, by ARP or neighbour discovery, whether it
// is there, whatever the kernel believed before; reachable reports whether it
// answered. The kernel asks a known neighbour three times under its hardware
// address, then anybody three times, a second apart; silence until ctx's
// deadline, or 5 s without one, is no error. Errors are ErrNotExist, a
// *Refusal, ctx's cancellation.
func Solicit(ctx context.Context, ifname string, addr netip.Addr) (reachable bool, err error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	events, closeEvents, err := dial(ctx, unix.RTNLGRP_NEIGH)
	if err != nil {
		return false, err
	}
	defer closeEvents()
	requests, closeRequests, err := dial(ctx)
	if err != nil {
		return false, err
	}
	defer closeRequests()

	reachable, err = solicit(events, requests, ifname, addr.WithZone(""))
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return false, fmt.Errorf("solicit %v on %s: %w", addr, ifname, ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("solicit %v on %s: %w", addr, ifname, err)
	}
	return reachable, nil
}

func solicit(events, requests conn, ifname string, addr netip.Addr) (bool, error) {
	seen, err := requests.link(rtnl.Link{Name: ifname, Filter: filterSkipStatistics})
	if err != nil {
		return false, err
	}
	l := seenLink(&seen)
	if !l.Carrier {
		return false, nil // nobody would hear
	}
	a := asking{requests: requests, index: l.Index, addr: addr}
	if err := a.start(); err != nil {
		return false, err
	}
	for {
		messages, err := events.nl.Receive()
		if errors.Is(err, unix.ENOBUFS) {
			if err := events.skip(); err != nil {
				return false, err
			}
			if reachable, over, err := a.look(); over || err != nil {
				return reachable, err
			}
			continue
		}
		if err != nil {
			return false, err
		}
		for _, m := range messages {
			if reachable, over, err := a.heard(m); over || err != nil {
				return reachable, err
			}
		}
	}
}

// asking is one question on its way.
type asking struct {
	requests conn
	index    int
	addr     netip.Addr
	anybody  bool // asked without a known hardware address
}

// start asks the known hardware address, or anybody if there is none.
func (a *asking) start() error {
	known, found, err := a.entry()
	if err != nil {
		return err
	}
	if found && known.State&unix.NUD_PERMANENT != 0 {
		return errNoResolution
	}
	err = a.set(0, &rtnl.Neighbour{State: unix.NUD_PROBE})
	// There is no entry, or one without a hardware address.
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return a.askAnybody()
	}
	return err
}

// askAnybody lets the kernel resolve the address as if a packet were to go
// there.
func (a *asking) askAnybody() error {
	a.anybody = true
	return a.set(netlink.Create, &rtnl.Neighbour{Flags: unix.NTF_USE})
}

func (a *asking) set(flags netlink.HeaderFlags, n *rtnl.Neighbour) error {
	n.Family, n.Index, n.Address = familyOf(a.addr), int32(a.index), a.addr
	return a.requests.change(unix.RTM_NEWNEIGH, flags, n)
}

// entry reads what the kernel knows of the neighbour now.
func (a *asking) entry() (n rtnl.Neighbour, found bool, err error) {
	t := &Tables{}
	if err := a.requests.read(t, Neighbours, Filter{Family: familyOf(a.addr), Index: uint32(a.index)}); err != nil {
		return rtnl.Neighbour{}, false, err
	}
	for _, n := range t.Neighbours {
		if n.Address == a.addr {
			return n, true, nil
		}
	}
	return rtnl.Neighbour{}, false, nil
}

// look makes up for messages that the kernel dropped.
func (a *asking) look() (reachable, over bool, err error) {
	n, found, err := a.entry()
	if err != nil || !found {
		return false, err != nil, err
	}
	return a.judge(n)
}

// heard takes one message about any neighbour; over ends the wait.
func (a *asking) heard(m netlink.Message) (reachable, over bool, err error) {
	var n rtnl.Neighbour
	if err := n.UnmarshalBinary(m.Data); err != nil {
		return false, true, err
	}
	if n.Family != familyOf(a.addr) || int(n.Index) != a.index || n.Address != a.addr {
		return false, false, nil
	}
	if m.Header.Type == unix.RTM_DELNEIGH {
		return false, true, nil // the link went down
	}
	return a.judge(n)
}

// judge decides what an entry of the neighbour means.
func (a *asking) judge(n rtnl.Neighbour) (reachable, over bool, err error) {
	switch {
	case n.State&unix.NUD_REACHABLE != 0:
		return true, true, nil
	case n.State&(unix.NUD_NOARP|unix.NUD_PERMANENT) != 0:
		return false, true, errNoResolution
	case n.State&unix.NUD_FAILED == 0:
		return false, false, nil
	case a.anybody:
		return false, true, nil
	default:
		// Another device may have the address now.
		return false, false, a.askAnybody()
	}
}
