package dhcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	"golang.org/x/sys/unix"
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

// told is what a client in the background reports.
type told struct {
	t      *testing.T
	events chan Event
	ended  chan error
	stop   context.CancelFunc
}

// run starts a client, which ends with the test. It gives the interface what
// was leased, as the caller of Run has to.
func (p *peer) run(cfg Config) *told {
	cfg.Interface = p.ifname
	ctx, cancel := context.WithCancel(context.Background())
	c := &told{t: p.t, events: make(chan Event, 100), ended: make(chan error, 1), stop: cancel}
	go func() {
		c.ended <- Run(ctx, cfg, func(e Event) {
			if bound, ok := e.(Bound); ok {
				exec.Command("ip", "addr", "replace", bound.Lease.Address.String(), "dev", p.ifname).Run()
			}
			c.events <- e
		})
		close(c.ended)
	}()
	p.t.Cleanup(func() { cancel(); <-c.ended })
	return c
}

func (c *told) next(limit time.Duration) Event {
	c.t.Helper()
	select {
	case e := <-c.events:
		return e
	case <-time.After(limit):
		c.t.Fatalf("no event in %v", limit)
	}
	return nil
}

func (c *told) bound(limit time.Duration) Lease {
	c.t.Helper()
	e, ok := c.next(limit).(Bound)
	if !ok {
		c.t.Fatalf("got %#v, want Bound", e)
	}
	return e.Lease
}

func fromPool(t *testing.T, l Lease) {
	t.Helper()
	last := l.Address.Addr().As4()[3]
	if l.Address.Masked() != netip.MustParsePrefix("192.168.77.0/24") || last < 100 || last > 110 {
		t.Errorf("address %v is not of the pool", l.Address)
	}
}

func TestDnsmasqLeases(t *testing.T) {
	p := newPeer(t)
	leases, logged := p.dnsmasq("--dhcp-option=option:mtu,1400")
	as := Config{HostName: "printer", ClientID: []byte{0, 'n', 'e', 't'}}
	client := p.run(as)
	got := client.bound(3 * time.Second)
	fromPool(t, got)
	want := Lease{
		Address: got.Address, Acquired: got.Acquired,
		Router: netip.MustParseAddr("192.168.77.1"), Server: netip.MustParseAddr("192.168.77.1"),
		DNS:    []netip.Addr{netip.MustParseAddr("192.168.77.1"), netip.MustParseAddr("9.9.9.9")},
		Domain: "home.arpa", Search: []string{"home.arpa", "lan"}, MTU: 1400,
		Renew: got.Renew, Rebind: got.Rebind, Expire: 2 * time.Minute,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("lease %+v, want %+v", got, want)
	}
	// Lines are "expiry hardware-address address host-name client-id".
	content, err := os.ReadFile(leases)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(content))
	if len(words) != 5 || words[2] != got.Address.Addr().String() || words[3] != "printer" || words[4] != "00:6e:65:74" {
		t.Errorf("dnsmasq's leases: %q", content)
	}
	client.stop()

	t.Run("again with the previous lease", func(t *testing.T) {
		client := p.run(Config{Previous: &got, ClientID: as.ClientID})
		again := client.bound(time.Second)
		client.stop()
		if again.Address != got.Address {
			t.Errorf("address %v, want %v", again.Address, got.Address)
		}
		if strings.Count(logged(), "DHCPDISCOVER(") != 1 {
			t.Errorf("discovered again:\n%s", logged())
		}
	})
	t.Run("with a lease of another network", func(t *testing.T) {
		client := p.run(Config{Previous: &Lease{Address: netip.MustParsePrefix("10.0.0.7/24")}})
		fromPool(t, client.bound(time.Second))
		client.stop()
		if !strings.Contains(logged(), "DHCPNAK(") {
			t.Errorf("no refusal:\n%s", logged())
		}
	})
}

// With the capabilities that the daemon has, and nothing else.
func TestRunWithoutRoot(t *testing.T) {
	p := newPeer(t)
	p.dnsmasq()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), clientEnv+"="+p.ifname)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{unix.CAP_NET_RAW, unix.CAP_NET_BIND_SERVICE},
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got Lease
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fromPool(t, got)
}

func TestRunWithoutInterface(t *testing.T) {
	if err := Run(t.Context(), Config{Interface: "nothere"}, nil); err == nil {
		t.Error("no error")
	}
}

func TestInterfaceGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	_, logged := p.dnsmasq()
	client := p.run(Config{})
	client.bound(3 * time.Second)
	p.must("ip", "link", "set", p.ifname, "down")
	p.must("ip", "link", "set", p.ifname, "up")
	select {
	case err := <-client.ended:
		t.Fatalf("ended with its carrier: %v\n%s", err, logged())
	case e := <-client.events:
		t.Fatalf("%#v when the carrier went", e)
	case <-time.After(200 * time.Millisecond):
	}
	p.must("ip", "link", "delete", p.ifname)
	if lost, ok := client.next(time.Second).(Lost); !ok || lost.Reason != Gone {
		t.Errorf("got %#v, want Lost: %s", lost, Gone)
	}
	select {
	case err := <-client.ended:
		if err == nil {
			t.Error("ended without an error")
		}
	case <-time.After(time.Second):
		t.Error("still running")
	}
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

// The life of a short lease on a real wire: renewed by unicast from the leased
// address, asked for by broadcast when the server is silent, lost on time.
func TestShortLease(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	s := p.serve()
	client := p.run(Config{})
	lease := client.bound(3 * time.Second)
	s.expect(t, "DISCOVER from 0.0.0.0 to 255.255.255.255")
	s.expect(t, "REQUEST from 0.0.0.0 to 255.255.255.255")

	if e, ok := client.next(6 * time.Second).(Renewed); !ok {
		t.Fatalf("got %#v, want Renewed", e)
	} else if after := e.Lease.Acquired.Sub(lease.Acquired); after < 5*time.Second || after > 6*time.Second {
		t.Errorf("renewed after %v, want 5 s", after)
	} else {
		lease = e.Lease
	}
	s.expect(t, "REQUEST from 192.168.77.50 to 192.168.77.1")

	s.mode <- "silent"
	if lost, ok := client.next(11 * time.Second).(Lost); !ok || lost.Reason != Expired {
		t.Fatalf("got %#v, want Lost: %s", lost, Expired)
	}
	if age := time.Since(lease.Acquired); age < 10*time.Second || age > 11*time.Second {
		t.Errorf("lost after %v, want 10 s", age)
	}
	last := ""
	for len(s.seen) > 0 {
		if seen := <-s.seen; strings.HasPrefix(seen, "REQUEST") {
			last = seen
		}
	}
	if want := "REQUEST from 192.168.77.50 to 255.255.255.255"; last != want {
		t.Errorf("last request %q, want %q", last, want)
	}
	s.mode <- "grant"
	client.bound(3 * time.Second)
}

// A second DHCP client on the device keeps the port to itself.
func TestRenewalWhilePortIsTaken(t *testing.T) {
	p := newPeer(t)
	port, err := net.ListenPacket("udp4", ":68")
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	s := p.serve()
	client := p.run(Config{})
	client.bound(3 * time.Second)
	s.expect(t, "DISCOVER from 0.0.0.0 to 255.255.255.255")
	s.expect(t, "REQUEST from 0.0.0.0 to 255.255.255.255")
	if e, ok := client.next(6 * time.Second).(Renewed); !ok {
		t.Fatalf("got %#v, want Renewed", e)
	}
	s.expect(t, "REQUEST from 192.168.77.50 to 255.255.255.255")
}
