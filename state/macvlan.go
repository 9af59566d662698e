package state

// MACVLAN is an interface with its own hardware address on another interface, or the
// same as a character device (macvtap).
type MACVLAN struct {
	BaseIface         string            `json:"base_iface"`
	Mode              *MACVLANMode      `json:"mode,omitempty"`
	Flags             *uint16           `json:"flags,omitempty"`                 // MACVLAN_FLAG_…: 1 nopromisc, 2 nodst
	Allowed           []HardwareAddress `json:"allowed_mac_addresses,omitempty"` // only in mode source
	AllowedCount      *uint32           `json:"macaddr_count,omitempty"`
	AllowedChange     *MACVLANChange    `json:"macaddr_mode,omitempty"` // request only: what to do with Allowed, or with ChangedMAC
	ChangedMAC        HardwareAddress   `json:"macaddr,omitempty"`      // request only: the address to add or to delete
	BroadcastQueue    *uint32           `json:"bc_queue_len,omitempty"` // the wanted length; the kernel uses the largest of all on one parent
	BroadcastQueueNow *uint32           `json:"bc_queue_len_used,omitempty"`
	BroadcastCutoff   *int32            `json:"bc_cutoff,omitempty"` // links; -1: never
}

// IPVLAN shares the hardware address of another interface.
type IPVLAN struct {
	BaseIface string       `json:"base_iface"`
	Mode      *IPVLANMode  `json:"mode,omitempty"`
	Flags     *IPVLANFlags `json:"flags,omitempty"`
}

// Settings of MACVLAN and IPVLAN, linux/if_link.h.
type (
	MACVLANMode   = Named[macvlanModes]    // enum macvlan_mode: "private", "vepa", "bridge", "passthru", "source"
	MACVLANChange = Named[macvlanMACModes] // enum macvlan_macaddr_mode: "add", "del", "flush", "set"
	IPVLANMode    = Named[ipvlanModes]     // enum ipvlan_mode: "l2", "l3", "l3s"
	IPVLANFlags   = Bits[ipvlanBits]       // IPVLAN_F_…: "private", "vepa"
)

type (
	macvlanModes    struct{}
	macvlanMACModes struct{}
	ipvlanModes     struct{}
	ipvlanBits      struct{}
)

func (macvlanModes) names() []string {
	return []string{1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
}
func (macvlanMACModes) names() []string { return []string{"add", "del", "flush", "set"} }
func (ipvlanModes) names() []string     { return []string{"l2", "l3", "l3s"} }
func (ipvlanBits) names() []string      { return []string{"private", "vepa"} }
