package link

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nltest"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// TestDumpIsRepeated plays a kernel whose table changes while it is read.
func TestDumpIsRepeated(t *testing.T) {
	tests := []struct {
		name        string
		interrupted int // dumps
		want        error
	}{
		{"never", 0, nil},
		{"three times", 3, nil},
		{"always", 1 << 30, errInterrupted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dumps := 0
			var asked netlink.Header
			nl := nltest.Dial(func(requests []netlink.Message) ([]netlink.Message, error) {
				dumps++
				asked = requests[0].Header
				return nil, nil
			})
			c := conn{nl: nl, buffer: make([]byte, dumpBuffer), receive: func(buffer []byte, _ bool) (int, error) {
				link := rtnl.Link{Index: int32(dumps), Name: "eth0"}
				b, err := link.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				flags := netlink.Multi
				if dumps <= test.interrupted {
					flags |= netlink.DumpInterrupted
				}
				first := message(netlink.Header{Type: unix.RTM_NEWLINK, Flags: flags, Sequence: asked.Sequence}, b)
				last := message(netlink.Header{Type: netlink.Done, Flags: netlink.Multi, Sequence: asked.Sequence}, make([]byte, 4))
				return copy(buffer, append(first, last...)), nil
			}}
			links, err := dump[rtnl.Link](c, unix.RTM_GETLINK, unix.RTM_NEWLINK, &rtnl.Link{}, nil)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err == nil && (len(links) != 1 || links[0].Index != int32(test.interrupted+1)) {
				t.Errorf("%d interrupted dumps gave %+v", test.interrupted, links)
			}
			if dumps > dumpTries {
				t.Errorf("%d dumps", dumps)
			}
		})
	}
}

// TestReadNotices: what changes while Read reads is noticed, also where the
// kernel had no room for all of it. Links, which other tests leave behind, do
// not concern rules.
func TestReadNotices(t *testing.T) {
	netnstest.Need(t)
	for _, test := range []struct {
		name    string
		which   Parts
		buffer  int // 1: the kernel makes it its minimum, about 2 KiB
		changes int
	}{
		{"a rule that came and went", Rules, firstBuffer, 1},
		{"more than the buffer holds: all", Rules | Forwarding, 1, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := follower{which: test.which, buffer: test.buffer}
			events, _, done, err := f.open(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			if which, err := f.changed(events); which&Rules != 0 || err != nil {
				t.Fatalf("before a change: %b, %v", which, err)
			}
			ipAll(t, strings.Repeat("rule add pref 78 lookup 78\nrule del pref 78\n", test.changes))
			if which, err := f.changed(events); which != test.which || err != nil {
				t.Errorf("after it: %b, %v, want %b", which, err, test.which)
			}
			if which, err := f.changed(events); which&Rules != 0 || err != nil {
				t.Errorf("once more: %b, %v", which, err)
			}
		})
	}
}

// TestReadAgain plays a kernel that tells of changes.
func TestReadAgain(t *testing.T) {
	netnstest.Need(t)
	told := message(netlink.Header{Type: unix.RTM_NEWADDR}, []byte{unix.AF_INET, 24, 0, 0})
	for _, test := range []struct {
		name     string
		changes  int // readings that come too late
		deadline time.Duration
		want     int // readings
	}{
		{"at rest", 0, time.Minute, 1},
		{"a change", 1, time.Minute, 2},
		{"never at rest", 1 << 30, time.Minute, readTries},
		{"never at rest, and slow", 1 << 30, 80 * time.Millisecond, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
			defer cancel()
			f := follower{which: Addresses, buffer: firstBuffer}
			_, requests, done, err := f.open(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			readings, more := 0, false
			events := conn{buffer: make([]byte, dumpBuffer), receive: func(buffer []byte, wait bool) (int, error) {
				if more = !more && readings < test.changes; more {
					return copy(buffer, told), nil
				}
				if readings++; test.deadline < time.Minute {
					time.Sleep(test.deadline / 2) // the reading took so long
				}
				return 0, unix.EAGAIN
			}}
			if _, err := f.together(ctx, events, requests); readings != test.want || err != nil {
				t.Errorf("%d readings, %v, want %d", readings, err, test.want)
			}
		})
	}
}

// message is one message as it stands in a datagram.
func message(h netlink.Header, data []byte) []byte {
	h.Length = uint32(unix.SizeofNlMsghdr + len(data))
	b, err := netlink.Message{Header: h, Data: data}.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return b
}

// TestDatagrams returns a dump what no kernel sends.
func TestDatagrams(t *testing.T) {
	one := func(kind netlink.HeaderType, flags netlink.HeaderFlags, data ...byte) []byte {
		return message(netlink.Header{Type: kind, Flags: flags, Sequence: 7}, data)
	}
	tests := []struct {
		name string
		b    []byte
		read int // messages
		done bool
		want error
	}{
		{"one message", one(unix.RTM_NEWLINK, 0, 1, 2, 3, 4), 1, false, nil},
		{"the end", one(netlink.Done, 0, 0, 0, 0, 0), 0, true, nil},
		{"an error at the end", one(netlink.Done, 0, 0xfe, 0xff, 0xff, 0xff), 0, true, unix.ENOENT},
		{"an error", one(netlink.Error, 0, 0xa1, 0xff, 0xff, 0xff), 0, true, unix.EOPNOTSUPP},
		{"the table changed, told at the end only", one(netlink.Done, netlink.DumpInterrupted, 0, 0, 0, 0), 0, true, errInterrupted},
		{"the answer to another request", message(netlink.Header{Type: netlink.Done, Sequence: 6}, nil), 0, false, nil},
		{"half a header", make([]byte, 15), 0, false, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := dumped{item: unix.RTM_NEWLINK, sequence: 7}
			d.take(test.b)
			read := d.count
			if read != test.read || d.done != test.done || !errors.Is(d.err, test.want) {
				t.Errorf("%d messages, done %v, %v; want %d, %v, %v", read, d.done, d.err, test.read, test.done, test.want)
			}
		})
	}
	t.Run("a message longer than its datagram", func(t *testing.T) {
		d := dumped{sequence: 7}
		d.take(one(unix.RTM_NEWLINK, 0, 1, 2, 3, 4)[:18])
		if d.err == nil || !d.done {
			t.Error("taken as a message")
		}
	})
}
