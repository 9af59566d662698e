package ethtool

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
)

// Features says which offloads are on, by the kernel's names
// (net/ethtool/common.c, netdev_features_strings).
type Features struct {
	Fixed      map[string]bool `json:"fixed"`      // the driver cannot change them
	Changeable map[string]bool `json:"changeable"` // by ethtool -K
}

type featureSets struct {
	hw       bitset // the mask has all features, the value those that the driver can change
	active   bitset
	noChange bitset // NETIF_F_NEVER_CHANGE: not even where hw says so
}

var featureRows = genl.Table[featureSets]{
	genl.Nested(unix.ETHTOOL_A_FEATURES_HW, "ETHTOOL_A_FEATURES_HW", bitsetRows, func(f *featureSets) *bitset { return &f.hw }),
	genl.Nested(unix.ETHTOOL_A_FEATURES_ACTIVE, "ETHTOOL_A_FEATURES_ACTIVE", bitsetRows, func(f *featureSets) *bitset { return &f.active }),
	genl.Nested(unix.ETHTOOL_A_FEATURES_NOCHANGE, "ETHTOOL_A_FEATURES_NOCHANGE", bitsetRows, func(f *featureSets) *bitset { return &f.noChange }),
}

func decodeFeatures(d *Device, b []byte, dict *dictionary) error {
	var sets featureSets
	if err := featureRows.Decode(&sets, b); err != nil {
		return err
	}
	d.Features = &Features{Fixed: map[string]bool{}, Changeable: map[string]bool{}}
	for _, name := range dict.features.of(sets.hw.known()) {
		d.Features.Fixed[name] = false
	}
	for _, name := range dict.features.of(sets.hw.set()) {
		delete(d.Features.Fixed, name)
		d.Features.Changeable[name] = false
	}
	for _, name := range dict.features.of(sets.noChange.set()) {
		delete(d.Features.Changeable, name)
		d.Features.Fixed[name] = false
	}
	for _, name := range dict.features.of(sets.active.set()) {
		if _, ok := d.Features.Changeable[name]; ok {
			d.Features.Changeable[name] = true
		} else {
			d.Features.Fixed[name] = true
		}
	}
	return nil
}
