package link

import (
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

func TestSeenOperState(t *testing.T) {
	for number, want := range map[uint8]string{0: "unknown", 6: "up", 7: "7"} {
		if got := seenLink(&rtnl.Link{OperState: number}).OperState; got != want {
			t.Errorf("%d is %q, want %q", number, got, want)
		}
	}
}

// TestLifetimesCountFromTheirReading: what is read without the addresses makes
// them no younger.
func TestLifetimesCountFromTheirReading(t *testing.T) {
	first := time.Now()
	s := Snapshot{}
	for _, tt := range []struct {
		which Parts
		after time.Duration
		want  time.Duration // Taken
	}{
		{lean, 0, 0},
		{DefaultRoutes, time.Minute, 0},
		{Links | DefaultRoutes, 2 * time.Minute, 0},
		{Addresses | DefaultRoutes, 3 * time.Minute, 3 * time.Minute},
	} {
		s.see(&Tables{Taken: first.Add(tt.after)}, tt.which)
		if got := s.Taken.Sub(first); got != tt.want {
			t.Errorf("after reading %b: taken at %v, want %v", tt.which, got, tt.want)
		}
	}
}
