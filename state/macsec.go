package state

import (
	"fmt"
	"slices"
	"strconv"
)

// MACsec encrypts Ethernet on another interface (IEEE 802.1AE). Keys are not
// reported.
type MACsec struct {
	BaseIface string `json:"base_iface"`
	// SCI is the secure channel's number as ip(8) shows it, with the hardware address
	// in its upper 48 bits. nispor 1.x shows the same eight bytes in the machine's
	// byte order.
	SCI           *uint64           `json:"sci,omitempty"`
	Port          *uint16           `json:"port,omitempty"`    // request only: the lower 16 bits of SCI
	ICVLength     *uint8            `json:"icv_len,omitempty"` // bytes
	Cipher        *MACsecCipher     `json:"cipher,omitempty"`
	Window        *uint32           `json:"window,omitempty"` // packets; only with ReplayProtect
	EncodingSA    *uint8            `json:"encoding_sa,omitempty"`
	Encrypt       *bool             `json:"encrypt,omitempty"`
	Protect       *bool             `json:"protect,omitempty"`
	SendSCI       *bool             `json:"send_sci,omitempty"`
	EndStation    *bool             `json:"end_station,omitempty"`
	SCB           *bool             `json:"scb,omitempty"` // single copy broadcast
	ReplayProtect *bool             `json:"replay_protect,omitempty"`
	Validate      *MACsecValidation `json:"validate,omitempty"`
	Offload       *MACsecOffload    `json:"offload,omitempty"`
}

// Settings of MACsec, linux/if_link.h.
type (
	MACsecValidation = Named[macsecValidations] // enum macsec_validation_type: "disabled", "check", "strict"
	MACsecOffload    = Named[macsecOffloads]    // enum macsec_offload: "off", "phy", "mac"
)

type (
	macsecValidations struct{}
	macsecOffloads    struct{}
)

func (macsecValidations) names() []string { return []string{"disabled", "check", "strict"} }
func (macsecOffloads) names() []string    { return []string{"off", "phy", "mac"} }

// MACsecCipher is a MACSEC_CIPHER_ID_…, linux/if_macsec.h.
type MACsecCipher uint64

// MACsecGCMAES128 is the first cipher of IEEE 802.1AE-2018, table 14-1.
const MACsecGCMAES128 MACsecCipher = 0x0080C20001000001

// macsecCiphers holds the names of table 14-1 from MACsecGCMAES128 on.
var macsecCiphers = []string{"gcm-aes128", "gcm-aes256", "gcm-aes-xpn128", "gcm-aes-xpn256"}

func (c MACsecCipher) String() string {
	if i := uint64(c - MACsecGCMAES128); i < uint64(len(macsecCiphers)) {
		return macsecCiphers[i]
	}
	return strconv.FormatUint(uint64(c), 10)
}

// MarshalText returns the String.
func (c MACsecCipher) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (c *MACsecCipher) UnmarshalText(b []byte) error {
	if i := slices.Index(macsecCiphers, string(b)); i >= 0 {
		*c = MACsecGCMAES128 + MACsecCipher(i)
		return nil
	}
	number, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is neither a number nor one of %q", b, macsecCiphers)
	}
	*c = MACsecCipher(number)
	return nil
}
