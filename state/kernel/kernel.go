// Package kernel reads the state of the network from the kernel itself: Read
// returns a picture of which the parts fit together, Watch keeps it current. Both
// need no daemon and no privileges, and see the network namespace of the calling
// thread. The examples of package state show how both are used.
package kernel

import "github.com/netconnectd/netconnectd/internal/link"

// ErrNotExist says that there is no interface of that name.
var ErrNotExist = link.ErrNotExist
