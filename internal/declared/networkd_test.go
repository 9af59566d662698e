package declared

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// systemd-networkd is the network manager that the tests run beside ours.
const networkdProgram = "/lib/systemd/systemd-networkd"

// networkd is a systemd-networkd in the tests' network namespace, with a bus, files and
// a runtime folder of its own.
type networkd struct {
	t       *testing.T
	files   string // stands for /etc/systemd/network
	address string // of the bus
	bus     *dbus.Conn
}

// startBus starts a message bus, and returns its address and a connection.
func startBus(t *testing.T) (address string, bus *dbus.Conn) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "bus.conf")
	address = "unix:path=" + filepath.Join(dir, "bus")
	write(t, config, `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>`+address+`</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>`)
	// systemd-networkd becomes another user, who goes through the folders to the bus.
	for path := dir; path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	begin(t, exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--config-file="+config))
	awaitSoon(t, "the bus", func() bool {
		var err error
		bus, err = dbus.Connect(address)
		return err == nil
	})
	t.Cleanup(func() { _ = bus.Close() })
	return address, bus
}

// begin starts a program that ends with the test.
func begin(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", cmd.Path, said.String())
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// awaitSoon waits until done.
func awaitSoon(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

// newNetworkd returns a systemd-networkd that has not started.
func newNetworkd(t *testing.T) *networkd {
	t.Helper()
	netnstest.Need(t)
	if _, err := os.Stat(networkdProgram); err != nil {
		t.Skipf("needs systemd-networkd: %v", err)
	}
	address, bus := startBus(t)
	n := &networkd{t: t, files: t.TempDir(), address: address, bus: bus}
	if err := os.Chmod(n.files, 0o755); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *networkd) set(device, address string) {
	n.t.Helper()
	write(n.t, filepath.Join(n.files, device+".network"), fmt.Sprintf(
		"[Match]\nName=%s\n[Network]\nAddress=%s\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nKeepConfiguration=no\n", device, address))
}

// start starts the program in a mount namespace with its own /run, /sys and files. With
// a read-only /sys, which shows the tests' network namespace, systemd-networkd does not
// wait for udev.
func (n *networkd) start() {
	n.t.Helper()
	cmd := exec.Command("unshare", "--mount", "sh", "-ec",
		`mount -t tmpfs tmpfs /run; mkdir -p /run/systemd; mount -t sysfs -o ro sysfs /sys
		 mkdir -p /etc/systemd/network; mount --bind "$1" /etc/systemd/network; exec `+networkdProgram, "sh", n.files)
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+n.address)
	begin(n.t, cmd)
}

// reload makes the program read its files again.
func (n *networkd) reload() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	manager := n.bus.Object("org.freedesktop.network1", "/org/freedesktop/network1")
	if err := manager.CallWithContext(ctx, "org.freedesktop.network1.Manager.Reload", 0).Err; err != nil {
		n.t.Fatalf("reload systemd-networkd: %v", err)
	}
}

// assigned returns how many addresses of IPv4 the tests' namespace has, but for those of
// the loopback. The reader is the standard library, which is not ours.
func assigned(t *testing.T) (count int) {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if ip := a.(*net.IPNet).IP; ip.To4() != nil && !ip.IsLoopback() {
			count++
		}
	}
	return count
}
