// Package kernel reads the state of the network from the kernel itself: Read returns
// a consistent State, and Watch reports its changes. Both need no daemon and no
// privileges, and see the network namespace of the calling thread. The examples of
// package state show how to use them.
package kernel

import "github.com/netconnectd/netconnectd/internal/link"

// ErrNotExist means that no interface has that name.
var ErrNotExist = link.ErrNotExist
