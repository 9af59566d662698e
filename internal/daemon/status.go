package daemon

import (
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Status implements server.Handler from what others keep up to date; it waits
// for nothing.
func (d *daemon) Status() client.Status { return d.status(d.sup.State(), d.monitor.Snapshot()) }

func (d *daemon) status(s policy.State, links *link.Snapshot) client.Status {
	if links == nil {
		links = &link.Snapshot{}
	}
	st := client.Status{
		Version:     d.Version,
		Devs:        []string{},
		Uplink:      client.Uplink{Condition: condition(string(s.Uplink.State), s.Uplink.Since, s.Uplink.Reason), Interface: s.Uplink.Name, Portal: s.Uplink.Portal, Addresses: []string{}},
		AccessPoint: d.accessPoint(s),
		Wifi:        d.wifiStatus(s, links),
	}
	target, ready := s.Target()
	for _, u := range uplinks(links, d.radio.iface(), d.cfg.Load().Interfaces.Wired).Uplinks {
		if !s.Works(u.Name) {
			continue
		}
		st.Link = true
		st.Devs = append(st.Devs, u.Name)
		st.Connections.Wired = st.Connections.Wired || !u.Wifi
		st.Connections.Wifi = st.Connections.Wifi || u.Wifi
	}
	st.Connections.AP = ready && target.Role == policy.RoleAccessPoint
	if l, ok := links.Link(s.Uplink.Name); ok {
		for _, a := range links.AddressesOf(l.Index) {
			st.Uplink.Addresses = append(st.Uplink.Addresses, a.Prefix.String())
		}
	}
	return st
}

func condition(state string, since time.Time, reason string) client.Condition {
	// Round strips the monotonic clock; the age is taken from it before.
	return client.Condition{State: state, Since: since.Round(0), Seconds: int64(time.Since(since).Seconds()), Reason: reason}
}

func (d *daemon) accessPoint(s policy.State) client.AccessPoint {
	p := client.AccessPoint{
		Condition: condition(string(s.AP.State), s.AP.Since, s.AP.Reason),
		SSID:      client.SSIDText([]byte(d.cfg.Load().AP.SSID)),
		Clients:   []client.Station{},
	}
	if clients := d.radio.clients.Load(); clients != nil {
		for _, c := range *clients {
			station := client.Station{Address: client.FormatAddress(c.MAC)}
			if c.Address.IsValid() {
				station.IP = c.Address.String()
			}
			p.Clients = append(p.Clients, station)
		}
	}
	return p
}

func (d *daemon) wifiStatus(s policy.State, links *link.Snapshot) client.Wifi {
	_, present := links.Link(d.radio.iface())
	w := client.Wifi{Present: present, Backend: d.backend(), Networks: []client.Network{}}
	var err error
	if w.Country, err = wifi.Country(); err != nil {
		d.log.Warn("status", "err", err)
	}
	if a := d.radio.association.Load(); a != nil {
		network := client.NewNetwork(a.SSID)
		address := client.FormatAddress(a.BSSID)
		w.CurrentSSID, w.CurrentSSIDHex, w.CurrentAddress = &network.SSID, &network.SSIDHex, &address
	}
	for _, n := range d.book().Networks() {
		w.Networks = append(w.Networks, client.NewNetwork(n.SSID))
	}
	if n, ok := d.book().Candidate(); ok {
		candidate := client.NewNetwork(n.SSID)
		w.Candidate = &candidate
	}
	if f := s.LastFailure; f.Code != "" {
		w.LastError = &client.Failure{Code: f.Code, Text: f.Reason}
		if f.SSID != "" {
			network := client.NewNetwork([]byte(f.SSID))
			w.LastError.Network = &network
		}
	}
	w.ValidConfig = len(w.Networks) > 0 || w.Candidate != nil && w.LastError == nil
	return w
}

// tell hands an event to subscribers and to hooks.
func (d *daemon) tell(e client.Event) {
	d.server.Publish(e)
	d.hooks.Tell(e)
}

// publish tells of a step that changed something.
func (d *daemon) publish(old, next policy.State) {
	d.dns.changed()
	d.announce(old, next)
	select {
	case d.busy <- struct{}{}:
	default: // is told already
	}
	if old.Uplink.State != next.Uplink.State {
		d.tell(client.Event{
			Type: client.EventUplink, Old: string(old.Uplink.State), New: string(next.Uplink.State), Reason: next.Uplink.Reason,
		})
	}
	if old.AP.State != next.AP.State {
		d.tell(client.Event{
			Type: client.EventAccessPoint, Old: string(old.AP.State), New: string(next.AP.State), Reason: next.AP.Reason,
		})
	}
	status := d.status(next, d.monitor.Snapshot())
	d.tell(client.Event{Type: client.EventStatus, Status: &status})
}

// publishJoin tells how far joining a network has come.
func (d *daemon) publishJoin(n policy.Network, now string, why policy.Failure) {
	e := client.Event{Type: client.EventJoin, New: now, Code: why.Code, Reason: why.Reason}
	if n.SSID != "" {
		network := client.NewNetwork([]byte(n.SSID))
		e.Network = &network
	}
	d.tell(e)
}
