package ethtool

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

type linkModeSets struct {
	state.EthtoolLinkMode
	ours, peer bitset
	duplex     uint8
}

var linkModeRows = genl.Table[*linkModeSets]{
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

func decodeLinkMode(d *state.Ethtool, b []byte, dict *dictionary) error {
	sets := linkModeSets{EthtoolLinkMode: state.EthtoolLinkMode{Speed: speedUnknown}, duplex: duplexUnknown}
	if err := linkModeRows.Decode(&sets, b); err != nil {
		return err
	}
	mode := sets.EthtoolLinkMode
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
