package networkmanager

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/netconnectd/netconnectd/internal/wifi"
)

// activated is a file that exists once the bus has started NetworkManager.
var activated string

// TestMain runs the tests on a bus of their own in place of the system's.
func TestMain(m *testing.M) { os.Exit(onBus(m)) }

func onBus(m *testing.M) int {
	dir, err := os.MkdirTemp("/tmp", "bus")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	// A call to a NetworkManager that does not run would start this service.
	service := filepath.Join(dir, "dbus-1/services", nm.NetworkManagerInterface+".service")
	activated = filepath.Join(dir, "activated")
	text := "[D-BUS Service]\nName=" + nm.NetworkManagerInterface + "\nExec=/usr/bin/touch " + activated + "\n"
	if err := errors.Join(os.MkdirAll(filepath.Dir(service), 0o700), os.WriteFile(service, []byte(text), 0o600)); err != nil {
		panic(err)
	}
	bus := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address", "--address=unix:path="+filepath.Join(dir, "bus"))
	bus.Env = append(os.Environ(), "XDG_DATA_HOME="+dir)
	out, err := bus.StdoutPipe()
	if err == nil {
		err = bus.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a bus:", err)
		return 1
	}
	defer func() { _ = bus.Process.Kill(); _ = bus.Wait() }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a bus:", err)
		return 1
	}
	os.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	return m.Run()
}

const (
	fakeDevice  = dbus.ObjectPath("/org/freedesktop/NetworkManager/Devices/1")
	fakeCell    = dbus.ObjectPath("/org/freedesktop/NetworkManager/AccessPoint/1")
	fakeProfile = dbus.ObjectPath("/org/freedesktop/NetworkManager/Settings/1")
	fakeActive  = dbus.ObjectPath("/org/freedesktop/NetworkManager/ActiveConnection/2")
	otherActive = dbus.ObjectPath("/org/freedesktop/NetworkManager/ActiveConnection/1")
)

// fakeManager plays a NetworkManager that a test scripts.
type fakeManager struct {
	t          *testing.T
	bus        *dbus.Conn
	blind      bool // it knows no access point before our scan
	properties *prop.Properties
	switches   *prop.Properties

	mu       sync.Mutex
	said     []string       // the calls, in their order
	activate []event        // the states that follow an activation
	refuse   *dbus.Error    // the error of the next activation
	settings map[string]any // the settings of the last activation, by "setting.name"
	asked    func()         // called once, when a client that has subscribed asks for the device
	mute     bool           // it does not answer any call
	silence  chan struct{}  // closed at the end of the test
	telling  sync.WaitGroup // signals that are still being sent; the end of the test waits for them
	late     chan struct{}  // belongs to the fakeAir
	off      bool           // Wi-Fi is switched off
	saved    []*fakeSaved   // the profiles; none: the settings list only fakeProfile
}

// start runs a NetworkManager on the bus until the end of the test.
func start(t *testing.T) (*fakeManager, *Client) {
	t.Helper()
	bus, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeManager{t: t, bus: bus, silence: make(chan struct{}), settings: map[string]any{}}
	t.Cleanup(func() { close(f.silence); f.telling.Wait(); bus.Close() })
	f.properties, err = prop.Export(bus, fakeDevice, prop.Map{nm.DeviceInterface: {
		"DeviceType": {Value: uint32(nm.NmDeviceTypeWifi)},
		"State":      {Value: uint32(nm.NmDeviceStateDisconnected)},
		"Managed": {Value: true, Writable: true, Callback: func(c *prop.Change) *dbus.Error {
			f.note("managed %v", c.Value)
			f.mu.Lock()
			off := f.off
			f.mu.Unlock()
			state := nm.NmDeviceStateUnmanaged
			switch {
			case c.Value.(bool) && off:
				state = nm.NmDeviceStateUnavailable
			case c.Value.(bool):
				state = nm.NmDeviceStateDisconnected
			}
			f.telling.Go(func() { f.become(event{state: state}) })
			return nil
		}},
	}})
	if err == nil {
		err = bus.Export(f, nm.NetworkManagerObjectPath, nm.NetworkManagerInterface)
	}
	if err == nil {
		f.switches, err = prop.Export(bus, nm.NetworkManagerObjectPath, prop.Map{nm.NetworkManagerInterface: {"WirelessEnabled": {Value: true}}})
	}
	if err == nil {
		err = bus.Export(fakeRadio{f}, fakeDevice, nm.DeviceWirelessInterface)
	}
	if err == nil {
		_, err = prop.Export(bus, fakeCell, prop.Map{nm.AccessPointInterface: {
			"Ssid": {Value: []byte("home")}, "HwAddress": {Value: "02:00:00:00:01:00"}, "Frequency": {Value: uint32(2412)},
			"Flags": {Value: uint32(flagPrivacy)}, "WpaFlags": {Value: uint32(0)}, "RsnFlags": {Value: uint32(keyPSK)},
		}})
	}
	if err == nil {
		err = bus.Export(fakeAgents{f}, nm.NetworkManagerObjectPath+"/AgentManager", nm.NetworkManagerInterface+".AgentManager")
	}
	if err == nil {
		err = bus.Export(fakeSettings{f}, nm.SettingsObjectPath, nm.SettingsInterface)
	}
	if err == nil {
		err = bus.Export(fakeConnection{f}, fakeProfile, nm.ConnectionInterface)
	}
	if err == nil {
		_, err = bus.RequestName(nm.NetworkManagerInterface, dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f, &Client{Interface: "wlan0", Log: slog.New(slog.DiscardHandler)}
}

// script sets how the next activation goes.
func (f *fakeManager) script(states []event, refuse *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.activate, f.refuse = states, refuse
}

// goOn lets the scripted states follow. The caller holds mu.
func (f *fakeManager) goOn() {
	states := f.activate
	f.telling.Go(func() {
		for _, e := range states {
			f.become(e)
		}
	})
}

// switchOff acts like rfkill, or nmcli radio wifi off. The caller must send the
// radio's new state.
func (f *fakeManager) switchOff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
	f.switches.SetMust(nm.NetworkManagerInterface, "WirelessEnabled", false)
}

func (f *fakeManager) beMute(mute bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mute = mute
}

// setting returns a setting of the last activation.
func (f *fakeManager) setting(name string) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settings[name]
}

func (f *fakeManager) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func (f *fakeManager) notes() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.said, ", ")
}

// awaitListener, in a script, waits for the end of the subscription.
var awaitListener = event{profiles: true}

// become changes a state and sends the signal for it.
func (f *fakeManager) become(e event) {
	var err error
	switch {
	case e == awaitListener:
		select {
		case <-f.late:
		case <-f.silence:
		}
	case e.authentication.status != "":
		err = f.bus.Emit("/fi/w1/wpa_supplicant1/Interfaces/0", supplicant+".EAP", e.authentication.status, e.authentication.parameter)
	case e.active != "":
		err = f.bus.Emit(e.active, nm.ActiveConnectionInterface+".StateChanged", uint32(e.activation), uint32(0))
	default:
		old := f.properties.GetMust(nm.DeviceInterface, "State").(uint32)
		f.properties.SetMust(nm.DeviceInterface, "State", uint32(e.state))
		err = f.bus.Emit(fakeDevice, nm.DeviceInterface+".StateChanged", uint32(e.state), old, uint32(e.reason))
	}
	if err != nil {
		f.t.Errorf("tell a state: %v", err)
	}
}

// GetDeviceByIpIface and the methods below are those of NetworkManager.
func (f *fakeManager) GetDeviceByIpIface(name string) (dbus.ObjectPath, *dbus.Error) {
	f.mu.Lock()
	mute, asked := f.mute, f.asked
	f.asked = nil
	f.mu.Unlock()
	if asked != nil {
		f.telling.Go(asked)
	}
	if mute {
		<-f.silence
	}
	if name != "wlan0" {
		return "/", dbus.NewError("org.freedesktop.NetworkManager.UnknownDevice", nil)
	}
	return fakeDevice, nil
}

func (f *fakeManager) CheckpointCreate(devices []dbus.ObjectPath, timeout, flags uint32) (dbus.ObjectPath, *dbus.Error) {
	f.note("checkpoint of %d device, flags %d", len(devices), flags)
	return "/org/freedesktop/NetworkManager/Checkpoint/1", nil
}

func (f *fakeManager) CheckpointDestroy(dbus.ObjectPath) *dbus.Error {
	f.note("destroy it")
	return nil
}

func (f *fakeManager) CheckpointRollback(dbus.ObjectPath) (map[string]uint32, *dbus.Error) {
	f.note("roll back")
	return nil, nil
}

// ActivateConnection joins a saved network.
func (f *fakeManager) ActivateConnection(_, _, _ dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error) {
	f.note("activate")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.goOn()
	return fakeActive, nil
}

// DeactivateConnection reports that the connection has ended by itself.
func (f *fakeManager) DeactivateConnection(dbus.ObjectPath) *dbus.Error {
	f.note("deactivate")
	return dbus.NewError("org.freedesktop.NetworkManager.ConnectionNotActive", []any{"The connection was not active."})
}

// secrets lists the keys of NetworkManager's settings that are secrets.
var secrets = []string{"psk", "password", "private-key-password"}

func (f *fakeManager) AddAndActivateConnection2(settings map[string]map[string]dbus.Variant, _, _ dbus.ObjectPath, options map[string]dbus.Variant) (
	dbus.ObjectPath, dbus.ObjectPath, map[string]dbus.Variant, *dbus.Error) {
	f.note("add and activate, %s", options["persist"].Value())
	f.mu.Lock()
	defer f.mu.Unlock()
	for setting, values := range settings {
		for name, value := range values {
			f.settings[setting+"."+name] = value.Value()
		}
	}
	if f.refuse != nil {
		return "/", "/", nil, f.refuse
	}
	f.goOn()
	return fakeProfile, fakeActive, map[string]dbus.Variant{}, nil
}

// fakeRadio plays the device as a radio.
type fakeRadio struct{ *fakeManager }

// GetAllAccessPoints returns the access point of home, or none.
func (r fakeRadio) GetAllAccessPoints() ([]dbus.ObjectPath, *dbus.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blind {
		return nil, nil
	}
	return []dbus.ObjectPath{fakeCell}, nil
}

// hears acts as if NetworkManager had seen the results of our scan.
func (f *fakeManager) hears() {
	f.mu.Lock()
	f.blind = false
	f.mu.Unlock()
	if err := f.bus.Emit(fakeDevice, nm.DeviceWirelessInterface+".AccessPointAdded", fakeCell); err != nil {
		f.t.Errorf("tell of an access point: %v", err)
	}
}

// fakeAgents registers the agents that may know keys.
type fakeAgents struct{ *fakeManager }

// Register makes NetworkManager go on as the test scripts it.
func (a fakeAgents) Register(name string) *dbus.Error {
	a.note("agent %s", name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.goOn()
	return nil
}

// Unregister is recorded.
func (a fakeAgents) Unregister() *dbus.Error {
	a.note("agent leaves")
	return nil
}

// fakeConnection plays the only profile.
type fakeConnection struct{ *fakeManager }

// GetSettings returns another program's profile, with a value that godbus cannot
// encode again.
func (c fakeConnection) GetSettings() (map[string]map[string]dbus.Variant, *dbus.Error) {
	type address struct {
		Address []byte
		Prefix  uint32
		Gateway []byte
	}
	return map[string]map[string]dbus.Variant{
		"connection":               {"id": dbus.MakeVariant("Their home"), "uuid": dbus.MakeVariant("1")},
		"802-11-wireless":          {"ssid": dbus.MakeVariant([]byte("home"))},
		"802-11-wireless-security": {"key-mgmt": dbus.MakeVariant("wpa-psk")},
		"ipv6":                     {"method": dbus.MakeVariant("auto"), "addresses": dbus.MakeVariant([]address{{make([]byte, 16), 64, make([]byte, 16)}})},
		"user":                     {"data": dbus.MakeVariant(map[string]string{"their.own": "x"})},
	}, nil
}

// GetSecrets returns a passphrase.
func (c fakeConnection) GetSecrets(setting string) (map[string]map[string]dbus.Variant, *dbus.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return nil, c.refuse
	}
	return map[string]map[string]dbus.Variant{setting: {"psk": dbus.MakeVariant("correct horse")}}, nil
}

// Update records the settings.
func (c fakeConnection) Update(settings map[string]map[string]dbus.Variant) *dbus.Error {
	c.note("update: %s, %s, %v, %v", settings["connection"]["id"].Value(), settings["802-11-wireless-security"]["psk"].Value(),
		settings["ipv6"]["addresses"].Value(), settings["user"]["data"].Value())
	return nil
}

// Update2 records that the profile is saved.
func (c fakeConnection) Update2(settings map[string]map[string]dbus.Variant, flags uint32, _ map[string]dbus.Variant) (map[string]dbus.Variant, *dbus.Error) {
	c.note("save, %d settings, flags %d", len(settings), flags)
	return map[string]dbus.Variant{}, nil
}

// fakeAir plays the radio's scans and frames.
type fakeAir struct {
	cells   map[int][]wifi.BSS // by frequency; 0: all
	verdict *wifi.JoinError    // what the router's frames prove
	late    chan struct{}      // closed when the listener has stopped, or after 20 s, and only then
	scanned func()
}

func (a fakeAir) Cells(_ context.Context, mhz ...int) ([]wifi.BSS, error) {
	if a.scanned != nil {
		a.scanned()
	}
	if mhz == nil {
		return a.cells[0], nil
	}
	return a.cells[mhz[0]], nil
}

func (a fakeAir) Listen() (Frames, error) { return a, nil }

func (a fakeAir) Close() {}

// Verdict implements Frames.
func (a fakeAir) Verdict(ctx context.Context, _ wifi.Network) (*wifi.JoinError, error) {
	if a.late != nil {
		defer close(a.late)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Second):
		}
	}
	if a.verdict != nil {
		return a.verdict, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}
