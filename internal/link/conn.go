package link

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// requestTimeout bounds what is asked of the kernel when the caller's
	// context has no deadline; it answers within milliseconds.
	requestTimeout = 5 * time.Second

	// dumpTries bounds how often a dump is repeated that the kernel changed
	// under our hands (NLM_F_DUMP_INTR).
	dumpTries = 10
)

// A conn asks rtnetlink questions, one at a time.
type conn struct{ nl *netlink.Conn }

// dial opens a conn whose reads and writes end with ctx. Call the returned
// function when done.
func dial(ctx context.Context, groups uint32) (conn, func(), error) {
	nl, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Strict: true, Groups: groups})
	if err != nil {
		return conn{}, nil, fmt.Errorf("open rtnetlink socket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nl.SetDeadline(time.Unix(1, 0)) })
	return conn{nl}, func() {
		stop()
		_ = nl.Close()
	}, nil
}

// withDeadline gives ctx a deadline if it has none.
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

var errInterrupted = errors.New("the kernel's table changes faster than it can be read")

// dump reads a table whole, again when it changed meanwhile. What it then
// still misses (the flag may stand on the final message, which the transport
// drops) comes with the notification that a change always makes.
func (c conn) dump(kind netlink.HeaderType, body encoding.BinaryMarshaler) ([]netlink.Message, error) {
	for range dumpTries {
		replies, err := c.execute(kind, netlink.Dump, body)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !interrupted(replies) {
			return replies, nil
		}
	}
	return nil, errInterrupted
}

func interrupted(replies []netlink.Message) bool {
	for _, m := range replies {
		if m.Header.Flags&netlink.DumpInterrupted != 0 {
			return true
		}
	}
	return false
}
