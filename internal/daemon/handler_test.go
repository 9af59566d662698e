package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/timetest"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestListOfThousand checks list_wifi with 1,000 cells over the socket.
func TestListOfThousand(t *testing.T) {
	var cells []wifi.BSS
	for i := range 1000 {
		cells = append(cells, wifi.BSS{
			SSID: fmt.Appendf(nil, "net-%04d\xff", i), BSSID: []byte{2, 0, 0, 0, byte(i >> 8), byte(i)}, Security: wifi.WPA2, Frequency: 2412,
		})
	}
	d := &daemon{log: slog.New(slog.DiscardHandler), radio: &standIn{networks: &shelf{}, cells: cells}}
	socket := filepath.Join(t.TempDir(), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.New(server.Config{Log: d.log, Handler: d}).Serve(ctx, listener) }()
	defer func() { stop(); <-ended }()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	list, err := c.ListWifi(ctx, false)
	took := time.Since(start)
	if err != nil || len(list) != 1000 {
		t.Fatalf("%d cells, %v; want 1,000", len(list), err)
	}
	t.Logf("1,000 cells in %v", took)
	if took > 4*50*time.Millisecond && !timetest.Beside {
		t.Errorf("1,000 cells in %v, want 50 ms", took)
	}
}

// TestWithoutRadio checks that each request that needs a radio is answered as
// foosel's netconnectd answers it, before any other error.
func TestWithoutRadio(t *testing.T) {
	d := idle(t)
	var err error
	if d.history, err = openHistory(t.TempDir(), d.log); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.sup.Run(ctx, policy.Start{}, d.networks()) }()
	defer func() { stop(); <-ended }()
	for _, req := range []server.Request{
		server.ListWifi{}, server.ListWifi{Force: true}, server.ConfigWifi{SSID: []byte("home")}, server.StartWifi{}, server.StartAP{}, server.StopAP{},
	} {
		_, err := d.Handle(t.Context(), server.Peer{}, req)
		var coded *client.Error
		if !errors.As(err, &coded) || coded.Code != "no_radio" || coded.Message != "Wifi interface absent0 is not present" {
			t.Errorf("%s: %v", req.Command(), err)
		}
	}
}

// TestListMarks checks that list_wifi marks the cells of saved networks, and the cell
// with which the radio is associated.
func TestListMarks(t *testing.T) {
	cell := func(ssid string, last byte) wifi.BSS {
		return wifi.BSS{SSID: []byte(ssid), BSSID: []byte{2, 0, 0, 0, 0, last}}
	}
	home := cell("home", 1)
	saved := []store.Network{{Network: wifi.Network{SSID: []byte("home")}}, {Network: wifi.Network{SSID: []byte("\xff\x00")}}}
	for _, row := range []struct {
		name           string
		cell           wifi.BSS
		here           *wifi.Association
		saved, current bool
	}{
		{"the cell that the radio is in", home, &wifi.Association{SSID: home.SSID, BSSID: home.BSSID}, true, true},
		{"another cell of the same network", cell("home", 2), &wifi.Association{SSID: home.SSID, BSSID: home.BSSID}, true, false},
		{"a saved network while the radio is in none", home, nil, true, false},
		{"a saved network of bytes that are no text", cell("\xff\x00", 3), nil, true, false},
		{"one whose text is the same", cell("\\xff\\x00", 3), nil, false, false},
		{"one that is not saved", cell("cafe", 4), nil, false, false},
		{"one that is not saved and is current, as NetworkManager can have it", cell("cafe", 4), &wifi.Association{SSID: []byte("cafe"), BSSID: cell("", 4).BSSID}, false, true},
		{"the current one, which hides its name", cell("", 1), &wifi.Association{SSID: home.SSID, BSSID: home.BSSID}, true, true},
		{"the current one, which hides its name as NULs", cell("\x00\x00", 1), &wifi.Association{SSID: home.SSID, BSSID: home.BSSID}, true, true},
		{"another network of the same address", cell("guest", 1), &wifi.Association{SSID: home.SSID, BSSID: home.BSSID}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := &daemon{radio: &standIn{networks: &shelf{networks: saved}, association: row.here, cells: []wifi.BSS{row.cell}}}
			result, err := d.listWifi(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			if b := result.([]client.BSS)[0]; b.Saved != row.saved || b.Current != row.current {
				t.Errorf("saved %v, current %v; want %v, %v", b.Saved, b.Current, row.saved, row.current)
			}
		})
	}
}
