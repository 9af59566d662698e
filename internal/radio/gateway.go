package radio

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// askGateway proves that the network's gateway answers. The configured probe follows
// once the policy knows the uplink.
func (r *radio) askGateway(ctx context.Context, gateway netip.Addr) error {
	switch {
	case r.SkipGateway:
		return nil
	case !gateway.IsValid():
		return noGateway()
	}
	if err := probe.Gateway(ctx, r.iface, gateway); err != nil {
		return failure(client.CodeNoGateway, "gateway %v: %v", gateway, err)
	}
	return nil
}

// noGateway returns the failure of a network with an address but no router.
func noGateway() error {
	return failure(client.CodeNoGateway, "the network has no gateway; if it needs none, set probe.kind: none")
}

func failure(code, format string, args ...any) error {
	return &supervisor.Failed{Failure: policy.Failure{Code: code, Reason: fmt.Sprintf(format, args...)}}
}
