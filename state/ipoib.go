package state

// IPoIB is IP over InfiniBand.
type IPoIB struct {
	BaseIface string     `json:"base_iface,omitempty"`
	PKey      *uint16    `json:"pkey,omitempty"` // partition key
	Mode      *IPoIBMode `json:"mode,omitempty"`
	UMCast    *bool      `json:"umcast,omitempty"` // multicast groups made by user space
}

// IPoIBMode is "datagram" or "connected" (IPOIB_MODE_…, linux/if_link.h).
type IPoIBMode = Named[ipoibModes]

type ipoibModes struct{}

func (ipoibModes) names() []string { return []string{"datagram", "connected"} }
