package systemd

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestNotifyDoesNotWait: a program's control loop notifies, and must not wait.
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

// TestWithoutSystemd: a program that somebody else started tells nobody, and makes
// its own socket.
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
