package link

import (
	"testing"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

func TestSeenOperState(t *testing.T) {
	for number, want := range map[uint8]string{0: "unknown", 6: "up", 7: "7"} {
		if got := seenLink(&rtnl.Link{OperState: number}).OperState; got != want {
			t.Errorf("%d is %q, want %q", number, got, want)
		}
	}
}
