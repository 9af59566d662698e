package doctor

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// accessPointManager is a program that makes a radio an access point by itself, as
// we do.
type accessPointManager struct {
	name  string   // of the program
	units []string // of systemd that start it
}

// accessPointManagers are those that are about. Some are scripts that end, which a
// timer or a unit starts again, and comitup's unit puts it into a network namespace
// of its own: so the units count as well as the programs.
var accessPointManagers = []accessPointManager{
	{"comitup", []string{"comitup.service"}},
	{"wifi-connect", []string{"wifi-connect.service"}}, // balena's
	{"create_ap", []string{"create_ap.service"}},       // of linux-wifi-hotspot
	{"hotspotd", []string{"hotspotd.service"}},
	{"raspapd", []string{"raspapd.service"}}, // RaspAP
	{"autohotspot", []string{"autohotspot.service"}},
	{"accesspopup", []string{"AccessPopup.timer", "AccessPopup.service"}},
	{daemonName, nil}, // the original, which is a script
}

// managersReach is of those that steer NetworkManager, or choose a radio, unless
// their arguments name it.
func managersReach(_ machine, args []string) Reach {
	return listReach(options(args, "-i", "--portal-interface"))
}

// isOriginal distinguishes the original netconnectd, which Python runs, from ours.
func (p Process) isOriginal() bool {
	return p.Name == daemonName && len(p.Args) > 0 && strings.HasPrefix(filepath.Base(p.Args[0]), "python")
}

// isManager reports whether a process is one of the accessPointManagers. Users other
// than root cannot be, whatever their processes are called.
func (p Process) isManager() bool {
	named := slices.ContainsFunc(accessPointManagers, func(m accessPointManager) bool { return m.name == p.Name })
	return named && p.UID <= 0 && (p.Name != daemonName || p.isOriginal())
}

// managersApart are the managers whose processes are in a network namespace of their
// own, as their units tell.
func (m machine) managersApart(units []cgroup, seen []Process) []Process {
	return slices.DeleteFunc(m.services(units), func(p Process) bool {
		return !p.isManager() || slices.ContainsFunc(seen, func(q Process) bool { return q.Unit == p.Unit })
	})
}

// enabledManagers are the units of managers that start with the device.
func (m machine) enabledManagers() []string {
	var enabled []string
	for _, manager := range accessPointManagers {
		for _, unit := range manager.units {
			// The pattern is valid.
			if links, _ := filepath.Glob(m.path(path.Join("/etc/systemd/system/*.wants", unit))); len(links) > 0 {
				enabled = append(enabled, unit)
			}
		}
	}
	return enabled
}

func judgeManagers(f *Facts) []verdict {
	var names []string
	for _, manager := range accessPointManagers {
		names = append(names, manager.name)
	}
	found := rivals(f, "manager of access points but netconnectd", func(p Process) bool { return !p.isManager() }, func(p Process) string {
		if p.isOriginal() {
			return "the original netconnectd and this one undo what the other does; end it by: sudo service netconnectd stop, or: sudo kill " + fmt.Sprint(p.PID) + "; docs/migrating.md tells how to remove it"
		}
		return "it makes the radio an access point and joins networks by itself; " + end(p)
	}, names...)
	if found[0].level == Problem {
		return found
	}
	if len(f.Managers) == 0 {
		return found
	}
	found = nil
	for _, unit := range f.Managers {
		found = append(found, verdict{Warning, unit + " starts with the device, and makes radios access points by itself",
			"two such programs undo what the other does; sudo systemctl disable --now " + unit})
	}
	return found
}
