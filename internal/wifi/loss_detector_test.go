package wifi

import (
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

func TestLossDetector(t *testing.T) {
	for _, row := range []struct{ name, trace, want string }{
		{"nothing happens", "(completed) (completed)", ""},
		{"router dies: beacons stop", `
			CTRL-EVENT-BEACON-LOSS
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=4 locally_generated=1
			CTRL-EVENT-SCAN-STARTED
			(not completed)`, "the router vanished"},
		{"router says goodbye", `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3
			(not completed)`, "the router ended it (reason 3)"},
		{"back by itself", `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3
			CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=0 id_str=]
			(completed)`, ""},
		{"back by itself, the event was lost", `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3
			(completed)`, ""},
		{"passphrase changed", `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=2
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=WRONG_KEY`,
			"the router ended it (reason 2)"},
		{"the event of the loss was lost", `
			(not completed)
			(not completed)`, "it ended unnoticed"},
		{"the event comes after the look at the state", `
			(not completed)
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3
			(not completed)`, "the router ended it (reason 3)"},
		{"the event of the loss was lost, and it is back", `
			(not completed)
			(completed)`, ""},
		{"wpa_supplicant is told to end", `CTRL-EVENT-TERMINATING`, "wpa_supplicant ended"},
		{"hostile reason", `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=<b>
			(not completed)`, "the router ended it (reason unknown)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var d lossDetector
			got := ""
			for line := range strings.Lines(row.trace) {
				lost := false
				switch line = strings.TrimSpace(line); line {
				case "":
				case "(completed)", "(not completed)":
					lost = d.state(line == "(completed)")
				default:
					lost = d.event(wpactrl.ParseEvent("<3>" + line))
				}
				if lost {
					got = d.reason
					break
				}
			}
			if got != row.want {
				t.Errorf("lost because %q, want %q", got, row.want)
			}
		})
	}
}

func TestLossDetectorLooksCloserOnceInDoubt(t *testing.T) {
	var d lossDetector
	calm := d.patience()
	d.event(wpactrl.ParseEvent("<3>CTRL-EVENT-DISCONNECTED reason=3"))
	if doubting := d.patience(); doubting >= calm || doubting > 2*time.Second {
		t.Errorf("patience %v in doubt, %v else", doubting, calm)
	}
}
