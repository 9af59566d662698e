package ap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pickyHostapd is the real one for every channel but 13, which it refuses as
// hostapd does where the country has no such channel.
func pickyHostapd(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "hostapd-picky")
	script := `#!/bin/sh
if grep -q '^channel=13$' "$1"; then
	echo 'Frequency 2472 (primary) not allowed for AP mode, flags: 0x1'
	exit 1
fi
exec /usr/sbin/hostapd "$@"
`
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestForbiddenChannel: the access point comes up all the same, on a channel
// that is allowed everywhere, and the next daemon adopts it there.
func TestForbiddenChannel(t *testing.T) {
	cable(t)
	config := testConfig(runtimeDir(t))
	config.Channel, config.Hostapd = 13, pickyHostapd(t, config.RuntimeDir)
	first := newDaemon(t, config)
	h := first.start()
	if said := first.logged.String(); !strings.Contains(said, "wanted=13 channel=1") || !strings.Contains(said, "choose another ap.channel") {
		t.Errorf("the log does not say why:\n%s", said)
	}
	hostapd, _ := first.pids()
	text, err := os.ReadFile(config.hostapdFile())
	if err != nil || !strings.Contains(string(text), "\nchannel=1\n") {
		t.Errorf("hostapd's channel is not 1: %v\n%s", err, text)
	}
	h.cancel()
	h.result(5 * time.Second)
	next := newDaemon(t, config)
	next.start()
	if now, _ := next.pids(); now != hostapd {
		t.Errorf("hostapd was %d and became %d", hostapd, now)
	}
}

// TestNoChannelWorks: the error is that of the last try.
func TestNoChannelWorks(t *testing.T) {
	cable(t)
	config := testConfig(runtimeDir(t))
	config.Channel, config.Hostapd = worldChannel, filepath.Join(config.RuntimeDir, "hostapd-broken")
	script := "#!/bin/sh\necho 'Could not select hw_mode and channel. (-3)'\nexit 1\n"
	if err := os.WriteFile(config.Hostapd, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t, config)
	err := d.ap.Hold(context.Background(), func() { t.Error("ready") })
	if err == nil || !strings.Contains(fmt.Sprint(err), wrongChannel) {
		t.Errorf("%v, want %s", err, wrongChannel)
	}
}
