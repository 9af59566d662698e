package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/state"
)

// networkServer starts a server whose daemon has only a log.
func networkServer(t *testing.T) (dial func() *client.Client) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := server.New(server.Config{Log: slog.New(slog.DiscardHandler), Handler: &daemon{log: slog.New(slog.DiscardHandler)}})
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	return func() *client.Client {
		c, err := client.Dial(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

func TestShowNetwork(t *testing.T) {
	c := networkServer(t)()
	s, err := c.Show(t.Context(), state.Filter{Parts: state.PartIfaces, Iface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	if lo := s.Ifaces["lo"]; len(s.Ifaces) != 1 || lo == nil || lo.Type != "loopback" || lo.Index != 1 {
		t.Errorf("lo is %+v", s.Ifaces)
	}
	if s, err = c.Show(t.Context(), state.Filter{}); err != nil || s.MPTCP == nil || len(s.Rules) == 0 {
		t.Errorf("everything is %+v, %v", s, err)
	}
	var coded *client.Error
	_, err = c.Show(t.Context(), state.Filter{OutIface: "absent0"})
	if !errors.As(err, &coded) || coded.Code != client.CodeNotFound || coded.Message != "there is no interface absent0" {
		t.Errorf("an interface that is not there: %v", err)
	}
}

func TestSubscribeNetwork(t *testing.T) {
	dial := networkServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	sub, err := dial().SubscribeNetwork(ctx, state.Filter{Parts: state.PartIfaces, Iface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	change, err := sub.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if change.Seq != 1 || change.Op != state.Snapshot || change.State == nil || change.State.Ifaces["lo"] == nil {
		t.Errorf("first change %+v", change)
	}
	var coded *client.Error
	_, err = dial().SubscribeNetwork(ctx, state.Filter{Iface: "absent0"})
	if !errors.As(err, &coded) || coded.Code != client.CodeNotFound {
		t.Errorf("an interface that is not there: %v", err)
	}
}
