package probe

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

// deaf is an asker that reaches no neighbour.
func deaf(context.Context, string, netip.Addr) (bool, error) { return false, nil }

func TestGateway(t *testing.T) {
	const (
		dropPings  = "sysctl -qw net.ipv4.icmp_echo_ignore_all=1"
		dropPings6 = "sysctl -qw net.ipv6.icmp.echo_ignore_all=1"
		dead       = "ip link set lan address 02:00:00:00:00:99 arp off" // the carrier stays
	)
	for _, row := range []struct {
		name        string
		router      []string // commands that change the router
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
			timetest.InTime(t, row.least, row.most, func() time.Duration {
				begun := time.Now()
				err := gateway(t.Context(), row.ifname, netip.MustParseAddr(row.gw), row.ask)
				took := time.Since(begun)
				t.Log(err)
				if (err == nil) != row.want {
					t.Errorf("answers: %v, want %v (%v)", err == nil, row.want, err)
				}
				return took
			})
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
