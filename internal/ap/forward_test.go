package ap

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nltest"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

func TestForwarding(t *testing.T) {
	phone := cable(t)
	lan := wire(t)
	onlyOthers := others(t)
	d := newDaemon(t, forwardingConfig(runtimeDir(t)))
	h := d.start()
	join(t, phone, askLease(t, phone)["ip"])
	eventually(t, 2*time.Second, "a phone reaches the wired network", func() bool { return pings(phone) })
	if got := switchesNow(t); got != "all=0 eth0=1 wlan0=1" {
		t.Errorf("forwarding: %s", got)
	}
	if !strings.Contains(ruleset(t), strings.TrimSpace(foreign)) {
		t.Errorf("the tables of others changed:\n%s", ruleset(t))
	}
	want := `table inet netconnectd {
 chain prerouting {
  type filter hook prerouting priority raw; policy accept;
  iifname "wlan0" icmpv6 type nd-router-advert drop
  iifname "wlan0" icmpv6 type nd-redirect drop
  iifname "wlan0" icmp type redirect drop
  iifname "wlan0" ip daddr 127.0.0.0/8 drop
 }

 chain forward {
  type filter hook forward priority filter; policy accept;
  iifname "wlan0" ct status dnat ct original ip daddr 10.250.250.1 accept
  oifname "wlan0" ct status dnat ct original ip daddr 10.250.250.1 ct state established,related accept
  iifname "wlan0" ip saddr 10.250.250.0/24 oifname "eth0" accept
  iifname "eth0" oifname "wlan0" ct state established,related accept
  iifname "wlan0" drop
  oifname "wlan0" drop
  iifname "eth0" drop
 }

 chain postrouting {
  type nat hook postrouting priority srcnat; policy accept;
  ip saddr 10.250.250.0/24 oifname "eth0" masquerade
 }
}
`
	if diff := cmp.Diff(want, ownRules(t)); diff != "" {
		t.Errorf("our table (-want +got):\n%s", diff)
	}
	t.Run("nobody comes in", func(t *testing.T) {
		lan.Run("ip", "route", "add", "10.250.250.0/24", "via", "192.0.2.1")
		if ping(lan, strings.Fields(phone.Run("hostname", "-I"))[0]) {
			t.Error("the wired network reaches a phone by itself")
		}
		lan.Run("ip", "route", "del", "10.250.250.0/24")
	})
	t.Run("nor somebody with a foreign address out", func(t *testing.T) {
		phone.Run("ip", "addr", "add", "10.9.9.9/32", "dev", "phone")
		netnstest.Run(t, "ip", "route", "add", "10.9.9.9/32", "dev", "wlan0")
		lan.Run("ip", "route", "add", "10.9.9.9/32", "via", "192.0.2.1")
		if phone.Command("ping", "-n", "-c", "1", "-W", "1", "-I", "10.9.9.9", "192.0.2.2").Run() == nil {
			t.Error("an address that is not of the access point was forwarded")
		}
	})
	h.leave()
	for range 2 {
		if err := d.ap.End(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := switchesNow(t); got != "all=0 eth0=0 wlan0=0" {
		t.Errorf("forwarding afterwards: %s", got)
	}
	onlyOthers()
	if _, err := os.Stat(d.ap.guard.forwarding.recordFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("record is left: %v", err)
	}
}

// TestForwardingIsTakenBack checks that stop restores the switches, whatever happens
// in between.
func TestForwardingIsTakenBack(t *testing.T) {
	for _, row := range []struct {
		name          string
		before        func(t *testing.T)
		between       func(t *testing.T)
		config        func(*Config) // changes the configuration of the daemon that stops
		during, after string
	}{
		{name: "by another daemon after a crash", during: "all=0 eth0=1 wlan0=1", after: "all=0 eth0=0 wlan0=0"},
		{name: "by one that is not to forward any more", config: func(c *Config) { c.ForwardTo = "" },
			during: "all=0 eth0=1 wlan0=1", after: "all=0 eth0=0 wlan0=0"},
		{name: "but what was on before stays on", before: func(t *testing.T) { setSwitch(t, "all", "1") },
			during: "all=1 eth0=1 wlan0=1", after: "all=1 eth0=1 wlan0=1"},
		{name: "also what alone was off", before: func(t *testing.T) { setSwitch(t, "all", "1"); setSwitch(t, "eth0", "0") },
			during: "all=1 eth0=1 wlan0=1", after: "all=1 eth0=0 wlan0=1"},
		{name: "but what others wanted on meanwhile stays on", between: func(t *testing.T) { setSwitch(t, "all", "1") },
			during: "all=0 eth0=1 wlan0=1", after: "all=1 eth0=1 wlan0=1"},
		{name: "with the interface gone", between: func(t *testing.T) { netnstest.Run(t, "ip", "link", "del", "eth0") },
			during: "all=0 eth0=1 wlan0=1", after: "all=0 eth0=- wlan0=0"},
		{name: "but not from another interface of that name", between: func(t *testing.T) {
			netnstest.Run(t, "ip", "link", "del", "eth0")
			netnstest.Run(t, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
			setSwitch(t, "eth0", "1")
		}, during: "all=0 eth0=1 wlan0=1", after: "all=0 eth0=1 wlan0=0"},
		{name: "with our table gone", between: func(t *testing.T) { netnstest.Run(t, "nft", "delete", "table", "inet", tableName) },
			during: "all=0 eth0=1 wlan0=1", after: "all=0 eth0=0 wlan0=0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cable(t)
			wire(t)
			onlyOthers := others(t)
			if row.before != nil {
				row.before(t)
			}
			c := forwardingConfig(runtimeDir(t))
			first := newForwarding(c, slog.New(slog.DiscardHandler))
			for range 2 {
				if err := first.keep(); err != nil {
					t.Fatal(err)
				}
			}
			if err := newForwarding(c, slog.New(slog.DiscardHandler)).keep(); err != nil { // a daemon that was killed and started again
				t.Fatal(err)
			}
			if got := switchesNow(t); got != row.during {
				t.Errorf("during: %s, want %s", got, row.during)
			}
			if row.between != nil {
				row.between(t)
			}
			end := newForwarding(c, slog.New(slog.DiscardHandler)).stop
			if row.config != nil {
				row.config(&c)
				end = newForwarding(c, slog.New(slog.DiscardHandler)).keep
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if got := switchesNow(t); got != row.after {
				t.Errorf("after: %s, want %s", got, row.after)
			}
			if err := newForwarding(c, slog.New(slog.DiscardHandler)).stop(); err != nil {
				t.Fatal(err)
			}
			onlyOthers()
		})
	}
}

func TestForwardingToAnotherInterface(t *testing.T) {
	cable(t)
	wire(t)
	c := forwardingConfig(runtimeDir(t))
	if err := newForwarding(c, slog.New(slog.DiscardHandler)).keep(); err != nil {
		t.Fatal(err)
	}
	c.ForwardTo = "lo"
	f := newForwarding(c, slog.New(slog.DiscardHandler))
	if err := f.keep(); err != nil {
		t.Fatal(err)
	}
	if got := switchesNow(t); got != "all=0 eth0=0 wlan0=1" {
		t.Errorf("forwarding: %s", got)
	}
	if rules := ownRules(t); strings.Contains(rules, "eth0") || !strings.Contains(rules, `oifname "lo" masquerade`) {
		t.Errorf("our table:\n%s", rules)
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
}

func TestForwardingSurvives(t *testing.T) {
	phone := cable(t)
	lan := netnstest.Another(t)
	setSwitch(t, "all", "0")
	d := newDaemon(t, forwardingConfig(runtimeDir(t)))
	h := d.start() // without a cable the access point still starts
	join(t, phone, askLease(t, phone)["ip"])
	plug(t, lan)
	t.Cleanup(func() { exec.Command("ip", "link", "del", "eth0").Run() })
	lan.Run("ip", "addr", "add", "192.0.2.2/24", "dev", "lan")
	lan.Run("ip", "link", "set", "lan", "up")
	eventually(t, beat+2*time.Second, "the cable that came later is used", func() bool { return pings(phone) })
	netnstest.Run(t, "nft", "flush", "ruleset")
	eventually(t, beat+2*time.Second, "our table is back after others flushed all", func() bool { return pings(phone) })
	setSwitch(t, "all", "1")
	setSwitch(t, "all", "0") // turns all switches off
	eventually(t, beat+2*time.Second, "the switches are on again", func() bool { return pings(phone) })
	if strings.Contains(d.logged.String(), "not guarded") {
		t.Errorf("logged %s", d.logged)
	}
	h.leave()
	if err := d.ap.End(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A switch of eth0 that only we turned on lets only phones through.
func TestForwardingOpensNothingElse(t *testing.T) {
	cable(t)
	lan := wire(t)
	vpn := netnstest.Another(t)
	netnstest.Run(t, "ip", "link", "add", "tun0", "type", "veth", "peer", "name", "vpn", "netns", vpn.String())
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "tun0") })
	netnstest.Run(t, "ip", "addr", "add", "198.51.100.1/24", "dev", "tun0")
	netnstest.Run(t, "ip", "link", "set", "tun0", "up")
	vpn.Run("ip", "addr", "add", "198.51.100.2/24", "dev", "vpn")
	vpn.Run("ip", "link", "set", "vpn", "up")
	vpn.Run("ip", "route", "add", "default", "via", "198.51.100.1")
	lan.Run("ip", "route", "add", "default", "via", "192.0.2.1")
	setSwitch(t, "tun0", "1")
	f := newForwarding(forwardingConfig(runtimeDir(t)), slog.New(slog.DiscardHandler))
	if err := f.keep(); err != nil {
		t.Fatal(err)
	}
	defer f.stop()
	if ping(lan, "198.51.100.2") {
		t.Error("the wired network reaches what it did not before")
	}
	setSwitch(t, "all", "1") // another program wants forwarding
	if err := f.keep(); err != nil {
		t.Fatal(err)
	}
	if !ping(lan, "198.51.100.2") {
		t.Error("we keep from others what they want")
	}
}

func TestForwardingRecord(t *testing.T) {
	cable(t)
	wire(t)
	f := newForwarding(forwardingConfig(runtimeDir(t)), slog.New(slog.DiscardHandler))
	setSwitch(t, "wlan0", "1")
	if err := f.keep(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(f.recordFile())
	if err != nil {
		t.Fatal(err)
	}
	var got []opened
	if err := json.Unmarshal(data, &got); err != nil || len(got) != 1 || got[0].Name != "eth0" || got[0].AllWereOn {
		t.Errorf("record %s, %v", data, err)
	}
	if err := os.WriteFile(f.recordFile(), []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.stop(); err != nil || strings.Contains(ruleset(t), tableName) {
		t.Errorf("with an unusable record: %v\n%s", err, ruleset(t))
	}
	if err := f.stop(); err != nil {
		t.Errorf("an unusable record stays: %v", err)
	}
}

// answering plays a kernel that answers every request about tables with errno and
// sends nothing more for a transaction; opening is the error of opening the socket.
func answering(errno unix.Errno, opening error) func() (*nftables.Conn, error) {
	return func() (*nftables.Conn, error) {
		return nftables.New(
			nftables.WithTestDial(func(sent []netlink.Message) ([]netlink.Message, error) {
				if len(sent) == 0 {
					return nil, errors.New("Flush waits in vain")
				}
				reply, err := nltest.Error(int(errno), sent)
				reply[0].Header.Flags = 0
				return reply, err
			}),
			nftables.WithSockOptions(func(*netlink.Conn) error { return opening }),
		)
	}
}

// TestForwardingWithoutTables checks that End works: a radio must not stay an access
// point for ever because the kernel cannot forward.
func TestForwardingWithoutTables(t *testing.T) {
	for _, row := range []struct {
		name         string
		dial         func() (*nftables.Conn, error)
		logged, left bool // whether End logs a failure, and whether the record stays
	}{
		{name: "no nftables", dial: answering(unix.EINVAL, nil)},
		{name: "no nftables of that family", dial: answering(unix.EOPNOTSUPP, nil)},
		{name: "no netfilter", dial: answering(0, os.NewSyscallError("socket", unix.EPROTONOSUPPORT))},
		{name: "no rights", dial: answering(unix.EPERM, nil), logged: true, left: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			cable(t)
			wire(t)
			d := newDaemon(t, forwardingConfig(runtimeDir(t)))
			d.ap.guard.forwarding.dial = row.dial
			if err := d.ap.guard.forwarding.keep(); err == nil || strings.Contains(err.Error(), "in vain") {
				t.Errorf("keep: %v", err)
			}
			if err := d.ap.End(t.Context()); err != nil {
				t.Errorf("End: %v", err)
			}
			if logged := strings.Contains(d.logged.String(), "not taken back"); logged != row.logged {
				t.Errorf("logged %s", d.logged)
			}
			if _, err := os.Stat(d.ap.guard.forwarding.recordFile()); (err == nil) != row.left {
				t.Errorf("record: %v", err)
			}
		})
	}
}

// TestForwardingThatCannotBe checks that the access point serves nevertheless, and
// logs the reason once.
func TestForwardingThatCannotBe(t *testing.T) {
	cable(t)
	d := newDaemon(t, forwardingConfig(runtimeDir(t)))
	d.ap.guard.forwarding.dial = answering(unix.EPERM, nil)
	h := d.start()
	h.leave()
	for range 3 {
		d.ap.keepGuard(t.Context())
	}
	if n := strings.Count(d.logged.String(), "access point is not guarded"); n != 1 {
		t.Errorf("said %d times:\n%s", n, d.logged)
	}
}
