package ethtool

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
)

// LinkMode is how the two ends of the wire talk.
type LinkMode struct {
	AutoNegotiate bool     `json:"auto_negotiate"`
	Supported     []string `json:"supported,omitempty"` // modes and abilities of this end, e.g. "1000baseT/Full", "Autoneg"
	Ours          []string `json:"ours"`                // those of them that this end offers
	Peer          []string `json:"peer,omitempty"`      // those that the other end offers
	Speed         uint32   `json:"speed"`               // Mbit/s; 4294967295 (SPEED_UNKNOWN): not known, e.g. no carrier
	Duplex        string   `json:"duplex"`              // "half", "full", "unknown", else the kernel's number

	// MASTER_SLAVE_CFG_… and MASTER_SLAVE_STATE_… of linux/ethtool.h: which
	// end gives the clock (BASE-T1 and 1000BASE-T).
	ControllerSubordinateCfg   *uint8 `json:"controller_subordinate_cfg,omitempty"`
	ControllerSubordinateState *uint8 `json:"controller_subordinate_state,omitempty"`

	Lanes        *uint32 `json:"lanes,omitempty"`
	RateMatching *uint8  `json:"rate_matching,omitempty"` // RATE_MATCH_… of linux/ethtool.h
}

type linkModeSets struct {
	LinkMode
	ours, peer bitset
	duplex     uint8
}

var linkModeRows = genl.Table[linkModeSets]{
	genl.Bool(unix.ETHTOOL_A_LINKMODES_AUTONEG, "ETHTOOL_A_LINKMODES_AUTONEG", func(m *linkModeSets) *bool { return &m.AutoNegotiate }),
	genl.Nested(unix.ETHTOOL_A_LINKMODES_OURS, "ETHTOOL_A_LINKMODES_OURS", bitsetRows, func(m *linkModeSets) *bitset { return &m.ours }),
	genl.Nested(unix.ETHTOOL_A_LINKMODES_PEER, "ETHTOOL_A_LINKMODES_PEER", bitsetRows, func(m *linkModeSets) *bitset { return &m.peer }),
	genl.Number(unix.ETHTOOL_A_LINKMODES_SPEED, "ETHTOOL_A_LINKMODES_SPEED", func(m *linkModeSets) *uint32 { return &m.Speed }),
	genl.Number(unix.ETHTOOL_A_LINKMODES_DUPLEX, "ETHTOOL_A_LINKMODES_DUPLEX", func(m *linkModeSets) *uint8 { return &m.duplex }),
	genl.Optional(unix.ETHTOOL_A_LINKMODES_MASTER_SLAVE_CFG, "ETHTOOL_A_LINKMODES_MASTER_SLAVE_CFG", func(m *linkModeSets) **uint8 { return &m.ControllerSubordinateCfg }),
	genl.Optional(unix.ETHTOOL_A_LINKMODES_MASTER_SLAVE_STATE, "ETHTOOL_A_LINKMODES_MASTER_SLAVE_STATE", func(m *linkModeSets) **uint8 { return &m.ControllerSubordinateState }),
	genl.Optional(unix.ETHTOOL_A_LINKMODES_LANES, "ETHTOOL_A_LINKMODES_LANES", func(m *linkModeSets) **uint32 { return &m.Lanes }),
	genl.Optional(unix.ETHTOOL_A_LINKMODES_RATE_MATCHING, "ETHTOOL_A_LINKMODES_RATE_MATCHING", func(m *linkModeSets) **uint8 { return &m.RateMatching }),
}

// Values of linux/ethtool.h.
const (
	duplexHalf    = 0x00 // DUPLEX_HALF
	duplexFull    = 0x01 // DUPLEX_FULL
	duplexUnknown = 0xff // DUPLEX_UNKNOWN
	speedUnknown  = 1<<32 - 1
)

func decodeLinkMode(d *Device, b []byte, dict *dictionary) error {
	sets := linkModeSets{LinkMode: LinkMode{Speed: speedUnknown}, duplex: duplexUnknown}
	if err := linkModeRows.Decode(&sets, b); err != nil {
		return err
	}
	mode := sets.LinkMode
	mode.Duplex = duplexName(sets.duplex)
	mode.Ours = dict.linkModes.of(sets.ours.set())
	if peer := dict.linkModes.of(sets.peer.set()); len(peer) > 0 {
		mode.Peer = peer
	}
	if supported := dict.linkModes.of(sets.ours.known()); len(supported) > 0 {
		mode.Supported = supported
	}
	d.LinkMode = &mode
	return nil
}

func duplexName(duplex uint8) string {
	switch duplex {
	case duplexHalf:
		return "half"
	case duplexFull:
		return "full"
	case duplexUnknown:
		return "unknown"
	}
	return strconv.Itoa(int(duplex))
}
