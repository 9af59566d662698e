package networkmanager

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

// These are the polkit actions that the daemon needs and that its rules in
// packaging/polkit allow; "" stands for reading, which every user may do.
const (
	actionRead       = ""
	actionControl    = "org.freedesktop.NetworkManager.network-control"
	actionModify     = "org.freedesktop.NetworkManager.settings.modify.system"
	actionCheckpoint = "org.freedesktop.NetworkManager.checkpoint-rollback"
)

// Refusal means that polkit refuses the daemon's user an action.
type Refusal struct {
	Action string // polkit's name of the action
	Text   string // NetworkManager's text
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
	// While NetworkManager starts, its name is on the bus, but its objects are not.
	"org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject",
}

var refused = []string{
	"org.freedesktop.NetworkManager.PermissionDenied", "org.freedesktop.NetworkManager.Settings.PermissionDenied",
	"org.freedesktop.NetworkManager.Device.PermissionDenied", "org.freedesktop.DBus.Error.AccessDenied",
}

// none lists the errors which mean that a setting has no secrets: the setting is
// absent, or neither NetworkManager nor an agent knows any. After any other error the
// setting may have some.
var none = []string{
	"org.freedesktop.NetworkManager.Settings.Connection.SettingNotFound", "org.freedesktop.NetworkManager.AgentManager.NoSecrets",
}

func hasNone(err error) bool {
	var failed dbus.Error
	return errors.As(err, &failed) && slices.Contains(none, failed.Name)
}

// isUnknown reports whether the error means that no profile has that UUID.
func isUnknown(err error) bool {
	var failed dbus.Error
	return errors.As(err, &failed) && failed.Name == "org.freedesktop.NetworkManager.Settings.InvalidConnection"
}

// explain classifies an error of the bus for a call that needs an action.
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
