// Package timetest checks how long actions take on a machine that may have other
// work.
package timetest

import (
	"testing"
	"time"
)

// InTime fails if the measured time is less than least once, or more than most three
// times: a busy machine may be late once, but a defect is late each time. measure
// must report every other fault itself, which ends the tries.
func InTime(t *testing.T, least, most time.Duration, measure func() time.Duration) {
	t.Helper()
	var took time.Duration
	for range 3 {
		took = measure()
		t.Logf("took %v", took.Round(100*time.Microsecond))
		if took <= most || t.Failed() {
			break
		}
	}
	if took < least || took > most {
		t.Errorf("took %v, want %v to %v", took, least, most)
	}
}
