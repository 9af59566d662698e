package daemon

import (
	"context"
	"net/netip"

	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/radio"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// slot is the radio as the daemon uses it. It is a radio.Slot, which describes the
// methods, or a stand-in of a test.
type slot interface {
	supervisor.Radio
	supervisor.Scanner

	Run(ctx context.Context)
	Discover(ctx context.Context) error
	Running(ctx context.Context) policy.Target
	WatchNetworkManager(ctx context.Context)
	Configure(ctx context.Context, settings radio.Settings) error
	FindInterface(ctx context.Context, links *link.Snapshot) error
	EndAccessPoint(ctx context.Context) error
	TearDownStation(ctx context.Context) error

	Interface() string
	Managed() bool
	Backend() string
	Networks() radio.NetworkStore
	Association() *wifi.Association
	Lease() *dhcp.Lease
	Advertised() (servers []netip.Addr, heard bool)
	Clients() []ap.Client
	OnAir() *ap.Cell
	Tried() *store.Network
	Cells(ctx context.Context, fresh bool) ([]wifi.BSS, error)
	Refresh(ctx context.Context)
}
