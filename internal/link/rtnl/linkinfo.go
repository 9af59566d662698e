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
func unread[T any](n uint16, name string, at func(*T) *[]byte) attribute[T] {
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
		"bond":      dataTable[Bond]{bondTable},
		"bridge":    dataTable[Bridge]{bridgeTable},
		"erspan":    dataTable[GRE]{greTable},
		"geneve":    dataTable[state.Geneve]{geneveTable},
		"gre":       dataTable[GRE]{greTable},
		"gretap":    dataTable[GRE]{greTable},
		"hsr":       dataTable[HSR]{hsrTable},
		"ip6erspan": dataTable[GRE]{greTable},
		"ip6gre":    dataTable[GRE]{greTable},
		"ip6gretap": dataTable[GRE]{greTable},
		"ip6tnl":    dataTable[IP6Tunnel]{ip6TunnelTable},
		"ipip":      dataTable[IPTunnel]{ipTunnelTable},
		"ipoib":     dataTable[state.IPoIB]{ipoibTable},
		"ipvlan":    dataTable[state.IPVLAN]{ipvlanTable},
		"ipvtap":    dataTable[state.IPVLAN]{ipvlanTable},
		"macsec":    dataTable[state.MACsec]{macsecTable},
		"macvlan":   dataTable[state.MACVLAN]{macvlanTable},
		"macvtap":   dataTable[state.MACVLAN]{macvlanTable},
		"sit":       dataTable[IPTunnel]{ipTunnelTable},
		"tun":       dataTable[state.Tun]{tunTable},
		"veth":      dataTable[Veth]{vethTable},
		"vlan":      dataTable[state.VLAN]{vlanTable},
		"vrf":       dataTable[state.VRF]{vrfTable},
		"vti":       dataTable[VTI]{vtiTable},
		"vti6":      dataTable[VTI]{vtiTable},
		"vxlan":     dataTable[VXLAN]{vxlanTable},
		"xfrm":      dataTable[XFRM]{xfrmTable},
	}
	portKinds = map[string]dataCodec{
		"bond":   dataTable[state.BondPort]{bondPortTable},
		"bridge": dataTable[BridgePort]{bridgePortTable},
		"vrf":    dataTable[state.VRFPort]{vrfPortTable},
	}
)

type dataCodec interface {
	decode(b []byte) (any, error)
	encode(data any) ([]byte, error)
}

// dataTable lets the tables of all kinds stand in one map.
type dataTable[T any] struct{ rows table[T] }

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
