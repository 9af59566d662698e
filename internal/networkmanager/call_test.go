package networkmanager

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godbus/dbus/v5"
)

// TestRunawayRule checks that a refusal after polkit's own limit of 15 s is not taken
// for the answer of its rules.
func TestRunawayRule(t *testing.T) {
	const yes, no, failed = "", "PermissionDenied", "Failed"
	refusal := fmt.Sprint(&Refusal{actionControl, no})
	for _, tt := range []struct {
		name    string
		took    time.Duration // the time of each answer
		answers []string      // NetworkManager's errors, one after another
		want    string
	}{
		{"allowed at once", 100 * time.Millisecond, []string{yes}, "<nil>"},
		{"allowed after a runaway", 15 * time.Second, []string{yes}, "<nil>"},
		{"refused after a runaway, and allowed when asked again", 15 * time.Second, []string{no, yes}, "<nil>"},
		{"refused after two", 15 * time.Second, []string{no, no}, refusal},
		{"refused by the rules", 14 * time.Second, []string{no}, refusal},
		{"failed for another reason", 15 * time.Second, []string{failed}, failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := tt.answers
				err := ask(t.Context(), actionControl, func() error {
					time.Sleep(tt.took)
					answer := answers[0]
					answers = answers[1:]
					if answer == yes {
						return nil
					}
					return dbus.Error{Name: "org.freedesktop.NetworkManager." + answer, Body: []any{answer}}
				})
				if fmt.Sprint(err) != tt.want || len(answers) != 0 {
					t.Errorf("%v, and %d answers not asked for; want %v and 0", err, len(answers), tt.want)
				}
			})
		})
	}
}
