package store

import "github.com/netconnectd/netconnectd/internal/address"

// Addressing is a static address, for a network without DHCP and router
// advertisements.
type Addressing = address.Static
