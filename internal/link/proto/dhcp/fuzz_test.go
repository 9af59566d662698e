package dhcp

import (
	"net/netip"
	"testing"
	"time"
)

// FuzzStep feeds arbitrary histories and checks what must hold in all of them.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0, 0, 0, 3, 4})
	f.Add([]byte{0x80, 4, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, history []byte) {
		now, has := epoch, false
		var s state
		for i, b := range history {
			event := fuzzEvent(s, b)
			if i == 0 {
				event = start{}
				if b&0x80 != 0 {
					event = start{netip.MustParseAddr("192.168.1.50"), heldFor(time.Duration(b&0x3f) * time.Second)}
				}
			}
			if _, ok := event.(timeout); ok && !s.due.IsZero() {
				now = s.due.Add(time.Duration(b) * time.Second)
			}
			next, actions := step(s, input{now: now, random: uint64(b) << 56, event: event})
			for _, a := range actions {
				switch a := a.(type) {
				case notify:
					_, lost := a.event.(Lost)
					_, renewed := a.event.(Renewed)
					if lost != has && (lost || !renewed) || renewed && !has {
						t.Fatalf("%T while has an address: %v", a.event, has)
					}
					has = !lost
				case send:
					if a.to.IsValid() && !a.client.IsValid() {
						t.Fatalf("unicast without an address: %+v", a)
					}
				}
			}
			if has != next.lease.Address.IsValid() {
				t.Fatalf("caller has an address: %v, machine's lease: %v", has, next.lease.Address)
			}
			if next.due.IsZero() && !(next.phase == bound && next.lease.Expire == 0) {
				t.Fatalf("nothing will ever happen in %s", next.phase)
			}
			if len(actions) > 0 && !next.due.IsZero() && next.due.Before(now) && next.phase != bound {
				t.Fatalf("%s: due in the past", next.phase)
			}
			s = next
		}
	})
}

func fuzzEvent(s state, b byte) any {
	server := netip.AddrFrom4([4]byte{192, 168, 1, 1 + b>>6&1})
	r := reply{xid: s.xid, server: server, lease: Lease{Address: netip.MustParsePrefix("192.168.1.50/24"), Server: server}}
	if b&0x20 != 0 {
		r.lease.Renew, r.lease.Rebind, r.lease.Expire = 15*time.Second, 26*time.Second, 30*time.Second
	}
	switch b & 7 {
	case 1:
		r.kind = offer
	case 2, 3:
		r.kind = ack
	case 4:
		r.kind, r.lease = nak, Lease{}
	default:
		return timeout{}
	}
	return r
}
