package doctor

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/networkmanager"
)

// busLimit bounds all requests over D-Bus together. polkit takes a tenth of a second
// for an answer.
const busLimit = 5 * time.Second

const (
	managerName  = "org.freedesktop.NetworkManager"
	managerPath  = "/org/freedesktop/NetworkManager"
	settingsPath = managerPath + "/Settings"
	polkitName   = "org.freedesktop.PolicyKit1"
	polkitPath   = "/org/freedesktop/PolicyKit1/Authority"
)

// actions are the actions that packaging/polkit allows the daemon's user.
var actions = []string{
	managerName + ".network-control",
	managerName + ".settings.modify.system",
	managerName + ".checkpoint-rollback",
}

// polkitRules are where the package's rule may be.
var polkitRules = []string{"/usr/share/polkit-1/rules.d", "/etc/polkit-1/rules.d"}

// manager asks NetworkManager and polkit.
func (m machine) manager(ctx context.Context, f *Facts) Manager {
	ctx, cancel := context.WithTimeout(ctx, busLimit)
	defer cancel()
	var found Manager
	device, err := (&networkmanager.Client{Interface: f.Radio.Name, Log: slog.New(slog.DiscardHandler)}).Device(ctx)
	found.Running, found.Managed = err == nil, device.Managed
	_, err = os.Stat(filepath.Join(f.Settings.RuntimeDir, "released"))
	found.OnLoan = err == nil
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return found // without a bus there is no NetworkManager
	}
	defer bus.Close()
	found.Running = found.Running || owned(ctx, bus, managerName)
	if !found.Running {
		return found
	}
	found.Netplan = netplanFiles(ctx, bus)
	found.Polkit = owned(ctx, bus, polkitName) || activatable(ctx, bus, polkitName)
	found.Permissions, err = permissions(ctx, bus, f)
	if err != nil {
		found.Unseen = reason(err)
	}
	return found
}

func owned(ctx context.Context, bus *dbus.Conn, name string) bool {
	var has bool
	err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&has)
	return err == nil && has
}

func activatable(ctx context.Context, bus *dbus.Conn, name string) bool {
	var names []string
	err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names)
	for _, n := range names {
		if err == nil && n == name {
			return true
		}
	}
	return false
}

// errNotAsked is the reason for a caller who cannot ask: NetworkManager reports only
// to the daemon's user that user's rights, and polkit reports only to root the rights
// of others.
var errNotAsked = errors.New("only root and the daemon itself are told (sudo netconnectcli doctor)")

// permissions returns polkit's answers for the actions of the daemon's user.
func permissions(ctx context.Context, bus *dbus.Conn, f *Facts) (map[string]string, error) {
	switch {
	case f.Caller.IsService && !f.Caller.Root:
		return ownPermissions(ctx, bus)
	case f.Caller.Root && f.Daemon.PID != 0:
		return checkAuthorizations(ctx, bus, f.Daemon)
	case f.Caller.Root:
		return nil, errors.New("netconnectd does not run")
	}
	return nil, errNotAsked
}

// ownPermissions asks NetworkManager (GetPermissions of its manager).
func ownPermissions(ctx context.Context, bus *dbus.Conn) (map[string]string, error) {
	var all map[string]string
	if err := bus.Object(managerName, managerPath).CallWithContext(ctx, managerName+".GetPermissions", 0).Store(&all); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, action := range actions {
		found[action] = all[action]
	}
	return found, nil
}

// checkAuthorizations asks polkit of the daemon's process.
func checkAuthorizations(ctx context.Context, bus *dbus.Conn, d Daemon) (map[string]string, error) {
	type subject struct {
		Kind    string
		Details map[string]dbus.Variant
	}
	who := subject{"unix-process", map[string]dbus.Variant{
		"pid": dbus.MakeVariant(uint32(d.PID)), "start-time": dbus.MakeVariant(uint64(0)), // 0: polkit finds out itself
		"uid": dbus.MakeVariant(int32(d.User.UID)),
	}}
	found := map[string]string{}
	for _, action := range actions {
		var result struct {
			Authorized, Challenge bool
			Details               map[string]string
		}
		// No flags, so that no user is asked for a password, and no id for
		// cancelling.
		err := bus.Object(polkitName, polkitPath).CallWithContext(ctx, polkitName+".Authority.CheckAuthorization", 0,
			who, action, map[string]string{}, uint32(0), "").Store(&result)
		switch {
		case err != nil:
			return nil, err
		case result.Authorized:
			found[action] = "yes"
		case result.Challenge:
			found[action] = "auth"
		default:
			found[action] = "no"
		}
	}
	return found, nil
}

// netplanFiles returns the files of profiles that netplan has made (netplan(5)).
// netplan writes them to /run, anew from /etc/netplan at each start.
func netplanFiles(ctx context.Context, bus *dbus.Conn) []string {
	var paths []dbus.ObjectPath
	err := bus.Object(managerName, settingsPath).CallWithContext(ctx, managerName+".Settings.ListConnections", 0).Store(&paths)
	if err != nil {
		return nil // the profiles cannot be listed without rights
	}
	var found []string
	for _, path := range paths {
		file, err := bus.Object(managerName, path).GetProperty(managerName + ".Settings.Connection.Filename")
		if err != nil {
			continue // gone meanwhile
		}
		if name, ok := file.Value().(string); ok && strings.HasPrefix(filepath.Base(name), "netplan-") {
			found = append(found, name)
		}
	}
	return found
}
