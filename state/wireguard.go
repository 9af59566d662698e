package state

import (
	"net/netip"
	"time"
)

// WireGuard is a WireGuard interface. Keys are not told, and nothing at all to
// those who may not administrate the network.
type WireGuard struct {
	ListenPort *uint16         `json:"listen_port,omitempty"` // UDP; 0: none, the link is down
	FwMark     *uint32         `json:"fwmark,omitempty"`      // of the packets it sends; 0: none
	Peers      []WireGuardPeer `json:"peers,omitempty"`
}

// WireGuardPeer is a far end of a WireGuard interface.
type WireGuardPeer struct {
	Endpoint            *netip.AddrPort `json:"endpoint,omitempty"` // where it was heard last
	AllowedIPs          []netip.Prefix  `json:"allowed_ips,omitempty"`
	PersistentKeepalive *uint16         `json:"persistent_keepalive,omitempty"` // s; 0: none
	LastHandshake       *time.Time      `json:"last_handshake,omitempty"`       // UTC; absent: never
	RxBytes             *uint64         `json:"rx_bytes,omitempty"`
	TxBytes             *uint64         `json:"tx_bytes,omitempty"`
	ProtocolVersion     *uint32         `json:"protocol_version,omitempty"`
}
