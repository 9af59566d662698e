package ap

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/secret"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMain runs the tests in a network namespace of their own if it may create one.
func TestMain(m *testing.M) {
	process.RunConfined(os.Args)
	if len(os.Args) == 2 && strings.HasPrefix(os.Args[1], "--conf-file=") {
		playDyingDnsmasq()
	}
	if len(os.Args) == 2 && strings.HasSuffix(os.Args[1], "/hostapd.conf") {
		playLateHostapd(os.Args[1])
	}
	netnstest.Enter()
	os.Exit(m.Run())
}

// playDyingDnsmasq binds its ports and then dies, as dnsmasq does when it rejects a
// setting later in its start.
func playDyingDnsmasq() {
	for _, address := range []string{"0.0.0.0:67", "10.250.250.1:53"} {
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if _, err := net.ListenPacket("udp4", address); err == nil {
				break
			}
		}
	}
	time.Sleep(200 * time.Millisecond)
	fmt.Println("changed my mind")
	os.Exit(1)
}

// testConfig returns an access point without a radio, for the user who runs the test.
func testConfig(dir string) Config {
	return Config{
		Interface: "wlan0", Driver: "none", SSID: "printer", PSK: secret.New("set me free"), Channel: 6,
		Address:    netip.MustParsePrefix("10.250.250.1/24"),
		RangeFirst: netip.MustParseAddr("10.250.250.100"), RangeLast: netip.MustParseAddr("10.250.250.200"),
		Domain: "printer.lan", HostName: "octopi",
		Hostapd: "/usr/sbin/hostapd", Dnsmasq: "/usr/sbin/dnsmasq",
		RuntimeDir: dir, StateDir: "/var/lib/netconnectd", User: userName(),
	}
}

func userName() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return "nobody"
}

// runtimeDir returns a folder with a short name: the path of a Unix socket has at
// most 107 bytes.
func runtimeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "ap")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// kernelLinks changes real interfaces.
type kernelLinks struct{}

func (kernelLinks) Apply(ctx context.Context, want link.Spec) error { return link.Apply(ctx, want) }

func (kernelLinks) Release(ctx context.Context, rest link.Spec) error {
	if err := link.Apply(ctx, rest); !errors.Is(err, link.ErrNotExist) {
		return err
	}
	return nil
}

// cable creates wlan0, and its other end "phone" in a namespace of its own.
func cable(t *testing.T) (phone *netnstest.Namespace) {
	t.Helper()
	phone = netnstest.Another(t)
	netnstest.Run(t, "ip", "link", "set", "lo", "up")
	netnstest.Run(t, "ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "phone", "netns", phone.String())
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "wlan0") })
	phone.Run("ip", "link", "set", "phone", "up")
	return phone
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	return string(out)
}

// askLease lets a phone ask for an address and returns the lease.
func askLease(t *testing.T, phone *netnstest.Namespace) map[string]string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script")
	text := "#!/bin/sh\n[ \"$1\" = bound ] && echo \"lease ip=$ip subnet=$subnet router=$router dns=$dns domain=$domain lease=$lease\"\nexit 0\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	out := phone.Run("udhcpc", "-i", "phone", "-f", "-n", "-q", "-t", "5", "-T", "1", "-s", script)
	got := make(map[string]string)
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "lease "); ok {
			for _, word := range strings.Fields(rest) {
				key, value, _ := strings.Cut(word, "=")
				got[key] = value
			}
		}
	}
	return got
}

// addresses lists the IPv4 addresses of wlan0 as iproute2 reports them.
func addresses(t *testing.T) []string {
	t.Helper()
	var links []struct {
		Addresses []struct {
			Local  string `json:"local"`
			Length int    `json:"prefixlen"`
		} `json:"addr_info"`
	}
	out := netnstest.Run(t, "ip", "-j", "-4", "addr", "show", "dev", "wlan0")
	if err := json.Unmarshal([]byte(out), &links); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, l := range links {
		for _, a := range l.Addresses {
			found = append(found, fmt.Sprintf("%s/%d", a.Local, a.Length))
		}
	}
	return found
}

// daemon is the part of a daemon that runs an access point.
type daemon struct {
	t      *testing.T
	runner *process.Runner
	ap     *AccessPoint
	logged *strings.Builder
}

func newDaemon(t *testing.T, config Config) *daemon {
	t.Helper()
	logged := new(strings.Builder)
	log := slog.New(slog.NewTextHandler(logged, nil))
	printed, err := os.CreateTemp(config.RuntimeDir, "printed")
	if err != nil {
		t.Fatal(err)
	}
	runner := &process.Runner{Dir: config.RuntimeDir, Output: printed, Log: log, Self: "/proc/self/exe"}
	t.Cleanup(func() {
		if err := runner.EndAll(context.Background()); err != nil {
			t.Error(err)
		}
		runner.Close()
		if text, _ := os.ReadFile(printed.Name()); t.Failed() {
			t.Logf("%s%s", logged, text)
		}
		printed.Close()
	})
	return &daemon{t: t, runner: runner, ap: New(config, runner, kernelLinks{}, log), logged: logged}
}

const (
	// hangLimit bounds actions that promise no time.
	hangLimit = 20 * time.Second
	// soon bounds reports that must come at once, and not with the next beat.
	soon = time.Second
)

// held is a running call of Hold.
type held struct {
	daemon *daemon
	err    chan error
	cancel context.CancelFunc
	took   time.Duration // the time until Hold was ready
}

// start calls Hold and returns when it is ready.
func (d *daemon) start() *held {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	h := &held{daemon: d, err: make(chan error, 1), cancel: cancel}
	ready := make(chan struct{})
	begin := time.Now()
	go func() { h.err <- d.ap.Hold(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
		h.took = time.Since(begin)
	case err := <-h.err:
		cancel()
		d.t.Fatalf("not ready: %v", err)
	}
	d.t.Cleanup(func() { cancel(); h.result(hangLimit) })
	return h
}

// leave ends Hold as the end of the daemon does, and returns Hold's error.
func (h *held) leave() error {
	h.daemon.t.Helper()
	h.cancel()
	return h.result(soon)
}

// result waits for Hold to return.
func (h *held) result(limit time.Duration) error {
	h.daemon.t.Helper()
	select {
	case err := <-h.err:
		h.err <- err
		return err
	case <-time.After(limit):
		h.daemon.t.Fatalf("Hold did not return within %v", limit)
		return nil
	}
}

// inTime runs a test that returns an error if an action took too long. If nothing
// else is wrong, the test has three tries: a busy machine may be late once, but a
// defect is late each time.
func inTime(t *testing.T, name string, test func(t *testing.T) (late error)) {
	t.Helper()
	var late error
	for range 3 {
		if !t.Run(name, func(t *testing.T) { late = test(t) }) || late == nil {
			return
		}
		t.Logf("%s: %v", name, late)
	}
	t.Errorf("%s: late each time", name)
}

func within(limit time.Duration, what string, took time.Duration) error {
	if took > limit {
		return fmt.Errorf("%s after %v, want at most %v", what, took, limit)
	}
	return nil
}

// pids returns the pids of the running children.
func (d *daemon) pids() (hostapd, dnsmasq int) {
	d.t.Helper()
	h, hok := d.runner.Find(RoleHostapd)
	m, mok := d.runner.Find(RoleDnsmasq)
	if !hok || !mok {
		d.t.Fatalf("hostapd runs: %v, dnsmasq runs: %v", hok, mok)
	}
	return h.PID(), m.PID()
}
