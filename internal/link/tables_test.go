package link

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// fault is a conn's receive when something goes wrong.
type fault func(ctx context.Context, cancel func(), c conn, buffer []byte) (int, error)

// interrupted is a table that changes within each dump.
func interrupted(_ context.Context, _ func(), c conn, buffer []byte) (int, error) {
	n, err := c.receive(buffer, true)
	flags := buffer[6:8] // of the first message
	binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|uint16(netlink.DumpInterrupted))
	return n, err
}

// timeIsOver waits for the end of ctx and gives what the real socket says then.
func timeIsOver(ctx context.Context, _ func(), c conn, buffer []byte) (int, error) {
	<-ctx.Done()
	for {
		if _, err := c.receive(buffer, true); err != nil {
			return 0, err
		}
	}
}

func cancelled(ctx context.Context, cancel func(), c conn, buffer []byte) (int, error) {
	cancel()
	return timeIsOver(ctx, cancel, c, buffer)
}

func failing(err error) fault {
	return func(context.Context, func(), conn, []byte) (int, error) { return 0, err }
}

// TestReadKeeps: a network that does not rest and a time that is over leave
// what was read already.
func TestReadKeeps(t *testing.T) {
	netnstest.Need(t)
	for _, test := range []struct {
		name           string
		after          int // so many readings are good
		reading, event fault
		want           error
	}{
		{"nothing is read: interrupted", 0, interrupted, nil, errInterrupted},
		{"nothing is read: no time", 0, timeIsOver, nil, os.ErrDeadlineExceeded},
		{"interrupted again and again", 1, interrupted, nil, nil},
		{"interrupted at the third reading", 2, interrupted, nil, nil},
		{"no time for another reading", 1, timeIsOver, nil, nil},
		{"cancelled within another reading", 1, cancelled, nil, os.ErrDeadlineExceeded},
		{"another reading fails", 1, failing(unix.EIO), nil, unix.EIO},
		{"no time to look for changes", 1, nil, timeIsOver, nil},
		{"no time to look for changes of another reading", 2, nil, timeIsOver, nil},
		{"a signal while looking for changes", 1, nil, failing(unix.EINTR), nil},
		{"cancelled while looking for changes", 1, nil, cancelled, os.ErrDeadlineExceeded},
		{"looking for changes fails", 1, nil, failing(unix.EIO), unix.EIO},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tables, err := readWith(t, test.after, test.reading, test.event)
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			switch {
			case err != nil && tables != nil:
				t.Errorf("an error and %+v", tables)
			case err == nil && (len(tables.Rules) == 0 || tables.Taken.IsZero()):
				t.Errorf("what was read is lost: %+v", tables)
			}
		})
	}
}

// readWith reads rules, which a kernel that never rests says to have changed.
// After so many good readings the next one fails, or the look for changes.
func readWith(t *testing.T, after int, reading, event fault) (*Tables, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	f := follower{which: Rules, buffer: firstBuffer}
	realEvents, realRequests, done, err := f.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	told := message(netlink.Header{Type: unix.RTM_NEWRULE}, nil)
	readings, more := 1, false // the one that goes on, or is to be looked at
	requests, events := realRequests, realEvents
	requests.receive = func(buffer []byte, wait bool) (int, error) {
		if reading != nil && readings > after {
			return reading(ctx, cancel, realRequests, buffer)
		}
		return realRequests.receive(buffer, wait)
	}
	events.receive = func(buffer []byte, _ bool) (int, error) {
		if event != nil && readings == after {
			return event(ctx, cancel, realEvents, buffer)
		}
		if more = !more; more {
			return copy(buffer, told), nil
		}
		readings++
		return 0, unix.EAGAIN
	}
	return f.together(ctx, events, requests)
}

// TestReadLinkGone: a link that goes before it is read again is not there.
func TestReadLinkGone(t *testing.T) {
	cable(t, "gone0", "gone1")
	f := follower{which: Links, filter: Filter{Link: "gone0"}, buffer: firstBuffer}
	events, requests, done, err := f.open(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	receive, gone := events.receive, false
	events.receive = func(buffer []byte, wait bool) (int, error) {
		if !gone {
			gone = true
			ip(t, "link", "del", "gone0")
		}
		return receive(buffer, wait)
	}
	if tables, err := f.together(testContext(t), events, requests); !errors.Is(err, ErrNotExist) {
		t.Errorf("%+v, %v", tables, err)
	}
}
