package daemon

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// fixed are the settings that only a start can change: others hold on to what
// they name.
var fixed = []string{"socket", "permissions.change", "interfaces.wifi", "paths.runtime", "paths.state"}

// reload reads the settings again and applies what differs. Settings with a
// problem change nothing.
func (d *daemon) reload(ctx context.Context) (string, error) {
	next, warnings, err := d.Load()
	if err != nil {
		return "", &client.Error{Code: client.CodeBadConfig, Message: err.Error()}
	}
	for _, w := range warnings {
		d.log.Warn("configuration", "problem", w.String())
	}
	old := d.cfg.Load()
	changed := config.Diff(old, next)
	keep(next, old)
	iface := d.radio.iface()
	accessPoint := !reflect.DeepEqual(apConfig(old, iface), apConfig(next, iface))
	d.cfg.Store(next)
	d.radio.current.Store(d.newRadio(iface))
	d.sup.Post(ctx, policy.ConfigChanged{Config: d.policyConfig(next), AccessPoint: accessPoint})
	select {
	case d.relink <- struct{}{}:
	default: // is asked already
	}
	d.problems.look()
	d.log.Info("reloaded", "changed", strings.Join(changed, " "))
	return describe(changed), nil
}

// keep leaves the fixed settings as they are.
func keep(next, old *config.Config) {
	next.Socket, next.RuntimeDir, next.StateDir = old.Socket, old.RuntimeDir, old.StateDir
	next.Interfaces.Wifi, next.Permissions = old.Interfaces.Wifi, old.Permissions
}

// describe says what changed and what has to wait for a restart.
func describe(changed []string) string {
	waiting := slices.DeleteFunc(slices.Clone(changed), func(key string) bool { return !slices.Contains(fixed, key) })
	applied := slices.DeleteFunc(slices.Clone(changed), func(key string) bool { return slices.Contains(fixed, key) })
	text := client.ResultReloaded + ": nothing differs"
	if len(applied) > 0 {
		text = client.ResultReloaded + ": " + strings.Join(applied, ", ")
	}
	if len(waiting) > 0 {
		text += fmt.Sprintf(" (after a restart: %s)", strings.Join(waiting, ", "))
	}
	return text
}
