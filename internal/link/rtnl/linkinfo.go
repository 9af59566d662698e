package rtnl

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// LinkInfo is the part of a link that depends on its kind (IFLA_LINKINFO).
type LinkInfo struct {
	Kind     string // e.g. "bridge"; "" for hardware
	Data     any    // *Bridge, … by Kind; nil where the kind has no table here
	PortKind string // kind of the link whose port this is, e.g. "bond"
	PortData any    // by PortKind; nil where the kind has no table here

	data, portData []byte // as they stand in the message
}

var linkInfoTable = table[LinkInfo]{
	text(unix.IFLA_INFO_KIND, "IFLA_INFO_KIND", func(i *LinkInfo) *string { return &i.Kind }),
	unread(unix.IFLA_INFO_DATA, "IFLA_INFO_DATA", func(i *LinkInfo) *[]byte { return &i.data }),
	text(unix.IFLA_INFO_SLAVE_KIND, "IFLA_INFO_SLAVE_KIND", func(i *LinkInfo) *string { return &i.PortKind }),
	unread(unix.IFLA_INFO_SLAVE_DATA, "IFLA_INFO_SLAVE_DATA", func(i *LinkInfo) *[]byte { return &i.portData }),
}

// unread is raw for what is read, and let go, before the message is: it needs
// no copy.
func unread[T any](n uint16, name string, at func(*T) *[]byte) *attribute[T] {
	row := raw(n, name, at)
	row.decode = func(t *T, b []byte) error {
		*at(t) = b
		return nil
	}
	return row
}

// kinds has the table of IFLA_INFO_DATA of each kind of link, portKinds that
// of IFLA_INFO_SLAVE_DATA. A kind is added by adding its struct, its table and
// a line here.
var (
	kinds = map[string]dataCodec{
		"bond":      dataTable[Bond]{rows: bondTable},
		"bridge":    dataTable[Bridge]{rows: bridgeTable},
		"erspan":    dataTable[GRE]{rows: greTable, full: true},
		"geneve":    dataTable[state.Geneve]{rows: geneveTable, pair: genevePair},
		"gre":       dataTable[GRE]{rows: greTable, full: true},
		"gretap":    dataTable[GRE]{rows: greTable, full: true},
		"hsr":       dataTable[HSR]{rows: hsrTable},
		"ip6erspan": dataTable[GRE]{rows: greTable, full: true},
		"ip6gre":    dataTable[GRE]{rows: greTable, full: true},
		"ip6gretap": dataTable[GRE]{rows: greTable, full: true},
		"ip6tnl":    dataTable[IP6Tunnel]{rows: ip6TunnelTable, full: true},
		"ipip":      dataTable[IPTunnel]{rows: ipTunnelTable, full: true},
		"ipoib":     dataTable[state.IPoIB]{rows: ipoibTable},
		"ipvlan":    dataTable[state.IPVLAN]{rows: ipvlanTable},
		"ipvtap":    dataTable[state.IPVLAN]{rows: ipvlanTable},
		"macsec":    dataTable[state.MACsec]{rows: macsecTable},
		"macvlan":   dataTable[state.MACVLAN]{rows: macvlanTable, pair: macvlanPair},
		"macvtap":   dataTable[state.MACVLAN]{rows: macvlanTable, pair: macvlanPair},
		"sit":       dataTable[IPTunnel]{rows: ipTunnelTable, full: true},
		"tun":       dataTable[state.Tun]{rows: tunTable},
		"veth":      dataTable[Veth]{rows: vethTable},
		"vlan":      dataTable[state.VLAN]{rows: vlanTable},
		"vrf":       dataTable[state.VRF]{rows: vrfTable},
		"vti":       dataTable[VTI]{rows: vtiTable, full: true},
		"vti6":      dataTable[VTI]{rows: vtiTable, full: true},
		"vxlan":     dataTable[VXLAN]{rows: vxlanTable, pair: vxlanPair},
		"xfrm":      dataTable[XFRM]{rows: xfrmTable, full: true},
	}
	portKinds = map[string]dataCodec{
		"bond":   dataTable[state.BondPort]{rows: bondPortTable},
		"bridge": dataTable[BridgePort]{rows: bridgePortTable},
		"vrf":    dataTable[state.VRFPort]{rows: vrfPortTable},
	}
)

type dataCodec interface {
	decode(b []byte) (any, error)
	encode(data any) ([]byte, error)
	delta(have, want any) (Change, error)
}

// dataTable lets the tables of all kinds stand in one map.
type dataTable[T any] struct {
	rows table[T]

	// full: the kernel takes a change for all of the data, and sets to zero what it
	// does not mention.
	full bool
	// pair is the class of a change whose cost depends on both values; nil: it is that
	// of the rows.
	pair func(have, want *T) Class
}

func (d dataTable[T]) decode(b []byte) (any, error) {
	data := new(T)
	return data, d.rows.decode(data, b)
}

func (d dataTable[T]) encode(data any) ([]byte, error) {
	t, ok := data.(*T)
	if !ok {
		return nil, fmt.Errorf("data is %T instead of %T", data, t)
	}
	return d.rows.encode(t)
}

// decodeData runs when all of the message is read, since the kernel does not
// promise that the kind comes before its data.
func (i *LinkInfo) decodeData() error {
	var err error
	if codec, ok := kinds[i.Kind]; ok && i.data != nil {
		if i.Data, err = codec.decode(i.data); err != nil {
			return fmt.Errorf("data of kind %s: %w", i.Kind, err)
		}
	}
	if codec, ok := portKinds[i.PortKind]; ok && i.portData != nil {
		if i.PortData, err = codec.decode(i.portData); err != nil {
			return fmt.Errorf("port data of kind %s: %w", i.PortKind, err)
		}
	}
	i.data, i.portData = nil, nil
	return nil
}

func (i *LinkInfo) encodeData() error {
	var err error
	if i.data, err = encodeKind(kinds, i.Kind, i.Data); err != nil {
		return fmt.Errorf("data of kind %q: %w", i.Kind, err)
	}
	if i.portData, err = encodeKind(portKinds, i.PortKind, i.PortData); err != nil {
		return fmt.Errorf("port data of kind %q: %w", i.PortKind, err)
	}
	return nil
}

func encodeKind(of map[string]dataCodec, kind string, data any) ([]byte, error) {
	if data == nil {
		return nil, nil
	}
	if b, ok := data.(Payload); ok {
		return b, nil
	}
	codec, ok := of[kind]
	if !ok {
		return nil, fmt.Errorf("%T has no table", data)
	}
	b, err := codec.encode(data)
	if b == nil {
		b = []byte{} // there is data, although none of it is mentioned
	}
	return b, err
}
