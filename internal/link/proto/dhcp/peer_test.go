package dhcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
	"golang.org/x/net/ipv4"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// clientEnv names the interface on which a process is a client and no test.
const clientEnv = "DHCP_TEST_CLIENT"

func TestMain(m *testing.M) {
	if ifname := os.Getenv(clientEnv); ifname != "" {
		os.Exit(beClient(ifname))
	}
	netnstest.Enter()
	os.Exit(m.Run())
}

// beClient prints the first lease as JSON.
func beClient(ifname string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := Run(ctx, Config{Interface: ifname, HostName: "printer"}, func(e Event) {
		if bound, ok := e.(Bound); ok {
			json.NewEncoder(os.Stdout).Encode(bound.Lease)
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// peer is another machine at the end of a cable: a network namespace with an
// interface "lan" that has the address 192.168.77.1/24.
type peer struct {
	*netnstest.Namespace
	t      *testing.T
	ifname string // our end
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	there := netnstest.Another(t)
	p := &peer{there, t, "c" + there.String()}
	netnstest.Run(t, "ip", "link", "add", p.ifname, "type", "veth", "peer", "name", "lan", "netns", there.String())
	netnstest.Run(t, "ip", "link", "set", p.ifname, "up")
	p.Run("ip", "addr", "add", "192.168.77.1/24", "dev", "lan")
	p.Run("ip", "link", "set", "lan", "up")
	return p
}

// dnsmasq serves 192.168.77.100 to .110 and returns the path of its leases
// and what it has logged so far.
func (p *peer) dnsmasq(options ...string) (leases string, logged func() string) {
	p.t.Helper()
	leases = filepath.Join(p.t.TempDir(), "leases")
	cmd := p.Command(append([]string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--log-dhcp", "--pid-file",
		"--port=0", "--interface=lan", "--user=root", "--no-ping", "--dhcp-authoritative", "--domain=home.arpa",
		"--dhcp-range=192.168.77.100,192.168.77.110,2m", "--dhcp-leasefile=" + leases,
		"--dhcp-option=option:dns-server,192.168.77.1,9.9.9.9", "--dhcp-option=option:domain-search,home.arpa,lan",
	}, options...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	var mu sync.Mutex
	var log bytes.Buffer
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			mu.Lock()
			fmt.Fprintln(&log, lines.Text())
			mu.Unlock()
			if strings.Contains(lines.Text(), "sockets bound exclusively") || strings.Contains(lines.Text(), "DHCP, IP range") {
				select {
				case <-ready:
				default:
					close(ready)
				}
			}
		}
	}()
	logged = func() string { mu.Lock(); defer mu.Unlock(); return log.String() }
	p.t.Cleanup(func() { cmd.Process.Kill(); <-ended; cmd.Wait() })
	select {
	case <-ready:
	case <-ended:
		p.t.Fatalf("dnsmasq ended: %s", logged())
	case <-time.After(10 * time.Second):
		p.t.Fatalf("dnsmasq does not get ready: %s", logged())
	}
	return leases, logged
}

// server is a DHCP server in the peer's namespace whose leases last for 10 s.
type server struct {
	conn *ipv4.PacketConn
	seen chan string // "<type> from <source> to <destination>"
	mode chan string // "grant" or "silent" from now on
	last string      // that was expected
}

func (p *peer) serve() *server {
	p.t.Helper()
	var udp *net.UDPConn
	p.Do(func() (err error) {
		udp, err = server4.NewIPv4UDPConn("lan", nil)
		return err
	})
	s := &server{conn: ipv4.NewPacketConn(udp), seen: make(chan string, 100), mode: make(chan string, 1)}
	if err := s.conn.SetControlMessage(ipv4.FlagDst, true); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); s.loop() }()
	p.t.Cleanup(func() { udp.Close(); <-ended })
	return s
}

func (s *server) loop() {
	mode, buf := "grant", make([]byte, 2000)
	for {
		n, control, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		select {
		case mode = <-s.mode:
		default:
		}
		m, err := dhcpv4.FromBytes(buf[:n])
		if err != nil {
			continue
		}
		s.seen <- fmt.Sprintf("%s from %v to %v", m.MessageType(), from.(*net.UDPAddr).IP, control.Dst)
		if mode == "silent" {
			continue
		}
		reply := grant(m)
		reply.YourIPAddr = net.IPv4(192, 168, 77, 50)
		reply.UpdateOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 168, 77, 1)))
		reply.UpdateOption(dhcpv4.OptIPAddressLeaseTime(10 * time.Second))
		to := &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}
		if !m.ClientIPAddr.IsUnspecified() {
			to.IP = m.ClientIPAddr
		}
		s.conn.WriteTo(reply.ToBytes(), nil, to)
	}
}

// expect is what the server sees next, but for what it saw last: a client that
// is answered late repeats it.
func (s *server) expect(t *testing.T, want string) {
	t.Helper()
	got := s.last
	for limit := time.After(hung); got == s.last; {
		select {
		case got = <-s.seen:
		case <-limit:
			t.Fatalf("server did not see %q", want)
		}
	}
	if s.last = got; got != want {
		t.Fatalf("server saw %q, want %q", got, want)
	}
}
