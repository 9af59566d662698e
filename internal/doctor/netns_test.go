package doctor

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	os.Exit(m.Run())
}

// conflicts looks from where the daemon looks.
func conflicts(t *testing.T, runtimeDir string) map[string]Finding {
	t.Helper()
	cfg, _, err := config.Load([]string{"--config", "/dev/null", "--path-runtime", runtimeDir, "--interface-wifi", "wlan0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Finding{}
	for _, f := range JudgeConflicts(LookForConflicts(t.Context(), cfg, "wlan0")) {
		found[f.ID] = f
	}
	return found
}

// start starts a program, which ends with the test, and returns its pid.
func start(t *testing.T, argv ...string) int {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// await looks until a finding is there, with all that is said of it.
func await(t *testing.T, runtimeDir, id, said string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		f, ok := conflicts(t, runtimeDir)[id]
		if ok && strings.Contains(f.What, said) && f.Remedy != "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %+v, want one of %q", id, f, said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// Real programs are found and named with their pid; ours are not, and neither
// are those that leave the radio alone.
func TestRealPrograms(t *testing.T) {
	netnstest.Need(t)
	phone := netnstest.Another(t)
	netnstest.Lines(t, "ip link set lo up\nip link add wlan0 type veth peer name far0 netns "+phone.String()+"\nip link add virbr0 type veth peer name far1\nip addr add 10.7.0.1/24 dev virbr0\nip link set virbr0 up\nip link set wlan0 up")
	dir := t.TempDir()
	if found := conflicts(t, dir); len(found) != 0 {
		t.Fatalf("there is nothing, and %v", found)
	}
	dnsmasq := func(t *testing.T, conf string, args ...string) int {
		return start(t, append([]string{"dnsmasq", "--keep-in-foreground", "--conf-file=" + write(t, conf, ""), "--pid-file=", "--user=root",
			"--dhcp-leasefile=" + conf + ".leases"}, args...)...)
	}

	t.Run("bound to another interface", func(t *testing.T) {
		dnsmasq(t, dir+"-bridge.conf", "--interface=virbr0", "--except-interface=lo", "--bind-interfaces", "--dhcp-range=10.7.0.10,10.7.0.20")
		awaitPort(t, "10.7.0.1:53")
		if found := conflicts(t, dir); len(found) != 0 {
			t.Errorf("%v", found)
		}
	})
	t.Run("ours", func(t *testing.T) {
		dnsmasq(t, filepath.Join(dir, "dnsmasq.conf"), "--dhcp-range=10.7.0.10,10.7.0.20")
		awaitPort(t, "0.0.0.0:53")
		if found := conflicts(t, dir); len(found) != 0 {
			t.Errorf("%v", found)
		}
	})
	t.Run("a whole dnsmasq", func(t *testing.T) {
		pid := dnsmasq(t, dir+"-whole.conf", "--dhcp-range=10.7.0.10,10.7.0.20", "--local-service", "--no-resolv") // as Debian starts it
		await(t, dir, "port_dhcp", fmt.Sprintf("dnsmasq (pid %d", pid))
		if f, ok := conflicts(t, dir)["port_dns"]; ok {
			t.Errorf("it answers phones, and %+v", f)
		}
		netnstest.Lines(t, "ip addr add 10.250.250.1/24 dev wlan0") // the access point's comes later
		phone.Run("ip", "addr", "add", "10.250.250.100/24", "dev", "far0")
		phone.Run("ip", "link", "set", "far0", "up")
		var err error
		if phone.Do(func() error { err = asks("10.250.250.1:53"); return nil }); err != nil {
			t.Errorf("a phone on the access point finds no names: %v", err)
		}
	})
	t.Run("wpa_supplicant", func(t *testing.T) {
		pid := start(t, "wpa_supplicant", "-Dnone", "-iwlan0", "-c"+write(t, dir+"-w.conf", "ctrl_interface="+dir+"-wpa\n"))
		await(t, dir, "other_wpa_supplicant", fmt.Sprintf("wpa_supplicant (pid %d", pid))
	})
	t.Run("hostapd", func(t *testing.T) {
		pid := start(t, "hostapd", write(t, dir+"-h.conf", "interface=wlan0\ndriver=none\nctrl_interface="+dir+"-hostapd\n"))
		await(t, dir, "other_hostapd", fmt.Sprintf("hostapd (pid %d", pid))
	})
	t.Run("udhcpc", func(t *testing.T) {
		pid := start(t, "udhcpc", "-f", "-i", "wlan0", "-s", "/bin/true")
		await(t, dir, "other_dhcp_client", fmt.Sprintf("udhcpc (pid %d", pid))
	})
	deadline := time.Now().Add(10 * time.Second) // for what they have forked
	for len(conflicts(t, dir)) > 0 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	if found := conflicts(t, dir); len(found) != 0 {
		t.Errorf("all have ended, and %v", found)
	}
}

// asks is a phone that asks for the address of "invalid" until there is an
// answer (RFC 1035 4.1).
func asks(server string) error {
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("udp", server)
		if err != nil {
			return err
		}
		conn.SetDeadline(time.Now().Add(time.Second))
		fmt.Fprint(conn, "nd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07invalid\x00\x00\x01\x00\x01")
		_, err = conn.Read(make([]byte, 512))
		conn.Close()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// A program in another network namespace, such as a container's, is no rival, and its
// ports do not count.
func TestOtherNamespace(t *testing.T) {
	netnstest.Need(t)
	dir := t.TempDir()
	cmd := exec.Command("unshare", "--net", "sh", "-c", "ip link set lo up; exec dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	// It is there when its table has the port.
	deadline := time.Now().Add(10 * time.Second)
	for {
		table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", cmd.Process.Pid))
		if strings.Contains(string(table), ":0035 ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("dnsmasq does not listen:\n%s", table)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if found := conflicts(t, dir); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

// awaitPort waits until a process listens. A connection would show that as well, but
// dnsmasq forks for each connection, and the copy holds the ports a moment longer.
func awaitPort(t *testing.T, address string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		list, err := machine{}.listeners()
		if slices.ContainsFunc(list, func(s Socket) bool { return s.Local.String() == address }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody listens on %s: %v, %v", address, list, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kernels without udp_diag have /proc/net, which has the same content except for the
// device.
func TestBothWaysTellTheSame(t *testing.T) {
	netnstest.Need(t)
	for _, network := range []string{"udp4", "udp6"} {
		conn, err := net.ListenPacket(network, ":67")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	told, err := diagnose()
	read, procErr := machine{}.procSockets()
	if err != nil || procErr != nil {
		t.Fatal(err, procErr)
	}
	if one, other := names(told), names(read); one != other || strings.Count(one, "\n") != 3 {
		t.Errorf("sock_diag:\n%s/proc/net:\n%s", one, other)
	}
}

func names(list []Socket) string {
	lines := map[string]bool{}
	for _, s := range list {
		if port := s.Local.Port(); port == portDNS || port == portDHCP {
			lines[fmt.Sprintf("%s %v uid %d inode %d\n", s.Protocol, s.Local, s.UID, s.inode)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "")
}

// TestUplinksOfTheKernel checks that an interface with a default route is named by
// its kind.
func TestUplinksOfTheKernel(t *testing.T) {
	netnstest.Need(t)
	netnstest.Lines(t, `
		ip link add out0 type bridge
		ip link add in0 type bridge
		ip address add 198.51.100.7/24 dev out0
		ip link set out0 up
		ip link set in0 up
		ip route add default via 198.51.100.1`)
	t.Cleanup(func() { netnstest.Lines(t, "ip link del out0\nip link del in0") })
	cfg, _, err := config.Load([]string{"--config", "/dev/null", "--interface-wired", "in0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := judgeUplinks(&Facts{Settings: Settings{Config: cfg}, Network: network(link.See(t.Context()))})
	if len(found) != 1 || found[0].level != Warning || !strings.Contains(found[0].what, "out0 (bridge) has a default route and does not count") {
		t.Errorf("%+v", found)
	}
}
