package daemon

import (
	"context"
	"net/netip"
	"reflect"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// watchLinks tells the supervisor of every change of the uplinks.
func (d *daemon) watchLinks(ctx context.Context) {
	hint, cancel := d.monitor.Subscribe()
	defer cancel()
	var last *policy.LinksChanged
	for {
		select {
		case <-ctx.Done():
			return
		case <-hint:
		case <-d.relink:
		}
		snapshot := d.monitor.Snapshot()
		if snapshot == nil {
			continue
		}
		if err := d.radio.FindInterface(ctx, snapshot); err != nil {
			return
		}
		now := uplinks(snapshot, d.radio.Interface(), d.cfg.Load().Interfaces.Wired)
		if last == nil || !reflect.DeepEqual(*last, now) {
			d.sup.Post(ctx, now)
			last = &now
		}
	}
}

// uplinks reduces the kernel's links to what the policy wants to know: the
// radio, and the wired interface that the config names or, if it names none,
// every one that may lead out of the device.
func uplinks(s *link.Snapshot, radio, wired string) policy.LinksChanged {
	var ev policy.LinksChanged
	for _, l := range s.Links {
		isRadio := l.Name == radio
		if !isRadio && l.Name != wired && (wired != "" || !leadsOut(s, l)) {
			continue
		}
		ev.Radio = ev.Radio || isRadio
		u := policy.Uplink{Name: l.Name, Wifi: isRadio, Carrier: l.Carrier, Addressed: s.Addressed(l.Index)}
		var routed bool
		u.Gateway, routed = s.Gateway(l.Index)
		u.Direct = !routed && hasDefaultRoute(s, l.Index)
		ev.Uplinks = append(ev.Uplinks, u)
	}
	return ev
}

// leadsOut reports whether a link counts as an uplink by itself: a physical wired
// one, also before it has a route, and whatever else has a default route (a bond,
// a bridge, a VLAN, a modem). So a container's veth or bridge does not.
func leadsOut(s *link.Snapshot, l link.Link) bool {
	switch {
	case l.Loopback() || slices.Contains(tunnels, l.Kind):
		return false
	case hasDefaultRoute(s, l.Index):
		return true
	}
	return l.Type == unix.ARPHRD_ETHER && l.Kind == "" && !l.Wireless && l.Master == 0
}

// tunnels are the kinds of links that need another uplink below them, and seem to
// work when that is dead.
var tunnels = []string{"erspan", "geneve", "gre", "gretap", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "sit", "tun", "vti", "vti6", "vxlan", "wireguard", "xfrm"}

func hasDefaultRoute(s *link.Snapshot, index int) bool {
	return slices.ContainsFunc(s.Routes, func(r link.Route) bool { return r.Index == index && r.Default() })
}

// Probe implements supervisor.Prober by the probe that the config asks for.
func (d *daemon) Probe(ctx context.Context, u policy.Uplink) (portal bool, err error) {
	p := d.cfg.Load().Probe
	if u.Direct && probe.Kind(p.Kind) == probe.KindGateway {
		return false, nil // there is no gateway to ask: what is sent goes to the far end
	}
	result, err := probe.Check(ctx, probe.Config{
		Kind: probe.Kind(p.Kind), Hosts: p.Hosts, URL: p.URL, Name: p.Name, Servers: d.servers(u),
	}, u.Name, u.Gateway)
	d.metrics.Probe(err)
	if u.Wifi {
		d.radio.Refresh(ctx)
	}
	return result.Portal, err
}

// servers are the name servers that the uplink's network gave, if it is ours.
func (d *daemon) servers(u policy.Uplink) []netip.Addr {
	if lease := d.radio.Lease(); lease != nil && u.Wifi {
		return lease.DNS
	}
	return nil
}
