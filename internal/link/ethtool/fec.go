package ethtool

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// Attributes of linux/ethtool_netlink.h that package unix lacks.
const (
	fecModes  = 2 // ETHTOOL_A_FEC_MODES
	fecAuto   = 3 // ETHTOOL_A_FEC_AUTO
	fecActive = 4 // ETHTOOL_A_FEC_ACTIVE
)

type fecSets struct {
	state.EthtoolFEC
	modes  bitset
	active *uint32 // bit of a link mode
}

var fecRows = genl.Table[*fecSets]{
	genl.Nested(fecModes, "ETHTOOL_A_FEC_MODES", bitsetRows, func(f *fecSets) *bitset { return &f.modes }),
	genl.Bool(fecAuto, "ETHTOOL_A_FEC_AUTO", func(f *fecSets) *bool { return &f.Auto }),
	genl.Optional(fecActive, "ETHTOOL_A_FEC_ACTIVE", func(f *fecSets) **uint32 { return &f.active }),
}

func decodeFEC(d *state.Ethtool, b []byte, _ *dictionary) error {
	var sets fecSets
	if err := fecRows.Decode(&sets, b); err != nil {
		return err
	}
	fec := sets.EthtoolFEC
	if sets.active != nil {
		fec.Active = fecName(*sets.active)
	}
	fec.Configured = []string{}
	for _, linkMode := range sets.modes.set() {
		fec.Configured = append(fec.Configured, fecName(linkMode))
	}
	d.FEC = &fec
	return nil
}

func fecName(linkMode uint32) string {
	switch linkMode {
	case unix.ETHTOOL_LINK_MODE_FEC_NONE_BIT:
		return "off"
	case unix.ETHTOOL_LINK_MODE_FEC_RS_BIT:
		return "rs"
	case unix.ETHTOOL_LINK_MODE_FEC_BASER_BIT:
		return "baser"
	case unix.ETHTOOL_LINK_MODE_FEC_LLRS_BIT:
		return "llrs"
	}
	return strconv.FormatUint(uint64(linkMode), 10)
}
