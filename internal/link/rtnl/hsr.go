package rtnl

import "golang.org/x/sys/unix"

// HSR is the data of kind "hsr": one interface over two that form a ring (HSR)
// or two parallel networks (PRP), IEC 62439-3.
type HSR struct {
	Port1              uint32               `json:"-"` // indexes of the links below
	Port2              uint32               `json:"-"`
	Interlink          uint32               `json:"-"`
	SupervisionAddress HardwareAddress      `json:"supervision_addr,omitempty"`
	SequenceNumber     *uint16              `json:"seq_nr,omitempty"`
	MulticastSpec      *uint8               `json:"multicast_spec,omitempty"` // last byte of the supervision address
	Version            *uint8               `json:"version,omitempty"`
	Protocol           *Named[hsrProtocols] `json:"protocol,omitempty"`
}

// HSR_PROTOCOL_…, linux/if_link.h.
type hsrProtocols struct{}

func (hsrProtocols) names() []string { return []string{"hsr", "prp"} }

var hsrTable = table[HSR]{
	number(unix.IFLA_HSR_SLAVE1, "IFLA_HSR_SLAVE1", func(h *HSR) *uint32 { return &h.Port1 }),
	number(unix.IFLA_HSR_SLAVE2, "IFLA_HSR_SLAVE2", func(h *HSR) *uint32 { return &h.Port2 }),
	number(unix.IFLA_HSR_INTERLINK, "IFLA_HSR_INTERLINK", func(h *HSR) *uint32 { return &h.Interlink }),
	ethernetAddress(unix.IFLA_HSR_SUPERVISION_ADDR, "IFLA_HSR_SUPERVISION_ADDR", func(h *HSR) *HardwareAddress { return &h.SupervisionAddress }),
	optional(unix.IFLA_HSR_SEQ_NR, "IFLA_HSR_SEQ_NR", func(h *HSR) **uint16 { return &h.SequenceNumber }),
	optional(unix.IFLA_HSR_MULTICAST_SPEC, "IFLA_HSR_MULTICAST_SPEC", func(h *HSR) **uint8 { return &h.MulticastSpec }),
	optional(unix.IFLA_HSR_VERSION, "IFLA_HSR_VERSION", func(h *HSR) **uint8 { return &h.Version }),
	named[uint8](unix.IFLA_HSR_PROTOCOL, "IFLA_HSR_PROTOCOL", func(h *HSR) **Named[hsrProtocols] { return &h.Protocol }),
}
