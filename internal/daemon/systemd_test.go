package daemon

import (
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

func TestSummary(t *testing.T) {
	on := func(state policy.UplinkState, name, reason string) policy.UplinkStatus {
		return policy.UplinkStatus{State: state, Name: name, Reason: reason}
	}
	ap := func(state policy.APState, reason string) policy.APStatus {
		return policy.APStatus{State: state, Reason: reason}
	}
	off := ap(policy.APOff, "")
	for _, tt := range []struct {
		name   string
		uplink policy.UplinkStatus
		ap     policy.APStatus
		ssid   string
		want   string
	}{
		{"online", on(policy.Online, "eth0", "eth0 works"), off, "pi", "online by eth0"},
		{"behind a portal", policy.UplinkStatus{State: policy.Online, Name: "wlan0", Portal: true}, off, "pi", "online by wlan0, behind a portal"},
		{"joining", on(policy.Joining, "", `carrier lost on wlan0, joining "home"`), off, "pi", `carrier lost on wlan0, joining "home"`},
		{"access point", on(policy.Lost, "", "carrier lost on wlan0"), ap(policy.APUp, "carrier lost on wlan0"), "pi", `access point "pi" up: carrier lost on wlan0`},
		{"access point beside a cable", on(policy.Online, "eth0", ""), ap(policy.APUp, "somebody asked for it"), "pi", `online by eth0, access point "pi" up`},
		{"access point that does not start", on(policy.Lost, "", "started"), ap(policy.APStarting, "ap_failed: one\ntwo"), "pi", `access point "pi" starting: ap_failed: one two`},
		{"a name that would be an assignment", on(policy.Lost, "", ""), ap(policy.APUp, "x"), "pi\nMAINPID=1", `access point "pi\nMAINPID=1" up: x`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := summary(policy.State{Uplink: tt.uplink, AP: tt.ap}, tt.ssid); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// listenAsSystemd returns what the daemon sends to systemd, "" if nothing.
func listenAsSystemd(t *testing.T, path string) (next func() string) {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		buffer := make([]byte, 1024)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond)) // sent before: it is there or not at all
		n, err := c.Read(buffer)
		if err != nil {
			return ""
		}
		return string(buffer[:n])
	}
}

func TestSystemdIsToldOnceOfReadiness(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "notify"), "@netconnectd-test-notify"} {
		t.Run(path[:1], func(t *testing.T) {
			next := listenAsSystemd(t, path)
			d := &daemon{log: slog.New(slog.DiscardHandler)}
			d.cfg.Store(&config.Config{})
			blank := policy.State{}
			started, _ := policy.Step(blank, time.Now(), policy.Start{})
			cable := policy.LinksChanged{Uplinks: []policy.Uplink{{Name: "eth0", Carrier: true, Addressed: true, Gateway: netip.MustParseAddr("192.0.2.1")}}}
			looked, _ := policy.Step(started, time.Now(), cable)
			online, _ := policy.Step(looked, time.Now(), policy.ProbeDone{Uplink: "eth0", Gen: 1})
			for _, step := range []struct {
				name      string
				old, next policy.State
				want      string
			}{
				{"the links are not known yet", blank, started, ""},
				{"the first step that knows them", started, looked, "READY=1\nSTATUS=lost: nothing came up"},
				{"a later one", looked, online, "STATUS=online by eth0"},
			} {
				d.announce(step.old, step.next)
				if got := next(); got != step.want {
					t.Errorf("%s: told %q, want %q", step.name, got, step.want)
				}
			}
		})
	}
}
