package process

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFailed: those that ended by themselves or hang are told of, once each;
// those that were told to end are not.
func TestFailed(t *testing.T) {
	for _, tt := range []struct {
		name, part string
		end        func(t *testing.T, c *Child)
		want       []string
	}{
		{"gives up", "complain", func(*testing.T, *Child) {}, []string{"one"}},
		{"is killed by somebody", "sleep", func(t *testing.T, c *Child) {
			if err := unix.Kill(c.PID(), unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}, []string{"one"}},
		{"hangs", "sleep", func(t *testing.T, c *Child) {
			if err := c.EndHung(t.Context()); err != nil {
				t.Error(err)
			}
		}, []string{"one"}},
		{"is told to end", "sleep", func(t *testing.T, c *Child) {
			if err := c.End(t.Context()); err != nil {
				t.Error(err)
			}
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRunner(t, t.TempDir())
			var failed []string
			r.Failed = func(role string) { failed = append(failed, role) }
			c, _ := ensure(t, r, playing("one", tt.part))
			tt.end(t, c)
			<-c.Done()
			if !slices.Equal(failed, tt.want) {
				t.Errorf("told of %q, want %q", failed, tt.want)
			}
		})
	}
}
