package networkmanager

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

// Actions of polkit that the daemon needs, and its rules in packaging/polkit
// allow; "" stands for reading, which everybody may.
const (
	actionRead       = ""
	actionControl    = "org.freedesktop.NetworkManager.network-control"
	actionModify     = "org.freedesktop.NetworkManager.settings.modify.system"
	actionCheckpoint = "org.freedesktop.NetworkManager.checkpoint-rollback"
)

// Refusal is what polkit refuses the daemon's user.
type Refusal struct {
	Action string // of polkit
	Text   string // NetworkManager's
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("polkit does not allow the daemon %s (%s): install netconnectd's rules, see docs/networkmanager.md", r.Action, r.Text)
}

func isRefusal(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal)
}

var absent = []string{
	"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
	"org.freedesktop.DBus.Error.NoReply", "org.freedesktop.NetworkManager.UnknownDevice",
	// While it starts it has its name on the bus, and no objects.
	"org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject",
}

var refused = []string{
	"org.freedesktop.NetworkManager.PermissionDenied", "org.freedesktop.NetworkManager.Settings.PermissionDenied",
	"org.freedesktop.NetworkManager.Device.PermissionDenied", "org.freedesktop.DBus.Error.AccessDenied",
}

// none says that a setting has no secrets: it is not there, or NetworkManager has
// none of it and nobody else knows any. After any other error it may have some.
var none = []string{
	"org.freedesktop.NetworkManager.Settings.Connection.SettingNotFound", "org.freedesktop.NetworkManager.AgentManager.NoSecrets",
}

func hasNone(err error) bool {
	var failed dbus.Error
	return errors.As(err, &failed) && slices.Contains(none, failed.Name)
}

// isUnknown: no profile has that UUID.
func isUnknown(err error) bool {
	var failed dbus.Error
	return errors.As(err, &failed) && failed.Name == "org.freedesktop.NetworkManager.Settings.InvalidConnection"
}

// explain tells errors of the bus apart, of a call that needs an action.
func explain(err error, action string) error {
	var failed dbus.Error
	switch {
	case !errors.As(err, &failed):
		return err
	case slices.Contains(absent, failed.Name):
		return fmt.Errorf("%w (%s)", ErrAbsent, failed.Name)
	case slices.Contains(refused, failed.Name):
		return &Refusal{action, failed.Error()}
	}
	return err
}
