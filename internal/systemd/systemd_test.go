package systemd

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestNotifyDoesNotWait checks that a notification never blocks, because a control
// loop sends it.
func TestNotifyDoesNotWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	deadline := time.Now().Add(10 * time.Second)
	for Notify(Alive) == nil {
		if time.Now().After(deadline) {
			t.Fatal("a queue that nobody reads is never full")
		}
	}
}

// TestWithoutSystemd checks that a program which systemd did not start sends no
// notification, and creates its own socket.
func TestWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	t.Setenv("LISTEN_PID", "")
	if err := Notify(Ready); err != nil {
		t.Errorf("notify: %v", err)
	}
	if every, err := WatchdogEvery(); every != 0 || err != nil {
		t.Errorf("watchdog: %v, %v", every, err)
	}
	if l, err := Listener(); l != nil || err != nil {
		t.Errorf("listener: %v, %v", l, err)
	}
}
