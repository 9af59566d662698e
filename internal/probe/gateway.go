package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	probing "github.com/prometheus-community/pro-bing"

	"github.com/netconnectd/netconnectd/internal/link"
)

// interval is the time between two echo requests. There are six in all, so that a
// link that loses a third of its packets still counts as working.
const interval = 500 * time.Millisecond

// asker asks the neighbour at addr by ARP or neighbour discovery whether it is there
// (link.Solicit).
type asker func(ctx context.Context, ifname string, addr netip.Addr) (reachable bool, err error)

// Gateway returns nil as soon as gw, a neighbour on the interface, answers: to an
// ICMP echo request, or to ARP or neighbour discovery, which also routers that drop
// pings answer. Otherwise it returns an error that names what was tried, after 3 s or
// when ctx ends. A link-local gw needs no zone, and a zone is ignored. Gateway needs
// CAP_NET_RAW and CAP_NET_ADMIN.
func Gateway(ctx context.Context, ifname string, gw netip.Addr) error {
	return gateway(ctx, ifname, gw, link.Solicit)
}

func gateway(ctx context.Context, ifname string, gw netip.Addr, ask asker) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	methods := []func(context.Context) error{
		func(ctx context.Context) error { return ping(ctx, ifname, gw) },
		func(ctx context.Context) error { return solicit(ctx, ifname, gw, ask) },
	}
	// Most gateways answer a ping before the second method, which costs more, begins.
	_, err := race(ctx, headStart, methods, func(ctx context.Context, method func(context.Context) error) (struct{}, error) {
		return struct{}{}, method(ctx)
	}, nil)
	if err != nil {
		return fmt.Errorf("reach gateway %v on %s: %w", gw, ifname, err)
	}
	return nil
}

func solicit(ctx context.Context, ifname string, gw netip.Addr, ask asker) error {
	reachable, err := ask(ctx, ifname, gw)
	if err == nil && !reachable {
		err = errNoReply
	}
	if err != nil {
		return fmt.Errorf("neighbour: %w", err)
	}
	return nil
}

// pingAny returns nil as soon as one of the hosts answers.
func pingAny(ctx context.Context, ifname string, hosts []netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := race(ctx, 0, hosts, func(ctx context.Context, host netip.Addr) (struct{}, error) {
		if err := ping(ctx, ifname, host); err != nil {
			return struct{}{}, fmt.Errorf("%v: %w", host, err)
		}
		return struct{}{}, nil
	}, nil)
	if err != nil {
		return fmt.Errorf("reach a host on %s: %w", ifname, err)
	}
	return nil
}

// ping sends echo requests until the first reply, or until ctx ends.
func ping(ctx context.Context, ifname string, host netip.Addr) error {
	host = host.Unmap()
	address := &net.IPAddr{IP: host.AsSlice()}
	if host.Is6() && host.IsLinkLocalUnicast() {
		ifi, err := net.InterfaceByName(ifname)
		if err != nil {
			return fmt.Errorf("ping: %w", err)
		}
		// The zone is the number of the interface: package net caches the number of
		// a name for a minute, and a radio that was plugged in again has a new one.
		address.Zone = strconv.Itoa(ifi.Index)
	}
	p := probing.New(address.String())
	p.SetIPAddr(address) // New would look the name up
	p.SetPrivileged(true)
	p.SetLogger(probing.NoopLogger{})
	p.InterfaceName = ifname
	p.Interval = interval
	p.RecordRtts, p.RecordTTLs = false, false
	p.OnRecv = func(*probing.Packet) { p.Stop() }
	err := p.RunWithContext(ctx)
	switch {
	case p.Statistics().PacketsRecv > 0:
		return nil
	case err == nil, errors.Is(err, context.DeadlineExceeded):
		err = errNoReply
	}
	return fmt.Errorf("ping: %w", err)
}
