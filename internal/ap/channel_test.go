package ap

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// pickyHostapd returns a program that runs the real hostapd for every channel but 13.
// It refuses channel 13 as hostapd does where the country has no such channel.
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

// playLateHostapd refuses a channel as hostapd does after a change of the country:
// hostapd has its control socket by then, and reports the refusal there first.
func playLateHostapd(file string) {
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\nchannel=13\n") {
		panic(syscall.Exec("/usr/sbin/hostapd", []string{"hostapd", file}, os.Environ()))
	}
	path := filepath.Join(filepath.Dir(file), "hostapd", "wlan0")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		panic(err)
	}
	buf := make([]byte, 4096)
	for attached := (*net.UnixAddr)(nil); ; {
		n, from, err := conn.ReadFromUnix(buf)
		if err != nil {
			panic(err)
		}
		switch string(buf[:n]) {
		case "ATTACH":
			attached = from
			conn.WriteToUnix([]byte("OK\n"), from)
		case "STATUS":
			conn.WriteToUnix([]byte("state=COUNTRY_UPDATE\n"), from)
			conn.WriteToUnix([]byte("<3>AP-DISABLED "), attached)
			os.Remove(path)
			conn.Close()
			fmt.Println("Frequency 2472 (primary) not allowed for AP mode, flags: 0x1")
			time.Sleep(200 * time.Millisecond)
			os.Exit(1)
		default:
			conn.WriteToUnix([]byte("PONG\n"), from)
		}
	}
}

// TestForbiddenChannel checks that the access point starts nevertheless, on a channel
// that is allowed everywhere, that it lists its phones there, and that the next
// daemon adopts it there.
func TestForbiddenChannel(t *testing.T) {
	for name, hostapd := range map[string]func(t *testing.T, dir string) string{
		"refused at once":                       pickyHostapd,
		"refused after a change of the country": func(*testing.T, string) string { return testBinary() },
	} {
		t.Run(name, func(t *testing.T) { forbiddenChannel(t, hostapd) })
	}
}

func forbiddenChannel(t *testing.T, hostapdOf func(t *testing.T, dir string) string) {
	cable(t)
	config := testConfig(runtimeDir(t))
	config.Channel, config.Hostapd = 13, hostapdOf(t, config.RuntimeDir)
	first := newDaemon(t, config)
	told := make(chan struct{}, 100)
	first.ap.Clients = func(context.Context, []Client) { told <- struct{}{} }
	var onAir atomic.Pointer[Cell]
	first.ap.OnAir = func(c Cell) { onAir.Store(&c) }
	h := first.start()
	if c := onAir.Load(); c == nil || c.Channel != worldChannel {
		t.Errorf("told that it is on %+v, want channel %d", c, worldChannel)
	}
	select {
	case <-told:
	case <-time.After(hangLimit):
		t.Error("nobody is told who is on the access point")
	}
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
	onAir.Store(nil)
	next.ap.OnAir = func(c Cell) { onAir.Store(&c) }
	next.start()
	if c := onAir.Load(); c == nil || c.Channel != worldChannel {
		t.Errorf("the next daemon is told that it is on %+v, want channel %d", c, worldChannel)
	}
	if now, _ := next.pids(); now != hostapd {
		t.Errorf("hostapd was %d and became %d", hostapd, now)
	}
}

// TestNoChannelWorks checks that the error is that of the last try.
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
