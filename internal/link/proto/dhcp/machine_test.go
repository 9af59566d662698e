package dhcp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// noJitter is the random number in the middle of the jitter's range.
const noJitter = 1 << 63

// epoch is when the simulations begin. It has no monotonic clock, so that a
// machine that looked at any other clock would be found out.
var epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// simulate runs the machine for a time and prints what it does. Each line of
// script is "<when> <offer|ack|nak> [address/len] [server <addr>] [lease <d>]
// [xid wrong]"; timeouts are delivered when they are due.
func simulate(t *testing.T, begin start, script string, length time.Duration) string {
	t.Helper()
	var out strings.Builder
	now, xid := epoch, uint64(0)
	random := func() uint64 { xid++; return noJitter + xid }
	take := func(s state, event any) state {
		next, actions := step(s, input{now: now, random: random(), event: event})
		for _, a := range actions {
			fmt.Fprintf(&out, "%v %s\n", now.Sub(epoch), describe(a))
		}
		return next
	}
	s := take(state{}, begin)
	lines := strings.Split(strings.TrimSpace(script), "\n")
	end := epoch.Add(length)
	for {
		next, line := end, ""
		if len(lines) > 0 && lines[0] != "" {
			when, rest, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
			d, err := time.ParseDuration(when)
			if err != nil {
				t.Fatal(err)
			}
			next, line = epoch.Add(d), rest
		}
		if !s.due.IsZero() && s.due.Before(next) {
			now = s.due
			s = take(s, timeout{})
			continue
		}
		if next.After(end) || line == "" {
			return out.String()
		}
		now, lines = next, lines[1:]
		s = take(s, parseReply(t, s, line))
	}
}

func parseReply(t *testing.T, s state, line string) reply {
	t.Helper()
	words := strings.Fields(line)
	server := netip.MustParseAddr("192.168.1.1")
	r := reply{kind: kind(words[0]), xid: s.xid, server: server}
	length := time.Hour
	for i := 1; i < len(words); i++ {
		if prefix, err := netip.ParsePrefix(words[i]); err == nil {
			r.lease.Address = prefix
			continue
		}
		i++
		switch words[i-1] {
		case "server":
			r.server = netip.MustParseAddr(words[i])
		case "lease":
			length, _ = time.ParseDuration(words[i])
		case "xid":
			r.xid++
		default:
			t.Fatalf("unknown word %q", words[i-1])
		}
	}
	r.lease.Server = r.server
	r.lease.Renew, r.lease.Rebind, r.lease.Expire = length/2, length*7/8, length
	return r
}

func describe(a action) string {
	switch a := a.(type) {
	case notify:
		switch e := a.event.(type) {
		case Bound:
			return fmt.Sprintf("BOUND %s since %v", e.Lease.Address, e.Lease.Acquired.Sub(epoch))
		case Renewed:
			return fmt.Sprintf("RENEWED %s since %v", e.Lease.Address, e.Lease.Acquired.Sub(epoch))
		case Lost:
			return fmt.Sprintf("LOST %s", e.Reason)
		}
	case send:
		text := fmt.Sprintf("%s %d", a.kind, a.attempt)
		for _, field := range []struct {
			name string
			addr netip.Addr
		}{{"requested", a.requested}, {"server", a.server}, {"client", a.client}, {"unicast", a.to}} {
			if field.addr.IsValid() {
				text += fmt.Sprintf(" %s %s", field.name, field.addr)
			}
		}
		return text
	}
	return "?"
}

// heldFor is a lease of a minute that began some time ago.
func heldFor(age time.Duration) Lease {
	return Lease{
		Address: netip.MustParsePrefix("192.168.1.50/24"), Server: netip.MustParseAddr("192.168.1.1"),
		Acquired: epoch.Add(-age), Renew: 30 * time.Second, Rebind: 52 * time.Second, Expire: time.Minute,
	}
}

func TestMachine(t *testing.T) {
	for _, row := range []struct {
		name, previous, script string
		held                   Lease
		length                 time.Duration
		want                   string
	}{
		{name: "first contact", length: time.Minute, script: `
			10ms offer 192.168.1.50/24
			20ms ack 192.168.1.50/24`, want: `
			0s discover 1
			10ms request 1 requested 192.168.1.50 server 192.168.1.1
			20ms BOUND 192.168.1.50/24 since 10ms`},
		{name: "silent server: retransmission slows down and never ends", length: 130 * time.Second, want: `
			0s discover 1
			1s discover 2
			3s discover 3
			7s discover 4
			15s discover 5
			31s discover 6
			1m3s discover 7
			1m35s discover 8
			2m7s discover 9`},
		{name: "slow server: late answers count", length: time.Minute, script: `
			6s offer 192.168.1.50/24
			14s ack 192.168.1.50/24`, want: `
			0s discover 1
			1s discover 2
			3s discover 3
			6s request 1 requested 192.168.1.50 server 192.168.1.1
			7s request 2 requested 192.168.1.50 server 192.168.1.1
			9s request 3 requested 192.168.1.50 server 192.168.1.1
			13s request 4 requested 192.168.1.50 server 192.168.1.1
			14s BOUND 192.168.1.50/24 since 13s`},
		{name: "first offer wins, and only its server may acknowledge", length: 500 * time.Millisecond, script: `
			10ms offer 192.168.1.50/24
			11ms offer 10.0.0.9/8 server 10.0.0.1
			12ms ack 10.0.0.9/8 server 10.0.0.1
			13ms nak server 10.0.0.1
			14ms ack 192.168.1.50/24`, want: `
			0s discover 1
			10ms request 1 requested 192.168.1.50 server 192.168.1.1
			14ms BOUND 192.168.1.50/24 since 10ms`},
		{name: "answers to somebody else are ignored", length: 500 * time.Millisecond, script: `
			10ms offer 192.168.1.50/24 xid wrong
			20ms ack 192.168.1.50/24
			30ms nak`, want: `
			0s discover 1`},
		{name: "offer without acknowledgement is given up", length: 17 * time.Second, script: `
			10ms offer 192.168.1.50/24`, want: `
			0s discover 1
			10ms request 1 requested 192.168.1.50 server 192.168.1.1
			1.01s request 2 requested 192.168.1.50 server 192.168.1.1
			3.01s request 3 requested 192.168.1.50 server 192.168.1.1
			7.01s request 4 requested 192.168.1.50 server 192.168.1.1
			15.01s discover 1 requested 192.168.1.50
			16.01s discover 2 requested 192.168.1.50`},
		{name: "refused offers are tried again ever more slowly", length: 8 * time.Second, script: `
			10ms offer 192.168.1.50/24
			20ms nak
			1.1s offer 192.168.1.50/24
			1.2s nak
			3.3s offer 192.168.1.50/24
			3.4s nak`, want: `
			0s discover 1
			10ms request 1 requested 192.168.1.50 server 192.168.1.1
			1.02s discover 1
			1.1s request 1 requested 192.168.1.50 server 192.168.1.1
			3.2s discover 1
			3.3s request 1 requested 192.168.1.50 server 192.168.1.1
			7.4s discover 1`},
		{name: "previous address confirmed by any server", previous: "192.168.1.50", length: time.Second, script: `
			10ms ack 192.168.1.50/24 server 192.168.1.2`, want: `
			0s request 1 requested 192.168.1.50
			10ms BOUND 192.168.1.50/24 since 0s`},
		{name: "previous address refused: other network", previous: "10.0.0.7", length: time.Second, script: `
			10ms nak
			20ms offer 192.168.1.50/24
			30ms ack 192.168.1.50/24`, want: `
			0s request 1 requested 10.0.0.7
			10ms discover 1
			20ms request 1 requested 192.168.1.50 server 192.168.1.1
			30ms BOUND 192.168.1.50/24 since 20ms`},
		{name: "previous address unknown to the server: silence ends after 3 s", previous: "10.0.0.7", length: 3500 * time.Millisecond, want: `
			0s request 1 requested 10.0.0.7
			1s request 2 requested 10.0.0.7
			3s discover 1 requested 10.0.0.7`},
		{name: "lease that is held: goes on after the silence and is extended", previous: "192.168.1.50", held: heldFor(10 * time.Second),
			length: 30 * time.Second, script: `
			25s ack 192.168.1.50/24 lease 1h`, want: `
			0s request 1 requested 192.168.1.50
			1s request 2 requested 192.168.1.50
			3s BOUND 192.168.1.50/24 since -10s
			3s request 1 client 192.168.1.50 unicast 192.168.1.1
			22.5s request 2 client 192.168.1.50 unicast 192.168.1.1
			25s RENEWED 192.168.1.50/24 since 22.5s`},
		{name: "lease that is held: ends in its time", previous: "192.168.1.50", held: heldFor(50 * time.Second),
			length: 12 * time.Second, want: `
			0s request 1 requested 192.168.1.50
			1s request 2 requested 192.168.1.50
			3s BOUND 192.168.1.50/24 since -50s
			3s request 1 client 192.168.1.50
			6.5s request 2 client 192.168.1.50
			9.5s request 3 client 192.168.1.50
			10s LOST lease expired without an answer from any server
			10s discover 1 requested 192.168.1.50
			11s discover 2 requested 192.168.1.50`},
		{name: "lease that is held: ended during the silence", previous: "192.168.1.50", held: heldFor(58 * time.Second),
			length: 3500 * time.Millisecond, want: `
			0s request 1 requested 192.168.1.50
			1s request 2 requested 192.168.1.50
			3s discover 1 requested 192.168.1.50`},
		{name: "lease that is held: of a time to come", previous: "192.168.1.50", held: heldFor(-time.Hour),
			length: 3500 * time.Millisecond, want: `
			0s request 1 requested 192.168.1.50
			1s request 2 requested 192.168.1.50
			3s discover 1 requested 192.168.1.50`},
		{name: "lease that is held: refused", previous: "192.168.1.50", held: heldFor(10 * time.Second),
			length: 3500 * time.Millisecond, script: `
			10ms nak`, want: `
			0s request 1 requested 192.168.1.50
			10ms discover 1
			1.01s discover 2
			3.01s discover 3`},
		{name: "lease that is held: does not end", previous: "192.168.1.50", length: time.Hour,
			held: Lease{Address: netip.MustParsePrefix("192.168.1.50/24"), Acquired: epoch}, want: `
			0s request 1 requested 192.168.1.50
			1s request 2 requested 192.168.1.50
			3s BOUND 192.168.1.50/24 since 0s`},
		{name: "renewed at half time, for ever", length: 4000 * time.Second, script: `
			1s offer 192.168.1.50/24
			1s ack 192.168.1.50/24 lease 1h
			1801.5s ack 192.168.1.50/24 lease 1h
			3601.5s ack 192.168.1.50/24 lease 1h`, want: `
			0s discover 1
			1s request 1 requested 192.168.1.50 server 192.168.1.1
			1s BOUND 192.168.1.50/24 since 1s
			30m1s request 1 client 192.168.1.50 unicast 192.168.1.1
			30m1.5s RENEWED 192.168.1.50/24 since 30m1s
			1h0m1s request 1 client 192.168.1.50 unicast 192.168.1.1
			1h0m1.5s RENEWED 192.168.1.50/24 since 1h0m1s`},
		{name: "lease of 30 s, server gone: renewing, rebinding, lost, discovering", length: 33 * time.Second, script: `
			0s offer 192.168.1.50/24
			0s ack 192.168.1.50/24 lease 30s`, want: `
			0s discover 1
			0s request 1 requested 192.168.1.50 server 192.168.1.1
			0s BOUND 192.168.1.50/24 since 0s
			15s request 1 client 192.168.1.50 unicast 192.168.1.1
			20.625s request 2 client 192.168.1.50 unicast 192.168.1.1
			23.4375s request 3 client 192.168.1.50 unicast 192.168.1.1
			24.9375s request 4 client 192.168.1.50 unicast 192.168.1.1
			26.25s request 1 client 192.168.1.50
			28.125s request 2 client 192.168.1.50
			29.625s request 3 client 192.168.1.50
			30s LOST lease expired without an answer from any server
			30s discover 1 requested 192.168.1.50
			31s discover 2 requested 192.168.1.50`},
		{name: "lease of a day: no more than a request a minute", length: 24 * time.Hour, script: `
			0s offer 192.168.1.50/24
			0s ack 192.168.1.50/24 lease 24h`, want: `
			0s discover 1
			0s request 1 requested 192.168.1.50 server 192.168.1.1
			0s BOUND 192.168.1.50/24 since 0s
			12h0m0s request 1 client 192.168.1.50 unicast 192.168.1.1
			16h30m0s request 2 client 192.168.1.50 unicast 192.168.1.1
			18h45m0s request 3 client 192.168.1.50 unicast 192.168.1.1
			19h52m30s request 4 client 192.168.1.50 unicast 192.168.1.1
			20h26m15s request 5 client 192.168.1.50 unicast 192.168.1.1
			20h43m7.5s request 6 client 192.168.1.50 unicast 192.168.1.1
			20h51m33.75s request 7 client 192.168.1.50 unicast 192.168.1.1
			20h55m46.875s request 8 client 192.168.1.50 unicast 192.168.1.1
			20h57m53.4375s request 9 client 192.168.1.50 unicast 192.168.1.1
			20h58m56.71875s request 10 client 192.168.1.50 unicast 192.168.1.1
			20h59m56.71875s request 11 client 192.168.1.50 unicast 192.168.1.1
			21h0m0s request 1 client 192.168.1.50
			22h30m0s request 2 client 192.168.1.50
			23h15m0s request 3 client 192.168.1.50
			23h37m30s request 4 client 192.168.1.50
			23h48m45s request 5 client 192.168.1.50
			23h54m22.5s request 6 client 192.168.1.50
			23h57m11.25s request 7 client 192.168.1.50
			23h58m35.625s request 8 client 192.168.1.50
			23h59m35.625s request 9 client 192.168.1.50`},
		{name: "another server takes over at rebinding, not before", length: 29 * time.Second, script: `
			0s offer 192.168.1.50/24
			0s ack 192.168.1.50/24 lease 30s
			16s nak server 192.168.1.2
			17s ack 192.168.1.50/24 server 192.168.1.2
			27s ack 192.168.1.50/24 server 192.168.1.2`, want: `
			0s discover 1
			0s request 1 requested 192.168.1.50 server 192.168.1.1
			0s BOUND 192.168.1.50/24 since 0s
			15s request 1 client 192.168.1.50 unicast 192.168.1.1
			20.625s request 2 client 192.168.1.50 unicast 192.168.1.1
			23.4375s request 3 client 192.168.1.50 unicast 192.168.1.1
			24.9375s request 4 client 192.168.1.50 unicast 192.168.1.1
			26.25s request 1 client 192.168.1.50
			27s RENEWED 192.168.1.50/24 since 26.25s`},
		{name: "renewal refused: address lost at once, discovery without a hint", length: 15500 * time.Millisecond, script: `
			0s offer 192.168.1.50/24
			0s ack 192.168.1.50/24 lease 30s
			15.2s nak`, want: `
			0s discover 1
			0s request 1 requested 192.168.1.50 server 192.168.1.1
			0s BOUND 192.168.1.50/24 since 0s
			15s request 1 client 192.168.1.50 unicast 192.168.1.1
			15.2s LOST server refused to extend the lease
			15.2s discover 1`},
		{name: "messages that nobody asked for while bound change nothing", length: 10 * time.Second, script: `
			0s offer 192.168.1.50/24
			0s ack 192.168.1.50/24 lease 30s
			1s nak
			2s ack 192.168.1.99/24
			3s offer 192.168.1.99/24`, want: `
			0s discover 1
			0s request 1 requested 192.168.1.50 server 192.168.1.1
			0s BOUND 192.168.1.50/24 since 0s`},
		{name: "an address that was not asked for is not taken", previous: "192.168.1.50", length: 19 * time.Second, script: `
			10ms ack 10.0.0.66/8
			3.1s offer 192.168.1.50/24
			3.2s ack 10.0.0.66/8
			3.3s ack 192.168.1.50/24 lease 30s
			18.2s ack 10.0.0.66/8
			18.3s ack 192.168.1.50/24 lease 30s`, want: `
			0s request 1 requested 192.168.1.50
			1s request 2 requested 192.168.1.50
			3s discover 1 requested 192.168.1.50
			3.1s request 1 requested 192.168.1.50 server 192.168.1.1
			3.3s BOUND 192.168.1.50/24 since 3.1s
			18.1s request 1 client 192.168.1.50 unicast 192.168.1.1
			18.3s RENEWED 192.168.1.50/24 since 18.1s`},
		{name: "infinite lease", length: 1000 * time.Hour, script: `
			0s offer 192.168.1.50/24
			0s ack 192.168.1.50/24 lease 0s`, want: `
			0s discover 1
			0s request 1 requested 192.168.1.50 server 192.168.1.1
			0s BOUND 192.168.1.50/24 since 0s`},
	} {
		t.Run(row.name, func(t *testing.T) {
			begin := start{held: row.held}
			if row.previous != "" {
				begin.previous = netip.MustParseAddr(row.previous)
			}
			got := simulate(t, begin, row.script, row.length)
			want := strings.ReplaceAll(strings.TrimSpace(row.want), "\t", "") + "\n"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
