package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var vfTable = table[*state.SRIOVFunction]{
	{number: unix.IFLA_VF_MAC, name: "IFLA_VF_MAC", decode: decodeVFMAC, encode: encodeVFMAC},
	{number: unix.IFLA_VF_BROADCAST, name: "IFLA_VF_BROADCAST", decode: decodeVFBroadcast, encode: encodeVFBroadcast},
	vfNumbers(unix.IFLA_VF_VLAN, "IFLA_VF_VLAN", func(v *state.SRIOVFunction) []**uint32 { return []**uint32{&v.VLANID, &v.QoS} }),
	nested(unix.IFLA_VF_VLAN_LIST, "IFLA_VF_VLAN_LIST", vfVLANTable, func(v *state.SRIOVFunction) *state.SRIOVFunction { return v }),
	vfNumbers(unix.IFLA_VF_RATE, "IFLA_VF_RATE", func(v *state.SRIOVFunction) []**uint32 { return []**uint32{&v.MinTxRate, &v.MaxTxRate} }),
	vfNumbers(unix.IFLA_VF_TX_RATE, "IFLA_VF_TX_RATE", func(v *state.SRIOVFunction) []**uint32 { return []**uint32{&v.TxRate} }),
	vfSwitch(unix.IFLA_VF_SPOOFCHK, "IFLA_VF_SPOOFCHK", func(v *state.SRIOVFunction) **bool { return &v.SpoofCheck }),
	vfNumbers(unix.IFLA_VF_LINK_STATE, "IFLA_VF_LINK_STATE", func(v *state.SRIOVFunction) []**state.SRIOVLinkState { return []**state.SRIOVLinkState{&v.LinkState} }),
	vfSwitch(unix.IFLA_VF_RSS_QUERY_EN, "IFLA_VF_RSS_QUERY_EN", func(v *state.SRIOVFunction) **bool { return &v.QueryRSS }),
	vfSwitch(unix.IFLA_VF_TRUST, "IFLA_VF_TRUST", func(v *state.SRIOVFunction) **bool { return &v.Trust }),
	optionalNested(unix.IFLA_VF_STATS, "IFLA_VF_STATS", vfStatsTable, func(v *state.SRIOVFunction) **state.SRIOVStats { return &v.Stats }),
	vfGUID(unix.IFLA_VF_IB_NODE_GUID, "IFLA_VF_IB_NODE_GUID", func(v *state.SRIOVFunction) **state.GUID { return &v.NodeGUID }),
	vfGUID(unix.IFLA_VF_IB_PORT_GUID, "IFLA_VF_IB_PORT_GUID", func(v *state.SRIOVFunction) **state.GUID { return &v.PortGUID }),
}

var vfVLANTable = table[*state.SRIOVFunction]{
	{number: unix.IFLA_VF_VLAN_INFO, name: "IFLA_VF_VLAN_INFO", decode: decodeVFVLAN, encode: encodeVFVLAN},
}

var vfStatsTable = table[*state.SRIOVStats]{
	optional(unix.IFLA_VF_STATS_RX_PACKETS, "IFLA_VF_STATS_RX_PACKETS", func(s *state.SRIOVStats) **uint64 { return &s.RxPackets }),
	optional(unix.IFLA_VF_STATS_TX_PACKETS, "IFLA_VF_STATS_TX_PACKETS", func(s *state.SRIOVStats) **uint64 { return &s.TxPackets }),
	optional(unix.IFLA_VF_STATS_RX_BYTES, "IFLA_VF_STATS_RX_BYTES", func(s *state.SRIOVStats) **uint64 { return &s.RxBytes }),
	optional(unix.IFLA_VF_STATS_TX_BYTES, "IFLA_VF_STATS_TX_BYTES", func(s *state.SRIOVStats) **uint64 { return &s.TxBytes }),
	optional(unix.IFLA_VF_STATS_BROADCAST, "IFLA_VF_STATS_BROADCAST", func(s *state.SRIOVStats) **uint64 { return &s.Broadcast }),
	optional(unix.IFLA_VF_STATS_MULTICAST, "IFLA_VF_STATS_MULTICAST", func(s *state.SRIOVStats) **uint64 { return &s.Multicast }),
	optional(unix.IFLA_VF_STATS_RX_DROPPED, "IFLA_VF_STATS_RX_DROPPED", func(s *state.SRIOVStats) **uint64 { return &s.RxDropped }),
	optional(unix.IFLA_VF_STATS_TX_DROPPED, "IFLA_VF_STATS_TX_DROPPED", func(s *state.SRIOVStats) **uint64 { return &s.TxDropped }),
}

// vfHeader reads the number of the function, with which almost every struct
// begins, and returns the rest, which has size bytes at least.
func vfHeader(v *state.SRIOVFunction, b []byte, size int) ([]byte, error) {
	if len(b) < 4+size {
		return nil, fmt.Errorf("%d bytes instead of %d", len(b), 4+size)
	}
	v.ID = binary.NativeEndian.Uint32(b)
	return b[4:], nil
}

// vfNumbers is a row for a struct of the function's number and further numbers
// of 32 bits, e.g. struct ifla_vf_rate; left out when all are nil.
func vfNumbers[N ~uint32](n uint16, name string, at func(*state.SRIOVFunction) []**N) *attribute[*state.SRIOVFunction] {
	return &attribute[*state.SRIOVFunction]{
		number: n, name: name,
		decode: func(v *state.SRIOVFunction, b []byte) error {
			fields := at(v)
			b, err := vfHeader(v, b, 4*len(fields))
			for i := 0; i < len(fields) && err == nil; i++ {
				*fields[i] = new(N(binary.NativeEndian.Uint32(b[4*i:])))
			}
			return err
		},
		encode: func(v *state.SRIOVFunction) ([]byte, error) {
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
func vfSwitch(n uint16, name string, at func(*state.SRIOVFunction) **bool) *attribute[*state.SRIOVFunction] {
	return &attribute[*state.SRIOVFunction]{
		number: n, name: name,
		decode: func(v *state.SRIOVFunction, b []byte) error {
			b, err := vfHeader(v, b, 4)
			if err != nil {
				return err
			}
			*at(v) = nil
			if setting := binary.NativeEndian.Uint32(b); setting != math.MaxUint32 {
				*at(v) = new(setting != 0)
			}
			return nil
		},
		encode: func(v *state.SRIOVFunction) ([]byte, error) {
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
func vfGUID(n uint16, name string, at func(*state.SRIOVFunction) **state.GUID) *attribute[*state.SRIOVFunction] {
	return &attribute[*state.SRIOVFunction]{
		number: n, name: name,
		decode: func(v *state.SRIOVFunction, b []byte) error {
			b, err := vfHeader(v, b, 12)
			if err != nil {
				return err
			}
			*at(v) = new(state.GUID(binary.NativeEndian.Uint64(b[4:])))
			return nil
		},
		encode: func(v *state.SRIOVFunction) ([]byte, error) {
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
func decodeVFVLAN(v *state.SRIOVFunction, b []byte) error {
	b, err := vfHeader(v, b, 10)
	if err != nil {
		return err
	}
	v.VLANID = new(binary.NativeEndian.Uint32(b))
	v.QoS = new(binary.NativeEndian.Uint32(b[4:]))
	v.VLANProtocol = new(state.VLANProtocol(binary.BigEndian.Uint16(b[8:])))
	return nil
}

func encodeVFVLAN(v *state.SRIOVFunction) ([]byte, error) {
	if v.VLANProtocol == nil {
		return nil, nil
	}
	b, err := binary.Append(nil, binary.NativeEndian, []uint32{v.ID, orZero(v.VLANID), orZero(v.QoS)})
	b = binary.BigEndian.AppendUint16(b, uint16(*v.VLANProtocol))
	return append(b, 0, 0), err
}

// vfAddressSize is MAX_ADDR_LEN, linux/netdevice.h: the kernel sends as much
// whatever the length of the address is, which is that of the link's own.
const vfAddressSize = 32

func decodeVFMAC(v *state.SRIOVFunction, b []byte) error {
	b, err := vfHeader(v, b, vfAddressSize)
	if err != nil {
		return err
	}
	v.MAC = append(state.HardwareAddress{}, b[:vfAddressSize]...)
	return nil
}

func encodeVFMAC(v *state.SRIOVFunction) ([]byte, error) {
	b, err := padVFAddress(v.MAC)
	if b == nil {
		return nil, err
	}
	return append(binary.NativeEndian.AppendUint32(nil, v.ID), b...), err
}

// decodeVFBroadcast reads a struct ifla_vf_broadcast, which does not show whose
// it is.
func decodeVFBroadcast(v *state.SRIOVFunction, b []byte) error {
	if len(b) < vfAddressSize {
		return fmt.Errorf("%d bytes instead of %d", len(b), vfAddressSize)
	}
	v.Broadcast = append(state.HardwareAddress{}, b[:vfAddressSize]...)
	return nil
}

func encodeVFBroadcast(v *state.SRIOVFunction) ([]byte, error) { return padVFAddress(v.Broadcast) }

func padVFAddress(address state.HardwareAddress) ([]byte, error) {
	if address == nil {
		return nil, nil
	}
	if len(address) > vfAddressSize {
		return nil, fmt.Errorf("%d bytes are more than %d", len(address), vfAddressSize)
	}
	return append(append(make([]byte, 0, vfAddressSize), address...), make([]byte, vfAddressSize-len(address))...), nil
}

// trim cuts the address to the length that those of the link have.
func trim(address state.HardwareAddress, size int) state.HardwareAddress {
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
		var vf state.SRIOVFunction
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
