package process

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFailed checks that children which ended by themselves or hang are reported,
// once each, and that those which were told to end, or are pardoned, are not.
func TestFailed(t *testing.T) {
	nothing := func(*testing.T, *Child) {}
	said := func(words string) func([]string) bool {
		return func(last []string) bool { return slices.Contains(last, words) }
	}
	for _, tt := range []struct {
		name, part string
		pardoned   func(last []string) bool
		end        func(t *testing.T, c *Child)
		want       []string
	}{
		{"gives up", "complain", nil, nothing, []string{"one"}},
		{"gives up with words that are pardoned", "complain", said("cannot do it"), nothing, nil},
		{"gives up with others", "complain", said("will not do it"), nothing, []string{"one"}},
		{"is killed by somebody", "sleep", nil, func(t *testing.T, c *Child) {
			if err := unix.Kill(c.PID(), unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}, []string{"one"}},
		{"hangs", "sleep", nil, func(t *testing.T, c *Child) {
			if err := c.EndHung(t.Context()); err != nil {
				t.Error(err)
			}
		}, []string{"one"}},
		{"is told to end", "sleep", nil, func(t *testing.T, c *Child) {
			if err := c.End(t.Context()); err != nil {
				t.Error(err)
			}
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRunner(t, t.TempDir())
			var failed []string
			r.Failed = func(role string) { failed = append(failed, role) }
			spec := playing("one", tt.part)
			spec.Pardoned = tt.pardoned
			c, _ := ensure(t, r, spec)
			tt.end(t, c)
			<-c.Done()
			if !slices.Equal(failed, tt.want) {
				t.Errorf("told of %q, want %q", failed, tt.want)
			}
		})
	}
}
