package radio

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/supervisor"
)

// TestHandedBack lists what becomes of a radio that NetworkManager is given
// back, by the daemon and by its tear-down.
func TestHandedBack(t *testing.T) {
	for _, tt := range []struct {
		name  string
		radio lentRadio
		code  string // of the daemon's error
		keeps bool   // it has not been given back: the note stays, and the tear-down fails
	}{
		{"it can be used", lentRadio{state: nm.NmDeviceStateDisconnected, on: true}, "", false},
		{"it is switched off", lentRadio{state: nm.NmDeviceStateUnavailable}, client.CodeRadioOff, false},
		{"polkit refuses", lentRadio{
			state:  nm.NmDeviceStateUnmanaged,
			refuse: dbus.NewError(nm.NetworkManagerInterface+".PermissionDenied", []any{"no"}),
		}, client.CodeRadioFailed, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.radio.start(t)
			s := idleSlot(t)
			r := s.current.Load()
			note := loan{r.dir}
			m := managed{radio: r, client: networkManager(r.iface, r.log)}
			hand := func(by string, how func() error) error {
				if err := os.WriteFile(note.file(), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				err := how()
				if note.noted() != tt.keeps {
					t.Errorf("%s: the radio counts as taken from NetworkManager: %v, want %v", by, !tt.keeps, tt.keeps)
				}
				return err
			}
			err := hand("the daemon", func() error { return r.failed(client.CodeRadioFailed, m.idle(t.Context())) })
			if codeOf(err) != tt.code {
				t.Errorf("the daemon: %v, want %q", err, tt.code)
			}
			err = hand("its tear-down", func() error { return s.TearDownStation(t.Context()) })
			if (err != nil) != tt.keeps {
				t.Errorf("its tear-down: %v", err)
			}
		})
	}
}

// codeOf is that of a failure, "" of none.
func codeOf(err error) string {
	var failed *supervisor.Failed
	errors.As(err, &failed)
	if failed == nil {
		return ""
	}
	return failed.Code
}

// lentRadio is the one radio of a NetworkManager that does not manage it.
type lentRadio struct {
	state  nm.NmDeviceState
	on     bool
	refuse *dbus.Error // of who wants it to be managed
}

// start has NetworkManager on a bus of its own until the end of the test.
func (l lentRadio) start(t *testing.T) {
	t.Helper()
	bus := ownBus(t)
	path := dbus.ObjectPath("/org/freedesktop/NetworkManager/Devices/1")
	_, err := prop.Export(bus, path, prop.Map{nm.DeviceInterface: {
		"DeviceType": {Value: uint32(nm.NmDeviceTypeWifi)},
		"State":      {Value: uint32(l.state)},
		"Managed":    {Value: false, Writable: true, Callback: func(*prop.Change) *dbus.Error { return l.refuse }},
	}})
	if err == nil {
		_, err = prop.Export(bus, nm.NetworkManagerObjectPath, prop.Map{nm.NetworkManagerInterface: {"WirelessEnabled": {Value: l.on}}})
	}
	if err == nil {
		methods := map[string]any{"GetDeviceByIpIface": func(string) (dbus.ObjectPath, *dbus.Error) { return path, nil }}
		err = bus.ExportMethodTable(methods, nm.NetworkManagerObjectPath, nm.NetworkManagerInterface)
	}
	if err == nil {
		_, err = bus.RequestName(nm.NetworkManagerInterface, dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ownBus is a bus in the place of the system's until the end of the test.
func ownBus(t *testing.T) *dbus.Conn {
	t.Helper()
	daemon := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address", "--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := daemon.StdoutPipe()
	if err == nil {
		err = daemon.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	closeShared := func() {
		if shared, err := dbus.SystemBus(); err == nil {
			shared.Close() // the next to ask for it gets another
		}
	}
	closeShared()
	t.Cleanup(closeShared)
	bus, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}
