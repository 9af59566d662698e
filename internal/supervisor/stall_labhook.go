//go:build labhook

package supervisor

import "os"

// stallFile blocks the loop for ever when it exists. It is taken away, so that
// the next daemon is not blocked.
const stallFile = "/run/netconnectd/stall"

// stall lets the lab see that a loop that blocks is noticed. The shipped
// daemon is built without it.
func stall() {
	if os.Remove(stallFile) == nil {
		select {}
	}
}
