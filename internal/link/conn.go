package link

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// requestTimeout bounds what is asked of the kernel when the caller's context
// has no deadline; it answers within milliseconds.
const requestTimeout = 5 * time.Second

// A conn asks rtnetlink questions, one at a time.
type conn struct {
	nl *netlink.Conn

	// receive returns the next datagram as it is. Without wait it is EAGAIN if
	// there is none.
	receive func(buffer []byte, wait bool) (int, error)

	buffer []byte // for the datagrams of dumps
}

// dial opens a conn whose reads and writes end with ctx. It receives the
// notifications of the groups, RTNLGRP_…. Call the returned function when done.
func dial(ctx context.Context, groups ...uint32) (conn, func(), error) {
	nl, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Strict: true})
	if err != nil {
		return conn{}, nil, fmt.Errorf("open rtnetlink socket: %w", err)
	}
	for _, group := range groups {
		if err := nl.JoinGroup(group); err != nil {
			return conn{}, nil, errors.Join(fmt.Errorf("join rtnetlink group %d: %w", group, err), nl.Close())
		}
	}
	receive, err := receiver(nl)
	if err != nil {
		return conn{}, nil, errors.Join(fmt.Errorf("open rtnetlink socket: %w", err), nl.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = nl.SetDeadline(time.Unix(1, 0)) })
	return conn{nl, receive, make([]byte, dumpBuffer)}, func() {
		stop()
		_ = nl.Close()
	}, nil
}

// limit sets when a read ends, the zero time for none; ctx's end ends it, too.
func (c conn) limit(ctx context.Context, until time.Time) error {
	if err := c.nl.SetReadDeadline(until); err != nil {
		return err
	}
	// After setting the deadline, which may have overwritten the one that ctx's end
	// has set; before that it cannot be missed.
	return ctx.Err()
}

// mostOverruns bounds how often messages may be dropped while skip catches up.
const mostOverruns = 10

// skip drops the messages that wait in the socket. A kernel that had to drop one
// (ENOBUFS) drops all that follow, and does not report that again, until the socket is
// empty (NETLINK_S_CONGESTED, net/netlink/af_netlink.c). So after an ENOBUFS only
// what is read from the kernel's tables after skip is complete.
func (c conn) skip() error {
	buffer := make([]byte, dumpBuffer)
	for overruns := 0; overruns < mostOverruns; {
		switch _, err := c.receive(buffer, false); {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ENOBUFS):
			overruns++
		case err != nil:
			return fmt.Errorf("catch up with rtnetlink: %w", err)
		}
	}
	return errors.New("rtnetlink messages come faster than they can be received")
}

// withDeadline returns ctx with a deadline, its own if it has one.
func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, requestTimeout)
}

// execute sends one request and reads the kernel's replies. Its errors are
// Refusals where the kernel answered.
func (c conn) execute(kind netlink.HeaderType, flags netlink.HeaderFlags, body encoding.BinaryMarshaler) ([]netlink.Message, error) {
	b, err := body.MarshalBinary()
	if err != nil {
		return nil, err
	}
	replies, err := c.nl.Execute(netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request | flags},
		Data:   b,
	})
	return replies, refusal(err)
}

// change sends a request that is answered with an acknowledgement only.
func (c conn) change(kind netlink.HeaderType, flags netlink.HeaderFlags, body encoding.BinaryMarshaler) error {
	_, err := c.execute(kind, netlink.Acknowledge|flags, body)
	return err
}

// one reads the only object that a request names.
func one[T any, P decoder[T]](c conn, get netlink.HeaderType, request encoding.BinaryMarshaler) (T, error) {
	var t T
	replies, err := c.execute(get, 0, request)
	if err != nil {
		return t, err
	}
	replies = slices.DeleteFunc(replies, func(m netlink.Message) bool { return m.Header.Type == netlink.Error })
	if len(replies) != 1 {
		return t, fmt.Errorf("%d replies", len(replies))
	}
	return t, P(&t).UnmarshalBinary(replies[0].Data)
}
