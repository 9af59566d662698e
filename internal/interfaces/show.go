package interfaces

import (
	"errors"
	"fmt"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
)

// List returns for the socket what owners want of interfaces, and what became of it.
func (l *Lane) List() []client.OwnedInterface {
	list := []client.OwnedInterface{}
	for _, o := range l.Owned() {
		owned := client.OwnedInterface{
			Interface: o.Want.Name, Owner: o.Owner, State: client.InterfaceApplied, Seconds: int64(time.Since(o.Tried).Seconds()),
			Up: o.Want.Up, Addresses: []string{}, Routes: []string{}, Done: []string{},
		}
		if o.Refused != nil {
			owned.State, owned.Reason = client.InterfaceRefused, o.Refused.Error()
		}
		for _, a := range o.Want.Addresses {
			owned.Addresses = append(owned.Addresses, a.Prefix.String())
		}
		for _, r := range o.Want.Routes {
			owned.Routes = append(owned.Routes, routeText(r))
		}
		for _, op := range o.Done {
			owned.Done = append(owned.Done, op.String())
		}
		list = append(list, owned)
	}
	return list
}

// routeText writes a route as ip-route(8) takes it.
func routeText(r link.RouteSpec) string {
	text := r.Destination.String()
	if r.Gateway.IsValid() {
		text += " via " + r.Gateway.String()
	}
	if r.Metric > 0 {
		text += fmt.Sprintf(" metric %d", r.Metric)
	}
	return text
}

// Problems returns what the kernel has refused of what owners want. An interface that is
// gone is no problem of its own.
func (l *Lane) Problems() []client.Problem { return problems(l.Owned()) }

func problems(owned []Owned) []client.Problem {
	var list []client.Problem
	for _, o := range owned {
		if o.Refused == nil || errors.Is(o.Refused, link.ErrNotExist) {
			continue
		}
		list = append(list, client.Problem{
			Code:   "interface",
			Text:   fmt.Sprintf("%s is not as the %s wants it: %v", o.Want.Name, o.Owner, o.Refused),
			Remedy: "netconnectcli interfaces shows what is wanted, ip address and ip route show what there is; the daemon tries again by itself",
		})
	}
	return list
}
