package link

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// dumpTries bounds how often a dump is repeated that the kernel changed
	// under our hands (NLM_F_DUMP_INTR).
	dumpTries = 10

	// dumpBuffer holds any datagram of a dump. The kernel fills up to 32 KiB,
	// if a reader shows that it has room for so much (netlink_dump in
	// net/netlink/af_netlink.c), and one attribute is at most 64 KiB.
	dumpBuffer = 128 << 10
)

var errInterrupted = errors.New("the kernel's table changes faster than it can be read")

type decoder[T any] interface {
	*T
	encoding.BinaryUnmarshaler
}

// dump reads a table whole, again when it changed meanwhile. It returns the
// objects that keep wants, all with nil.
//
// It decodes datagram by datagram, since netlink.Conn.Execute looks at each
// one twice and holds all of them: with 59,000 routes that costs as much as
// the kernel's own work.
func dump[T any, P decoder[T]](c conn, get, item netlink.HeaderType, request encoding.BinaryMarshaler, keep func(*T) bool) ([]T, error) {
	for range dumpTries {
		var all []T
		err := c.stream(get, request, func(kind netlink.HeaderType, data []byte) error {
			if kind != item {
				return nil
			}
			var t T
			if err := P(&t).UnmarshalBinary(data); err != nil {
				return err
			}
			if keep == nil || keep(&t) {
				all = append(all, t)
			}
			return nil
		})
		if !errors.Is(err, errInterrupted) && !errors.Is(err, unix.EINTR) {
			return all, err
		}
	}
	return nil, errInterrupted
}

// stream asks for a dump and hands over its messages as they come. The data
// is overwritten afterwards. Whatever goes wrong, the dump is read to its end,
// so that the next request finds no rest of it.
func (c conn) stream(get netlink.HeaderType, request encoding.BinaryMarshaler, each func(netlink.HeaderType, []byte) error) error {
	b, err := request.MarshalBinary()
	if err != nil {
		return err
	}
	asked, err := c.nl.Send(netlink.Message{
		Header: netlink.Header{Type: get, Flags: netlink.Request | netlink.Dump}, Data: b,
	})
	if err != nil {
		return err
	}
	d := dumped{sequence: asked.Header.Sequence, each: each}
	buffer := make([]byte, dumpBuffer)
	for !d.done {
		n, err := c.receive(buffer)
		if err != nil {
			return fmt.Errorf("receive dump: %w", err)
		}
		d.datagram(buffer[:n])
	}
	return d.err
}

// dumped is a dump while it is read.
type dumped struct {
	sequence uint32
	each     func(netlink.HeaderType, []byte) error
	done     bool
	err      error // the first
}

// datagram reads the messages of one datagram (struct nlmsghdr,
// linux/netlink.h).
func (d *dumped) datagram(b []byte) {
	for len(b) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.SizeofNlMsghdr || size > len(b) {
			d.fail(fmt.Errorf("message of %d bytes in %d", size, len(b)))
			d.done = true // what comes next cannot be told
			return
		}
		h := netlink.Header{
			Type:     netlink.HeaderType(binary.NativeEndian.Uint16(b[4:])),
			Flags:    netlink.HeaderFlags(binary.NativeEndian.Uint16(b[6:])),
			Sequence: binary.NativeEndian.Uint32(b[8:]),
		}
		if h.Sequence == d.sequence {
			d.message(h, b[unix.SizeofNlMsghdr:size])
		}
		b = b[min((size+3)&^3, len(b)):]
	}
}

func (d *dumped) message(h netlink.Header, data []byte) {
	if h.Flags&netlink.DumpInterrupted != 0 {
		d.fail(errInterrupted)
	}
	switch h.Type {
	case netlink.Done, netlink.Error:
		d.done = true
		if len(data) >= 4 {
			if number := int32(binary.NativeEndian.Uint32(data)); number < 0 {
				d.fail(&Refusal{Errno: unix.Errno(-number)})
			}
		}
	default:
		if d.err == nil {
			d.fail(d.each(h.Type, data))
		}
	}
}

func (d *dumped) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// receiver reads datagrams of a connection into the caller's buffer.
func receiver(nl *netlink.Conn) (func([]byte) (int, error), error) {
	raw, err := nl.SyscallConn()
	if err != nil {
		return nil, err
	}
	return func(buffer []byte) (int, error) {
		var n int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, _, failed = unix.Recvfrom(int(fd), buffer, unix.MSG_TRUNC)
			return !errors.Is(failed, unix.EAGAIN) && !errors.Is(failed, unix.EINTR)
		})
		switch {
		case err != nil:
			return 0, err
		case failed != nil:
			return 0, failed
		case n > len(buffer):
			return 0, fmt.Errorf("datagram of %d bytes", n)
		}
		return n, nil
	}, nil
}
