package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// remembers checks that the history survives restarts and crashes, and that a user
// without rights reads it in its order.
func (l *Lab) remembers(t *testing.T, daemon []string) {
	t.Helper()
	l.Timeline.Step("netconnectcli history shows these events", func() string {
		text := l.Device.must(t, stranger, "--json", "history", "-n", "0")
		var reply struct {
			Result []struct {
				Seq     int
				Seconds *int
				event
			}
		}
		if err := json.Unmarshal([]byte(text), &reply); err != nil {
			t.Fatalf("read the history: %v\n%s", err, text)
		}
		var runs, joined []string
		for i, e := range reply.Result {
			if i > 0 && e.Seq != reply.Result[i-1].Seq+1 {
				t.Errorf("%d follows %d:\n%s", e.Seq, reply.Result[i-1].Seq, text)
			}
			switch _, remark, _ := strings.Cut(e.Reason, "; "); {
			case e.Type == "daemon":
				runs = append(runs, strings.TrimSpace(e.New+" "+remark))
			case e.New == "joined":
				joined = append(joined, e.SSID)
			}
			if e.Seconds == nil {
				t.Errorf("no age, though the machine was not started anew: %+v", e)
			}
		}
		if last := runs[max(0, len(runs)-len(daemon)):]; !slices.Equal(last, daemon) {
			t.Errorf("runs of the daemon were\n%s\nwant at the end\n%s", strings.Join(runs, "\n"), strings.Join(daemon, "\n"))
		}
		if !slices.Contains(joined, l.Home.SSID) {
			t.Errorf("joined were %q, want %s among them", joined, l.Home.SSID)
		}
		return fmt.Sprintf("%d entries, %d of them of the daemon", len(reply.Result), len(runs))
	})
}

// tellsSignal checks that status has the frequency and the signal that the kernel
// reports.
func (l *Lab) tellsSignal(t *testing.T) {
	t.Helper()
	l.Timeline.Step("status tells frequency and signal", func() string {
		wifi := l.Device.Status(t).WiFi
		air := must(t, "", "iw", "dev", radioDevice, "link")
		for _, want := range []string{fmt.Sprintf("freq: %d", wifi.Frequency), fmt.Sprintf("signal: %d dBm", wifi.Signal)} {
			if !strings.Contains(air, want) {
				t.Errorf("status says %s, iw says\n%s", want, air)
			}
		}
		return fmt.Sprintf("%d MHz, %d dBm; iw dev %s link", wifi.Frequency, wifi.Signal, radioDevice)
	})
}
