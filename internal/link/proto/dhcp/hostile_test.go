package dhcp

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

const (
	hostileSeeds = 50 // each is a network with another server
	hostileEach  = 40 // answers of each

	// hostileGrowth is more than the heap may grow by 2,000 answers of 1,472 bytes.
	hostileGrowth = 1 << 20
	// hostileLease bounds what is stored of one lease, in bytes of JSON.
	hostileLease = 16 << 10
)

// hostileServer answers every message with several that are wrong in seeded
// ways, until it has sent its share; then it is a good server.
type hostileServer struct {
	random  *rand.Rand
	sent    int
	replies chan []byte
	closed  chan struct{}
}

func (h *hostileServer) Broadcast(_ netip.Addr, message []byte) error {
	m, err := dhcpv4.FromBytes(message)
	if err != nil {
		return err
	}
	for range 5 {
		if h.sent == hostileEach {
			h.put(grant(m).ToBytes())
			return nil
		}
		h.sent++
		h.put(hostileAnswer(h.random, m))
	}
	return nil
}

// put drops what there is no room for, as a socket does.
func (h *hostileServer) put(message []byte) {
	select {
	case h.replies <- message:
	default:
	}
}

func (h *hostileServer) Unicast(source, _ netip.Addr, message []byte) error {
	return h.Broadcast(source, message)
}

func (h *hostileServer) Receive(buf []byte) (int, error) {
	select {
	case message := <-h.replies:
		return copy(buf, message), nil
	case <-h.closed:
		return 0, os.ErrClosed
	}
}

func (h *hostileServer) Close() error { close(h.closed); return nil }

// hostileAnswer spoils a good answer in one to four ways.
func hostileAnswer(random *rand.Rand, m *dhcpv4.DHCPv4) []byte {
	reply := grant(m)
	pick := func(of ...byte) byte { return of[random.IntN(len(of))] }
	some := func(most int) []byte {
		b := make([]byte, random.IntN(most+1))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	address := func() []byte {
		return []byte{pick(0, 10, 127, 169, 192, 224, 255), pick(0, 168, 255), pick(0, 1, 255), pick(0, 1, 50, 255)}
	}
	for range 1 + random.IntN(4) {
		switch random.IntN(9) {
		case 0:
			reply.YourIPAddr = address()
		case 1:
			option(pick(1, 3, 6, 54), address()...)(reply)
		case 2:
			option(pick(51, 58, 59), pick(0, 127, 255), pick(0, 255), 255, pick(0, 255))(reply)
		case 3:
			option(byte(random.Uint32()), some(255)...)(reply)
		case 4:
			option(pick(3, 6, 15, 119, 121), some(1200)...)(reply)
		case 5: // domain names that point at each other
			names := some(600)
			for i := range names {
				names[i] = pick(0xc0, 0, 1, 2, 63, 'a')
			}
			option(119, names...)(reply)
		case 6:
			option(52, pick(0, 1, 2, 3, 255))(reply)
			reply.BootFileName, reply.ServerHostName = string(some(127)), string(some(63))
		case 7:
			routes := some(1000)
			for i := range routes {
				routes[i] = pick(0, 1, 8, 24, 32, 10, 192, 168)
			}
			option(121, routes...)(reply)
		case 8:
			option(53, pick(2, 5, 6, 0, 9))(reply)
		}
	}
	packet := reply.ToBytes()
	switch random.IntN(6) {
	case 0:
		packet = packet[:random.IntN(len(packet))]
	case 1:
		packet[random.IntN(len(packet))] ^= byte(random.Uint32())
	}
	return packet
}

// TestHostileServers: 2,000 answers of servers that mean harm. No lease comes out
// that cannot be used, nothing is kept of them, and a good server is heard after.
func TestHostileServers(t *testing.T) {
	before, routines := heap(), runtime.NumGoroutine()
	leases := 0
	for seed := range uint64(hostileSeeds) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			server := &hostileServer{random: rand.New(rand.NewPCG(seed, 1)), replies: make(chan []byte, 20)}
			for good := false; !good; { // a lease that never ends is one that nobody asks about again
				server.closed = make(chan struct{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				c := newClient(Config{}, hardware, server, &fakeClock{}, random.Uint64)
				_ = c.run(ctx, func(e Event) {
					if l, ok := leaseOf(e); ok {
						leases++
						checkLease(t, seed, l)
						good = server.sent == hostileEach
					}
				})
				cancel()
			}
		})
	}
	if leases < hostileSeeds {
		t.Errorf("%d leases", leases)
	}
	if grown := heap() - before; grown > hostileGrowth {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if now := runtime.NumGoroutine(); now > routines {
		t.Errorf("%d goroutines, before %d", now, routines)
	}
}

func leaseOf(e Event) (Lease, bool) {
	switch e := e.(type) {
	case Bound:
		return e.Lease, true
	case Renewed:
		return e.Lease, true
	}
	return Lease{}, false
}

func checkLease(t *testing.T, seed uint64, l Lease) {
	t.Helper()
	if why := wrong(l); why != "" {
		t.Errorf("seed %d: %s", seed, why)
	}
	if data, err := json.Marshal(l); err != nil || len(data) > hostileLease {
		t.Errorf("seed %d: a lease of %d bytes, %v", seed, len(data), err)
	}
}

// heap gives the bytes that are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
