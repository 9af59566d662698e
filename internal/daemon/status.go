package daemon

import (
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/metrics"
	"github.com/netconnectd/netconnectd/internal/radio"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Status implements server.Handler. It uses only what other goroutines keep up to
// date, and never waits.
func (d *daemon) Status() client.Status {
	s := d.sup.State()
	if s.Uplink.State == "" { // the policy does not run yet, see decide
		s.Uplink = policy.UplinkStatus{State: policy.Starting, Since: d.began, Reason: "finding out which radio there is"}
		s.AP = policy.APStatus{State: policy.APOff, Since: d.began}
	}
	return d.status(s, d.monitor.Snapshot())
}

func (d *daemon) status(s policy.State, links *link.Snapshot) client.Status {
	if links == nil {
		links = &link.Snapshot{}
	}
	st := client.Status{
		Version:     d.Version,
		Devs:        []string{},
		Uplink:      client.Uplink{Condition: condition(string(s.Uplink.State), s.Uplink.Since, s.Uplink.Reason), Interface: s.Uplink.Name, Portal: s.Uplink.Portal, Addresses: []string{}},
		Uplinks:     []client.Interface{},
		AccessPoint: d.accessPoint(s, links),
		Wifi:        d.wifiStatus(s, links),
		Next:        nextSteps(s),
		Trial:       d.trial.Pending(),
		Problems:    d.problems.all(),
	}
	for _, u := range uplinks(links, d.radio.Interface(), d.cfg.Load().Interfaces.Wired).Uplinks {
		st.Uplinks = append(st.Uplinks, uplinkInterface(s, links, u))
		if !s.Works(u.Name) {
			continue
		}
		st.Link = true
		st.Devs = append(st.Devs, u.Name)
		st.Connections.Wired = st.Connections.Wired || !u.Wifi
		st.Connections.Wifi = st.Connections.Wifi || u.Wifi
	}
	st.Connections.AP = s.Ready(policy.PartAccessPoint)
	st.Uplink.Addresses = addresses(links, s.Uplink.Name)
	return st
}

// addresses returns the addresses of the interface of that name, never nil.
func addresses(links *link.Snapshot, name string) []string {
	list := []string{}
	if l, ok := links.Link(name); ok {
		for _, a := range links.AddressesOf(l.Index) {
			list = append(list, a.Prefix.String())
		}
	}
	return list
}

func uplinkInterface(s policy.State, links *link.Snapshot, u policy.Uplink) client.Interface {
	i := client.Interface{
		Name: u.Name, Kind: "wired", Carrier: u.Carrier, Works: s.Works(u.Name), Addresses: addresses(links, u.Name),
	}
	if u.Wifi {
		i.Kind = "wifi"
	}
	if u.Gateway.IsValid() {
		i.Gateway = u.Gateway.String()
	}
	if p := s.Probed(u.Name); !p.At.IsZero() {
		i.Probe = &client.Probe{OK: p.Reason == "", Seconds: int64(time.Since(p.At).Seconds()), Reason: p.Reason, Failures: p.Failures}
	}
	return i
}

// nextSteps returns what the policy will do, never nil. The policy's kinds are those
// of the protocol.
func nextSteps(s policy.State) []client.Next {
	list := []client.Next{}
	for _, n := range s.Next() {
		left := max(0, time.Until(n.At))
		list = append(list, client.Next{Kind: string(n.Kind), Seconds: int64(left.Round(time.Second).Seconds()), Text: n.Text})
	}
	return list
}

func condition(state string, since time.Time, reason string) client.Condition {
	// Round strips the monotonic clock reading, from which the age is taken.
	return client.Condition{State: state, Since: since.Round(0), Seconds: int64(time.Since(since).Seconds()), Reason: reason}
}

func (d *daemon) accessPoint(s policy.State, links *link.Snapshot) client.AccessPoint {
	p := client.AccessPoint{
		Condition: condition(string(s.AP.State), s.AP.Since, s.AP.Reason),
		SSID:      client.SSIDText([]byte(d.cfg.Load().AP.SSID)),
		Clients:   []client.Station{},
		Addresses: []string{},
	}
	if cell := d.radio.OnAir(); cell != nil {
		p.Channel, p.Frequency, p.Width = cell.Channel, cell.Frequency, cell.Width
		p.Addresses = addresses(links, d.radio.Interface())
	}
	for _, c := range d.radio.Clients() {
		station := client.Station{Address: client.FormatAddress(c.MAC), Name: c.HostName, Seconds: int64(c.Connected.Seconds())}
		if c.Address.IsValid() {
			station.IP = c.Address.String()
		}
		p.Clients = append(p.Clients, station)
	}
	return p
}

func (d *daemon) wifiStatus(s policy.State, links *link.Snapshot) client.Wifi {
	_, present := links.Link(d.radio.Interface())
	w := client.Wifi{Present: present, Backend: d.radio.Backend(), Networks: []client.Network{}}
	var err error
	if w.Country, err = wifi.Country(); err != nil {
		d.log.Warn("status", "err", err)
	}
	if a := d.radio.Association(); a != nil {
		network := client.NewNetwork(a.SSID)
		address := client.FormatAddress(a.BSSID)
		w.CurrentSSID, w.CurrentSSIDHex, w.CurrentAddress = &network.SSID, &network.SSIDHex, &address
		w.Frequency = a.Frequency
		w.Signal = d.signal()
	}
	for _, n := range d.radio.Networks().Networks() {
		w.Networks = append(w.Networks, client.NewNetwork(n.SSID))
	}
	if n, ok := d.radio.Networks().Candidate(); ok {
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

// signal returns the signal of the network that the radio is in, in dBm; nil: not
// known.
func (d *daemon) signal() *int {
	if a := d.radio.Association(); a != nil && a.Signal != 0 {
		return &a.Signal
	}
	return nil
}

// publishEvent hands an event to subscribers and hooks. The history gets changes of
// the uplink and the access point, and the ends of attempts to join.
func (d *daemon) publishEvent(e client.Event) {
	e.Time = time.Now().Round(0)
	d.server.Publish(e)
	d.hooks.Tell(e)
	if e.Type == client.EventUplink || e.Type == client.EventAccessPoint || e.New == client.JoinDone || e.New == client.JoinFailed {
		d.history.Record(e)
	}
}

// publish publishes the changes of a step. If only the online interface is another,
// there is no uplink event, but the history notes the change.
func (d *daemon) publish(old, next policy.State) {
	d.dns.recheck()
	d.metrics.Uplink(string(next.Uplink.State), next.Uplink.Portal)
	d.metrics.AccessPoint(string(next.AP.State), string(next.AP.Cause))
	d.announce(old, next)
	nudge(d.busy)
	if changesAccessPoint(old, next) {
		d.problems.recheck()
	}
	uplink := client.Event{
		Type: client.EventUplink, Old: string(old.Uplink.State), New: string(next.Uplink.State), Reason: next.Uplink.Reason,
	}
	switch {
	case old.Uplink.State != next.Uplink.State:
		d.publishEvent(uplink)
	case old.Uplink.Name != next.Uplink.Name:
		d.history.Record(uplink)
	}
	if old.AP.State != next.AP.State {
		d.publishEvent(client.Event{
			Type: client.EventAccessPoint, Old: string(old.AP.State), New: string(next.AP.State), Reason: next.AP.Reason,
		})
	}
	status := d.status(next, d.monitor.Snapshot())
	d.metrics.Radio(status.Wifi.Backend, status.Wifi.Country)
	d.publishEvent(client.Event{Type: client.EventStatus, Status: &status})
}

// joinStages are the stages of an attempt to join a network, in the protocol's words.
var joinStages = map[policy.Stage]string{
	"": client.JoinStarted, policy.StageCleared: client.JoinAssociating, policy.StageAssociated: client.JoinAssociated,
	policy.StageAddressed: client.JoinAddressed, policy.StageReady: client.JoinDone,
}

// publishJoin publishes the progress of an attempt to join a network, and counts its
// end. An abandoned attempt is counted but not published, as the next one follows at
// once.
func (d *daemon) publishJoin(e radio.JoinEvent) {
	now := joinStages[e.Stage]
	switch {
	case e.Abandoned:
		d.metrics.Join(metrics.Abandoned, e.Took)
		return
	case e.Failure.Code != "":
		now = client.JoinFailed
		d.metrics.Join(e.Failure.Code, e.Took)
	case e.Stage == policy.StageReady:
		d.metrics.Join(metrics.Joined, e.Took)
	}
	event := client.Event{Type: client.EventJoin, New: now, Code: e.Failure.Code, Reason: e.Failure.Reason}
	if e.Network.SSID != "" {
		network := client.NewNetwork([]byte(e.Network.SSID))
		event.Network = &network
	}
	d.publishEvent(event)
}
