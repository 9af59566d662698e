package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/netconnectd/netconnectd/internal/wifi"
)

// cgroup is a unit of systemd as the kernel sees it.
type cgroup struct {
	unit string
	id   uint32 // the lower half of the id in sock_diag
	pid  int    // one of its processes
}

// cgroups returns the services that have a process. Every user sees them, even if
// /proc hides the processes of other users.
func (m machine) cgroups() []cgroup {
	var all []cgroup
	// What vanishes meanwhile does not count.
	_ = filepath.WalkDir(m.path("/sys/fs/cgroup"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || !strings.HasSuffix(path, ".service") {
			return nil
		}
		info, err := d.Info()
		procs, procsErr := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		first, _, _ := strings.Cut(string(procs), "\n")
		pid, pidErr := strconv.Atoi(first)
		if err != nil || procsErr != nil || pidErr != nil {
			return nil
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			all = append(all, cgroup{filepath.Base(path), uint32(stat.Ino), pid})
		}
		return nil
	})
	return all
}

// services returns the programs that the units run, as far as the units' names show
// them.
func (m machine) services(units []cgroup) []Process {
	var found []Process
	for _, u := range units {
		name, iface, _ := strings.Cut(strings.TrimSuffix(u.unit, ".service"), "@")
		name, _, _ = strings.Cut(name, "-nl80211") // of wpa_supplicant-nl80211@wlan0
		p := Process{PID: u.pid, UID: -1, Name: name, Unit: u.unit, Args: []string{name}}
		switch {
		case iface != "":
			p.Reach = Reach{Interfaces: []string{iface}}
		case name == "connman":
			p.Name, p.Reach = "connmand", connmanReach(m, nil)
		case name == "hostapd":
			p.Reach = hostapdReach(m, []string{"/etc/hostapd/hostapd.conf"}) // as its unit has it
		case programs[name] != nil:
			p.Reach = programs[name](m, nil)
		}
		found = append(found, p)
	}
	return found
}

// networkFile returns the file of systemd-networkd that matches the interface. It
// reads networkd's state files, which are made for libsystemd and readable by all.
func (m machine) networkFile(ifindex int) string {
	text, err := m.read(fmt.Sprintf("/run/systemd/netif/links/%d", ifindex))
	if err != nil {
		return ""
	}
	file, managed := "", true
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "NETWORK_FILE":
			file = value
		case "ADMIN_STATE":
			managed = value != "unmanaged"
		}
	}
	if !managed {
		return ""
	}
	return file
}

// stanza finds what ifupdown (interfaces(5)) does with the interface.
func (m machine) stanza(iface string) Stanza {
	if _, err := os.Stat(m.path("/sbin/ifup")); errors.Is(err, fs.ErrNotExist) {
		return Stanza{} // ifupdown is not installed, so the file has no effect
	}
	const folder = "/etc/network/interfaces.d"
	var s Stanza
	files := []string{"/etc/network/interfaces"}
	more, err := os.ReadDir(m.path(folder))
	s.miss(err)
	for _, entry := range more {
		if !entry.IsDir() {
			files = append(files, folder+"/"+entry.Name())
		}
	}
	for _, file := range files {
		text, err := m.read(file)
		s.miss(err)
		s.add(file, text, iface)
	}
	return s
}

// miss notes that a file could not be read. A file that does not exist is ignored.
func (s *Stanza) miss(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Unseen = reason(err)
	}
}

func (s *Stanza) add(file, text, iface string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "auto" || words[0] == "allow-hotplug":
			s.Auto = s.Auto || slices.Contains(words[1:], iface)
		case words[0] == "iface" && words[1] == iface && s.File == "":
			s.File, s.Line, s.Method = file, number, words[len(words)-1]
		}
	}
}

// radio reads the kernel's state of the radio.
func (m machine) radio(name string, all []wifi.Radio) Radio {
	r := Radio{Name: name}
	for _, one := range all {
		if one.Name == name {
			r.Present, r.Radio = true, one
		}
	}
	if driver, err := os.Readlink(m.path("/sys/class/net/" + name + "/device/driver")); err == nil {
		r.Driver = filepath.Base(driver)
	}
	return r
}
