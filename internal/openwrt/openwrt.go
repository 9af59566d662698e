// Package openwrt reads a network file of OpenWrt's, /etc/config/network, as the declared
// network of package network. What netconnectd does not have is left out, and reported as
// a warning with its line. Only syntax, and values that an option cannot have, are errors.
package openwrt

import (
	"sort"

	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/uci"
)

// MaxFile is the size in bytes of the largest file that Read takes.
const MaxFile = uci.MaxFile

// Options say how a file is read.
type Options struct {
	Tables map[string]uint32 // numbers of routing tables by name, see SystemTables

	// Translate leaves out what the YAML of netconnectd cannot say: interfaces whose
	// protocol netconnectd does not have. Otherwise these interfaces are declared, and
	// stay down.
	Translate bool
}

// Network is what a file declares. Paths of places are UCI's, e.g. "network.lan.proto"
// and "network.@device[0]".
type Network struct {
	Spec     network.Spec      // zero if one of the Problems is no warning
	Sections []network.Section // that Spec was made of
	Problems []network.Problem // in the order of the lines
}

// Failed reports whether the file is wrong.
func (n *Network) Failed() bool {
	for i := range n.Problems {
		if !n.Problems[i].Warning {
			return true
		}
	}
	return false
}

// Read returns what a file declares.
func Read(text []byte, options Options) Network {
	sections, wrong := uci.Parse(text)
	var n Network
	for _, p := range wrong {
		n.Problems = append(n.Problems, network.Problem{Place: network.Place{Line: p.Line}, Text: p.Text})
	}
	if len(wrong) > 0 {
		return n
	}
	c := newConverter(options)
	c.convert(sections)
	n.Sections = c.all()
	spec, problems := network.Read(n.Sections)
	n.Spec, n.Problems = spec, append(c.problems, problems...)
	sort.SliceStable(n.Problems, func(i, j int) bool { return n.Problems[i].Line < n.Problems[j].Line })
	return n
}
