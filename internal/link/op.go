package link

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Class is what an operation costs those who use the link.
type Class uint8

// The classes, each worse than the one before.
const (
	None      Class = iota // nothing to do
	InPlace                // nobody notices
	Readdress              // an address goes for a moment, connections from it may break
	Restart                // the link goes down
	Recreate               // the link is deleted and made anew
)

// String returns the class as a word for logs.
func (c Class) String() string {
	return [...]string{"none", "in place", "re-address", "restart", "recreate"}[c]
}

// Op is one change of a link: SetUp, SetDown, AddAddress, ChangeAddress,
// RemoveAddress, AddRoute or RemoveRoute. String returns the operation without the link's
// name, e.g. "add address 10.0.0.1/24".
type Op interface {
	fmt.Stringer
	Class() Class

	request(index int) request
	// done reports whether a refusal means that there was nothing to do.
	done(err error) bool
}

// request is a message for the kernel.
type request struct {
	kind  netlink.HeaderType
	flags netlink.HeaderFlags
	body  encoding.BinaryMarshaler
}

// SetUp sets the link up.
type SetUp struct{}

// SetDown sets the link down.
type SetDown struct{}

// AddAddress adds an address.
type AddAddress struct {
	AddressSpec
	// Again is set for an address that takes the place of an address that was removed just
	// before, or that the kernel removed it together with such a one.
	Again bool
}

// ChangeAddress sets the lifetimes and the metric of an address that is there.
type ChangeAddress struct{ AddressSpec }

// RemoveAddress removes an address.
type RemoveAddress struct {
	Address
	First bool // before others are added, because it is in their way
}

// AddRoute adds a route with our protocol number.
type AddRoute struct{ RouteSpec }

// RemoveRoute removes a route.
type RemoveRoute struct{ Route }

func (SetUp) String() string           { return "set up" }
func (SetDown) String() string         { return "set down" }
func (o AddAddress) String() string    { return "add address " + o.Prefix.String() }
func (o ChangeAddress) String() string { return "change address " + o.Prefix.String() }
func (o RemoveAddress) String() string { return "remove address " + o.Prefix.String() }
func (o AddRoute) String() string      { return "add " + routeText(o.Destination, o.Gateway, o.Metric) }
func (o RemoveRoute) String() string {
	return "remove " + routeText(o.Destination, o.Gateway, o.Metric)
}

func routeText(destination netip.Prefix, gateway netip.Addr, metric uint32) string {
	text := "route to " + destination.String()
	if gateway.IsValid() {
		text += " via " + gateway.String()
	}
	if metric != 0 {
		text += fmt.Sprintf(" metric %d", metric)
	}
	return text
}

// Class of SetUp is InPlace.
func (SetUp) Class() Class { return InPlace }

// Class of SetDown is Restart.
func (SetDown) Class() Class { return Restart }

// Class is Readdress for an address that takes another's place.
func (o AddAddress) Class() Class { return readdressIf(o.Again) }

// Class of ChangeAddress is InPlace.
func (ChangeAddress) Class() Class { return InPlace }

// Class is Readdress for an address that is in the way of others. The address
// of somebody else that merely goes away is in place.
func (o RemoveAddress) Class() Class { return readdressIf(o.First) }

// Class of AddRoute is InPlace.
func (AddRoute) Class() Class { return InPlace }

// Class of RemoveRoute is InPlace.
func (RemoveRoute) Class() Class { return InPlace }

func readdressIf(yes bool) Class {
	if yes {
		return Readdress
	}
	return InPlace
}

func (SetUp) request(index int) request   { return setUp(index, unix.IFF_UP) }
func (SetDown) request(index int) request { return setUp(index, 0) }

func setUp(index int, flags uint32) request {
	return request{unix.RTM_NEWLINK, 0, &rtnl.Link{Index: int32(index), Flags: flags, Change: unix.IFF_UP}}
}

// Both replace, so that an address that came into being meanwhile is adopted.

func (o AddAddress) request(index int) request {
	return request{unix.RTM_NEWADDR, netlink.Create | netlink.Replace, o.message(index)}
}

func (o ChangeAddress) request(index int) request {
	return request{unix.RTM_NEWADDR, netlink.Create | netlink.Replace, o.message(index)}
}

func (o RemoveAddress) request(index int) request {
	spec := AddressSpec{Prefix: o.Prefix}
	message := spec.message(index)
	message.Flags, message.Protocol, message.Lifetimes = 0, 0, rtnl.Lifetimes{}
	message.Broadcast = netip.Addr{}
	message.Address = cmp.Or(o.Peer, message.Address)
	return request{unix.RTM_DELADDR, 0, message}
}

func (s AddressSpec) message(index int) *rtnl.Address {
	own := s.Prefix.Addr()
	valid, preferred := s.lifetimes()
	out := &rtnl.Address{
		Family:       familyOf(own),
		PrefixLength: uint8(s.Prefix.Bits()),
		Index:        uint32(index),
		Address:      own,
		Local:        own,
		Broadcast:    s.Broadcast,
		Metric:       s.Metric,
		Protocol:     RouteProtocol,
		Lifetimes:    rtnl.Lifetimes{Preferred: seconds(preferred), Valid: seconds(valid)},
	}
	if s.Peer.IsValid() {
		out.Address = s.Peer
		return out
	}
	if own.Is4() && !s.Broadcast.IsValid() && s.Prefix.Bits() < 31 {
		out.Broadcast = last(s.Prefix)
	}
	return out
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// last returns the last address of an IPv4 prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// LongestLifetime is the longest that the kernel is to count; a longer one is
// for ever to it. A kernel of 32 bits cuts what is longer than LONG_MAX/HZ
// seconds, 24 days at HZ 1000 (addrconf_timeout_fixup, net/addrconf.h), and then
// shows something else than what was asked for.
const LongestLifetime = 20 * 24 * time.Hour

// seconds returns a lifetime as the kernel counts it, at least one second. One
// that is too long does not end: cut, it could end before its lease is renewed,
// and whoever has the lease removes the address when it ends.
func seconds(d time.Duration) uint32 {
	if d > LongestLifetime {
		return rtnl.Infinity
	}
	return uint32(max(d/time.Second, 1))
}

// Append, because replacing would take any route of the same destination and
// metric, that of another link or another program too.
func (o AddRoute) request(index int) request {
	message := &rtnl.Route{
		Family:            familyOf(o.Destination.Addr()),
		DestinationLength: uint8(o.Destination.Bits()),
		Table:             o.table(),
		Protocol:          RouteProtocol,
		Scope:             scopeOf(o.RouteSpec),
		Type:              o.kind(),
		Destination:       o.Destination.Addr(),
		Gateway:           o.Gateway,
		PreferredSource:   o.Source,
		Metric:            o.Metric,
	}
	if o.kind() == unix.RTN_UNICAST {
		message.OutIndex = uint32(index)
	}
	if o.OnLink {
		message.Flags |= unix.RTNH_F_ONLINK
	}
	if o.MTU != 0 {
		message.Details = &rtnl.RouteDetails{Metrics: &state.Metrics{MTU: o.MTU}}
	}
	return request{unix.RTM_NEWROUTE, netlink.Create | netlink.Append, message}
}

// scopeOf is what ip-route(8) chooses: an IPv4 destination without a gateway
// is on this link.
func scopeOf(r RouteSpec) uint8 {
	if r.Destination.Addr().Is4() && !r.Gateway.IsValid() && r.kind() == unix.RTN_UNICAST {
		return unix.RT_SCOPE_LINK
	}
	return unix.RT_SCOPE_UNIVERSE
}

func (o RemoveRoute) request(index int) request {
	message := &rtnl.Route{
		Family:            familyOf(o.Destination.Addr()),
		DestinationLength: uint8(o.Destination.Bits()),
		Table:             o.Table,
		Protocol:          o.Protocol,
		Scope:             o.Scope,
		Type:              o.Type,
		Destination:       o.Destination.Addr(),
		Gateway:           o.Gateway,
		PreferredSource:   o.Source,
		Metric:            o.Metric,
	}
	if o.Type == unix.RTN_UNICAST {
		message.OutIndex = uint32(index)
	}
	return request{unix.RTM_DELROUTE, 0, message}
}

func (SetUp) done(error) bool         { return false }
func (SetDown) done(error) bool       { return false }
func (ChangeAddress) done(error) bool { return false }

func (AddAddress) done(err error) bool    { return errors.Is(err, unix.EEXIST) }
func (RemoveAddress) done(err error) bool { return errors.Is(err, unix.EADDRNOTAVAIL) }
func (AddRoute) done(err error) bool      { return errors.Is(err, unix.EEXIST) }

// The kernel removes routes by itself with the address or link under them.
func (RemoveRoute) done(err error) bool {
	return errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT)
}
