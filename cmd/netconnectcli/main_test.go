package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise every exit of a program takes a second
	testscript.Main(removing{m}, map[string]func(){"netconnectcli": main})
}

// removing removes what the tests have built, after all of them.
type removing struct{ *testing.M }

func (r removing) Run() int {
	defer func() {
		if built.dir != "" {
			os.RemoveAll(built.dir)
		}
	}()
	return r.M.Run()
}

// built holds our programs as users have them, without the race detector, which makes
// each start take four times as long.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// builtPrograms returns the folder of our programs, and builds them the first time.
func builtPrograms(t *testing.T) (dir string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the programs")
	}
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "netconnectcli"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-o", built.dir, "../netconnectd", "../netconnectcli")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build our programs: %v", built.err)
	}
	return built.dir
}

// TestScript runs the scripts of testdata/script against a real server whose Handler
// is the device below.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			path := filepath.Join(env.WorkDir, "s")
			env.Setenv(socketEnv, path)
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return serve(&device{}, env.Defer, path)
		},
		Condition: func(name string) (bool, error) { return name == "root" && os.Geteuid() == 0, nil },
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"in": runInside},
	})
}

// serve runs a server of d on path. The server stops in a function that serve passes
// to atEnd.
func serve(d *device, atEnd func(func()), path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	d.server = server.New(server.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Handler: d, Drain: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.server.Serve(ctx, l) }()
	atEnd(func() { cancel(); <-done })
	return nil
}

// device is a Handler that plays a device at home. The SSID selects how it behaves.
type device struct {
	down   bool // the declared interface
	trial  *client.Trial
	server *server.Server
	ssid   string
	seen   chan struct{} // nil, or a join ends when this channel is closed
}

func (d *device) Status() client.Status {
	home, address := "Home", "02:00:00:00:00:01"
	candidate := client.NewNetwork([]byte("New \x1b[31m"))
	const age = 200
	since := time.Now().Add(-age * time.Second)
	return client.Status{
		Link: true, Devs: []string{"wlan0"}, Connections: client.Connections{Wifi: true},
		Wifi: client.Wifi{
			CurrentSSID: &home, CurrentAddress: &address, ValidConfig: true, Present: true,
			LastError: &client.Failure{Code: "wrong_key", Text: "the network refused the passphrase", Network: &candidate},
			Candidate: &candidate, Networks: []client.Network{client.NewNetwork([]byte("Home"))},
		},
		Version: "1.2.3", Trial: d.trial,
		Uplink: client.Uplink{
			Condition: client.Condition{State: "online", Since: since, Seconds: age, Reason: "gateway answers"},
			Interface: "wlan0", Addresses: []string{"192.0.2.7/24"},
		},
		Uplinks: []client.Interface{{
			Name: "wlan0", Kind: "wifi", Carrier: true, Works: true, Addresses: []string{"192.0.2.7/24"}, Gateway: "192.0.2.1",
			Probe: &client.Probe{OK: true, Seconds: 4},
		}},
		AccessPoint: client.AccessPoint{
			Condition: client.Condition{State: "off", Since: since, Seconds: age}, SSID: "netconnectd",
			Clients: []client.Station{{Address: "02:00:00:00:00:09", IP: "10.250.250.100"}},
		},
	}
}

func (d *device) Handle(_ context.Context, _ server.Peer, r server.Request) (any, error) {
	switch r := r.(type) {
	case server.ListWifi:
		return d.list(r.Force)
	case server.ConfigWifi:
		d.ssid = string(r.SSID)
		// The text shows the psk to prove that it arrived; a real Handler never shows
		// it.
		return "ssid " + client.SSIDText(r.SSID) + ", psk " + r.PSK.Reveal() + ".", nil
	case server.StartWifi:
		return d.join("New \x1b[31m")
	case server.Connect:
		if string(r.SSID) != "Home" {
			return nil, &client.Error{Code: client.CodeNotFound, Message: "no saved network is called " + client.SSIDText(r.SSID)}
		}
		return d.join("Home")
	case server.ListNetworks:
		return savedNetworks, nil
	case server.History:
		return remembered(r.Limit), nil
	case server.AddNetwork:
		if string(r.SSID) == "saved" {
			return nil, &client.Error{Code: client.CodeExists, Message: "saved is saved already"}
		}
		return settingsText(r.SSID, r.Settings), nil
	case server.SetNetwork:
		return settingsText(r.SSID, r.Settings), nil
	case server.RemoveNetwork:
		return client.ResultRemoved(r.SSID), nil
	case server.ForgetWifi:
		return client.ResultForgotten, nil
	case server.Reset:
		// an event of another client, for the subscribers
		d.server.Publish(client.Event{Type: client.EventUplink, Old: "online", New: "joining", Reason: "carrier lost on wlan0"})
		return client.ResultReset, nil
	case server.StartAP:
		return client.ResultAlreadyRunning, nil
	case server.Reload:
		if d.ssid == "badconfig" {
			return nil, &client.Error{Code: client.CodeBadConfig, Message: "check configuration x.yaml: 2 problems\n" +
				"  ap.channel: 15 is not in 1..13 (line 2)\n  wifi: \x1b[2J"}
		}
		return client.ResultReloaded + ": ap.channel", nil
	case server.InterfaceDump:
		return client.NetworkDump{Interfaces: []client.NetworkInterface{{Interface: "lan", Proto: "static", Device: "br-lan"}}}, nil
	case server.InterfaceStatus:
		if r.Name != "lan" {
			return nil, &client.Error{Code: client.CodeNotFound, Message: fmt.Sprintf("no interface %q is declared", r.Name)}
		}
		return client.NetworkInterface{Up: true, Proto: "static", Device: "br-lan"}, nil
	case server.InterfaceDown:
		d.down = true
		return nil, nil
	case server.InterfaceUp:
		d.down = false
		return nil, nil
	case server.Apply, server.Confirm, server.Revert, server.Extend:
		return d.ofTrial(r)
	case server.Plan:
		if text := r.Config.Reveal(); strings.Contains(text, "fly") {
			return nil, &client.Error{Code: client.CodeBadConfig, Message: "check configuration: 1 problem\n  network.fly: is not known (line 2)"}
		} else if text != "" {
			return client.NetworkPlan{Changes: []client.NetworkChange{{Text: fmt.Sprintf("%d bytes (in place)", len(text))}}}, nil
		}
		plan := client.NetworkPlan{Changes: []client.NetworkChange{}, Problems: []string{}}
		if d.down {
			plan.Changes = append(plan.Changes, client.NetworkChange{Link: "br-lan", Text: "br-lan: set down \x1b[2J(restart)", Class: "restart"})
			plan.Problems = append(plan.Problems, "network.devices[0] (line 3): create bridge br-lan: EBUSY")
		}
		return plan, nil
	case server.Metrics:
		return d.metrics()
	case server.StopAP:
		return client.ResultStoppedAP, nil
	}
	return nil, errors.New("no such request")
}

// ofTrial begins and ends a trial whose change the kernel has refused in part.
func (d *device) ofTrial(req server.Request) (any, error) {
	switch req := req.(type) {
	case server.Apply:
		if d.trial != nil {
			return nil, &client.Error{Code: client.CodeOnTrial, Message: "a configuration is on trial"}
		}
		d.trial = &client.Trial{By: "user pi\x1b[2J, uid 1000", Seconds: int64(req.Confirm.Seconds())}
		applied := &client.NetworkApplied{Changes: 2, Worst: "restart", Problems: []string{"network.devices[0] (line 3): create bridge br-lan: EBUSY"}}
		if req.Confirm == 7*time.Second {
			applied = &client.NetworkApplied{}
		}
		return client.NetworkTrial{Trial: *d.trial, Text: "network\n  warning: \x1b[2J", Applied: applied}, nil
	case server.Extend:
		d.trial.Seconds = int64(req.By.Seconds())
		return *d.trial, nil
	case server.Confirm:
		d.trial = nil
		return client.ResultConfirmed, nil
	}
	d.trial = nil
	return client.ResultReverted, nil
}

var savedNetworks = []client.SavedNetwork{
	{
		Network: client.NewNetwork([]byte("Home")), Security: "wpa2", HasPSK: true, Priority: 2, InUse: true,
		LastSuccess: new(time.Date(2026, 5, 4, 3, 2, 1, 0, time.Local)),
	},
	{Network: client.NewNetwork([]byte("Evil\x1b[2J")), EAP: &client.EAP{Method: "peap"}, Hidden: true, Failures: 3},
	{Network: client.NewNetwork([]byte{0xff, 0}), Addressing: client.Addressing{Method: "static", Address: "192.0.2.7/24"}},
}

// settingsText renders the settings that arrived, including secrets, which a real Handler
// never shows.
func settingsText(ssid []byte, s server.NetworkSettings) string {
	text := "ssid " + client.SSIDText(ssid)
	if s.PSK != nil {
		text += ", psk " + s.PSK.Reveal()
	}
	if s.EAP != nil && s.EAP.Password != nil {
		text += ", password " + s.EAP.Password.Reveal()
	}
	s.PSK = nil
	if s.EAP != nil {
		s.EAP.Password = nil
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return text + " " + string(settings)
}

func (d *device) list(force bool) (any, error) {
	if force {
		return nil, &client.Error{Code: "busy", Message: "scan is running"}
	}
	weak, strong := -80, -40
	far := client.NewBSS([]byte("Far\x1b[2J"), net.HardwareAddr{2, 0, 0, 0, 0, 1})
	far.Signal, far.Channel, far.Encrypted = &weak, 11, true
	home := client.NewBSS([]byte("Home"), net.HardwareAddr{2, 0, 0, 0, 0, 2})
	home.Signal, home.Channel, home.Encrypted, home.Security = &strong, 1, true, "wpa2"
	home.Saved, home.Current, far.Saved = true, true, true
	hidden := client.NewBSS(nil, net.HardwareAddr{2, 0, 0, 0, 0, 3})
	hidden.Channel = 6
	return []client.BSS{far, hidden, home}, nil
}

func (d *device) metrics() (any, error) {
	if d.ssid == "broken" {
		return nil, errors.New("something private")
	}
	return "# HELP netconnectd_up Whether the daemon answers.\n# TYPE netconnectd_up gauge\nnetconnectd_up 1\n", nil
}

// join also publishes events about another network, as when the previous one is left
// or returned to. Only the reply reports the last stage.
func (d *device) join(ssid string) (any, error) {
	tell := func(ssid string, stages ...string) {
		network := client.NewNetwork([]byte(ssid))
		for _, stage := range stages {
			d.server.Publish(client.Event{Type: client.EventJoin, Network: &network, New: stage})
		}
	}
	tell("Before", client.JoinAssociated)
	tell(ssid, client.JoinStarted, client.JoinAssociating)
	if d.ssid == "" {
		tell(ssid, client.JoinAssociated, client.JoinAddressed)
		tell("Before", client.JoinStarted)
	}
	if d.seen != nil {
		<-d.seen
	}
	switch d.ssid {
	case "wrong":
		return nil, &client.Error{Code: "wrong_key", Message: client.TextCouldNotConnect, Reason: "the network refused the passphrase"}
	case "broken":
		return nil, errors.New("something private")
	}
	return client.ResultConnected, nil
}

// remembered returns the history of a device without a clock of its own. Strangers
// have chosen the name of one network.
func remembered(limit int) []client.HistoryEntry {
	evil := client.NewNetwork([]byte("Evil\x1b[2J"))
	day := func(hour int) time.Time { return time.Date(2026, 5, 4, hour, 2, 1, 0, time.Local) }
	list := []client.HistoryEntry{
		{Seq: 7, Boot: "a", Event: client.Event{Type: client.EventDaemon, Time: day(3), New: client.DaemonStarted, Reason: "version 1.2.3"}},
		{Seq: 8, Boot: "a", Event: client.Event{Type: client.EventUplink, Time: day(2), Old: "online", New: "joining", Reason: "carrier lost on wlan0"}},
		{Seq: 9, Boot: "b", Event: client.Event{
			Type: client.EventJoin, Time: day(1), Network: &evil, New: client.JoinFailed, Code: "wrong_key",
			Reason: "the network refused the passphrase, and it did so three times in a row",
		}},
	}
	if limit == 0 {
		return list
	}
	return list[max(0, len(list)-limit):]
}
