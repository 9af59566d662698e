package policy

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/pagetest"
)

// TestPictureOfTheStates checks that docs/architecture.md draws each transition that
// happens in simulations, and no other.
func TestPictureOfTheStates(t *testing.T) {
	drawn, happened := map[string]bool{}, map[string]bool{}
	for _, b := range pagetest.Blocks(t, "../../../docs/architecture.md") {
		if b.Lang != "mermaid" {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^ +([a-z]\S+) --> (\S+)$`).FindAllStringSubmatch(b.Text, -1) {
			// The picture needs another name for the second "starting".
			of := "uplink "
			if part, _, _ := strings.Cut(b.Text, m[0]); strings.Contains(part, "state access_point") {
				of = "access point "
			}
			drawn[of+strings.TrimSuffix(m[1], "_up")+" --> "+strings.TrimSuffix(m[2], "_up")] = true
		}
	}
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(t, testConfig)
		w.cableThere = seed%2 == 0
		w.others["work"] = true
		w.router = seed%3 == 0
		w.transition = func(transition string) { happened[transition] = true }
		w.boot(Target{}, []Network{home, {SSID: "work"}}[:seed%3]...)
		for range 100 {
			w.mischief(r.IntN(mischiefs))
			longest := []int{200, 30000}[r.IntN(2)] // milliseconds: while the radio is being cleared, or after
			w.runFor(time.Duration(r.IntN(longest)) * time.Millisecond)
		}
	}
	if diff := cmp.Diff(drawn, happened); diff != "" {
		t.Errorf("(-drawn +happened):\n%s", diff)
	}
}
