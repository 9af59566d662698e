package rtnl

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var macsecTable = table[*state.MACsec]{
	recreate(bigEndian(unix.IFLA_MACSEC_SCI, "IFLA_MACSEC_SCI", func(m *state.MACsec) **uint64 { return &m.SCI })),
	recreate(port(unix.IFLA_MACSEC_PORT, "IFLA_MACSEC_PORT", func(m *state.MACsec) **uint16 { return &m.Port })),
	recreate(optional(unix.IFLA_MACSEC_ICV_LEN, "IFLA_MACSEC_ICV_LEN", func(m *state.MACsec) **uint8 { return &m.ICVLength })),
	{number: unix.IFLA_MACSEC_CIPHER_SUITE, name: "IFLA_MACSEC_CIPHER_SUITE", class: Recreate, decode: decodeCipher, encode: encodeCipher},
	optional(unix.IFLA_MACSEC_WINDOW, "IFLA_MACSEC_WINDOW", func(m *state.MACsec) **uint32 { return &m.Window }),
	optional(unix.IFLA_MACSEC_ENCODING_SA, "IFLA_MACSEC_ENCODING_SA", func(m *state.MACsec) **uint8 { return &m.EncodingSA }),
	flag(unix.IFLA_MACSEC_ENCRYPT, "IFLA_MACSEC_ENCRYPT", func(m *state.MACsec) **bool { return &m.Encrypt }),
	flag(unix.IFLA_MACSEC_PROTECT, "IFLA_MACSEC_PROTECT", func(m *state.MACsec) **bool { return &m.Protect }),
	flag(unix.IFLA_MACSEC_INC_SCI, "IFLA_MACSEC_INC_SCI", func(m *state.MACsec) **bool { return &m.SendSCI }),
	flag(unix.IFLA_MACSEC_ES, "IFLA_MACSEC_ES", func(m *state.MACsec) **bool { return &m.EndStation }),
	flag(unix.IFLA_MACSEC_SCB, "IFLA_MACSEC_SCB", func(m *state.MACsec) **bool { return &m.SCB }),
	flag(unix.IFLA_MACSEC_REPLAY_PROTECT, "IFLA_MACSEC_REPLAY_PROTECT", func(m *state.MACsec) **bool { return &m.ReplayProtect }),
	named[uint8](unix.IFLA_MACSEC_VALIDATION, "IFLA_MACSEC_VALIDATION", func(m *state.MACsec) **state.MACsecValidation { return &m.Validate }),
	named[uint8](unix.IFLA_MACSEC_OFFLOAD, "IFLA_MACSEC_OFFLOAD", func(m *state.MACsec) **state.MACsecOffload { return &m.Offload }),
}

// macsecDefaultCipher is the kernel's older number for GCM-AES-128, which it
// still sends. It is read as the standard's number, which the kernel takes, too.
const macsecDefaultCipher = 0x0080020001000001

func decodeCipher(m *state.MACsec, b []byte) error {
	m.Cipher = new(state.MACsecCipher)
	err := getInteger(b, m.Cipher)
	if *m.Cipher == macsecDefaultCipher {
		*m.Cipher = state.MACsecGCMAES128
	}
	return err
}

func encodeCipher(m *state.MACsec) ([]byte, error) {
	if m.Cipher == nil {
		return nil, nil
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(*m.Cipher)), nil
}
