// Package genl asks the kernel's families of generic netlink: those of ethtool,
// MPTCP, WireGuard and Wi-Fi. It only reads.
package genl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// requestTimeout bounds what is asked when the caller's context has no
	// deadline; the kernel answers within milliseconds.
	requestTimeout = 5 * time.Second

	// dumpTries bounds how often a dump is repeated that the kernel changed
	// under our hands (NLM_F_DUMP_INTR).
	dumpTries = 10

	// bufferSize is the most that the kernel fills of a reader's buffer in one
	// turn of a dump (netlink_recvmsg in net/netlink/af_netlink.c). It is also
	// the limit of one entry, where a page is too little for some scan results.
	bufferSize = 32 << 10
)

// ErrNoFamily says that this kernel has no family of that name, or does not
// tell it to this user.
var ErrNoFamily = errors.New("the kernel has no such family of generic netlink")

var errInterrupted = errors.New("the kernel's table changes faster than it can be read")

// A Conn asks one family questions, one at a time.
type Conn struct {
	genl   *genetlink.Conn
	family genetlink.Family
	ctx    context.Context // of Dial; all requests end with it
	close  func()
}

// Dial opens a socket in the network namespace of the calling thread. Its
// requests end with ctx, or after a few seconds if that has no deadline.
//
// Errors wrap ErrNoFamily or the context's.
func Dial(ctx context.Context, family string) (*Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	socket, err := genetlink.Dial(&netlink.Config{Strict: true, MessageBufferSize: bufferSize})
	if err != nil {
		return nil, fmt.Errorf("open generic netlink socket: %w", err)
	}
	return Over(ctx, socket, family)
}

// Over is Dial over a socket that is already there. Close closes it.
func Over(ctx context.Context, socket *genetlink.Conn, family string) (*Conn, error) {
	cancel := func() {}
	if _, ok := ctx.Deadline(); !ok {
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
	}
	stop := context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })
	c := &Conn{genl: socket, ctx: ctx, close: func() {
		stop()
		cancel()
		_ = socket.Close()
	}}
	var err error
	if c.family, err = socket.GetFamily(family); err != nil {
		err = c.explain(err)
		c.Close()
		return nil, fmt.Errorf("find generic netlink family %s: %w", family, err)
	}
	return c, nil
}

// Close closes the socket.
func (c *Conn) Close() { c.close() }

// explain gives the reason of an error that is worth being told.
func (c *Conn) explain(err error) error {
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.Is(err, fs.ErrNotExist):
		return ErrNoFamily
	}
	return err
}

// Get sends one request and reads its replies, which are without the headers.
func (c *Conn) Get(command uint8, attributes []byte) ([]genetlink.Message, error) {
	replies, _, err := c.execute(command, 0, attributes)
	if err != nil && c.ctx.Err() != nil {
		return nil, context.Cause(c.ctx)
	}
	return replies, err
}

// Dump reads a table whole, again when it changed meanwhile. A kernel without
// the command says EOPNOTSUPP.
func (c *Conn) Dump(command uint8, attributes []byte) ([]genetlink.Message, error) {
	for range dumpTries {
		replies, raw, err := c.execute(command, netlink.Dump, attributes)
		switch {
		case err != nil && c.ctx.Err() != nil:
			return nil, context.Cause(c.ctx)
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case !interrupted(raw):
			return replies, nil
		}
	}
	return nil, errInterrupted
}

func (c *Conn) execute(command uint8, flags netlink.HeaderFlags, attributes []byte) ([]genetlink.Message, []netlink.Message, error) {
	request, err := c.genl.Send(genetlink.Message{
		Header: genetlink.Header{Command: command, Version: c.family.Version},
		Data:   attributes,
	}, c.family.ID, netlink.Request|flags)
	if err != nil {
		return nil, nil, err
	}
	replies, raw, err := c.genl.Receive()
	if err != nil {
		return nil, nil, err
	}
	return replies, raw, netlink.Validate(request, raw)
}

func interrupted(replies []netlink.Message) bool {
	for _, m := range replies {
		if m.Header.Flags&netlink.DumpInterrupted != 0 {
			return true
		}
	}
	return false
}
