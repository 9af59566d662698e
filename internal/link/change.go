package link

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Change is one step on the way from what the kernel has to what is declared. It is a
// plain value that does nothing by itself, and it names links, since the link may not
// exist yet.
type Change struct {
	Link  string // "": of no link, such as a policy rule
	Path  string // what declares it, e.g. "network.devices[2] (line 14)"; "": nothing does any longer
	Class Class
	Text  string // for people, without the link, e.g. "set priority 4096"

	step  step
	needs []string // links that have to exist, beside Link
	owns  ownership
	again bool // the kernel drops it by another change of the link, which may be refused
}

// ownership is what a change does to what we own.
type ownership struct {
	declared         bool // the link is declared
	creates, removes bool
	replaced         bool              // with removes: the link is made anew at once
	kind             string            // with creates
	was              map[string]string // properties that the change replaces, with the values that come back later
	sets             string            // the property, if it is of a link that may be new
	restored         []string          // properties that are again as they were
	vlans            []uint16          // VLANs that become ours
	freed            []uint16          // VLANs that are ours no longer
}

// String returns the change for people, e.g. "br-lan: set priority 4096 (in place)".
func (c Change) String() string {
	text := c.Text
	if c.Link != "" {
		text = c.Link + ": " + text
	}
	if c.Class > InPlace || strings.HasPrefix(c.Text, "set ") {
		text += " (" + c.Class.String() + ")"
	}
	return text
}

// failed returns the error of a change that the kernel refused.
func (c Change) failed(err error) error {
	text := c.Text
	switch {
	case c.owns.creates || c.owns.removes:
		text += " " + c.Link
	case c.Link != "":
		text = c.Link + ": " + text
	}
	return &PathError{c.Path, fmt.Errorf("%s: %w", text, err)}
}

// step is what a Change does: requests to the kernel or, of a *sysctlStep, a file.
type step interface {
	requests(at indexes) ([]request, error)
	// done reports whether a refusal means that there was nothing to do.
	done(err error) bool
}

// indexes are the links that exist, by name.
type indexes map[string]uint32

func (i indexes) of(name string) (uint32, error) {
	index, ok := i[name]
	if !ok {
		return 0, fmt.Errorf("%s: %w", name, ErrNotExist)
	}
	return index, nil
}

// opStep is an operation on the addresses, the routes or the flags of one link.
type opStep struct {
	link string // "": of a route through no link
	op   Op
}

func (s opStep) requests(at indexes) ([]request, error) {
	if s.link == "" {
		return []request{s.op.request(0)}, nil
	}
	index, err := at.of(s.link)
	return []request{s.op.request(int(index))}, err
}

func (s opStep) done(err error) bool { return s.op.done(err) }

// createStep makes a link.
type createStep struct {
	name, kind, peer string
	data             any
	parent           *string
	mac              net.HardwareAddr
}

func (s createStep) requests(at indexes) ([]request, error) {
	message := &rtnl.Link{Name: s.name, MAC: s.mac}
	data := s.data
	if s.parent != nil && *s.parent != "" {
		index, err := at.of(*s.parent)
		if err != nil {
			return nil, err
		}
		var within bool
		if data, within = withParent(s.kind, data, index); !within {
			message.Parent = &index
		}
	}
	change, err := rtnl.Delta(s.kind, nil, data)
	if err != nil {
		return nil, err
	}
	message.Info.Kind = s.kind
	if len(change.Payload) > 0 {
		message.Info.Data = change.Payload
	}
	if s.peer != "" && s.data == nil {
		message.Info.Data = &rtnl.Veth{Peer: &rtnl.Link{Name: s.peer}}
	}
	return []request{
		{unix.RTM_NEWLINK, netlink.Create | netlink.Excl, message},
		{unix.RTM_GETLINK, 0, &rtnl.Link{Name: s.name, Filter: filterSkipStatistics}},
	}, nil
}

func (createStep) done(error) bool { return false }

// removeStep deletes a link.
type removeStep struct{ name string }

func (s removeStep) requests(at indexes) ([]request, error) {
	index, err := at.of(s.name)
	return []request{{unix.RTM_DELLINK, 0, &rtnl.Link{Index: int32(index)}}}, err
}

func (removeStep) done(err error) bool { return errors.Is(err, unix.ENODEV) }

// setStep changes properties that links of all kinds have.
type setStep struct {
	name   string
	set    rtnl.Link // without an index
	master *string   // "": none
}

func (s setStep) requests(at indexes) ([]request, error) {
	index, err := at.of(s.name)
	if err != nil {
		return nil, err
	}
	message := s.set
	message.Index = int32(index)
	if s.master != nil {
		var above uint32
		if *s.master != "" {
			if above, err = at.of(*s.master); err != nil {
				return nil, err
			}
		}
		message.Master = &above
	}
	return []request{{unix.RTM_NEWLINK, 0, &message}}, nil
}

func (setStep) done(error) bool { return false }

// dataStep changes what belongs to the link's kind or, with port, to that of the link
// above.
type dataStep struct {
	name, kind string
	port       bool
	have, want any
	parent     *string // of the kinds that have it in their data
}

func (s dataStep) requests(at indexes) ([]request, error) {
	index, err := at.of(s.name)
	if err != nil {
		return nil, err
	}
	want := s.want
	if s.parent != nil {
		var below uint32
		if *s.parent != "" {
			if below, err = at.of(*s.parent); err != nil {
				return nil, err
			}
		}
		want, _ = withParent(s.kind, want, below)
	}
	message := &rtnl.Link{Index: int32(index)}
	if s.port {
		change, err := rtnl.PortDelta(s.kind, s.have, want)
		message.Info.PortKind, message.Info.PortData = s.kind, change.Payload
		return []request{{unix.RTM_NEWLINK, 0, message}}, err
	}
	change, err := rtnl.Delta(s.kind, s.have, want)
	message.Info.Kind, message.Info.Data = s.kind, change.Payload
	return []request{{unix.RTM_NEWLINK, 0, message}}, err
}

func (dataStep) done(error) bool { return false }

// primaryStep sets the port that a bond prefers.
type primaryStep struct{ name, port string }

func (s primaryStep) requests(at indexes) ([]request, error) {
	index, err := at.of(s.name)
	if err != nil {
		return nil, err
	}
	port, err := at.of(s.port)
	data := &rtnl.Bond{PrimaryIndex: &port}
	return []request{{unix.RTM_NEWLINK, 0, &rtnl.Link{Index: int32(index), Info: rtnl.LinkInfo{Kind: "bond", Data: data}}}}, err
}

func (primaryStep) done(error) bool { return false }

// vlanStep adds VLANs to a bridge or its port, or removes them.
type vlanStep struct {
	name   string
	self   bool // of the bridge itself
	remove bool
	vlans  []state.BridgeVLAN
}

func (s vlanStep) requests(at indexes) ([]request, error) {
	index, err := at.of(s.name)
	message := &rtnl.Link{Family: unix.AF_BRIDGE, Index: int32(index), BridgeVLANs: s.vlans, BridgeSelf: s.self}
	if s.remove {
		return []request{{unix.RTM_DELLINK, 0, message}}, err
	}
	return []request{{unix.RTM_SETLINK, 0, message}}, err
}

func (s vlanStep) done(err error) bool { return s.remove && errors.Is(err, unix.ENOENT) }

// plainStep is a request that names no link, or names it by its name only.
type plainStep struct {
	request request
	link    string // of a neighbour
	removes bool
}

func (s plainStep) requests(at indexes) ([]request, error) {
	if s.link == "" {
		return []request{s.request}, nil
	}
	index, err := at.of(s.link)
	if err != nil {
		return nil, err
	}
	neighbour := *s.request.body.(*rtnl.Neighbour)
	neighbour.Index = int32(index)
	return []request{{s.request.kind, s.request.flags, &neighbour}}, nil
}

func (s plainStep) done(err error) bool {
	gone := errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV)
	return s.removes && gone || !s.removes && errors.Is(err, unix.EEXIST)
}

// sysctlStep sets a file below /proc/sys/net.
type sysctlStep struct{ key, value string }

func (sysctlStep) requests(indexes) ([]request, error) { return nil, nil }

func (sysctlStep) done(error) bool { return false }

// withParent returns the data of a kind with the link below in it, and whether the kind
// has it there. Others have IFLA_LINK.
func withParent(kind string, data any, index uint32) (any, bool) {
	switch kind {
	case "vxlan":
		return with(data, func(d *rtnl.VXLAN) { d.Link = &index }), true
	case "gre", "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan":
		return with(data, func(d *rtnl.GRE) { d.Parent = &index }), true
	case "ipip", "sit":
		return with(data, func(d *rtnl.IPTunnel) { d.Parent = &index }), true
	case "ip6tnl":
		return with(data, func(d *rtnl.IP6Tunnel) { d.Parent = &index }), true
	case "vti", "vti6":
		return with(data, func(d *rtnl.VTI) { d.Parent = &index }), true
	case "xfrm":
		return with(data, func(d *rtnl.XFRM) { d.Parent = &index }), true
	}
	return data, false
}

// with returns a copy of data with a change. Data of another type is returned as it
// is, which Delta refuses.
func with[T any](data any, change func(*T)) any {
	if data == nil {
		data = new(T)
	}
	t, ok := data.(*T)
	if !ok {
		return data
	}
	changed := *t
	change(&changed)
	return &changed
}

// Worst returns the worst class of changes.
func Worst(changes []Change) Class {
	worst := None
	for _, c := range changes {
		worst = max(worst, c.Class)
	}
	return worst
}
