package state

import (
	"net/netip"
	"time"
)

// WireGuard describes a WireGuard interface. Keys are never reported, and users who
// may not administrate the network see nothing of it at all.
type WireGuard struct {
	ListenPort *uint16         `json:"listen_port,omitempty"` // UDP; 0: none, because the link is down
	FwMark     *uint32         `json:"fwmark,omitempty"`      // of the packets that it sends; 0: none
	Peers      []WireGuardPeer `json:"peers,omitempty"`
}

// WireGuardPeer is a far end of a WireGuard interface.
type WireGuardPeer struct {
	Endpoint            *netip.AddrPort `json:"endpoint,omitempty"` // the address from which it was heard last
	AllowedIPs          []netip.Prefix  `json:"allowed_ips,omitempty"`
	PersistentKeepalive *uint16         `json:"persistent_keepalive,omitempty"` // seconds; 0: none
	LastHandshake       *time.Time      `json:"last_handshake,omitempty"`       // UTC; absent: never
	RxBytes             *uint64         `json:"rx_bytes,omitempty"`
	TxBytes             *uint64         `json:"tx_bytes,omitempty"`
	ProtocolVersion     *uint32         `json:"protocol_version,omitempty"`
}
