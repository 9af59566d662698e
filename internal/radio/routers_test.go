package radio

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/sysctl"
)

const (
	routerPrefix = "2001:db8:50::"
	routerServer = routerPrefix + "53"
)

// startRouter has the router at the other end of the cable serve IPv6 alone: a
// prefix, itself as the way out, a name server.
func startRouter(t *testing.T, router *netnstest.Namespace, folder string) (stop func()) {
	t.Helper()
	router.Run("ip", "addr", "flush", "dev", "home", "scope", "global")
	router.Run("ip", "addr", "add", routerPrefix+"1/64", "dev", "home", "nodad")
	server := router.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--port=0", "--user=root",
		"--interface=home", "--enable-ra", "--dhcp-range="+routerPrefix+",ra-only", "--dhcp-option=option6:dns-server,["+routerServer+"]",
		"--dhcp-leasefile="+filepath.Join(folder, "leases"))
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = server.Process.Kill(); _ = server.Wait() }
	t.Cleanup(stop)
	return stop
}

// holdUntilNamed returns why the radio was not ready or has no name server, and
// leaves all as it is if it was and has.
func holdUntilNamed(t *testing.T, r *radio, target policy.Target) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var ready, named atomic.Bool
	r.events.Lease = func() {
		servers, _ := r.Advertised()
		named.Store(len(servers) > 0)
		if ready.Load() && named.Load() {
			cancel()
		}
	}
	err := r.hold(ctx, target, func(stage policy.Stage) {
		if stage == policy.StageReady {
			ready.Store(true)
			r.events.Lease()
		}
	})
	if ready.Load() && named.Load() {
		return nil
	}
	return err
}

// watchRemovals notes which IPv6 addresses are removed, until the function that it
// returns is called.
func watchRemovals(t *testing.T) (removed func() []netip.Addr) {
	t.Helper()
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err == nil {
		err = conn.JoinGroup(unix.RTNLGRP_IPV6_IFADDR)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return func() (gone []netip.Addr) {
		last := netip.MustParseAddr("2001:db8:ffff::1")
		netnstest.Run(t, "ip", "addr", "add", last.String(), "dev", "lo")
		for {
			messages, err := conn.Receive()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				var a rtnl.Address
				if err := a.UnmarshalBinary(m.Data); err != nil {
					t.Fatal(err)
				}
				switch {
				case a.Own() == last:
					return gone
				case m.Header.Type == unix.RTM_DELADDR:
					gone = append(gone, a.Own())
				}
			}
		}
	}
}

// TestOnlyIPv6: a network that has IPv6 alone has name servers, and its default
// route has the station's metric. The next daemon goes on with it and takes nothing
// away; what is no station has the kernel's own metric.
func TestOnlyIPv6(t *testing.T) {
	router := netnstest.Another(t)
	r := openStation(t, router)
	r.Metric = 700
	file := sysctl.Path("ipv6", r.iface, "ra_defrtr_metric")
	before, err := sysctl.Read(file)
	if err != nil {
		t.Skipf("Linux before 5.13: %v", err)
	}
	startRouter(t, router, r.dir)
	home := policy.Target{Station: policy.Station{Wanted: true, Network: policy.Network{SSID: "home"}}}
	if err := holdUntilNamed(t, r, home); err != nil {
		t.Fatal(err)
	}
	want := []netip.Addr{netip.MustParseAddr(routerServer)}
	if got, _ := r.Advertised(); !slices.Equal(got, want) {
		t.Errorf("advertised are %v, want %v", got, want)
	}
	if routes := netnstest.Run(t, "ip", "-6", "route", "show", "default"); !strings.Contains(routes, "metric 700 ") || strings.Count(routes, "\n") != 1 {
		t.Errorf("default routes are %q", routes)
	}

	next := restarted(t, r)
	if got := next.running(t.Context()); got != home {
		t.Errorf("the next daemon finds %+v, want %+v", got, home)
	}
	removed := watchRemovals(t)
	if err := holdUntilNamed(t, next, home); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if gone := removed(); len(gone) > 0 {
		t.Errorf("a restart removes %v", gone)
	}
	if got, _ := next.Advertised(); !slices.Equal(got, want) {
		t.Errorf("after a restart, advertised are %v, want %v", got, want)
	}
	if err := next.backend.idle(t.Context()); err != nil {
		t.Error(err)
	}
	if got, heard := next.Advertised(); heard {
		t.Errorf("without a network, advertised are %v", got)
	}
	if now, err := sysctl.Read(file); err != nil || now != before {
		t.Errorf("the metric is %s, %v, and was %s", now, err, before)
	}
}

// TestAnotherRouter checks that a new join does not use what the previous router
// advertised, since that router may be gone.
func TestAnotherRouter(t *testing.T) {
	router := netnstest.Another(t)
	r := openStation(t, router)
	stop := startRouter(t, router, r.dir)
	home := policy.Target{Station: policy.Station{Wanted: true, Network: policy.Network{SSID: "home"}}}
	if err := holdUntilNamed(t, r, home); err != nil {
		t.Fatal(err)
	}
	stop()
	router.Run("ip", "link", "set", "home", "down")
	router.Run("ip", "link", "set", "home", "address", "02:00:00:00:00:99", "up") // and another link-local address
	startRouter(t, router, r.dir)
	if err := holdUntilNamed(t, r, home); err != nil {
		t.Errorf("with another router: %v", err)
	}
	if routes := netnstest.Run(t, "ip", "-6", "route", "show", "default"); strings.Count(routes, "default via fe80::ff:fe00:99 ") != 1 || strings.Count(routes, "\n") != 1 {
		t.Errorf("default routes are %q", routes)
	}
}

// TestOwnNameServers checks that router advertisements are ignored if a person has
// set the name servers.
func TestOwnNameServers(t *testing.T) {
	r := wired(t, "own0")
	ip(t, "link add own0 type veth")
	s := newSession(r, nil)
	s.static = &store.Addressing{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s.hearRouters(ctx); ctx.Err() != nil || r.advertised.Load() != nil {
		t.Errorf("%v, routers have said %v", ctx.Err(), r.advertised.Load())
	}
}

// TestNoRouterMetric checks that a kernel without the setting, which for the kernel
// is an interface without IPv6, is reported once and prevents nothing.
func TestNoRouterMetric(t *testing.T) {
	r := wired(t, "old0")
	var said bytes.Buffer
	r.log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ip(t, "link add old0 type veth", "link set old0 mtu 1000") // less than IPv6 wants (RFC 8200 5)
	for range 2 {
		r.keepSettings()
		r.restoreSettings()
	}
	if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=DEBUG") || !strings.Contains(text, "ra_defrtr_metric") {
		t.Errorf("it says %q", text)
	}
}
