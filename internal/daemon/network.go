package daemon

import (
	"context"
	"errors"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// show reads the kernel's network state. The daemon may see more than its client:
// the kernel shows the peers of WireGuard only to root, so they are left out for a
// client without privileges.
func show(ctx context.Context, req server.Show) (any, error) {
	s, err := kernel.Read(ctx, req.Filter)
	if err != nil {
		return nil, noInterface(req.Filter, err)
	}
	if !req.Privileged {
		for _, i := range s.Ifaces {
			i.WireGuard = nil
		}
	}
	return s, nil
}

// noInterface converts the error of an interface that does not exist into a
// client.Error that names the interface.
func noInterface(f state.Filter, err error) error {
	if !errors.Is(err, kernel.ErrNotExist) {
		return err
	}
	var names []string
	for _, name := range []string{f.Iface, f.OutIface} {
		if name != "" {
			names = append(names, name)
		}
	}
	return &client.Error{Code: client.CodeNotFound, Message: "there is no interface " + strings.Join(names, " or ")}
}
