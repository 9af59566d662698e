// Package probe answers one question: is the far end there?
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

const (
	// limit is how long a gateway has for an answer of either kind. The kernel
	// gives up on a silent neighbour after the same time.
	limit = 3 * time.Second
	// interval between two echo requests: six in all, so that a link that
	// loses a third of its packets still counts as one.
	interval = 500 * time.Millisecond
)

var errNoReply = errors.New("no reply")

// asker asks the neighbour at addr itself whether it is there (link.Solicit).
type asker func(ctx context.Context, ifname string, addr netip.Addr) (reachable bool, err error)

// Gateway returns nil as soon as gw, a neighbour on the interface, gives a sign
// of life: an ICMP echo reply, or an answer to ARP or neighbour discovery,
// which routers that drop pings give as well. Otherwise it returns an error
// that says what was tried, after 3 s or when ctx ends. A link-local gw needs
// no zone, and one it has does not count. It needs CAP_NET_RAW and CAP_NET_ADMIN.
func Gateway(ctx context.Context, ifname string, gw netip.Addr) error {
	return gateway(ctx, ifname, gw, link.Solicit)
}

func gateway(ctx context.Context, ifname string, gw netip.Addr, ask asker) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	asked := make(chan error)
	go func() {
		err := solicit(ctx, ifname, gw, ask)
		if err == nil {
			cancel()
		}
		asked <- err
	}()
	pingErr := ping(ctx, ifname, gw)
	if pingErr == nil {
		cancel()
	}
	askErr := <-asked
	if pingErr == nil || askErr == nil {
		return nil
	}
	return fmt.Errorf("reach gateway %v on %s: ping: %w; neighbour: %w", gw, ifname, pingErr, askErr)
}

func solicit(ctx context.Context, ifname string, gw netip.Addr, ask asker) error {
	reachable, err := ask(ctx, ifname, gw)
	if err == nil && !reachable {
		err = errNoReply
	}
	return err
}

// ping sends echo requests until the first reply, or until ctx ends.
func ping(ctx context.Context, ifname string, gw netip.Addr) error {
	address := &net.IPAddr{IP: gw.AsSlice()}
	if gw.Is6() && gw.IsLinkLocalUnicast() {
		ifi, err := net.InterfaceByName(ifname)
		if err != nil {
			return err
		}
		// By number: package net remembers for a minute what number a name
		// had, and a radio that was plugged in again has a new one.
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
		return errNoReply
	}
	return err
}
