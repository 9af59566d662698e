package store

import "github.com/netconnectd/netconnectd/internal/address"

// Addressing is a static address, for a network that gives none.
type Addressing = address.Static
