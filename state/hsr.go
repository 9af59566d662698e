package state

// HSR joins two interfaces to a ring (HSR) or to two parallel networks (PRP), IEC
// 62439-3.
type HSR struct {
	Port1              string          `json:"port1"` // name of one interface below
	Port2              string          `json:"port2"` // name of the other interface below
	SupervisionAddress HardwareAddress `json:"supervision_addr,omitempty"`
	SequenceNumber     *uint16         `json:"seq_nr,omitempty"`
	MulticastSpec      *uint8          `json:"multicast_spec,omitempty"` // last byte of the supervision address
	Version            *uint8          `json:"version,omitempty"`
	Protocol           *HSRProtocol    `json:"protocol,omitempty"`
}

// HSRProtocol is "hsr" or "prp" (HSR_PROTOCOL_…, linux/if_link.h).
type HSRProtocol = Named[hsrProtocols]

type hsrProtocols struct{}

func (hsrProtocols) names() []string { return []string{"hsr", "prp"} }
