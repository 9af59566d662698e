package daemon

import (
	"context"
	"net/netip"
	"reflect"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// watchLinks posts every change of the uplinks to the supervisor.
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

// uplinks reduces the kernel's links to what the policy needs.
func uplinks(s *link.Snapshot, radio, wired string) policy.LinksChanged {
	var ev policy.LinksChanged
	for _, l := range s.Links {
		if !s.IsUplink(l, radio, wired) {
			continue
		}
		isRadio := l.Name == radio
		ev.Radio = ev.Radio || isRadio
		u := policy.Uplink{Name: l.Name, Wifi: isRadio, Carrier: l.Carrier, Addressed: s.Addressed(l.Index)}
		var routed bool
		u.Gateway, routed = s.Gateway(l.Index)
		u.Direct = !routed && s.HasDefaultRoute(l.Index)
		ev.Uplinks = append(ev.Uplinks, u)
	}
	return ev
}

// Probe implements supervisor.Prober with the configured kind of probe.
func (d *daemon) Probe(ctx context.Context, u policy.Uplink) (portal bool, err error) {
	p := d.cfg.Load().Probe
	if u.Direct && probe.Kind(p.Kind) == probe.KindGateway {
		return false, nil // there is no gateway to probe: packets go straight to the far end
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

// servers returns the name servers of the radio's network, or those that are declared
// for the uplink. It returns nil for another wired uplink, whose name servers belong to
// another program.
func (d *daemon) servers(u policy.Uplink) []netip.Addr {
	if u.Wifi {
		return servers(d.radio)
	}
	for _, l := range d.declared.NameServers() {
		if l.Interface == u.Name {
			return l.Servers
		}
	}
	return nil
}
