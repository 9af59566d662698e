package daemon

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/doctor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

func TestFindingsBecomeProblems(t *testing.T) {
	got := toProblems([]doctor.Finding{{ID: "iwd", Group: "Other programs", Level: doctor.Problem, What: "iwd works on wlan0", Remedy: "end it"}})
	if diff := cmp.Diff([]client.Problem{{Code: "iwd", Text: "iwd works on wlan0", Remedy: "end it"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A look is asked for when the access point's state changes, and when an attempt
// at it fails in another way; not at each of the policy's steps.
func TestWhatAsksForALook(t *testing.T) {
	state := func(ap policy.APState, reason string) policy.State {
		var s policy.State
		s.AP.State, s.AP.Reason = ap, reason
		return s
	}
	off := state(policy.APOff, "not needed")
	for _, tt := range []struct {
		name string
		next policy.State
		want bool
	}{
		{"nothing of the access point", off, false},
		{"it starts", state(policy.APStarting, "carrier lost"), true},
		{"it could not", state(policy.APOff, "port 67 is taken"), true},
	} {
		if got := meetsOthers(off, tt.next); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	p := problems{hint: make(chan struct{}, 1)}
	p.look()
	p.look() // does not wait, and one look is enough for both
	if len(p.hint) != 1 || p.all() != nil {
		t.Errorf("%d looks asked for, %v seen", len(p.hint), p.all())
	}
}
