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
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
	"github.com/vishvananda/netns"
	"golang.org/x/net/ipv4"
)

const (
	insideEnv = "DHCP_TEST_INSIDE" // set in the process that has its own network namespace
	clientEnv = "DHCP_TEST_CLIENT" // interface on which a process is a client and no test
)

// TestMain runs the tests in a network namespace of their own if it may.
func TestMain(m *testing.M) {
	if ifname := os.Getenv(clientEnv); ifname != "" {
		os.Exit(beClient(ifname))
	}
	if os.Getuid() != 0 || os.Getenv(insideEnv) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(cmd.ProcessState.ExitCode())
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
	t      *testing.T
	pid    int
	ifname string // our end
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	holder := exec.Command("cat")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); holder.Wait() })
	p := &peer{t: t, pid: holder.Process.Pid, ifname: fmt.Sprintf("c%d", holder.Process.Pid)}
	p.must("ip", "link", "add", p.ifname, "type", "veth", "peer", "name", "lan", "netns", fmt.Sprint(p.pid))
	p.must("ip", "link", "set", p.ifname, "up")
	p.must(p.inside("ip", "addr", "add", "192.168.77.1/24", "dev", "lan")...)
	p.must(p.inside("ip", "link", "set", "lan", "up")...)
	return p
}

func (p *peer) inside(args ...string) []string {
	return append([]string{"nsenter", "-n", "-t", fmt.Sprint(p.pid), "--"}, args...)
}

func (p *peer) must(args ...string) {
	p.t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// dnsmasq serves 192.168.77.100 to .110 and returns the path of its leases
// and what it has logged so far.
func (p *peer) dnsmasq(options ...string) (leases string, logged func() string) {
	p.t.Helper()
	leases = filepath.Join(p.t.TempDir(), "leases")
	cmd := exec.Command("nsenter", p.inside(append([]string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--log-dhcp", "--pid-file",
		"--port=0", "--interface=lan", "--user=root", "--no-ping", "--dhcp-authoritative", "--domain=home.arpa",
		"--dhcp-range=192.168.77.100,192.168.77.110,2m", "--dhcp-leasefile=" + leases,
		"--dhcp-option=option:dns-server,192.168.77.1,9.9.9.9", "--dhcp-option=option:domain-search,home.arpa,lan",
	}, options...)...)[1:]...)
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
}

func (p *peer) serve() *server {
	p.t.Helper()
	var udp *net.UDPConn
	p.within(func() (err error) {
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

// within runs f on a thread in the peer's namespace.
func (p *peer) within(f func() error) {
	p.t.Helper()
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		ns, err := netns.GetFromPid(p.pid)
		if err == nil {
			err = errors.Join(netns.Set(ns), ns.Close())
		}
		if err == nil {
			err = f()
		}
		result <- err
	}()
	if err := <-result; err != nil {
		p.t.Fatal(err)
	}
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

func (s *server) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.seen:
		if got != want {
			t.Fatalf("server saw %q, want %q", got, want)
		}
	case <-time.After(time.Second):
		t.Fatalf("server did not see %q", want)
	}
}
