package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
)

// wire is a transport with a server behind it, all in memory.
type wire struct {
	begun   time.Time
	answer  func(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 // nil: silence
	refuse  bool                                  // to send unicast
	replies chan []byte
	failed  chan error
	trace   strings.Builder

	suspended *atomic.Int64 // see fakeClock
	lease     Lease         // the last that the client told of
}

func newWire(answer func(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4) *wire {
	return &wire{begun: time.Now(), answer: answer, replies: make(chan []byte, 9), failed: make(chan error, 1)}
}

func (w *wire) log(format string, args ...any) {
	fmt.Fprintf(&w.trace, "%v %s\n", time.Since(w.begun), fmt.Sprintf(format, args...))
}

func (w *wire) Broadcast(source netip.Addr, message []byte) error {
	return w.take("broadcast", source, message)
}

func (w *wire) Unicast(source, server netip.Addr, message []byte) error {
	if w.refuse {
		return errors.New("refused")
	}
	return w.take("unicast "+server.String(), source, message)
}

func (w *wire) take(how string, source netip.Addr, message []byte) error {
	m, err := dhcpv4.FromBytes(message)
	if err != nil {
		return err
	}
	w.log("%s %s from %v", how, m.MessageType(), source)
	if reply := w.answer(m); reply != nil {
		w.replies <- []byte("noise of another protocol")
		w.replies <- reply.ToBytes()
	}
	return nil
}

func (w *wire) Receive(buf []byte) (int, error) {
	select {
	case message := <-w.replies:
		return copy(buf, message), nil
	case err := <-w.failed:
		return 0, err
	}
}

func (w *wire) Close() error {
	select {
	case w.failed <- os.ErrClosed:
	default:
	}
	return nil
}

// grant is a server that gives 192.168.1.50 for 30 s.
func grant(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	messageType := dhcpv4.MessageTypeAck
	if m.MessageType() == dhcpv4.MessageTypeDiscover {
		messageType = dhcpv4.MessageTypeOffer
	}
	reply, err := dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(messageType),
		dhcpv4.WithYourIP(net.IPv4(192, 168, 1, 50)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 168, 1, 1))),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithLeaseTime(30))
	if err != nil {
		panic(err)
	}
	return reply
}

// fakeClock is that of the test's bubble, moved by the time in which the machine
// was suspended.
type fakeClock struct {
	suspended *atomic.Int64 // nanoseconds; nil: none
}

func (c *fakeClock) Now() time.Time {
	if c.suspended == nil {
		return time.Now()
	}
	return time.Now().Add(time.Duration(c.suspended.Load()))
}

func (c *fakeClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// play runs a client on w for a time, and gives what happened on the wire and
// what the caller was told.
func play(t *testing.T, w *wire, cfg Config, length time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	c := newClient(cfg, hardware, w, &fakeClock{suspended: w.suspended}, func() uint64 { return noJitter })
	err := c.run(ctx, func(e Event) {
		switch e := e.(type) {
		case Bound:
			w.log("BOUND %s", e.Lease.Address)
			w.lease = e.Lease
		case Renewed:
			w.log("RENEWED %s", e.Lease.Address)
			w.lease = e.Lease
		case Lost:
			w.log("LOST %s", e.Reason)
		}
	})
	return w.trace.String(), err
}

func same(t *testing.T, want, got string) {
	t.Helper()
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "") + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRunKeepsALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := play(t, newWire(grant), Config{}, 32*time.Second)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
		same(t, `
			0s broadcast DISCOVER from invalid IP
			0s broadcast REQUEST from invalid IP
			0s BOUND 192.168.1.50/24
			15s unicast 192.168.1.1 REQUEST from 192.168.1.50
			15s RENEWED 192.168.1.50/24
			30s unicast 192.168.1.1 REQUEST from 192.168.1.50
			30s RENEWED 192.168.1.50/24`, got)
	})
}

func TestRunStartsAgainAfterLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := newWire(func(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
			if age := time.Since(begun); age > 0 && age < 40*time.Second {
				return nil
			}
			return grant(m)
		})
		previous := &Lease{Address: netip.MustParsePrefix("192.168.1.50/24")}
		got, _ := play(t, w, Config{Previous: previous}, 46*time.Second)
		same(t, `
			0s broadcast REQUEST from invalid IP
			0s BOUND 192.168.1.50/24
			15s unicast 192.168.1.1 REQUEST from 192.168.1.50
			20.625s unicast 192.168.1.1 REQUEST from 192.168.1.50
			23.4375s unicast 192.168.1.1 REQUEST from 192.168.1.50
			24.9375s unicast 192.168.1.1 REQUEST from 192.168.1.50
			26.25s broadcast REQUEST from 192.168.1.50
			28.125s broadcast REQUEST from 192.168.1.50
			29.625s broadcast REQUEST from 192.168.1.50
			30s LOST lease expired without an answer from any server
			30s broadcast DISCOVER from invalid IP
			31s broadcast DISCOVER from invalid IP
			33s broadcast DISCOVER from invalid IP
			37s broadcast DISCOVER from invalid IP
			45s broadcast DISCOVER from invalid IP
			45s broadcast REQUEST from invalid IP
			45s BOUND 192.168.1.50/24`, got)
	})
}

// A lease that is held outlasts a restart while the server is silent.
func TestRunGoesOnWithAHeldLease(t *testing.T) {
	for _, held := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			previous := heldFor(0)
			previous.Acquired = time.Now().Add(-30 * time.Second)
			w := newWire(func(*dhcpv4.DHCPv4) *dhcpv4.DHCPv4 { return nil })
			got, _ := play(t, w, Config{Previous: &previous, Held: held}, 3500*time.Millisecond)
			want := `
				0s broadcast REQUEST from invalid IP
				1s broadcast REQUEST from invalid IP
				3s BOUND 192.168.1.50/24
				3s unicast 192.168.1.1 REQUEST from 192.168.1.50`
			if !held {
				want = `
				0s broadcast REQUEST from invalid IP
				1s broadcast REQUEST from invalid IP
				3s broadcast DISCOVER from invalid IP`
			}
			same(t, want, got)
		})
	}
}

func TestRunRenewsByBroadcastWhereUnicastIsImpossible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(grant)
		w.refuse = true
		got, _ := play(t, w, Config{}, 16*time.Second)
		same(t, `
			0s broadcast DISCOVER from invalid IP
			0s broadcast REQUEST from invalid IP
			0s BOUND 192.168.1.50/24
			15s broadcast REQUEST from 192.168.1.50
			15s RENEWED 192.168.1.50/24`, got)
	})
}

// The server counts the time in which the machine is suspended, and so the
// client does. Whoever reads Acquired has a clock that does not.
func TestRunCountsSuspendedTime(t *testing.T) {
	for _, row := range []struct {
		name      string
		suspended time.Duration
		silent    bool // the server, after the machine woke up
		want      string
	}{
		{"past half of the lease", 5 * time.Second, false, `
			15s unicast 192.168.1.1 REQUEST from 192.168.1.50
			15s RENEWED 192.168.1.50/24`},
		{"past the end of the lease", time.Hour, true, `
			15s LOST lease expired without an answer from any server
			15s broadcast DISCOVER from invalid IP`},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var suspended atomic.Int64
				w := newWire(func(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
					if suspended.Load() > 0 && row.silent {
						return nil
					}
					return grant(m)
				})
				w.suspended = &suspended
				time.AfterFunc(14*time.Second, func() { suspended.Store(int64(row.suspended)) })
				got, _ := play(t, w, Config{}, 15500*time.Millisecond)
				same(t, `
					0s broadcast DISCOVER from invalid IP
					0s broadcast REQUEST from invalid IP
					0s BOUND 192.168.1.50/24`+row.want, got)
				if age := time.Since(w.lease.Acquired); !row.silent && age != 500*time.Millisecond {
					t.Errorf("the lease seems to be %v old, want 0.5 s", age)
				}
			})
		})
	}
}

func TestRunEndsWithItsInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(grant)
		gone := errors.New("no such device")
		time.AfterFunc(5*time.Second, func() { w.failed <- gone })
		got, err := play(t, w, Config{}, time.Minute)
		if !errors.Is(err, gone) {
			t.Errorf("ended with %v", err)
		}
		same(t, `
			0s broadcast DISCOVER from invalid IP
			0s broadcast REQUEST from invalid IP
			0s BOUND 192.168.1.50/24
			5s LOST interface is gone`, got)
	})
}
