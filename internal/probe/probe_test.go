package probe

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	os.Exit(trusting(m.Run))
}

func must(t *testing.T, command string) {
	t.Helper()
	netnstest.Run(t, strings.Fields(command)...)
}

// router is a machine at the end of the cable "wan0": a network namespace whose
// interface "lan" has 192.168.78.1/24, 2001:db8::1/64 and fe80::1. Our end has
// 192.168.78.2, 2001:db8::2 and fe80::2. Behind the router are 198.51.100.1 and
// 2001:db8:ff::1. A second interface, "other", leads nowhere.
type router struct {
	*netnstest.Namespace
	t *testing.T
}

func newRouter(t *testing.T) *router {
	t.Helper()
	r := &router{netnstest.Another(t), t}
	t.Cleanup(func() {
		exec.Command("ip", "link", "delete", "wan0").Run()
		exec.Command("ip", "link", "delete", "other").Run()
	})
	must(t, fmt.Sprintf("ip link add wan0 type veth peer name lan netns %v", r))
	must(t, "ip link add other type veth peer name nowhere")
	r.inside("ip addr add 192.168.78.1/24 dev lan")
	r.inside("ip addr add fe80::1/64 dev lan nodad")
	r.inside("ip addr add 2001:db8::1/64 dev lan nodad")
	r.inside("ip addr add 198.51.100.1/32 dev lo")
	r.inside("ip addr add 2001:db8:ff::1/128 dev lo nodad")
	r.inside("ip link set lo up")
	r.inside("sysctl -qw net.ipv4.icmp_ratelimit=0")
	r.inside("ip link set lan addrgenmode none")
	r.inside("ip link set lan up")
	must(t, "ip addr add 192.168.78.2/24 dev wan0")
	must(t, "ip link set wan0 addrgenmode none")
	must(t, "ip addr add fe80::2/64 dev wan0 nodad")
	must(t, "ip addr add 2001:db8::2/64 dev wan0 nodad")
	for _, ifname := range []string{"wan0", "other", "nowhere"} {
		must(t, "ip link set "+ifname+" up")
	}
	carries(t, "wan0")
	r.Do(func() error {
		carries(t, "lan")
		return nil
	})
	return r
}

// carries waits until the kernel has noticed the carrier, as it sends nothing before.
func carries(t *testing.T, ifname string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		ifi, err := net.InterfaceByName(ifname)
		if err == nil && ifi.Flags&net.FlagRunning != 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s has no carrier: %v", ifname, err)
			return
		}
	}
}

func (r *router) inside(command string) {
	r.t.Helper()
	r.Run(strings.Fields(command)...)
}

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// row is one probe of a table.
type row struct {
	name   string
	cfg    Config
	ifname string // "": wan0
	portal string // part of the detail, if a portal is expected
	err    string // part of the error, if the probe must fail
	least  time.Duration
	most   time.Duration // the longest time allowed; zero: 700 ms
}

// check runs the rows side by side, and waits for all.
func check(t *testing.T, gateway string, rows []row) {
	t.Helper()
	t.Run("rows", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				row.check(t, gateway)
			})
		}
	})
}

func (row row) check(t *testing.T, gateway string) {
	timetest.InTime(t, row.least, cmp.Or(row.most, 700*time.Millisecond), func() time.Duration {
		begun := time.Now()
		result, err := Check(t.Context(), row.cfg, cmp.Or(row.ifname, "wan0"), netip.MustParseAddr(gateway))
		took := time.Since(begun)
		t.Logf("%+v, %v", result, err)
		switch {
		case row.err == "" && err != nil:
			t.Error("it does not answer")
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("error %v, want one with %q", err, row.err)
		}
		if result.Portal != (row.portal != "") || !strings.Contains(result.Detail, row.portal) {
			t.Errorf("result %+v, want portal with %q", result, row.portal)
		}
		return took
	})
}

func TestPing(t *testing.T) {
	newRouter(t)
	check(t, "192.168.78.1", []row{
		{name: "one host answers", cfg: Config{Kind: KindPing, Hosts: addrs("192.168.78.1")}},
		{name: "the second of three answers", cfg: Config{Kind: KindPing, Hosts: addrs("192.168.78.77", "192.168.78.1", "2001:db8::77")}},
		{name: "an IPv6 host answers", cfg: Config{Kind: KindPing, Hosts: addrs("2001:db8::1")}},
		{name: "an IPv4 host in IPv6 form answers", cfg: Config{Kind: KindPing, Hosts: addrs("::ffff:192.168.78.1")}},
		{name: "all are silent", cfg: Config{Kind: KindPing, Hosts: addrs("192.168.78.77", "192.168.78.78")},
			err: "192.168.78.77: ping: no reply; 192.168.78.78: ping: no reply", least: 2900 * time.Millisecond, most: 3500 * time.Millisecond},
		{name: "none is named", cfg: Config{Kind: KindPing}, err: "nobody to ask"},
		{name: "gateway, by name", cfg: Config{Kind: KindGateway}},
		{name: "gateway, by default", cfg: Config{}},
		{name: "nobody is asked", cfg: Config{Kind: KindNone}, ifname: "nothere"},
		{name: "a kind that there is not", cfg: Config{Kind: "smoke"}, err: `no kind "smoke"`},
	})
}

func TestGatewayIsMissing(t *testing.T) {
	if _, err := Check(t.Context(), Config{}, "wan0", netip.Addr{}); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Error(err)
	}
}

// TestOtherInterface probes for hosts that only another interface reaches, at the
// same addresses, over a default route.
func TestOtherInterface(t *testing.T) {
	r := newRouter(t)
	r.serve()
	must(t, "ip addr add 192.168.79.2/24 dev other")
	must(t, "ip addr add 2001:db8:79::2/64 dev other nodad")
	far, far6 := addrs("198.51.100.1"), addrs("2001:db8:ff::1")
	kinds := []row{
		{name: "ping", cfg: Config{Kind: KindPing, Hosts: far}},
		{name: "ping, IPv6", cfg: Config{Kind: KindPing, Hosts: far6}},
		{name: "http", cfg: Config{Kind: KindHTTP, URL: "http://198.51.100.1/204"}},
		{name: "http, IPv6", cfg: Config{Kind: KindHTTP, URL: "http://[2001:db8:ff::1]/204"}},
		{name: "http by name", cfg: Config{Kind: KindHTTP, URL: "http://far.test/204", Servers: far}},
		{name: "dns", cfg: Config{Kind: KindDNS, Name: "far.test", Servers: far}},
		{name: "dns, IPv6", cfg: Config{Kind: KindDNS, Name: "far.test", Servers: far6}},
	}
	routes := func(verb, metric, metric6 string) {
		must(t, "ip route "+verb+" default via 192.168.78.1 dev wan0 metric "+metric)
		must(t, "ip route "+verb+" default via 2001:db8::1 dev wan0 metric "+metric6)
	}
	routes("add", "100", "100")
	t.Run("the right one", func(t *testing.T) { check(t, "192.168.78.1", kinds) })
	t.Run("the wrong one", func(t *testing.T) {
		rows := slices.Clone(kinds)
		for i := range rows {
			rows[i].ifname, rows[i].err, rows[i].most = "other", " on other: ", 5500*time.Millisecond
		}
		check(t, "192.168.78.1", rows)
	})
	must(t, "ip route add default via 192.168.79.1 dev other metric 10")
	must(t, "ip route add default via 2001:db8:79::1 dev other metric 10")
	t.Run("the right one, while another has the better route", func(t *testing.T) { check(t, "192.168.78.1", kinds) })
	t.Run("one that is not there", func(t *testing.T) {
		rows := slices.Clone(kinds)
		for i := range rows {
			rows[i].ifname, rows[i].err = "nothere", " on nothere: "
		}
		check(t, "192.168.78.1", rows)
	})
}

// TestIPv6Only checks the probes in a network without any IPv4.
func TestIPv6Only(t *testing.T) {
	r := newRouter(t)
	r.serve()
	r.inside("ip -4 addr flush dev lan")
	must(t, "ip -4 addr flush dev wan0")
	must(t, "ip route add default via fe80::1 dev wan0")
	far := addrs("2001:db8:ff::1")
	check(t, "fe80::1", []row{
		{name: "gateway", cfg: Config{}},
		{name: "gateway, other interface", ifname: "other", cfg: Config{}, err: "no reply", most: 3500 * time.Millisecond},
		{name: "ping", cfg: Config{Kind: KindPing, Hosts: far}},
		{name: "ping, IPv4 hosts as well", cfg: Config{Kind: KindPing, Hosts: append(addrs("198.51.100.1"), far...)}},
		{name: "ping, IPv4 hosts only", cfg: Config{Kind: KindPing, Hosts: addrs("198.51.100.1")}, err: "198.51.100.1: ping:", most: 3500 * time.Millisecond},
		{name: "http", cfg: Config{Kind: KindHTTP, URL: "http://[2001:db8:ff::1]/204"}},
		{name: "http, link-local, zone of the URL does not count", cfg: Config{Kind: KindHTTP, URL: "http://[fe80::1%25other]/204"}},
		{name: "http by name", cfg: Config{Kind: KindHTTP, URL: "http://far.test/204", Servers: far}},
		{name: "http by name, of a host with IPv4 only", cfg: Config{Kind: KindHTTP, URL: "http://v4.test/204", Servers: far}, err: "192.168.78.1: no reply", most: 3500 * time.Millisecond},
		{name: "dns", cfg: Config{Kind: KindDNS, Name: "far.test", Servers: far}},
		{name: "dns, server is the router", cfg: Config{Kind: KindDNS, Name: "far.test", Servers: addrs("fe80::1%other")}},
	})
}

func TestCancelled(t *testing.T) {
	newRouter(t)
	silent := addrs("192.168.78.77")
	for _, cfg := range []Config{
		{Kind: KindGateway},
		{Kind: KindPing, Hosts: silent},
		{Kind: KindHTTP, URL: "http://192.168.78.77/204"},
		{Kind: KindHTTP, URL: "http://v4.test/204", Servers: silent},
		{Kind: KindDNS, Name: "v4.test", Servers: silent},
	} {
		t.Run(string(cfg.Kind)+" "+cfg.URL, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			const after = 100 * time.Millisecond
			timetest.InTime(t, after, 500*time.Millisecond, func() time.Duration {
				begun := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				if _, err := Check(ctx, cfg, "wan0", silent[0]); err == nil {
					t.Error("no error")
				}
				return time.Since(begun)
			})
		})
	}
}

func TestRace(t *testing.T) {
	type script struct {
		after time.Duration
		err   error
	}
	ok := func(after time.Duration) script { return script{after, nil} }
	fails := func(after time.Duration) script { return script{after, fmt.Errorf("after %v", after)} }
	for _, row := range []struct {
		name      string
		headStart time.Duration
		runners   []script
		winner    int // -1: no winner
		took      time.Duration
		err       string
	}{
		{"nobody", 0, nil, -1, 0, "nobody to ask"},
		{"all at once, the quickest wins", 0, []script{ok(300), ok(100), ok(200)}, 1, 100, ""},
		{"a failure does not end it", 0, []script{fails(50), ok(100)}, 1, 100, ""},
		{"all fail, errors in the order of the runners", 0, []script{fails(100), fails(50)}, -1, 100, "after 100ns; after 50ns"},
		{"the first is quicker than the start of the second", 250, []script{ok(100), ok(1)}, 0, 100, ""},
		{"the second starts later", 250, []script{ok(1000), ok(100)}, 1, 350, ""},
		{"the second starts at once if the first fails", 250, []script{fails(50), ok(100)}, 1, 150, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				i, err := race(t.Context(), row.headStart, row.runners, func(ctx context.Context, s script) (int, error) {
					select {
					case <-time.After(s.after):
						return slices.Index(row.runners, s), s.err
					case <-ctx.Done():
						return 0, ctx.Err()
					}
				}, nil)
				if took := time.Since(begun); took != row.took {
					t.Errorf("took %d, want %d", took, row.took)
				}
				if row.winner < 0 && (err == nil || err.Error() != row.err) || row.winner >= 0 && (err != nil || i != row.winner) {
					t.Errorf("winner %d, %v; want %d, %q", i, err, row.winner, row.err)
				}
			})
		})
	}
}

func TestRaceDiscardsTheLate(t *testing.T) {
	var gone []string
	both := make(chan bool, 2)
	winner, err := race(t.Context(), 0, []string{"a", "b"}, func(_ context.Context, name string) (string, error) {
		both <- true
		for len(both) < 2 { // in this case neither is first
			time.Sleep(time.Millisecond)
		}
		return name, nil
	}, func(late string) { gone = append(gone, late) })
	if err != nil || len(gone) != 1 || gone[0] == winner {
		t.Errorf("winner %q, discarded %q, %v", winner, gone, err)
	}
}
