package rtnl

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// MACsec is the data of kind "macsec" (IEEE 802.1AE). Its keys are not in it.
type MACsec struct {
	// SCI is the secure channel's number as ip(8) shows it, the hardware
	// address in its upper 48 bits. nispor 1.x gives the same eight bytes in
	// the machine's order.
	SCI           *uint64                   `json:"sci,omitempty"`
	Port          *uint16                   `json:"port,omitempty"`    // request: the lower 16 bits of SCI
	ICVLength     *uint8                    `json:"icv_len,omitempty"` // bytes
	Cipher        *MACsecCipher             `json:"cipher,omitempty"`
	Window        *uint32                   `json:"window,omitempty"` // packets, with ReplayProtect
	EncodingSA    *uint8                    `json:"encoding_sa,omitempty"`
	Encrypt       *bool                     `json:"encrypt,omitempty"`
	Protect       *bool                     `json:"protect,omitempty"`
	SendSCI       *bool                     `json:"send_sci,omitempty"`
	EndStation    *bool                     `json:"end_station,omitempty"`
	SCB           *bool                     `json:"scb,omitempty"` // single copy broadcast
	ReplayProtect *bool                     `json:"replay_protect,omitempty"`
	Validate      *Named[macsecValidations] `json:"validate,omitempty"`
	Offload       *Named[macsecOffloads]    `json:"offload,omitempty"`
}

// enum macsec_validation_type, linux/if_link.h.
type macsecValidations struct{}

func (macsecValidations) names() []string { return []string{"disabled", "check", "strict"} }

// enum macsec_offload, linux/if_link.h.
type macsecOffloads struct{}

func (macsecOffloads) names() []string { return []string{"off", "phy", "mac"} }

// MACsecCipher is a MACSEC_CIPHER_ID_…, linux/if_macsec.h.
type MACsecCipher uint64

// The kernel's older number for GCM-AES-128, which it still gives. Read as the
// standard's number, which it takes as well.
const macsecDefaultCipher, macsecFirstCipher = 0x0080020001000001, 0x0080C20001000001

// IEEE 802.1AE-2018, table 14-1, from macsecFirstCipher on.
var macsecCiphers = []string{"gcm-aes128", "gcm-aes256", "gcm-aes-xpn128", "gcm-aes-xpn256"}

func (c MACsecCipher) String() string {
	if i := uint64(c - macsecFirstCipher); i < uint64(len(macsecCiphers)) {
		return macsecCiphers[i]
	}
	return strconv.FormatUint(uint64(c), 10)
}

// MarshalText gives the String.
func (c MACsecCipher) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *MACsecCipher) UnmarshalText(b []byte) error {
	if i := slices.Index(macsecCiphers, string(b)); i >= 0 {
		*c = macsecFirstCipher + MACsecCipher(i)
		return nil
	}
	number, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is neither a number nor one of %q", b, macsecCiphers)
	}
	*c = MACsecCipher(number)
	return nil
}

var macsecTable = table[MACsec]{
	bigEndian(unix.IFLA_MACSEC_SCI, "IFLA_MACSEC_SCI", func(m *MACsec) **uint64 { return &m.SCI }),
	port(unix.IFLA_MACSEC_PORT, "IFLA_MACSEC_PORT", func(m *MACsec) **uint16 { return &m.Port }),
	optional(unix.IFLA_MACSEC_ICV_LEN, "IFLA_MACSEC_ICV_LEN", func(m *MACsec) **uint8 { return &m.ICVLength }),
	{number: unix.IFLA_MACSEC_CIPHER_SUITE, name: "IFLA_MACSEC_CIPHER_SUITE", decode: decodeCipher, encode: encodeCipher},
	optional(unix.IFLA_MACSEC_WINDOW, "IFLA_MACSEC_WINDOW", func(m *MACsec) **uint32 { return &m.Window }),
	optional(unix.IFLA_MACSEC_ENCODING_SA, "IFLA_MACSEC_ENCODING_SA", func(m *MACsec) **uint8 { return &m.EncodingSA }),
	flag(unix.IFLA_MACSEC_ENCRYPT, "IFLA_MACSEC_ENCRYPT", func(m *MACsec) **bool { return &m.Encrypt }),
	flag(unix.IFLA_MACSEC_PROTECT, "IFLA_MACSEC_PROTECT", func(m *MACsec) **bool { return &m.Protect }),
	flag(unix.IFLA_MACSEC_INC_SCI, "IFLA_MACSEC_INC_SCI", func(m *MACsec) **bool { return &m.SendSCI }),
	flag(unix.IFLA_MACSEC_ES, "IFLA_MACSEC_ES", func(m *MACsec) **bool { return &m.EndStation }),
	flag(unix.IFLA_MACSEC_SCB, "IFLA_MACSEC_SCB", func(m *MACsec) **bool { return &m.SCB }),
	flag(unix.IFLA_MACSEC_REPLAY_PROTECT, "IFLA_MACSEC_REPLAY_PROTECT", func(m *MACsec) **bool { return &m.ReplayProtect }),
	named[uint8](unix.IFLA_MACSEC_VALIDATION, "IFLA_MACSEC_VALIDATION", func(m *MACsec) **Named[macsecValidations] { return &m.Validate }),
	named[uint8](unix.IFLA_MACSEC_OFFLOAD, "IFLA_MACSEC_OFFLOAD", func(m *MACsec) **Named[macsecOffloads] { return &m.Offload }),
}

func decodeCipher(m *MACsec, b []byte) error {
	m.Cipher = new(MACsecCipher)
	err := getInteger(b, m.Cipher)
	if *m.Cipher == macsecDefaultCipher {
		*m.Cipher = macsecFirstCipher
	}
	return err
}

func encodeCipher(m *MACsec) ([]byte, error) {
	if m.Cipher == nil {
		return nil, nil
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(*m.Cipher)), nil
}
