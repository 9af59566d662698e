package ndp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	os.Exit(m.Run())
}

// hung is how long nothing takes that happens at all. The exact times are in
// run_test.go.
const hung = 30 * time.Second

// router is a machine at the other end of a cable, whose interface lan has the
// address fe80::1.
type router struct {
	*netnstest.Namespace
	t testing.TB
}

// cable makes the interface name and a router at its other end.
func cable(t *testing.T, name string) router {
	t.Helper()
	netnstest.Need(t)
	r := router{netnstest.Another(t), t}
	netnstest.Run(t, "ip", "link", "add", name, "type", "veth", "peer", "name", "lan", "netns", r.String())
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", name) })
	r.Run("ip", "link", "set", "lan", "addrgenmode", "none", "up")
	r.Run("ip", "address", "add", "fe80::1/64", "dev", "lan", "nodad")
	netnstest.Run(t, "ip", "link", "set", name, "addrgenmode", "none", "up")
	netnstest.Run(t, "ip", "address", "add", "fe80::2/64", "dev", name, "nodad")
	return r
}

// advertise sends an advertisement with options to all nodes of the link (RFC 4861
// 4.2). Its router is no default router.
func (r router) advertise(options ...[]byte) {
	r.t.Helper()
	r.Do(func() error {
		s, err := r.socket()
		if err != nil {
			return err
		}
		defer s.Close()
		s.message = join(append([][]byte{{routerAdvertisement, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, options...)...)
		to := &unix.SockaddrInet6{ZoneId: uint32(s.ifi.Index), Addr: netip.MustParseAddr("ff02::1").As16()}
		return unix.Sendto(s.fd, s.message, 0, to)
	})
}

func (r router) socket() (*solicitor, error) {
	ifi, err := net.InterfaceByName("lan")
	if err != nil {
		return nil, err
	}
	return openSolicitor(ifi)
}

// solicited waits for a router solicitation and returns it with its hop limit.
func (r router) solicited() (message []byte, hops int, failed error) {
	r.Do(func() error {
		message, hops, failed = awaitSolicitation()
		return nil
	})
	return message, hops, failed
}

func awaitSolicitation() (message []byte, hops int, err error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_IPV6)))
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(hung / time.Second)}); err != nil {
		return nil, 0, err
	}
	packet := make([]byte, 1500)
	for {
		n, _, err := unix.Recvfrom(fd, packet, 0)
		if err != nil {
			return nil, 0, fmt.Errorf("no router solicitation: %w", err)
		}
		const header = 40 // RFC 8200 3
		if n > header && packet[6] == unix.IPPROTO_ICMPV6 && packet[header] == routerSolicitation {
			return packet[header:n], int(packet[7]), nil
		}
	}
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }

// listening runs Run on an interface until the end of the test. Each list of name
// servers comes by the channel.
func listening(t *testing.T, name string) <-chan []netip.Addr {
	t.Helper()
	told, ended := make(chan []netip.Addr, 100), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		ended <- Run(ctx, name, slog.New(slog.DiscardHandler), func(servers []netip.Addr) { told <- servers })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return told
}

func next(t *testing.T, told <-chan []netip.Addr) string {
	t.Helper()
	select {
	case servers := <-told:
		return fmt.Sprint(servers)
	case <-time.After(hung):
		t.Fatalf("nothing is told in %v", hung)
	}
	return ""
}

// TestRealKernel: the kernel sends the solicitation in a form that routers take, and
// hands over what its link's router names; another link's router is not heard.
func TestRealKernel(t *testing.T) {
	home, elsewhere := cable(t, "lan0"), cable(t, "lan1")
	var message []byte
	var hops int
	asked := make(chan error, 1)
	go func() {
		var err error
		message, hops, err = home.solicited()
		asked <- err
	}()
	told := listening(t, "lan0")
	ifi, err := net.InterfaceByName("lan0")
	if err := errors.Join(err, <-asked); err != nil {
		t.Fatal(err)
	}
	if want := solicitation(ifi.HardwareAddr); hops != 255 || len(message) != 16 || string(message[4:]) != string(want[4:]) {
		t.Errorf("% x with a hop limit of %d, want % x", message, hops, want)
	}
	elsewhere.advertise(rdnss(600, "2001:db8::bad"))
	home.advertise(rdnss(600, "2001:db8::53", "fe80::1", "::1", "ff02::1"))
	if got := next(t, told); got != "[2001:db8::53 fe80::1%lan0]" {
		t.Errorf("told %s", got)
	}
	home.advertise(rdnss(0, "2001:db8::53"))
	if got := next(t, told); got != "[fe80::1%lan0]" {
		t.Errorf("after one was withdrawn, told %s", got)
	}
}

// TestDisbelievedRouters: an interface that believes in no router, as an access
// point's does not, hears of no name server either.
func TestDisbelievedRouters(t *testing.T) {
	home := cable(t, "lan0")
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/lan0/accept_ra", []byte("0"), 0o644); err != nil {
		t.Fatal(err)
	}
	told := listening(t, "lan0")
	home.advertise(rdnss(600, "2001:db8::53"))
	if got := next(t, told); got != "[]" {
		t.Errorf("told %s", got)
	}
}

// TestLostAdvertisements checks that a follower learns that the kernel had to drop
// messages, and hears what comes afterwards.
func TestLostAdvertisements(t *testing.T) {
	home := cable(t, "lan0")
	errHeard := errors.New("heard")
	lost := false
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	many := make([][]byte, 50) // options, with which an advertisement fits into a packet
	for i := range many {
		many[i] = rdnss(600, "2001:db8::53")
	}
	err := link.FollowUserOptions(ctx, func() {
		for range 200 { // 10,000 messages, far more than the socket holds
			home.advertise(many...)
		}
	}, func(o *rtnl.UserOption) error {
		switch {
		case o == nil:
			lost = true
			home.advertise(rdnss(600, "2001:db8::53"))
		case lost:
			return errHeard
		}
		return nil
	})
	if !lost || !errors.Is(err, errHeard) {
		t.Errorf("lost: %v, %v", lost, err)
	}
}
