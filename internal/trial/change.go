package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/config"
)

// fixed are the settings that only a start can change, as running parts hold the
// socket, the folders and the interface that these settings name.
var fixed = []string{"socket", "permissions.change", "interfaces.wifi", "paths.runtime", "paths.state"}

// atJoin are the settings whose change takes effect at the next join.
var atJoin = []string{"ap.country", "wifi.metric", "paths.wpa_supplicant"}

// formatWarnings returns a line for each warning.
func formatWarnings(warnings []config.Problem) string {
	var lines strings.Builder
	for _, w := range warnings {
		lines.WriteString("\n  warning: " + strings.ReplaceAll(w.String(), "\n", " "))
	}
	return lines.String()
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
	text := cmp.Or(strings.Join(applied, ", "), "nothing differs")
	if len(join) > 0 {
		text += fmt.Sprintf(" (at the next join: %s)", strings.Join(join, ", "))
	}
	if len(restart) > 0 {
		text += fmt.Sprintf(" (after a restart: %s)", strings.Join(restart, ", "))
	}
	return text
}
