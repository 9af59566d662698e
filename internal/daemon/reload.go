package daemon

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// fixed are the settings that only a start can change, as running parts hold the
// socket, the folders and the interface that these settings name.
var fixed = []string{"socket", "permissions.change", "interfaces.wifi", "paths.runtime", "paths.state"}

// atJoin are the settings whose change takes effect at the next join.
var atJoin = []string{"ap.country", "wifi.metric", "paths.wpa_supplicant"}

// reload reads the settings again and applies those that differ. If any setting is
// wrong, none is changed.
func (d *daemon) reload(ctx context.Context) (string, error) {
	next, warnings, err := d.Load()
	d.configLoaded(err)
	if err != nil {
		d.problems.recheck()
		return "", &client.Error{Code: client.CodeBadConfig, Message: err.Error()}
	}
	for _, w := range warnings {
		d.log.Warn("configuration", "problem", w.String())
	}
	old := d.cfg.Load()
	changed := config.Diff(old, next)
	keepFixed(next, old)
	accessPoint := !reflect.DeepEqual(apConfig(old), apConfig(next))
	d.cfg.Store(next)
	d.keepConfig()
	// The change counts even if the client that asked for it has gone.
	if err := d.radio.Configure(context.WithoutCancel(ctx), radioSettings(next)); err != nil {
		return "", fmt.Errorf("put the radio's settings in force: %w", err)
	}
	if err := d.declared.Declare(context.WithoutCancel(ctx), next.Network); err != nil {
		return "", fmt.Errorf("put the declared network in force: %w", err)
	}
	d.sup.Post(ctx, policy.ConfigChanged{Config: d.policyConfig(next), AccessPoint: accessPoint})
	nudge(d.relink)
	d.problems.recheck()
	d.log.Info(client.ResultReloaded, "changed", strings.Join(changed, " "))
	return describe(changed, d.sup.State().Target().Station.Wanted && !d.radio.Managed()) + formatWarnings(warnings), nil
}

// formatWarnings returns a line for each warning.
func formatWarnings(warnings []config.Problem) string {
	var lines strings.Builder
	for _, w := range warnings {
		lines.WriteString("\n  warning: " + strings.ReplaceAll(w.String(), "\n", " "))
	}
	return lines.String()
}

// configLoaded notes what was wrong with the configuration when it was read.
func (d *daemon) configLoaded(wrong error) {
	d.wrong.Store(&wrong)
	d.metrics.ConfigLoaded(wrong == nil)
}

// configWrong returns what configLoaded has noted.
func (d *daemon) configWrong() error {
	if wrong := d.wrong.Load(); wrong != nil {
		return *wrong
	}
	return nil
}

// keepConfig keeps a copy of the configuration in force. A later start uses the copy
// if the file is wrong then.
func (d *daemon) keepConfig() {
	if d.configWrong() != nil {
		return
	}
	if err := d.cfg.Load().Keep(); err != nil {
		d.log.Warn("keep the configuration for a start at which it is wrong", "err", err)
	}
}

// keepFixed leaves the fixed settings as they are.
func keepFixed(next, old *config.Config) {
	next.Socket, next.RuntimeDir, next.StateDir = old.Socket, old.RuntimeDir, old.StateDir
	next.Interfaces.Wifi, next.Permissions = old.Interfaces.Wifi, old.Permissions
}

// describe returns which settings are applied and which have to wait: for a restart,
// or for the next join if the radio is now in a network (station).
func describe(changed []string, station bool) string {
	var applied, restart, join []string
	for _, key := range changed {
		switch {
		case slices.Contains(fixed, key):
			restart = append(restart, key)
		case station && slices.Contains(atJoin, key):
			join = append(join, key)
		default:
			applied = append(applied, key)
		}
	}
	text := client.ResultReloaded + ": " + cmp.Or(strings.Join(applied, ", "), "nothing differs")
	if len(join) > 0 {
		text += fmt.Sprintf(" (at the next join: %s)", strings.Join(join, ", "))
	}
	if len(restart) > 0 {
		text += fmt.Sprintf(" (after a restart: %s)", strings.Join(restart, ", "))
	}
	return text
}
