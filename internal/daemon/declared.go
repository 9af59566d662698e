package daemon

import (
	"path/filepath"

	"github.com/netconnectd/netconnectd/internal/declared"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
)

// newDeclared returns the declared network.
func (d *daemon) newDeclared(dir string) *declared.Network {
	return declared.New(declared.Parts{
		Dir: dir, Links: d.monitor, Kernel: d.lane.Declarer(filepath.Join(dir, "declared.json"), d.log), DHCP: dhcp.Run,
		Changed: func() { d.problems.recheck(); d.dns.recheck(); nudge(d.relink) },
		Log:     d.log,
	})
}
