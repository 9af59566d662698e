package daemon

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/radio"
)

// TestSocketAnswersBesideAHungBus checks that the socket answers at once while the
// D-Bus accepts connections but never answers, and that the policy starts without
// its answer.
func TestSocketAnswersBesideAHungBus(t *testing.T) {
	folder := t.TempDir()
	hangingBus(t, filepath.Join(folder, "bus"))
	cfg := &config.Config{
		RuntimeDir: filepath.Join(folder, "run"), StateDir: filepath.Join(folder, "state"),
		Interfaces: config.Interfaces{Wifi: "absent0"}, Wifi: config.Wifi{Backend: radio.BackendAuto},
	}
	cfg.Probe.Kind = string(probe.KindGateway)
	listener, err := net.Listen("unix", filepath.Join(folder, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- Run(ctx, cfg, listener, Options{Log: slog.New(slog.DiscardHandler)}) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	c, err := client.Dial(ctx, listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	status, err := c.Status(ctx)
	if err != nil || status.Uplink.State != "starting" || status.Uplink.Seconds > 60 {
		t.Errorf("the first status is %+v, %v", status.Uplink, err)
	}
	const promise = 500 * time.Millisecond
	if took := time.Since(began); took > 4*promise {
		t.Errorf("the socket answered after %v, want %v", took, promise)
	}
	// The command needs the policy.
	if _, err := c.Reset(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the policy began after %v", took)
	}
}

// hangingBus accepts connections in place of the system's D-Bus until the test ends,
// and answers none of them.
func hangingBus(t *testing.T, path string) {
	t.Helper()
	bus, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+path)
	go func() {
		for {
			c, err := bus.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
}
