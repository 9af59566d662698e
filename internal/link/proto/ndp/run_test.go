package ndp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// bubbleClock is that of the test's bubble, moved by the time in which the machine
// was suspended.
type bubbleClock struct{ suspended atomic.Int64 }

// Now implements boottime.Clock.
func (c *bubbleClock) Now() time.Time { return time.Now().Add(time.Duration(c.suspended.Load())) }

// After implements boottime.Clock.
func (c *bubbleClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// air is a link with routers, in memory.
type air struct {
	clock bubbleClock
	said  chan *rtnl.UserOption
	trace strings.Builder
	begun time.Time
}

func (a *air) log(format string, args ...any) {
	fmt.Fprintf(&a.trace, "%v %s\n", time.Since(a.begun), fmt.Sprintf(format, args...))
}

// advertise is what the kernel hands over of an advertisement on the interface.
func (a *air) advertise(router string, options ...[]byte) {
	for _, o := range options {
		a.said <- &rtnl.UserOption{Index: 3, Type: routerAdvertisement, Source: netip.MustParseAddr(router), Options: o}
	}
}

// listen runs a listener while play plays, and returns what happened. A second
// passes at the beginning.
func listen(t *testing.T, sendable bool, play func(a *air)) string {
	t.Helper()
	a := &air{}
	synctest.Test(t, func(t *testing.T) {
		a.said, a.begun = make(chan *rtnl.UserOption), time.Now()
		solicit := func() error {
			a.log("solicit")
			if !sendable {
				return errors.New("the address is new")
			}
			return nil
		}
		l := newListener(&net.Interface{Index: 3, Name: "wlan0"}, &a.clock, solicit,
			func(servers []netip.Addr) { a.log("%v", servers) }, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- l.run(ctx, func(ctx context.Context, begun func(), seen func(*rtnl.UserOption) error) error {
				begun()
				for {
					select {
					case o := <-a.said:
						if err := seen(o); err != nil {
							return err
						}
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			})
		}()
		time.Sleep(time.Second)
		play(a)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
	return a.trace.String()
}

func TestListen(t *testing.T) {
	const r = "fe80::1"
	one, two := rdnss(1800, "2001:db8::1"), rdnss(1800, "2001:db8::2")
	for _, row := range []struct {
		name string
		play func(a *air)
		want string
	}{
		{"nobody answers", func(*air) { time.Sleep(time.Minute) }, `
			0s solicit
			4s solicit
			8s solicit
			12s []`},
		{"a router answers", func(a *air) {
			a.advertise(r, one)
			time.Sleep(time.Minute)
		}, `
			0s solicit
			1s [2001:db8::1]`},
		{"a router answers late", func(a *air) {
			time.Sleep(19 * time.Second)
			a.advertise(r, one)
			time.Sleep(time.Minute)
		}, `
			0s solicit
			4s solicit
			8s solicit
			12s []
			20s [2001:db8::1]`},
		{"it says so again and again", func(a *air) {
			for range 20 {
				a.advertise(r, one)
				time.Sleep(200 * time.Second)
			}
		}, `
			0s solicit
			1s [2001:db8::1]`},
		{"it says so no more", func(a *air) {
			a.advertise(r, one)
			time.Sleep(time.Hour)
		}, `
			0s solicit
			1s [2001:db8::1]
			30m1s []`},
		{"a link-local server", func(a *air) {
			a.advertise(r, rdnss(60, "fe80::53"))
			time.Sleep(time.Second)
		}, `
			0s solicit
			1s [fe80::53%wlan0]`},
		{"it withdraws one", func(a *air) {
			a.advertise(r, one, two)
			time.Sleep(20 * time.Second)
			a.advertise(r, rdnss(0, "2001:db8::1"))
			time.Sleep(time.Minute)
		}, `
			0s solicit
			1s [2001:db8::1]
			6s [2001:db8::1 2001:db8::2]
			21s [2001:db8::2]`},
		{"the machine is suspended while they expire", func(a *air) {
			a.advertise(r, one)
			time.Sleep(time.Second)
			a.clock.suspended.Store(int64(time.Hour))
			a.advertise(r, two) // which wakes it up
			time.Sleep(time.Minute)
		}, `
			0s solicit
			1s [2001:db8::1]
			2s [2001:db8::2]`},
		{"messages are lost", func(a *air) {
			a.advertise(r, one)
			time.Sleep(time.Minute)
			a.said <- nil
			time.Sleep(time.Second)
			a.advertise(r, one)
			time.Sleep(time.Minute)
		}, `
			0s solicit
			1s [2001:db8::1]
			1m1s solicit`},
		{"messages are lost all the time", func(a *air) {
			for range 1000 {
				a.said <- nil
				time.Sleep(10 * time.Millisecond)
			}
		}, `
			0s solicit
			4s solicit
			8s solicit`},
		{"what is of another interface, or no advertisement", func(a *air) {
			a.said <- &rtnl.UserOption{Index: 4, Type: routerAdvertisement, Source: netip.MustParseAddr(r), Options: one}
			a.said <- &rtnl.UserOption{Index: 3, Type: 136, Source: netip.MustParseAddr(r), Options: one}
			time.Sleep(time.Minute)
		}, `
			0s solicit
			4s solicit
			8s solicit
			12s []`},
		{"nothing of it can be used", func(a *air) {
			a.advertise(r, rdnss(1800, "::1", "ff02::1", "::", "::ffff:127.0.0.1"))
			time.Sleep(time.Minute)
		}, `
			0s solicit
			4s solicit
			8s solicit
			12s []`},
		{"one in a crowd can", func(a *air) {
			a.advertise(r, rdnss(1800, "::1", "2001:db8::1", "ff02::1"))
			time.Sleep(time.Minute)
		}, `
			0s solicit
			1s [2001:db8::1]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := strings.ReplaceAll(strings.TrimPrefix(row.want, "\n"), "\t", "") + "\n"
			if diff := cmp.Diff(want, listen(t, true, row.play)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSolicitLater: while nothing can be sent, the listener goes on.
func TestSolicitLater(t *testing.T) {
	want := "0s solicit\n4s solicit\n5s [2001:db8::1]\n"
	got := listen(t, false, func(a *air) {
		time.Sleep(4 * time.Second)
		a.advertise("fe80::1", rdnss(60, "2001:db8::1"))
		time.Sleep(time.Second)
	})
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRestlessRouters: 10,000 advertisements of 1,000 routers, each with other
// servers, change every 5 s what is told, and nothing grows.
func TestRestlessRouters(t *testing.T) {
	var before, after runtime.MemStats
	longest := 0
	trace := listen(t, true, func(a *air) {
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range 10_000 {
			router := fmt.Sprintf("fe80::%x", i%1000+1)
			a.advertise(router, rdnss(uint32(i%3), fmt.Sprintf("2001:db8::%x", i+1), fmt.Sprintf("2001:db8:1::%x", i+1), "::1"))
			time.Sleep(2 * time.Millisecond)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
	})
	for line := range strings.Lines(trace) {
		longest = max(longest, strings.Count(line, "2001:db8"))
	}
	if told := strings.Count(trace, "["); told > 5 {
		t.Errorf("within 20 s %d changes were told:\n%s", told, trace)
	}
	if longest > mostRouters*mostServers {
		t.Errorf("%d servers were told", longest)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 256<<10 {
		t.Errorf("%d bytes are held", grown)
	}
}
