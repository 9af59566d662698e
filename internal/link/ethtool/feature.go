package ethtool

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

type featureSets struct {
	hw       bitset // the mask has all features, the value those that the driver can change
	active   bitset
	noChange bitset // NETIF_F_NEVER_CHANGE: not even where hw says so
}

var featureRows = genl.Table[*featureSets]{
	genl.Nested(unix.ETHTOOL_A_FEATURES_HW, "ETHTOOL_A_FEATURES_HW", bitsetRows, func(f *featureSets) *bitset { return &f.hw }),
	genl.Nested(unix.ETHTOOL_A_FEATURES_ACTIVE, "ETHTOOL_A_FEATURES_ACTIVE", bitsetRows, func(f *featureSets) *bitset { return &f.active }),
	genl.Nested(unix.ETHTOOL_A_FEATURES_NOCHANGE, "ETHTOOL_A_FEATURES_NOCHANGE", bitsetRows, func(f *featureSets) *bitset { return &f.noChange }),
}

// decodeFeatures makes one Features of all replies that say the same: there are
// 60 names and often a thousand links of one driver.
func decodeFeatures(d *state.Ethtool, b []byte, dict *dictionary) error {
	var sets featureSets
	if err := featureRows.Decode(&sets, b); err != nil {
		return err
	}
	key := fmt.Sprint(sets)
	if dict.decoded[key] == nil {
		if dict.decoded == nil {
			dict.decoded = map[string]*state.EthtoolFeatures{}
		}
		dict.decoded[key] = newFeatures(sets, dict.features)
	}
	d.Features = dict.decoded[key]
	return nil
}

func newFeatures(sets featureSets, names names) *state.EthtoolFeatures {
	f := &state.EthtoolFeatures{Fixed: map[string]bool{}, Changeable: map[string]bool{}}
	for _, name := range names.of(sets.hw.known()) {
		f.Fixed[name] = false
	}
	for _, name := range names.of(sets.hw.set()) {
		delete(f.Fixed, name)
		f.Changeable[name] = false
	}
	for _, name := range names.of(sets.noChange.set()) {
		delete(f.Changeable, name)
		f.Fixed[name] = false
	}
	for _, name := range names.of(sets.active.set()) {
		if _, ok := f.Changeable[name]; ok {
			f.Changeable[name] = true
		} else {
			f.Fixed[name] = true
		}
	}
	return f
}
