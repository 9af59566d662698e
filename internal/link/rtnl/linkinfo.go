package rtnl

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// LinkInfo is the part of a link that depends on its kind (IFLA_LINKINFO).
type LinkInfo struct {
	Kind     string // e.g. "bridge"; "" for hardware
	Data     any    // *Bridge, … by Kind; nil where the kind has no table here
	PortKind string // kind of the link whose port this is, e.g. "bond"
	PortData any    // by PortKind; nil where the kind has no table here

	data, portData []byte // as they stand in the message
}

var linkInfoTable = table[*LinkInfo]{
	text(unix.IFLA_INFO_KIND, "IFLA_INFO_KIND", func(i *LinkInfo) *string { return &i.Kind }),
	unread(unix.IFLA_INFO_DATA, "IFLA_INFO_DATA", func(i *LinkInfo) *[]byte { return &i.data }),
	text(unix.IFLA_INFO_SLAVE_KIND, "IFLA_INFO_SLAVE_KIND", func(i *LinkInfo) *string { return &i.PortKind }),
	unread(unix.IFLA_INFO_SLAVE_DATA, "IFLA_INFO_SLAVE_DATA", func(i *LinkInfo) *[]byte { return &i.portData }),
}

// unread is raw for what is read, and let go, before the message is: it needs
// no copy.
func unread[T any](n uint16, name string, at func(T) *[]byte) *attribute[T] {
	row := raw(n, name, at)
	row.decode = func(t T, b []byte) error {
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
		"bond":      data(bondTable),
		"bridge":    data(bridgeTable),
		"erspan":    wholeData(erspanTable),
		"geneve":    data(geneveTable).paired(genevePair),
		"gre":       wholeData(greTable).paired(grePair),
		"gretap":    wholeData(greTable),
		"hsr":       data(hsrTable),
		"ip6erspan": wholeData(ip6erspanTable),
		"ip6gre":    wholeData(ip6greTable),
		"ip6gretap": wholeData(ip6greTable),
		"ip6tnl":    wholeData(ip6TunnelTable),
		"ipip":      wholeData(ipipTable).paired(ipipPair),
		"ipoib":     data(ipoibTable),
		"ipvlan":    data(ipvlanTable),
		"ipvtap":    data(ipvlanTable),
		"macsec":    data(macsecTable),
		"macvlan":   data(macvlanTable).paired(macvlanPair),
		"macvtap":   data(macvlanTable).paired(macvlanPair),
		"sit":       wholeData(sitTable).paired(sitPair),
		"tun":       data(tunTable),
		"veth":      data(vethTable),
		"vlan":      data(vlanTable),
		"vrf":       data(vrfTable),
		"vti":       wholeData(vtiRows(4)).paired(vtiPair),
		"vti6":      wholeData(vtiRows(16)),
		"vxlan":     data(vxlanTable).paired(vxlanPair),
		"xfrm":      wholeData(xfrmTable),
	}
	portKinds = map[string]dataCodec{
		"bond":   data(bondPortTable),
		"bridge": data(bridgePortTable),
		"vrf":    data(vrfPortTable),
	}
)

type dataCodec interface {
	decode(b []byte) (any, error)
	encode(data any) ([]byte, error)
	delta(have, want any) (Change, error)
}

// dataTable lets the tables of all kinds stand in one map. T is a pointer, as in table.
type dataTable[T any] struct {
	rows  table[T]
	empty func() T

	// whole: the kernel takes a change for all of the data, and sets to zero what the
	// change does not mention.
	whole bool
	// pair returns the class of a change whose cost depends on both values; nil: the
	// class is that of the rows.
	pair func(have, want T) Class
}

func data[T any](rows table[*T]) *dataTable[*T] {
	return &dataTable[*T]{rows: rows, empty: func() *T { return new(T) }}
}

func wholeData[T any](rows table[*T]) *dataTable[*T] {
	d := data(rows)
	d.whole = true
	return d
}

func (d *dataTable[T]) paired(pair func(have, want T) Class) *dataTable[T] {
	d.pair = pair
	return d
}

func (d *dataTable[T]) decode(b []byte) (any, error) {
	data := d.empty()
	return data, d.rows.decode(data, b)
}

func (d *dataTable[T]) encode(data any) ([]byte, error) {
	t, ok := data.(T)
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
