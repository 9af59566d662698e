package ap

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

const (
	// hostileRouters is how many routers a phone pretends to be.
	hostileRouters = 1000
	// hostileGrowth is how much a program of ours may grow by these routers, in
	// bytes.
	hostileGrowth = 1 << 20
)

// TestThousandRouters lets a phone pretend to be 1,000 routers, which advertise
// default routes, prefixes, other routes, name servers, MTUs and redirects, some of
// them malformed. The device must not change. Without the guard it does.
func TestThousandRouters(t *testing.T) {
	for _, row := range []struct {
		name  string
		guard func(guard) error // nil: the whole access point serves
		holds bool
		// neighbours says whether the neighbours must stay the same, too. Without the
		// packet filter they fill the kernel's table (gc_thresh3).
		neighbours bool
	}{
		{"without a guard", nothing, false, false},
		{"with the interface's settings alone", onlySettings, true, false},
		{"with the packet filter alone", onlyTable, true, true},
		{"with both", whole, true, true},
		{"of an access point that serves", nil, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			phone := cable(t)
			believeRouters(t)
			grown := func() string { return "" }
			if row.guard == nil {
				d := newDaemon(t, testConfig(runtimeDir(t)))
				d.start()
				grown = d.grows()
			} else {
				netnstest.Run(t, "ip", "address", "add", "10.250.250.1/24", "dev", "wlan0")
				netnstest.Run(t, "ip", "link", "set", "wlan0", "up")
				guarded(t, testConfig(runtimeDir(t)), row.guard)
			}
			join(t, phone, "10.250.250.100")
			heard := hearOptions(t)
			eventually(t, hangLimit, "the addresses are in use", func() bool {
				own := netnstest.Run(t, "ip", "-6", "address", "show", "dev", "wlan0")
				return strings.Contains(own, "fe80:") && !strings.Contains(own, "tentative") && ping(phone, "10.250.250.1")
			})
			before, arrived := picture(t, row.neighbours), received(t)
			poseAsRouters(t, phone)
			if !ping(phone, "10.250.250.1") { // an answer shows that everything sent before has arrived
				t.Error("the device does not answer")
			}
			if n := received(t) - arrived; n < hostileRouters {
				t.Errorf("%d packets have arrived, of %d", n, hostileRouters)
			}
			now := picture(t, row.neighbours)
			if held := before == now && heard() == 0; held != row.holds {
				t.Errorf("%d options were handed over, and (-before +now):\n%s", heard(), cmp.Diff(before, now))
			}
			for _, part := range []string{"default via fe80:", "inet6 2001:db8:"} {
				if !row.holds && (!strings.Contains(now, part) || strings.Contains(now, "conf/wlan0/mtu 1500")) {
					t.Errorf("the packets are not such that %q and another MTU are believed:\n%s", part, now)
				}
			}
			if text := grown(); text != "" {
				t.Error(text)
			}
		})
	}
}

// believeRouters makes the interface accept router advertisements, whatever state
// other tests left in the network namespace: their packet filter, or forwarding, with
// which the kernel ignores routers (accept_ra of ip-sysctl.rst).
func believeRouters(t *testing.T) {
	t.Helper()
	netnstest.Run(t, "nft", "flush", "ruleset")
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/wlan0/accept_ra", []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// picture returns the device's IPv6 state of wlan0, without times that run down.
func picture(t *testing.T, neighbours bool) string {
	t.Helper()
	parts := []string{
		netnstest.Run(t, "ip", "-6", "address", "show", "dev", "wlan0"),
		netnstest.Run(t, "ip", "-6", "route", "show", "table", "all", "dev", "wlan0"),
		netnstest.Run(t, "ip", "-6", "route", "show", "cache"),
		netnstest.Run(t, "ip", "link", "show", "dev", "wlan0"),
	}
	for _, file := range []string{"conf/wlan0/mtu", "conf/wlan0/hop_limit", "neigh/wlan0/base_reachable_time_ms", "neigh/wlan0/retrans_time_ms"} {
		text, err := os.ReadFile("/proc/sys/net/ipv6/" + file)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, file+" "+string(text))
	}
	if neighbours {
		known := netnstest.Run(t, "ip", "-6", "neighbour", "show", "dev", "wlan0")
		parts = append(parts, fmt.Sprintf("%d neighbours", strings.Count(known, "\n")))
	}
	return strings.Join(parts, "")
}

// received returns how many packets wlan0 has received.
func received(t *testing.T) int {
	t.Helper()
	var links []struct {
		Stats struct {
			Received struct{ Packets int } `json:"rx"`
		} `json:"stats64"`
	}
	err := json.Unmarshal([]byte(netnstest.Run(t, "ip", "-j", "-s", "link", "show", "dev", "wlan0")), &links)
	if err != nil || len(links) != 1 {
		t.Fatal(links, err)
	}
	return links[0].Stats.Received.Packets
}

// hearOptions returns a function that returns how many options of router
// advertisements the kernel has passed on from now on.
func hearOptions(t *testing.T) (heard func() int) {
	t.Helper()
	var count atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- link.FollowUserOptions(ctx, func() { close(begun) }, func(*rtnl.UserOption) error {
			count.Add(1)
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	<-begun
	return func() int { return int(count.Load()) }
}

// grows returns a function that reports later how hostapd and dnsmasq have grown or
// ended since now, or returns "".
func (d *daemon) grows() func() string {
	d.t.Helper()
	sizes := func() [2]int {
		hostapd, dnsmasq := d.pids()
		return [2]int{resident(d.t, hostapd), resident(d.t, dnsmasq)}
	}
	before := sizes()
	return func() string {
		now := sizes()
		if now[0]-before[0] > hostileGrowth || now[1]-before[1] > hostileGrowth {
			return fmt.Sprintf("hostapd and dnsmasq had %d bytes and have %d", before, now)
		}
		return ""
	}
}

// resident returns a process's memory in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		t.Fatalf("%q, %v", text, err)
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// poseAsRouters sends the packets of hostileRouters.
func poseAsRouters(t *testing.T, phone *netnstest.Namespace) {
	t.Helper()
	phone.Do(func() error {
		own, err := net.InterfaceByName("phone")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		to := &unix.SockaddrLinklayer{Ifindex: own.Index, Halen: 6}
		for i := range hostileRouters {
			frame := hostileRouter(rand.New(rand.NewPCG(1, uint64(i))), i)
			if err := unix.Sendto(fd, frame, 0, to); err != nil {
				return fmt.Errorf("send packet %d: %w", i, err)
			}
		}
		return nil
	})
}

// hostileRouter returns a frame of one router. The first router's frame is well
// formed.
func hostileRouter(r *rand.Rand, number int) []byte {
	from := netip.AddrFrom16([16]byte{0xfe, 0x80, 8: 0x66, 14: byte(number >> 8), 15: byte(number)})
	everybody := netip.MustParseAddr("ff02::1")
	message := []byte{routerAdvertisement, 0, 0, 0, byte(r.Uint32()), byte(r.Uint32()), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(message[6:], uint16(1+r.IntN(9000))) // a default router, for this number of seconds
	binary.BigEndian.PutUint32(message[8:], r.Uint32N(100_000))
	binary.BigEndian.PutUint32(message[12:], r.Uint32N(100_000))
	if number%10 == 9 { // a redirect to a better router for one host
		message = append([]byte{redirect6, 0, 0, 0, 0, 0, 0, 0}, from.AsSlice()...)
		message = append(message, netip.MustParseAddr("2001:db8:66::1").AsSlice()...)
	}
	for _, option := range hostileOptions(r, number) {
		if number > 0 && r.IntN(8) == 0 {
			option[r.IntN(2)] = byte(r.Uint32()) // a wrong type or a wrong length
		}
		message = append(message, option...)
	}
	if number > 0 && r.IntN(16) == 0 {
		message = message[:len(message)-1-r.IntN(8)]
	}
	return ethernet(number, from, everybody, message)
}

// hostileOptions returns all options with which a router can describe itself and
// others (RFC 4861 4.6, RFC 4191 2.3, RFC 8106 5, RFC 8910 2.3, RFC 8781 4).
func hostileOptions(r *rand.Rand, number int) [][]byte {
	prefix := []byte{0x20, 0x01, 0x0d, 0xb8, byte(number >> 8), byte(number), 0, 0}
	half := make([]byte, 8) // the second half of an address
	hour := []byte{0, 0, 0x0e, 0x10}
	mtu := binary.BigEndian.AppendUint32([]byte{5, 1, 0, 0}, []uint32{1280, 1400, 0, 68, 9000, 1 << 31}[r.IntN(6)])
	if number == 0 {
		mtu = []byte{5, 1, 0, 0, 0, 0, 5, 0x14} // an MTU of 1300
	}
	return [][]byte{
		{1, 1, 2, 0x66, 0, 0, byte(number >> 8), byte(number)},                    // the router's hardware address
		slices.Concat([]byte{3, 4, 64, 0xc0}, hour, hour, half[:4], prefix, half), // a prefix for addresses, on the link
		slices.Concat([]byte{24, 2, 48, 8}, hour, prefix),                         // a route
		slices.Concat([]byte{25, 3, 0, 0}, hour, prefix, half[:7], []byte{0x53}),  // a name server
		slices.Concat([]byte{31, 2, 0, 0}, hour, []byte("\x04evil\x00\x00\x00")),  // a search domain
		slices.Concat([]byte{37, 2}, []byte("http://h.ax\x00\x00\x00")),           // a portal
		slices.Concat([]byte{38, 2, 0x0e, 0x10, 0, 0x64, 0xff, 0x9b}, half),       // a prefix of NAT64
		mtu,
	}
}

// ethernet wraps an ICMPv6 message in a packet and a frame to all nodes.
func ethernet(number int, from, to netip.Addr, message []byte) []byte {
	pseudo := append(append(from.AsSlice(), to.AsSlice()...), 0, 0, byte(len(message)>>8), byte(len(message)), 0, 0, 0, unix.IPPROTO_ICMPV6)
	sum := uint32(0)
	for _, part := range [][]byte{pseudo, message} {
		for i, b := range part {
			sum += uint32(b) << (8 * (1 - i%2))
		}
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(message[2:], ^uint16(sum))
	frame := []byte{0x33, 0x33, 0, 0, 0, 1, 2, 0x66, 0, 0, byte(number >> 8), byte(number), 0x86, 0xdd}
	frame = append(frame, 0x60, 0, 0, 0, byte(len(message)>>8), byte(len(message)), unix.IPPROTO_ICMPV6, 255)
	frame = append(append(frame, from.AsSlice()...), to.AsSlice()...)
	return append(frame, message...)
}
