package rtnl

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/netlink"

	"github.com/netconnectd/netconnectd/state"
)

// Of linux/if_bridge.h; golang.org/x/sys has none.
const (
	attributeBridgeFlags    = 0 // IFLA_BRIDGE_FLAGS
	attributeBridgeVLANInfo = 2 // IFLA_BRIDGE_VLAN_INFO

	bridgeFlagSelf = 1 << 1 // BRIDGE_FLAGS_SELF

	vlanInfoPVID       = 1 << 1 // BRIDGE_VLAN_INFO_…
	vlanInfoUntagged   = 1 << 2
	vlanInfoRangeBegin = 1 << 3
	vlanInfoRangeEnd   = 1 << 4
)

// bridgeVLANInfo is struct bridge_vlan_info, linux/if_bridge.h. A range is two
// of them.
type bridgeVLANInfo struct{ Flags, VID uint16 }

// bridgeVLANs is what the rows read into: the VLANs, and the first one of a
// range of which the last one has not come yet.
type bridgeVLANs struct {
	all   []state.BridgeVLAN
	first *uint16
}

var bridgeVLANTable = table[*bridgeVLANs]{
	{number: attributeBridgeVLANInfo, name: "IFLA_BRIDGE_VLAN_INFO", decode: (*bridgeVLANs).add},
}

// decodeBridgeVLANs reads IFLA_AF_SPEC of a link message of family AF_BRIDGE.
// The kernel sends VLANs when the request's Filter asks for them, ranges with
// RTEXT_FILTER_BRVLAN_COMPRESSED.
func decodeBridgeVLANs(l *Link, b []byte) error {
	var vlans bridgeVLANs
	if err := bridgeVLANTable.decode(&vlans, b); err != nil {
		return err
	}
	if vlans.first != nil {
		return fmt.Errorf("range of VLANs from %d has no end", *vlans.first)
	}
	l.BridgeVLANs = vlans.all
	return nil
}

func (v *bridgeVLANs) add(b []byte) error {
	var info bridgeVLANInfo
	if want := binary.Size(info); len(b) < want {
		return fmt.Errorf("%d bytes instead of %d", len(b), want)
	}
	if _, err := binary.Decode(b, binary.NativeEndian, &info); err != nil {
		return err
	}
	vlan := state.BridgeVLAN{
		IsPVID:           info.Flags&vlanInfoPVID != 0,
		IsEgressUntagged: info.Flags&vlanInfoUntagged != 0,
	}
	begins, ends := info.Flags&vlanInfoRangeBegin != 0, info.Flags&vlanInfoRangeEnd != 0
	switch {
	case ends == (v.first == nil) || begins && ends:
		return fmt.Errorf("VLAN %d with flags %#x is not in the order of a range", info.VID, info.Flags)
	case begins:
		v.first = &info.VID
		return nil
	case ends:
		vlan.VIDRange = &[2]uint16{*v.first, info.VID}
		v.first = nil
	default:
		vlan.VID = &info.VID
	}
	v.all = append(v.all, vlan)
	return nil
}

// encodeBridgeVLANs writes what decodeBridgeVLANs reads; nil is nothing.
func encodeBridgeVLANs(l *Link) ([]byte, error) {
	if len(l.BridgeVLANs) == 0 {
		return nil, nil
	}
	attributes := netlink.NewAttributeEncoder()
	if l.BridgeSelf {
		attributes.Uint16(attributeBridgeFlags, bridgeFlagSelf)
	}
	for _, vlan := range l.BridgeVLANs {
		infos, err := newBridgeVLANInfos(&vlan)
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			b, err := binary.Append(nil, binary.NativeEndian, info)
			if err != nil {
				return nil, err
			}
			attributes.Bytes(attributeBridgeVLANInfo, b)
		}
	}
	return attributes.Encode()
}

func newBridgeVLANInfos(v *state.BridgeVLAN) ([]bridgeVLANInfo, error) {
	var flags uint16
	if v.IsPVID {
		flags |= vlanInfoPVID
	}
	if v.IsEgressUntagged {
		flags |= vlanInfoUntagged
	}
	switch {
	case v.VID != nil && v.VIDRange == nil:
		return []bridgeVLANInfo{{flags, *v.VID}}, nil
	case v.VID == nil && v.VIDRange != nil:
		return []bridgeVLANInfo{
			{flags | vlanInfoRangeBegin, v.VIDRange[0]},
			{flags | vlanInfoRangeEnd, v.VIDRange[1]},
		}, nil
	}
	return nil, fmt.Errorf("VLAN needs either vid or vid_range")
}
