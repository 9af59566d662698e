//go:build labhook

package supervisor

import "os"

// stallFile blocks the loop for ever when it exists. stall removes the file, so
// that the next daemon is not blocked.
const stallFile = "/run/netconnectd/stall"

// stall blocks the loop on request of the lab, which checks that the watchdog
// notices. The released daemon is built without this file.
func stall() {
	if os.Remove(stallFile) == nil {
		select {}
	}
}
