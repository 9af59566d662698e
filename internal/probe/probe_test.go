package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

const insideEnv = "PROBE_TEST_INSIDE" // set in the process that has its own network namespace

// TestMain runs the tests in a network namespace of their own if it may.
func TestMain(m *testing.M) {
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

func must(t *testing.T, command string) {
	t.Helper()
	args := strings.Fields(command)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// router is a machine at the end of the cable "wan0": a network namespace whose
// interface "lan" has 192.168.78.1/24 and fe80::1. Our end has 192.168.78.2
// and fe80::2. A second interface, "other", leads nowhere.
type router struct {
	t   *testing.T
	pid int
}

func newRouter(t *testing.T) *router {
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
	r := &router{t: t, pid: holder.Process.Pid}
	t.Cleanup(func() {
		exec.Command("ip", "link", "delete", "wan0").Run()
		exec.Command("ip", "link", "delete", "other").Run()
		stdin.Close()
		holder.Wait()
	})
	must(t, fmt.Sprintf("ip link add wan0 type veth peer name lan netns %d", r.pid))
	must(t, "ip link add other type veth peer name nowhere")
	r.inside("ip addr add 192.168.78.1/24 dev lan")
	r.inside("ip addr add fe80::1/64 dev lan nodad")
	r.inside("ip link set lan addrgenmode none")
	r.inside("ip link set lan up")
	must(t, "ip addr add 192.168.78.2/24 dev wan0")
	must(t, "ip link set wan0 addrgenmode none")
	must(t, "ip addr add fe80::2/64 dev wan0 nodad")
	for _, ifname := range []string{"wan0", "other", "nowhere"} {
		must(t, "ip link set "+ifname+" up")
	}
	return r
}

func (r *router) inside(command string) {
	r.t.Helper()
	must(r.t, fmt.Sprintf("nsenter -n -t %d -- %s", r.pid, command))
}

// deaf is a neighbour table that never helps.
func deaf(context.Context, string, netip.Addr) (bool, error) { return false, nil }

func TestGateway(t *testing.T) {
	const (
		dropPings  = "sysctl -qw net.ipv4.icmp_echo_ignore_all=1"
		dropPings6 = "sysctl -qw net.ipv6.icmp.echo_ignore_all=1"
		dead       = "ip link set lan address 02:00:00:00:00:99 arp off" // carrier stays
	)
	for _, row := range []struct {
		name        string
		router      []string // what happens to it
		ifname, gw  string
		ask         asker
		want        bool
		least, most time.Duration
	}{
		{name: "answers pings", ifname: "wan0", gw: "192.168.78.1", ask: deaf, want: true, most: 500 * time.Millisecond},
		{name: "answers pings and ARP", ifname: "wan0", gw: "192.168.78.1", ask: link.Solicit, want: true, most: 500 * time.Millisecond},
		{name: "drops pings, answers ARP", router: []string{dropPings}, ifname: "wan0", gw: "192.168.78.1", ask: link.Solicit, want: true, most: 500 * time.Millisecond},
		{name: "drops pings, nobody asks by ARP", router: []string{dropPings}, ifname: "wan0", gw: "192.168.78.1", ask: deaf, least: 2900 * time.Millisecond, most: 3500 * time.Millisecond},
		{name: "is dead, carrier stays", router: []string{dead}, ifname: "wan0", gw: "192.168.78.1", ask: link.Solicit, least: 2900 * time.Millisecond, most: 3500 * time.Millisecond},
		{name: "has lost its carrier", router: []string{"ip link set lan down"}, ifname: "wan0", gw: "192.168.78.1", ask: link.Solicit, most: 3500 * time.Millisecond},
		{name: "is on another interface", ifname: "other", gw: "192.168.78.1", ask: link.Solicit, least: 2900 * time.Millisecond, most: 3500 * time.Millisecond},
		{name: "nobody has the address", ifname: "wan0", gw: "192.168.78.77", ask: link.Solicit, least: 2900 * time.Millisecond, most: 3500 * time.Millisecond},
		{name: "no such interface", ifname: "nothere", gw: "192.168.78.1", ask: link.Solicit, most: 100 * time.Millisecond},
		{name: "IPv6, zone of an interface that is no more", ifname: "wan0", gw: "fe80::1%stale", ask: deaf, want: true, most: 500 * time.Millisecond},
		{name: "IPv6, no zone", ifname: "wan0", gw: "fe80::1", ask: deaf, want: true, most: 500 * time.Millisecond},
		{name: "IPv6, drops pings", router: []string{dropPings6}, ifname: "wan0", gw: "fe80::1%wan0", ask: link.Solicit, want: true, most: 500 * time.Millisecond},
		{name: "IPv6, other interface", ifname: "other", gw: "fe80::1", ask: link.Solicit, least: 2900 * time.Millisecond, most: 3500 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRouter(t)
			for _, command := range row.router {
				r.inside(command)
			}
			begun := time.Now()
			err := gateway(t.Context(), row.ifname, netip.MustParseAddr(row.gw), row.ask)
			took := time.Since(begun)
			if (err == nil) != row.want {
				t.Errorf("answers: %v, want %v (%v)", err == nil, row.want, err)
			}
			if took < row.least || took > row.most {
				t.Errorf("took %v, want %v to %v", took, row.least, row.most)
			}
			t.Logf("%v: %v", took.Round(100*time.Microsecond), err)
		})
	}
}

func TestGatewayComesBackWhileAsked(t *testing.T) {
	r := newRouter(t)
	r.inside("sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
	done := make(chan error, 1)
	go func() { done <- gateway(t.Context(), "wan0", netip.MustParseAddr("192.168.78.1"), deaf) }()
	select {
	case err := <-done:
		t.Fatalf("ended too soon: %v", err)
	case <-time.After(700 * time.Millisecond):
	}
	r.inside("sysctl -qw net.ipv4.icmp_echo_ignore_all=0")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestGatewayCancelled(t *testing.T) {
	newRouter(t)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("test"))
	defer cancel()
	begun := time.Now()
	if err := Gateway(ctx, "wan0", netip.MustParseAddr("192.168.78.77")); err == nil {
		t.Error("no error")
	}
	if took := time.Since(begun); took > 500*time.Millisecond {
		t.Errorf("ended %v after the start, want 100 ms", took)
	}
}
