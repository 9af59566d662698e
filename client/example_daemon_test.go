package client_test

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/state"
)

// socket is the socket of the device in the examples. Programs on a real device dial
// client.DefaultSocket.
var socket string

// TestMain starts that device: real frames over a real socket, with answers that are
// always the same.
func TestMain(m *testing.M) { os.Exit(withDevice(m.Run)) }

func withDevice(run func() int) int {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	socket = filepath.Join(folder, "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	s := server.New(server.Config{Log: slog.New(slog.DiscardHandler), Handler: device{}})
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	working.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			log.Fatal(err)
		}
	})
	working.Go(func() { loseAndFind(ctx, s) })
	return run()
}

// loseAndFind publishes the events of a pulled cable, again and again.
func loseAndFind(ctx context.Context, s *server.Server) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Publish(client.Event{Type: client.EventUplink, Old: "online", New: "lost", Reason: "eth0 has no carrier"})
		}
	}
}

// device is a Handler that is online through its cable. Its network Home is saved,
// and so is Office, with a wrong passphrase.
type device struct{}

func (device) Status() client.Status {
	return client.Status{Uplink: client.Uplink{
		Condition: client.Condition{State: "online", Reason: "eth0 works"},
		Interface: "eth0", Addresses: []string{"192.0.2.7/24"},
	}}
}

func (device) Handle(_ context.Context, _ server.Peer, r server.Request) (any, error) {
	switch r := r.(type) {
	case server.ListWifi:
		return []client.BSS{
			{Network: client.NewNetwork([]byte("Home")), Security: "wpa2/wpa3", Signal: new(-48)},
			{Network: client.NewNetwork([]byte("Office")), Security: "wpa2", Signal: new(-71)},
		}, nil
	case server.AddNetwork:
		return client.ResultAdded(r.SSID), nil
	case server.Connect:
		if string(r.SSID) == "Office" {
			return nil, &client.Error{Code: client.CodeWrongKey, Message: client.TextCouldNotConnect, Reason: "the router refused the passphrase"}
		}
		return client.ResultConnected, nil
	case server.Show:
		return &state.State{Ifaces: map[string]*state.Iface{"eth0": {Name: "eth0", Type: "ethernet", MTU: 1500}}}, nil
	}
	return nil, errors.New("the device of the examples has no such command")
}
