package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// VF is a virtual function of a network card (IFLA_VF_INFO), as the link of
// the physical one shows it. What the driver does not know is nil.
type VF struct {
	ID           uint32               `json:"id"`
	MAC          HardwareAddress      `json:"mac,omitempty"`
	Broadcast    HardwareAddress      `json:"broadcast,omitempty"`
	VLANID       *uint32              `json:"vlan_id,omitempty"` // 0: no VLAN
	QoS          *uint32              `json:"qos,omitempty"`
	VLANProtocol *VLANProtocol        `json:"vlan_proto,omitempty"`
	TxRate       *uint32              `json:"tx_rate,omitempty"` // Mbit/s; 0: no limit
	SpoofCheck   *bool                `json:"spoof_check,omitempty"`
	LinkState    *Named[vfLinkStates] `json:"link_state,omitempty"`
	MinTxRate    *uint32              `json:"min_tx_rate,omitempty"` // Mbit/s
	MaxTxRate    *uint32              `json:"max_tx_rate,omitempty"` // Mbit/s
	QueryRSS     *bool                `json:"query_rss,omitempty"`
	Stats        *VFStats             `json:"state,omitempty"`
	Trust        *bool                `json:"trust,omitempty"`
	NodeGUID     *GUID                `json:"ib_node_guid,omitempty"`
	PortGUID     *GUID                `json:"ib_port_guid,omitempty"`
}

// VFStats counts the packets of a VF (IFLA_VF_STATS).
type VFStats struct {
	RxPackets *uint64 `json:"rx_packets,omitempty"`
	TxPackets *uint64 `json:"tx_packets,omitempty"`
	RxBytes   *uint64 `json:"rx_bytes,omitempty"`
	TxBytes   *uint64 `json:"tx_bytes,omitempty"`
	Broadcast *uint64 `json:"broadcast,omitempty"`
	Multicast *uint64 `json:"multicast,omitempty"`
	RxDropped *uint64 `json:"rx_dropped,omitempty"`
	TxDropped *uint64 `json:"tx_dropped,omitempty"`
}

// IFLA_VF_LINK_STATE_…, linux/if_link.h.
type vfLinkStates struct{}

func (vfLinkStates) names() []string { return []string{"auto", "enable", "disable"} }

// GUID is an InfiniBand identifier. Its text is in upper-case hexadecimal.
type GUID uint64

func (g GUID) String() string { return fmt.Sprintf("%X", uint64(g)) }

// MarshalText gives the String.
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (g *GUID) UnmarshalText(b []byte) error {
	number, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil {
		return fmt.Errorf("%q is no hexadecimal number of 64 bits", b)
	}
	*g = GUID(number)
	return nil
}

var vfTable = table[VF]{
	{number: unix.IFLA_VF_MAC, name: "IFLA_VF_MAC", decode: decodeVFMAC, encode: encodeVFMAC},
	{number: unix.IFLA_VF_BROADCAST, name: "IFLA_VF_BROADCAST", decode: decodeVFBroadcast, encode: encodeVFBroadcast},
	vfNumbers(unix.IFLA_VF_VLAN, "IFLA_VF_VLAN", func(v *VF) []**uint32 { return []**uint32{&v.VLANID, &v.QoS} }),
	nested(unix.IFLA_VF_VLAN_LIST, "IFLA_VF_VLAN_LIST", vfVLANTable, func(v *VF) *VF { return v }),
	vfNumbers(unix.IFLA_VF_RATE, "IFLA_VF_RATE", func(v *VF) []**uint32 { return []**uint32{&v.MinTxRate, &v.MaxTxRate} }),
	vfNumbers(unix.IFLA_VF_TX_RATE, "IFLA_VF_TX_RATE", func(v *VF) []**uint32 { return []**uint32{&v.TxRate} }),
	vfSwitch(unix.IFLA_VF_SPOOFCHK, "IFLA_VF_SPOOFCHK", func(v *VF) **bool { return &v.SpoofCheck }),
	vfNumbers(unix.IFLA_VF_LINK_STATE, "IFLA_VF_LINK_STATE", func(v *VF) []**Named[vfLinkStates] { return []**Named[vfLinkStates]{&v.LinkState} }),
	vfSwitch(unix.IFLA_VF_RSS_QUERY_EN, "IFLA_VF_RSS_QUERY_EN", func(v *VF) **bool { return &v.QueryRSS }),
	vfSwitch(unix.IFLA_VF_TRUST, "IFLA_VF_TRUST", func(v *VF) **bool { return &v.Trust }),
	optionalNested(unix.IFLA_VF_STATS, "IFLA_VF_STATS", vfStatsTable, func(v *VF) **VFStats { return &v.Stats }),
	vfGUID(unix.IFLA_VF_IB_NODE_GUID, "IFLA_VF_IB_NODE_GUID", func(v *VF) **GUID { return &v.NodeGUID }),
	vfGUID(unix.IFLA_VF_IB_PORT_GUID, "IFLA_VF_IB_PORT_GUID", func(v *VF) **GUID { return &v.PortGUID }),
}

var vfVLANTable = table[VF]{
	{number: unix.IFLA_VF_VLAN_INFO, name: "IFLA_VF_VLAN_INFO", decode: decodeVFVLAN, encode: encodeVFVLAN},
}

var vfStatsTable = table[VFStats]{
	optional(unix.IFLA_VF_STATS_RX_PACKETS, "IFLA_VF_STATS_RX_PACKETS", func(s *VFStats) **uint64 { return &s.RxPackets }),
	optional(unix.IFLA_VF_STATS_TX_PACKETS, "IFLA_VF_STATS_TX_PACKETS", func(s *VFStats) **uint64 { return &s.TxPackets }),
	optional(unix.IFLA_VF_STATS_RX_BYTES, "IFLA_VF_STATS_RX_BYTES", func(s *VFStats) **uint64 { return &s.RxBytes }),
	optional(unix.IFLA_VF_STATS_TX_BYTES, "IFLA_VF_STATS_TX_BYTES", func(s *VFStats) **uint64 { return &s.TxBytes }),
	optional(unix.IFLA_VF_STATS_BROADCAST, "IFLA_VF_STATS_BROADCAST", func(s *VFStats) **uint64 { return &s.Broadcast }),
	optional(unix.IFLA_VF_STATS_MULTICAST, "IFLA_VF_STATS_MULTICAST", func(s *VFStats) **uint64 { return &s.Multicast }),
	optional(unix.IFLA_VF_STATS_RX_DROPPED, "IFLA_VF_STATS_RX_DROPPED", func(s *VFStats) **uint64 { return &s.RxDropped }),
	optional(unix.IFLA_VF_STATS_TX_DROPPED, "IFLA_VF_STATS_TX_DROPPED", func(s *VFStats) **uint64 { return &s.TxDropped }),
}

// vfHeader reads the number of the function, with which almost every struct
// begins, and gives the rest, which has size bytes at least.
func (v *VF) vfHeader(b []byte, size int) ([]byte, error) {
	if len(b) < 4+size {
		return nil, fmt.Errorf("%d bytes instead of %d", len(b), 4+size)
	}
	v.ID = binary.NativeEndian.Uint32(b)
	return b[4:], nil
}

// vfNumbers is a row for a struct of the function's number and further numbers
// of 32 bits, e.g. struct ifla_vf_rate; left out when all are nil.
func vfNumbers[N ~uint32](n uint16, name string, at func(*VF) []**N) attribute[VF] {
	return attribute[VF]{
		number: n, name: name,
		decode: func(v *VF, b []byte) error {
			fields := at(v)
			b, err := v.vfHeader(b, 4*len(fields))
			for i := 0; i < len(fields) && err == nil; i++ {
				*fields[i] = new(N(binary.NativeEndian.Uint32(b[4*i:])))
			}
			return err
		},
		encode: func(v *VF) ([]byte, error) {
			b := binary.NativeEndian.AppendUint32(nil, v.ID)
			there := false
			for _, field := range at(v) {
				b = binary.NativeEndian.AppendUint32(b, uint32(orZero(*field)))
				there = there || *field != nil
			}
			if !there {
				return nil, nil
			}
			return b, nil
		},
	}
}

// vfSwitch is a row for a setting of 0 or 1, or all bits set when the driver
// does not know it.
func vfSwitch(n uint16, name string, at func(*VF) **bool) attribute[VF] {
	return attribute[VF]{
		number: n, name: name,
		decode: func(v *VF, b []byte) error {
			b, err := v.vfHeader(b, 4)
			if err != nil {
				return err
			}
			*at(v) = nil
			if setting := binary.NativeEndian.Uint32(b); setting != math.MaxUint32 {
				*at(v) = new(setting != 0)
			}
			return nil
		},
		encode: func(v *VF) ([]byte, error) {
			if *at(v) == nil {
				return nil, nil
			}
			b := binary.NativeEndian.AppendUint32(nil, v.ID)
			if **at(v) {
				return binary.NativeEndian.AppendUint32(b, 1), nil
			}
			return binary.NativeEndian.AppendUint32(b, 0), nil
		},
	}
}

// vfGUID is a row for struct ifla_vf_guid: the function's number, a gap, 64 bits.
func vfGUID(n uint16, name string, at func(*VF) **GUID) attribute[VF] {
	return attribute[VF]{
		number: n, name: name,
		decode: func(v *VF, b []byte) error {
			b, err := v.vfHeader(b, 12)
			if err != nil {
				return err
			}
			*at(v) = new(GUID(binary.NativeEndian.Uint64(b[4:])))
			return nil
		},
		encode: func(v *VF) ([]byte, error) {
			if *at(v) == nil {
				return nil, nil
			}
			b := append(binary.NativeEndian.AppendUint32(nil, v.ID), 0, 0, 0, 0)
			return binary.NativeEndian.AppendUint64(b, uint64(**at(v))), nil
		},
	}
}

// decodeVFVLAN reads a struct ifla_vf_vlan_info. The kernel's list of them has
// one.
func decodeVFVLAN(v *VF, b []byte) error {
	b, err := v.vfHeader(b, 10)
	if err != nil {
		return err
	}
	v.VLANID = new(binary.NativeEndian.Uint32(b))
	v.QoS = new(binary.NativeEndian.Uint32(b[4:]))
	v.VLANProtocol = new(VLANProtocol(binary.BigEndian.Uint16(b[8:])))
	return nil
}

func encodeVFVLAN(v *VF) ([]byte, error) {
	if v.VLANProtocol == nil {
		return nil, nil
	}
	b, err := binary.Append(nil, binary.NativeEndian, []uint32{v.ID, orZero(v.VLANID), orZero(v.QoS)})
	b = binary.BigEndian.AppendUint16(b, uint16(*v.VLANProtocol))
	return append(b, 0, 0), err
}

// vfAddressSize is MAX_ADDR_LEN, linux/netdevice.h: the kernel gives as much
// whatever the length of the address is, which is that of the link's own.
const vfAddressSize = 32

func decodeVFMAC(v *VF, b []byte) error {
	b, err := v.vfHeader(b, vfAddressSize)
	if err != nil {
		return err
	}
	v.MAC = append(HardwareAddress{}, b[:vfAddressSize]...)
	return nil
}

func encodeVFMAC(v *VF) ([]byte, error) {
	b, err := padVFAddress(v.MAC)
	if b == nil {
		return nil, err
	}
	return append(binary.NativeEndian.AppendUint32(nil, v.ID), b...), err
}

// decodeVFBroadcast reads a struct ifla_vf_broadcast, which does not say whose
// it is.
func decodeVFBroadcast(v *VF, b []byte) error {
	if len(b) < vfAddressSize {
		return fmt.Errorf("%d bytes instead of %d", len(b), vfAddressSize)
	}
	v.Broadcast = append(HardwareAddress{}, b[:vfAddressSize]...)
	return nil
}

func encodeVFBroadcast(v *VF) ([]byte, error) { return padVFAddress(v.Broadcast) }

func padVFAddress(address HardwareAddress) ([]byte, error) {
	if address == nil {
		return nil, nil
	}
	if len(address) > vfAddressSize {
		return nil, fmt.Errorf("%d bytes are more than %d", len(address), vfAddressSize)
	}
	return append(append(make([]byte, 0, vfAddressSize), address...), make([]byte, vfAddressSize-len(address))...), nil
}

// trim cuts the address to the length that those of the link have.
func trim(address HardwareAddress, size int) HardwareAddress {
	if size == 0 || size > len(address) {
		return address
	}
	return address[:size:size]
}

func decodeVFs(l *Link, b []byte) error {
	l.VFs = nil
	for len(b) > 0 {
		number, payload, rest, err := cutAttribute(b)
		if err != nil {
			return err
		}
		b = rest
		if number != unix.IFLA_VF_INFO {
			continue
		}
		var vf VF
		if err := vfTable.decode(&vf, payload); err != nil {
			return fmt.Errorf("attribute IFLA_VF_INFO: %w", err)
		}
		if vf.MAC == nil {
			return errors.New("attribute IFLA_VF_INFO: without IFLA_VF_MAC")
		}
		l.VFs = append(l.VFs, vf)
	}
	return nil
}

func encodeVFs(l *Link) ([]byte, error) {
	if l.VFs == nil {
		return nil, nil
	}
	vfs := netlink.NewAttributeEncoder()
	for i := range l.VFs {
		b, err := vfTable.encode(&l.VFs[i])
		if err != nil {
			return nil, err
		}
		vfs.Bytes(netlink.Nested|unix.IFLA_VF_INFO, b)
	}
	return vfs.Encode()
}
