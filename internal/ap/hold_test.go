package ap

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

func TestPhoneIsServed(t *testing.T) {
	phone := cable(t)
	netnstest.Run(t, "ip", "addr", "add", "192.168.9.9/24", "dev", "wlan0") // an address that another program has left
	netnstest.Run(t, "ip", "route", "add", "224.0.0.0/4", "dev", "lo")
	t.Cleanup(func() { netnstest.Run(t, "ip", "route", "del", "224.0.0.0/4", "dev", "lo") })
	d := newDaemon(t, testConfig(runtimeDir(t)))
	links := &recordingLinks{}
	d.ap.links = links
	h := d.start()
	t.Logf("ready after %v", h.took)
	// The address is cleared before hostapd takes the interface and ours is set only
	// afterwards: dnsmasq does not listen on an address of an interface that is down.
	if w := links.wanted; len(w) != 2 || len(w[0].Addresses) != 0 || w[0].Up || len(w[1].Addresses) != 1 || !w[1].Up {
		t.Errorf("the interface was changed in this way: %+v", w)
	}
	if got := addresses(t); !slices.Equal(got, []string{"10.250.250.1/24"}) {
		t.Errorf("addresses %v", got)
	}
	if got := netnstest.Run(t, "ip", "route", "show", "dev", "wlan0", "proto", "78"); got !=
		"224.0.0.0/4 scope link \n239.255.255.250 scope link \n" {
		t.Errorf("multicast routes:\n%s", got)
	}
	got := askLease(t, phone)
	if ip, err := netip.ParseAddr(got["ip"]); err != nil || ip.Less(d.ap.config.RangeFirst) || d.ap.config.RangeLast.Less(ip) {
		t.Errorf("address %q is not in the range", got["ip"])
	}
	for key, want := range map[string]string{
		"subnet": "255.255.255.0", "router": "10.250.250.1", "dns": "10.250.250.1", "domain": "printer.lan", "lease": "600",
	} {
		if got[key] != want {
			t.Errorf("%s %q, want %q", key, got[key], want)
		}
	}
	phone.Run("ip", "addr", "add", got["ip"]+"/24", "dev", "phone")
	for _, name := range []string{"octopi", "octopi.printer.lan", "printer.lan"} {
		if out := phone.Run("busybox", "nslookup", "-type=a", name, "10.250.250.1"); !strings.Contains(out, "Address: 10.250.250.1\n") {
			t.Errorf("%s is not our address:\n%s", name, out)
		}
	}
}

func TestDnsmasqMayStartBeforeTheAddress(t *testing.T) {
	cable(t)
	d := newDaemon(t, testConfig(runtimeDir(t)))
	spec, err := d.ap.dnsmasqSpec(withNames)
	if err != nil {
		t.Fatal(err)
	}
	child, _, err := d.runner.Ensure(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	started := func() bool { return strings.Contains(strings.Join(child.LastOutput(), "\n"), "IP range") }
	for end := time.Now().Add(5 * time.Second); !started() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	if err := link.Apply(t.Context(), d.ap.spec()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.ap.awaitDnsmasq(t.Context(), child); err != nil {
		t.Error(err)
	}
}

func TestDeathOfAChildEndsHold(t *testing.T) {
	for _, role := range []string{RoleHostapd, RoleDnsmasq} {
		t.Run(role, func(t *testing.T) {
			phone := cable(t)
			d := newDaemon(t, testConfig(runtimeDir(t)))
			h := d.start()
			hostapd, dnsmasq := d.pids()
			victim := map[string]int{RoleHostapd: hostapd, RoleDnsmasq: dnsmasq}[role]
			if err := unix.Kill(victim, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			err := h.result(soon)
			if err == nil || !strings.Contains(err.Error(), "access point on wlan0: "+role+" (pid ") ||
				!strings.Contains(err.Error(), "signal: killed") {
				t.Fatalf("got %v, want one that names %s", err, role)
			}

			again := d.start()
			t.Logf("again after %v", again.took)
			hostapd2, dnsmasq2 := d.pids()
			if (hostapd2 == hostapd) != (role != RoleHostapd) || (dnsmasq2 == dnsmasq) != (role != RoleDnsmasq) {
				t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want only %s anew", hostapd, hostapd2, dnsmasq, dnsmasq2, role)
			}
			if got := askLease(t, phone); got["ip"] == "" {
				t.Error("no lease afterwards")
			}
		})
	}
}

func TestLeaveAndAdopt(t *testing.T) {
	phone := cable(t)
	dir := runtimeDir(t)
	first := newDaemon(t, testConfig(dir))
	h := first.start()
	hostapd, dnsmasq := first.pids()
	if err := h.leave(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Hold returned %v", err)
	}
	first.runner.Close()

	links := &recordingLinks{}
	second := newDaemon(t, testConfig(dir))
	second.ap.links = links
	h = second.start()
	t.Logf("adopted after %v", h.took)
	if h2, m2 := second.pids(); h2 != hostapd || m2 != dnsmasq {
		t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want the same", hostapd, h2, dnsmasq, m2)
	}
	// If the address were removed even for a moment, connections would break.
	if len(links.wanted) != 1 || len(links.wanted[0].Addresses) != 1 || !links.wanted[0].Up {
		t.Errorf("the interface was changed: %+v", links.wanted)
	}
	if got := askLease(t, phone); got["ip"] == "" {
		t.Error("no lease from the adopted dnsmasq")
	}
	if log := second.logged.String(); strings.Contains(log, "output of adopted child is lost") {
		t.Error(log)
	}
	if err := unix.Kill(dnsmasq, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := h.result(soon); err == nil || !strings.Contains(err.Error(), RoleDnsmasq) {
		t.Errorf("death of an adopted dnsmasq: %v", err)
	}
}

// recordingLinks records each wanted Spec before it applies the Spec.
type recordingLinks struct{ wanted []link.Spec }

func (l *recordingLinks) Apply(ctx context.Context, want link.Spec) error {
	l.wanted = append(l.wanted, want)
	return link.Apply(ctx, want)
}

func (l *recordingLinks) Release(ctx context.Context, rest link.Spec) error {
	return kernelLinks{}.Release(ctx, rest)
}

func TestChangedConfigurationReplaces(t *testing.T) {
	phone := cable(t)
	c := testConfig(runtimeDir(t))
	first := newDaemon(t, c)
	h := first.start()
	hostapd, dnsmasq := first.pids()
	h.leave()

	c.SSID, c.Address = "other", netip.MustParsePrefix("10.9.0.1/24")
	c.RangeFirst, c.RangeLast = netip.MustParseAddr("10.9.0.5"), netip.MustParseAddr("10.9.0.9")
	second := newDaemon(t, c)
	second.start()
	if h2, m2 := second.pids(); h2 == hostapd || m2 == dnsmasq {
		t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want others", hostapd, h2, dnsmasq, m2)
	}
	if got := addresses(t); !slices.Equal(got, []string{"10.9.0.1/24"}) {
		t.Errorf("addresses %v", got)
	}
	if got := askLease(t, phone); !strings.HasPrefix(got["ip"], "10.9.0.") {
		t.Errorf("lease %v", got)
	}
}

func TestEndLeavesNothing(t *testing.T) {
	for name, records := range map[string]bool{
		"twice, by a daemon that has not called Hold":    true,
		"of a daemon that was killed before its records": false,
	} {
		inTime(t, name, func(t *testing.T) error { return endLeavesNothing(t, records) })
	}
}

func endLeavesNothing(t *testing.T, records bool) (late error) {
	cable(t)
	c := testConfig(runtimeDir(t))
	first := newDaemon(t, c)
	h := first.start()
	hostapd, dnsmasq := first.pids()
	h.leave()
	if !records {
		if err := os.RemoveAll(filepath.Join(c.RuntimeDir, "children")); err != nil {
			t.Fatal(err)
		}
	}

	second := newDaemon(t, c)
	begin := time.Now()
	for range 2 {
		if err := second.ap.End(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(begin)
	for _, child := range []int{hostapd, dnsmasq} {
		if !gone(child) {
			t.Errorf("pid %d is still there", child)
		}
	}
	if got := addresses(t); len(got) != 0 {
		t.Errorf("addresses %v", got)
	}
	if _, err := os.Stat(c.hostapdFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s, which has the key, is still there (err %v)", c.hostapdFile(), err)
	}
	return within(time.Second, "ended", took)
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestEndWithoutInterface(t *testing.T) {
	netnstest.Need(t)
	d := newDaemon(t, testConfig(runtimeDir(t)))
	if err := d.ap.End(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestHoldRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cable  bool
		change func(*Config)
		want   string
	}{
		{"a configuration that is none", false, func(c *Config) { c.Channel = 99999 },
			"access point on wlan0: ap.channel: 99999 is neither in 1..14 nor in 36..177"},
		{"an interface that is not there", false, func(*Config) {},
			"access point on wlan0: apply wlan0: wlan0: no such link"},
		{"a program that is not there", true, func(c *Config) { c.Hostapd = "/nonexistent/hostapd" },
			"access point on wlan0: start hostapd: fork/exec /nonexistent/hostapd: no such file or directory"},
		{"a driver that hostapd has not", true, func(c *Config) { c.Driver = "rtl871xdrv" },
			"access point on wlan0: start hostapd: Line 2: invalid/unknown driver 'rtl871xdrv'"},
		{"an interface that is no radio", true, func(c *Config) { c.Driver = "nl80211" },
			"access point on wlan0: start hostapd: "},
		{"a dnsmasq that dies with its ports bound", true, func(c *Config) { c.Dnsmasq = testBinary() },
			"access point on wlan0: start dnsmasq: changed my mind"},
		{"a user that dnsmasq does not know", true, func(c *Config) { c.User = "nobody-at-all" },
			"access point on wlan0: start dnsmasq: dnsmasq: unknown user or group: nobody-at-all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netnstest.Need(t)
			if tt.cable {
				cable(t)
			}
			c := testConfig(runtimeDir(t))
			tt.change(&c)
			d := newDaemon(t, c)
			err := d.ap.Hold(t.Context(), func() { t.Error("ready") })
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s…", err, tt.want)
			}
			t.Log(err)
		})
	}
}

func testBinary() string {
	name, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return name
}

func TestPortsOfOthers(t *testing.T) {
	t.Run("port 67: no access point", func(t *testing.T) {
		cable(t)
		occupy(t, "0.0.0.0:67")
		d := newDaemon(t, testConfig(runtimeDir(t)))
		err := d.ap.Hold(t.Context(), func() { t.Error("ready") })
		if err == nil || !strings.Contains(err.Error(), "start dnsmasq: ") || !strings.Contains(err.Error(), "see `ss -lunp`") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("port 53: no names", func(t *testing.T) {
		phone := cable(t)
		occupy(t, "0.0.0.0:53")
		d := newDaemon(t, testConfig(runtimeDir(t)))
		d.start()
		if got := askLease(t, phone); got["ip"] == "" || got["dns"] != "10.250.250.1" {
			t.Errorf("lease %v", got)
		}
		if log := d.logged.String(); !strings.Contains(log, "access point answers no names") || !strings.Contains(log, "see `ss -lunp`") {
			t.Errorf("logged %s", log)
		}
	})
	t.Run("port 53, and the address is there already", func(t *testing.T) {
		phone := cable(t)
		d := newDaemon(t, testConfig(runtimeDir(t)))
		h := d.start()
		_, dnsmasq := d.pids()
		if err := unix.Kill(dnsmasq, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		h.result(soon)
		occupy(t, "0.0.0.0:53")
		d.start()
		if got := askLease(t, phone); got["ip"] == "" {
			t.Error("no lease")
		}
	})
}

func occupy(t *testing.T, address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
}

func TestDisabledHostapd(t *testing.T) {
	phone := cable(t)
	d := newDaemon(t, testConfig(runtimeDir(t)))
	h := d.start()
	hostapd, dnsmasq := d.pids()
	conn, err := wpactrl.Dial(t.Context(), d.ap.config.hostapdSocket(), d.ap.config.RuntimeDir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Request(t.Context(), "DISABLE"); err != nil {
		t.Fatal(err)
	}
	if err := h.result(soon); err == nil || !strings.Contains(err.Error(), "AP-DISABLED") {
		t.Fatalf("got %v", err)
	}
	d.start() // a program that runs but does not serve is not adopted
	if h2, m2 := d.pids(); h2 == hostapd || m2 != dnsmasq {
		t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want only hostapd anew", hostapd, h2, dnsmasq, m2)
	}
	if got := askLease(t, phone); got["ip"] == "" {
		t.Error("no lease afterwards")
	}
}

// TestRadioTakenAway checks what happens when another program changes the type of the
// interface. hostapd does not notice that.
func TestRadioTakenAway(t *testing.T) {
	cable(t)
	d := newDaemon(t, testConfig(runtimeDir(t)))
	h := d.start()
	hostapd, dnsmasq := d.pids()
	h.leave()
	d.ap.IsOne = func(context.Context) bool { return false }
	d.start()
	if h2, m2 := d.pids(); h2 == hostapd || m2 != dnsmasq {
		t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want only hostapd anew", hostapd, h2, dnsmasq, m2)
	}
}

func TestHungHostapdIsNotAdopted(t *testing.T) {
	inTime(t, "stopped", func(t *testing.T) error {
		cable(t)
		d := newDaemon(t, testConfig(runtimeDir(t)))
		h := d.start()
		hostapd, _ := d.pids()
		h.leave()
		if err := unix.Kill(hostapd, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		again := d.start()
		if h2, _ := d.pids(); h2 == hostapd {
			t.Error("a hung hostapd was adopted")
		}
		return within(adoptLimit+time.Second, "ready", again.took)
	})
}
