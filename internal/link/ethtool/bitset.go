package ethtool

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// bitset is a set of bits in the compact form (ethtool-netlink.rst, "Bit
// sets"). The verbose form, with names, does not do for dumps: the features of
// one link fill more than the page that a dump begins with (EMSGSIZE).
type bitset struct {
	list        bool // ETHTOOL_A_BITSET_NOMASK: there is no mask
	size        uint32
	value, mask []byte // 32-bit words in the machine's byte order, lowest first
}

var bitsetRows = genl.Table[*bitset]{
	genl.Present(unix.ETHTOOL_A_BITSET_NOMASK, "ETHTOOL_A_BITSET_NOMASK", func(s *bitset) *bool { return &s.list }),
	genl.Number(unix.ETHTOOL_A_BITSET_SIZE, "ETHTOOL_A_BITSET_SIZE", func(s *bitset) *uint32 { return &s.size }),
	genl.Raw(unix.ETHTOOL_A_BITSET_VALUE, "ETHTOOL_A_BITSET_VALUE", func(s *bitset) *[]byte { return &s.value }),
	genl.Raw(unix.ETHTOOL_A_BITSET_MASK, "ETHTOOL_A_BITSET_MASK", func(s *bitset) *[]byte { return &s.mask }),
}

// set gives the numbers of the bits that are set.
func (s bitset) set() []uint32 { return s.in(s.value) }

// known gives the numbers of the bits that the set is about.
func (s bitset) known() []uint32 {
	if s.list {
		return s.set()
	}
	return s.in(s.mask)
}

func (s bitset) in(words []byte) []uint32 {
	var found []uint32
	for bit := range min(s.size, uint32(len(words))/4*32) {
		word := binary.NativeEndian.Uint32(words[bit/32*4:])
		if word>>(bit%32)&1 != 0 {
			found = append(found, bit)
		}
	}
	return found
}

// dictionary has the kernel's names of bits.
type dictionary struct {
	features  names // ETH_SS_FEATURES
	linkModes names // ETH_SS_LINK_MODES

	decoded map[string]*state.EthtoolFeatures // by the sets that say them
}

type names []string

// of gives the names of bits, never nil. Bits without a name are left out.
func (n names) of(bits []uint32) []string {
	found := []string{}
	for _, bit := range bits {
		if name := n.at(bit); name != "" {
			found = append(found, name)
		}
	}
	return found
}

func (n names) at(bit uint32) string {
	if int64(bit) < int64(len(n)) {
		return n[bit]
	}
	return ""
}

// Numbers of enum ethtool_stringset in linux/ethtool.h.
const (
	stringsFeatures  = 4 // ETH_SS_FEATURES
	stringsLinkModes = 9 // ETH_SS_LINK_MODES

	// maxStrings is far more than a set has: there are about 60 features and
	// 130 link modes.
	maxStrings = 1 << 12
)

// stringSet is one ETHTOOL_A_STRINGSETS_STRINGSET.
type stringSet struct {
	id    uint32
	names names
}

// oneString is one ETHTOOL_A_STRINGS_STRING.
type oneString struct {
	index uint32
	value string
}

var dictionaryRows = genl.Table[*dictionary]{
	genl.Nested(unix.ETHTOOL_A_STRSET_STRINGSETS, "ETHTOOL_A_STRSET_STRINGSETS", genl.Table[*dictionary]{
		{Number: unix.ETHTOOL_A_STRINGSETS_STRINGSET, Name: "ETHTOOL_A_STRINGSETS_STRINGSET", Decode: (*dictionary).add},
	}, func(d *dictionary) *dictionary { return d }),
}

var stringSetRows = genl.Table[*stringSet]{
	genl.Number(unix.ETHTOOL_A_STRINGSET_ID, "ETHTOOL_A_STRINGSET_ID", func(s *stringSet) *uint32 { return &s.id }),
	genl.Nested(unix.ETHTOOL_A_STRINGSET_STRINGS, "ETHTOOL_A_STRINGSET_STRINGS", genl.Table[*stringSet]{
		{Number: unix.ETHTOOL_A_STRINGS_STRING, Name: "ETHTOOL_A_STRINGS_STRING", Decode: (*stringSet).add},
	}, func(s *stringSet) *stringSet { return s }),
}

var stringRows = genl.Table[*oneString]{
	genl.Number(unix.ETHTOOL_A_STRING_INDEX, "ETHTOOL_A_STRING_INDEX", func(s *oneString) *uint32 { return &s.index }),
	genl.Text(unix.ETHTOOL_A_STRING_VALUE, "ETHTOOL_A_STRING_VALUE", func(s *oneString) *string { return &s.value }),
}

func (d *dictionary) add(b []byte) error {
	var set stringSet
	if err := stringSetRows.Decode(&set, b); err != nil {
		return err
	}
	switch set.id {
	case stringsFeatures:
		d.features = set.names
	case stringsLinkModes:
		d.linkModes = set.names
	}
	return nil
}

func (s *stringSet) add(b []byte) error {
	var one oneString
	if err := stringRows.Decode(&one, b); err != nil {
		return err
	}
	if one.index >= maxStrings {
		return fmt.Errorf("string number %d", one.index)
	}
	for uint32(len(s.names)) <= one.index {
		s.names = append(s.names, "")
	}
	s.names[one.index] = one.value
	return nil
}
