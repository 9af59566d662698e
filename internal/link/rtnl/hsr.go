package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// HSR is the data of kind "hsr", with the indexes of the links below.
type HSR struct {
	state.HSR
	FirstPort  uint32
	SecondPort uint32
	Interlink  uint32
}

var hsrTable = table[*HSR]{
	recreate(number(unix.IFLA_HSR_SLAVE1, "IFLA_HSR_SLAVE1", func(h *HSR) *uint32 { return &h.FirstPort })),
	recreate(number(unix.IFLA_HSR_SLAVE2, "IFLA_HSR_SLAVE2", func(h *HSR) *uint32 { return &h.SecondPort })),
	recreate(number(unix.IFLA_HSR_INTERLINK, "IFLA_HSR_INTERLINK", func(h *HSR) *uint32 { return &h.Interlink })),
	readOnly(ethernetAddress(unix.IFLA_HSR_SUPERVISION_ADDR, "IFLA_HSR_SUPERVISION_ADDR", func(h *HSR) *state.HardwareAddress { return &h.SupervisionAddress })),
	readOnly(optional(unix.IFLA_HSR_SEQ_NR, "IFLA_HSR_SEQ_NR", func(h *HSR) **uint16 { return &h.SequenceNumber })),
	recreate(optional(unix.IFLA_HSR_MULTICAST_SPEC, "IFLA_HSR_MULTICAST_SPEC", func(h *HSR) **uint8 { return &h.MulticastSpec })),
	recreate(optional(unix.IFLA_HSR_VERSION, "IFLA_HSR_VERSION", func(h *HSR) **uint8 { return &h.Version })),
	recreate(named[uint8](unix.IFLA_HSR_PROTOCOL, "IFLA_HSR_PROTOCOL", func(h *HSR) **state.HSRProtocol { return &h.Protocol })),
}
