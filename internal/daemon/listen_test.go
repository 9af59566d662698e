package daemon

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecondDaemonIsRefused(t *testing.T) {
	dir := t.TempDir()
	first, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir); err == nil || !strings.Contains(err.Error(), "another netconnectd is running") {
		t.Errorf("second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lock(dir)
	if err != nil {
		t.Fatalf("lock after the first ended: %v", err)
	}
	again.Close()
}

func TestListenTakesOverADeadSocketOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	first, err := listen(path)
	if err != nil {
		t.Fatalf("beside a dead socket: %v", err)
	}
	defer first.Close()
	if _, err := listen(path); err == nil || !strings.Contains(err.Error(), "another netconnectd is running") {
		t.Errorf("beside a live socket: %v", err)
	}
}
