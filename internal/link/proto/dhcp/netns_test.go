package dhcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

// hung is how long nothing takes that happens at all. The exact times are in
// run_test.go.
const hung = 20 * time.Second

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

func (c *told) next() Event {
	c.t.Helper()
	select {
	case e := <-c.events:
		return e
	case <-time.After(hung):
		c.t.Fatalf("no event in %v", hung)
	}
	return nil
}

func (c *told) bound() Lease {
	c.t.Helper()
	e, ok := c.next().(Bound)
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
	leases, logged := p.dnsmasq()
	as := Config{HostName: "printer", ClientID: []byte{0, 'n', 'e', 't'}}
	client := p.run(as)
	got := client.bound()
	fromPool(t, got)
	want := Lease{
		Address: got.Address, Acquired: got.Acquired,
		Router: netip.MustParseAddr("192.168.77.1"), Server: netip.MustParseAddr("192.168.77.1"),
		DNS:    []netip.Addr{netip.MustParseAddr("192.168.77.1"), netip.MustParseAddr("9.9.9.9")},
		Domain: "home.arpa", Search: []string{"home.arpa", "lan"},
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
		discovered := func() int { return strings.Count(logged(), "DHCPDISCOVER(") }
		before := discovered() // more than once, if dnsmasq was slow
		client := p.run(Config{Previous: &got, ClientID: as.ClientID})
		again := client.bound()
		client.stop()
		if again.Address != got.Address {
			t.Errorf("address %v, want %v", again.Address, got.Address)
		}
		if before == 0 || discovered() != before {
			t.Errorf("discovered again:\n%s", logged())
		}
	})
	t.Run("with a lease of another network", func(t *testing.T) {
		client := p.run(Config{Previous: &Lease{Address: netip.MustParsePrefix("10.0.0.7/24")}})
		fromPool(t, client.bound())
		client.stop()
		if !strings.Contains(logged(), "DHCPNAK(") {
			t.Errorf("no refusal:\n%s", logged())
		}
	})
}

// TestDnsmasqNamesRoutes: a real server sends the option of RFC 3442 beside the
// one that it outdoes.
func TestDnsmasqNamesRoutes(t *testing.T) {
	p := newPeer(t)
	p.dnsmasq("--dhcp-option=121,10.0.0.0/8,192.168.77.2,0.0.0.0/0,192.168.77.3", "--dhcp-option-force=option:router,192.168.77.9")
	client := p.run(Config{})
	if got, want := showRoutes(client.bound()), "192.168.77.3 10.0.0.0/8>192.168.77.2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	client.stop()
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
	client.bound()
	netnstest.Run(t, "ip", "link", "set", p.ifname, "down")
	netnstest.Run(t, "ip", "link", "set", p.ifname, "up")
	select {
	case err := <-client.ended:
		t.Fatalf("ended with its carrier: %v\n%s", err, logged())
	case e := <-client.events:
		t.Fatalf("%#v when the carrier went", e)
	case <-time.After(200 * time.Millisecond):
	}
	netnstest.Run(t, "ip", "link", "delete", p.ifname)
	if lost, ok := client.next().(Lost); !ok || lost.Reason != Gone {
		t.Errorf("got %#v, want Lost: %s", lost, Gone)
	}
	select {
	case err := <-client.ended:
		if err == nil {
			t.Error("ended without an error")
		}
	case <-time.After(hung):
		t.Error("still running")
	}
}

// The life of a short lease on a real wire: renewed by unicast from the leased
// address, asked for by broadcast when the server is silent, lost on time.
func TestShortLease(t *testing.T) {
	t.Parallel()
	timetest.InTime(t, 0, time.Second, func() time.Duration { return shortLease(t) })
}

// shortLease returns how late the lease is renewed or lost.
func shortLease(t *testing.T) time.Duration {
	p := newPeer(t)
	// Not the source of our requests, though the kernel would prefer it.
	netnstest.Run(t, "ip", "addr", "add", "192.168.77.200/24", "dev", p.ifname)
	s := p.serve()
	client := p.run(Config{})
	lease := client.bound()
	s.expect(t, "DISCOVER from 0.0.0.0 to 255.255.255.255")
	s.expect(t, "REQUEST from 0.0.0.0 to 255.255.255.255")

	e, ok := client.next().(Renewed)
	if !ok {
		t.Fatalf("got %#v, want Renewed", e)
	}
	after := e.Lease.Acquired.Sub(lease.Acquired)
	if after < 5*time.Second {
		t.Errorf("renewed after %v, want 5 s", after)
	}
	s.expect(t, "REQUEST from 192.168.77.50 to 192.168.77.1")

	s.mode <- "silent"
	if lost, ok := client.next().(Lost); !ok || lost.Reason != Expired {
		t.Fatalf("got %#v, want Lost: %s", lost, Expired)
	}
	age := time.Since(e.Lease.Acquired)
	if age < 10*time.Second {
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
	client.bound()
	client.stop()
	return max(after-5*time.Second, age-10*time.Second)
}

// A second DHCP client on the device, on another interface, holds the port.
func TestRenewalWhilePortIsTaken(t *testing.T) {
	for _, row := range []struct {
		name  string
		share int // SO_REUSEADDR
		want  string
	}{
		{"and shares it", 1, "REQUEST from 192.168.77.50 to 192.168.77.1"},
		{"and keeps it to itself", 0, "REQUEST from 192.168.77.50 to 255.255.255.255"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPeer(t)
			config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
				raw.Control(func(fd uintptr) {
					err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, row.share)
				})
				return err
			}}
			port, err := config.ListenPacket(t.Context(), "udp4", ":68")
			if err != nil {
				t.Fatal(err)
			}
			defer port.Close()
			s := p.serve()
			client := p.run(Config{})
			client.bound()
			s.expect(t, "DISCOVER from 0.0.0.0 to 255.255.255.255")
			s.expect(t, "REQUEST from 0.0.0.0 to 255.255.255.255")
			if e, ok := client.next().(Renewed); !ok {
				t.Fatalf("got %#v, want Renewed", e)
			}
			s.expect(t, row.want)
		})
	}
}
