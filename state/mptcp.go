package state

import "net/netip"

// MPTCP describes the path manager of Multipath TCP.
type MPTCP struct {
	Enabled              bool           `json:"enabled"` // new sockets may use MPTCP
	AddAddrAcceptedLimit *uint32        `json:"add_addr_accepted_limit,omitempty"`
	SubflowsLimit        *uint32        `json:"subflows_limit,omitempty"`
	Addresses            []MPTCPAddress `json:"addresses,omitempty"`
}

// MPTCPAddress is an endpoint of Multipath TCP.
type MPTCPAddress struct {
	Address netip.Addr `json:"address"`
	ID      *uint8     `json:"id,omitempty"`
	Port    *uint16    `json:"port,omitempty"`
	Flags   []string   `json:"flags,omitempty"` // "signal", "subflow", "backup", "fullmesh", "implicit", "laminar"; other flags as e.g. "0x40"
	Iface   string     `json:"iface,omitempty"` // name
}
