package state

import (
	"fmt"
	"strconv"
)

// SRIOV lists the virtual functions of a network card.
type SRIOV struct {
	Functions []SRIOVFunction `json:"vfs"`
}

// SRIOVFunction is a virtual function of a network card (IFLA_VF_INFO), as the link
// of the physical function reports it. A value that the driver does not know is nil.
type SRIOVFunction struct {
	ID           uint32          `json:"id"`
	MAC          HardwareAddress `json:"mac,omitempty"`
	Broadcast    HardwareAddress `json:"broadcast,omitempty"`
	VLANID       *uint32         `json:"vlan_id,omitempty"` // 0: no VLAN
	QoS          *uint32         `json:"qos,omitempty"`
	VLANProtocol *VLANProtocol   `json:"vlan_proto,omitempty"`
	TxRate       *uint32         `json:"tx_rate,omitempty"` // Mbit/s; 0: no limit
	SpoofCheck   *bool           `json:"spoof_check,omitempty"`
	LinkState    *SRIOVLinkState `json:"link_state,omitempty"`
	MinTxRate    *uint32         `json:"min_tx_rate,omitempty"` // Mbit/s
	MaxTxRate    *uint32         `json:"max_tx_rate,omitempty"` // Mbit/s
	QueryRSS     *bool           `json:"query_rss,omitempty"`
	Stats        *SRIOVStats     `json:"state,omitempty"`
	Trust        *bool           `json:"trust,omitempty"`
	NodeGUID     *GUID           `json:"ib_node_guid,omitempty"`
	PortGUID     *GUID           `json:"ib_port_guid,omitempty"`
}

// SRIOVStats counts the packets of a virtual function (IFLA_VF_STATS).
type SRIOVStats struct {
	RxPackets *uint64 `json:"rx_packets,omitempty"`
	TxPackets *uint64 `json:"tx_packets,omitempty"`
	RxBytes   *uint64 `json:"rx_bytes,omitempty"`
	TxBytes   *uint64 `json:"tx_bytes,omitempty"`
	Broadcast *uint64 `json:"broadcast,omitempty"`
	Multicast *uint64 `json:"multicast,omitempty"`
	RxDropped *uint64 `json:"rx_dropped,omitempty"`
	TxDropped *uint64 `json:"tx_dropped,omitempty"`
}

// SRIOVLinkState is "auto", "enable" or "disable" (IFLA_VF_LINK_STATE_…,
// linux/if_link.h).
type SRIOVLinkState = Named[vfLinkStates]

type vfLinkStates struct{}

func (vfLinkStates) names() []string { return []string{"auto", "enable", "disable"} }

// GUID is an InfiniBand identifier. Its text is in upper-case hexadecimal.
type GUID uint64

func (g GUID) String() string { return fmt.Sprintf("%X", uint64(g)) }

// MarshalText returns the String.
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (g *GUID) UnmarshalText(b []byte) error {
	number, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil {
		return fmt.Errorf("%q is no hexadecimal number of 64 bits", b)
	}
	*g = GUID(number)
	return nil
}
