package link

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sync/errgroup"
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
// objects of the messages that are wanted, all with nil.
//
// It receives everything first, so that the table has little time to change,
// and knows then how many there are. netlink.Conn.Execute looks at each
// datagram twice, in buffers that let the kernel fill 4 KiB at a time: with
// 59,000 routes that costs more than the kernel's own work.
func dump[T any, P decoder[T]](c conn, get, item netlink.HeaderType, request encoding.BinaryMarshaler, wanted func(data []byte) bool) ([]T, error) {
	d, err := c.consistentDump(get, item, request, wanted)
	if err != nil {
		return nil, err
	}
	return decoded[T, P](d)
}

// decodeBatch is how many datagrams are decoded in one go: some thousand routes.
const decodeBatch = 16

// decoded are the objects of dumps, one after the other. All processors decode
// a large dump: most of its time goes into touching new memory.
func decoded[T any, P decoder[T]](dumps ...*dumped) ([]T, error) {
	total := 0
	for _, d := range dumps {
		total += d.count
	}
	all := make([]T, total)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	rest := all
	for _, d := range dumps {
		for batch := range slices.Chunk(d.datagrams, decodeBatch) {
			count := 0
			for _, g := range batch {
				count += g.count
			}
			objects := rest[:count]
			rest = rest[count:]
			group.Go(func() error { return decode[T, P](objects, d, batch) })
		}
	}
	return all, group.Wait()
}

// decode fills objects with the messages of datagrams.
func decode[T any, P decoder[T]](objects []T, d *dumped, datagrams []datagram) (err error) {
	for _, g := range datagrams {
		d.walk(g.bytes, func(h netlink.Header, data []byte) bool {
			if !d.wants(h, data) {
				return true
			}
			err = P(&objects[0]).UnmarshalBinary(data)
			objects = objects[1:]
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// consistentDump repeats a dump of a table that changed meanwhile.
func (c conn) consistentDump(get, item netlink.HeaderType, request encoding.BinaryMarshaler, wanted func([]byte) bool) (*dumped, error) {
	for range dumpTries {
		d := &dumped{item: item, wanted: wanted}
		err := c.receiveDump(d, get, request)
		if !errors.Is(err, errInterrupted) && !errors.Is(err, unix.EINTR) {
			return d, err
		}
	}
	return nil, errInterrupted
}

// receiveDump asks for a dump and receives it to its end, whatever goes wrong,
// so that the next request finds no rest of it.
func (c conn) receiveDump(d *dumped, get netlink.HeaderType, request encoding.BinaryMarshaler) error {
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
	d.sequence = asked.Header.Sequence
	for !d.done {
		n, err := c.receive(c.buffer, true)
		if err != nil {
			return fmt.Errorf("receive dump: %w", err)
		}
		d.take(bytes.Clone(c.buffer[:n]))
	}
	return d.err
}

// dumped is what was received of a dump.
type dumped struct {
	item      netlink.HeaderType     // type of the messages that count
	wanted    func(data []byte) bool // which of them; nil: all
	sequence  uint32
	datagrams []datagram
	count     int // of the wanted messages
	done      bool
	err       error // the first
}

type datagram struct {
	bytes []byte
	count int // of the wanted messages
}

func (d *dumped) take(b []byte) {
	g := datagram{bytes: b}
	rest := d.walk(b, func(h netlink.Header, data []byte) bool {
		if h.Flags&netlink.DumpInterrupted != 0 {
			d.fail(errInterrupted)
		}
		if h.Type == netlink.Done || h.Type == netlink.Error {
			d.done = true
			if len(data) >= 4 && int32(binary.NativeEndian.Uint32(data)) < 0 {
				d.fail(&Refusal{Errno: unix.Errno(-int32(binary.NativeEndian.Uint32(data)))})
			}
		}
		if d.wants(h, data) {
			g.count++
		}
		return true
	})
	d.datagrams = append(d.datagrams, g)
	d.count += g.count
	if rest > 0 {
		d.fail(fmt.Errorf("message with %d bytes that do not fit", rest))
		d.done = true // what comes next cannot be told
	}
}

func (d *dumped) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// walk goes through the messages of a datagram that answer our request.
func (d *dumped) walk(b []byte, each func(netlink.Header, []byte) bool) (rest int) {
	return walk(b, func(h netlink.Header, data []byte) bool { return h.Sequence != d.sequence || each(h, data) })
}

// walk goes through the messages of a datagram (struct nlmsghdr,
// linux/netlink.h) while each is true. It returns how many bytes at the end are
// none.
func walk(b []byte, each func(netlink.Header, []byte) bool) (rest int) {
	for len(b) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.SizeofNlMsghdr || size > len(b) {
			return len(b)
		}
		h := netlink.Header{
			Type:     netlink.HeaderType(binary.NativeEndian.Uint16(b[4:])),
			Flags:    netlink.HeaderFlags(binary.NativeEndian.Uint16(b[6:])),
			Sequence: binary.NativeEndian.Uint32(b[8:]),
		}
		if !each(h, b[unix.SizeofNlMsghdr:size]) {
			return 0
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return 0
}

func (d *dumped) wants(h netlink.Header, data []byte) bool {
	return h.Type == d.item && (d.wanted == nil || d.wanted(data))
}

// receiver reads datagrams of a connection into the caller's buffer.
func receiver(nl *netlink.Conn) (func(buffer []byte, wait bool) (int, error), error) {
	raw, err := nl.SyscallConn()
	if err != nil {
		return nil, err
	}
	return func(buffer []byte, wait bool) (int, error) {
		var n int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, _, failed = unix.Recvfrom(int(fd), buffer, unix.MSG_TRUNC|unix.MSG_DONTWAIT)
			return !wait || !errors.Is(failed, unix.EAGAIN) && !errors.Is(failed, unix.EINTR)
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
