package doctor

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// programs are the programs that may use the radio, each with the function that
// finds its interfaces.
var programs = map[string]func(m machine, args []string) Reach{
	"wpa_supplicant": func(_ machine, args []string) Reach { return Reach{Interfaces: options(args, "-i")} },
	"hostapd":        hostapdReach,
	"dhclient":       func(_ machine, args []string) Reach { return clientReach(args) },
	"dhcpcd":         dhcpcdReach,
	"udhcpc":         func(_ machine, args []string) Reach { return Reach{Interfaces: options(args, "-i", "--interface")} },
	"iwd":            func(_ machine, args []string) Reach { return listReach(options(args, "-i", "--interfaces")) },
	"connmand":       connmanReach,
	"comitup":        managersReach,
	"wifi-connect":   managersReach,
	"create_ap":      func(_ machine, args []string) Reach { return clientReach(args) },
	"hotspotd":       managersReach,
	"raspapd":        managersReach,
	"autohotspot":    managersReach,
	"accesspopup":    managersReach,
	daemonName:       managersReach,
}

// machine reads the facts of a machine.
type machine struct {
	root    string // "" for the real one
	service int    // UID of the daemon's user; 0: root, as there is no such user
}

// mostRead bounds the size of a file that is read. The largest files are the kernel's
// tables of sockets, with 150 bytes for each socket.
const mostRead = 16 << 20

// namedLimit bounds the reading of a file that a process names.
const namedLimit = 2 * time.Second

func (m machine) path(name string) string { return m.root + name }

// read reads a file whose path is our own.
func (m machine) read(name string) (string, error) {
	text, err := namedfile.Read(context.Background(), m.path(name), mostRead)
	return string(text), err
}

// readNamed reads a file that a process's arguments name. It reads only files of
// root, of the daemon's user and of our own user.
func (m machine) readNamed(name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), namedLimit)
	defer cancel()
	text, err := namedfile.ReadOwned(ctx, m.path(name), mostRead, 0, m.service, os.Geteuid())
	return string(text), err
}

// believes reports whether the name and arguments of that user's processes can be
// trusted. Any user can give a process any name and any arguments.
func (m machine) believes(uid int) bool { return uid == 0 || m.service != 0 && uid == m.service }

// processes returns all processes that are, or may be, in our network namespace. A
// process of root or the daemon's user that names a file of the runtime folder is
// ours.
func (m machine) processes(runtimeDir string) []Process {
	folders, _ := filepath.Glob(m.path("/proc/[0-9]*")) // the pattern is valid
	namespace, _ := os.Readlink(m.path("/proc/self/ns/net"))
	var all []Process
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		// Only root sees the namespaces of others.
		other, err := os.Readlink(folder + "/ns/net")
		if err == nil && namespace != "" && other != namespace || err != nil && contained(folder) {
			continue
		}
		if p, ok := readProcess(pid, folder); ok {
			p.Ours = runtimeDir != "" && m.believes(p.UID) && slices.ContainsFunc(p.Args[1:], func(arg string) bool { return strings.Contains(arg, runtimeDir+"/") })
			all = append(all, p)
		}
	}
	return all
}

// blind reports whether /proc hides the processes of other users, by hidepid of
// proc(5) or ProtectProc=invisible of the daemon's unit. Process 1 is then missing.
func (m machine) blind() bool {
	_, err := os.Stat(m.path("/proc/1"))
	return err != nil
}

// contained reports whether a process is in a container. NSpid, which every user can
// read, has its number in each pid namespace (proc_pid_status(5)).
func contained(folder string) bool {
	status, err := os.ReadFile(folder + "/status")
	if err != nil {
		return false
	}
	_, numbers, _ := strings.Cut(string(status), "\nNSpid:")
	numbers, _, _ = strings.Cut(numbers, "\n")
	return len(strings.Fields(numbers)) > 1
}

func readProcess(pid int, folder string) (Process, bool) {
	p := Process{PID: pid, UID: -1}
	status, err := os.ReadFile(folder + "/status")
	stat, statErr := os.ReadFile(folder + "/stat")
	line, lineErr := os.ReadFile(folder + "/cmdline")
	if err != nil || statErr != nil || lineErr != nil || len(line) == 0 {
		return p, false // gone meanwhile, or a thread of the kernel
	}
	p.UID = userIn(string(status))
	p.Name, p.Parent = parseStat(string(stat))
	p.Args = strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	if cgroup, err := os.ReadFile(folder + "/cgroup"); err == nil {
		p.Unit = unitOf(string(cgroup))
	}
	return p, true
}

// userIn returns the real UID in /proc/PID/status (proc_pid_status(5)), which is the
// user who started the process; -1: not known. The effective UID, which owns
// /proc/PID, is root's for any set-user-ID program of root.
func userIn(status string) int {
	for line := range strings.Lines(status) {
		if text, ok := strings.CutPrefix(line, "Uid:"); ok {
			fields := strings.Fields(text)
			if len(fields) == 0 {
				return -1
			}
			if uid, err := strconv.Atoi(fields[0]); err == nil {
				return uid
			}
		}
	}
	return -1
}

// parseStat reads fields 2 and 4 of /proc/PID/stat (proc_pid_stat(5)). The
// program's name may hold spaces and parentheses itself.
func parseStat(stat string) (name string, parent int) {
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return "", 0
	}
	if fields := strings.Fields(stat[end+1:]); len(fields) > 1 {
		parent, _ = strconv.Atoi(fields[1])
	}
	return stat[open+1 : end], parent
}

// unitOf finds the unit in /proc/PID/cgroup: the last part of systemd's path
// that is one, such as "0::/system.slice/dnsmasq.service".
func unitOf(cgroup string) string {
	for line := range strings.Lines(cgroup) {
		_, path, ok := strings.Cut(strings.TrimSpace(line), "::")
		if !ok {
			_, path, ok = strings.Cut(strings.TrimSpace(line), ":name=systemd:")
		}
		parts := strings.Split(path, "/")
		for _, part := range slices.Backward(parts) {
			if ok && strings.HasSuffix(part, ".service") {
				return part
			}
		}
	}
	return ""
}

// relevant returns the programs that may use the radio, with their interfaces.
func (m machine) relevant(all []Process) []Process {
	var found []Process
	for _, p := range all {
		if reach, ok := programs[p.Name]; ok && (p.Name != daemonName || p.isOriginal()) {
			if p.Name == "hostapd" && !m.believes(p.UID) {
				reach = strangersReach
			}
			p.Reach = reach(m, p.Args[1:])
			if p.Name == "dhcpcd" && strings.HasPrefix(p.Args[0], "dhcpcd: ") {
				p.Reach = titleReach(m, p.Args[0])
			}
			found = append(found, p)
		}
	}
	return found
}

// options returns the values of options, as in "-i wlan0", "-iwlan0" or
// "--interface=wlan0".
func options(args []string, names ...string) []string {
	var found []string
	for i, arg := range args {
		for _, name := range names {
			rest, ok := strings.CutPrefix(arg, name)
			switch {
			case !ok:
			case rest == "" && i+1 < len(args):
				found = append(found, args[i+1])
			case strings.HasPrefix(name, "--"):
				if value, ok := strings.CutPrefix(rest, "="); ok {
					found = append(found, value)
				}
			case rest != "":
				found = append(found, rest)
			}
		}
	}
	return found
}

// listReach returns the interfaces in options that take lists. Without any such
// option, the program works on all interfaces.
func listReach(lists []string) Reach {
	if len(lists) == 0 {
		return Reach{All: true}
	}
	return Reach{Interfaces: strings.Split(strings.Join(lists, ","), ",")}
}

// clientReach returns the interfaces of programs whose arguments are interfaces.
// Values of options are taken for interfaces as well, which does no harm.
func clientReach(args []string) Reach {
	names := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-") || strings.Contains(arg, "/") })
	return Reach{Interfaces: names, All: len(names) == 0}
}

// hostapdOptions are those that take a value (hostapd(8)).
var hostapdOptions = []string{"-P", "-e", "-f", "-g", "-G", "-i", "-b", "-u"}

// hostapdReach reads the configuration files that hostapd was given.
func hostapdReach(m machine, args []string) Reach {
	reach := Reach{}
	for _, list := range options(args, "-i") {
		reach.Interfaces = append(reach.Interfaces, strings.Split(list, ",")...)
	}
	for i, arg := range args {
		ofOption := i > 0 && slices.Contains(hostapdOptions, args[i-1])
		if strings.HasPrefix(arg, "-") || ofOption {
			continue
		}
		text, err := m.readNamed(path.Join("/", arg))
		if err != nil {
			reach.Unseen = reason(err)
			continue
		}
		for line := range strings.Lines(text) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if key == "interface" || key == "bss" {
				reach.Interfaces = append(reach.Interfaces, value)
			}
		}
	}
	return reach
}

// strangersReach returns the interfaces of a hostapd that neither root nor the
// daemon's user has started. It does not read the files that hostapd names, as any
// user may have chosen them.
func strangersReach(_ machine, args []string) Reach {
	reach := Reach{Unseen: "neither root nor netconnectd has started it, and what it names is not read"}
	for _, list := range options(args, "-i") {
		reach.Interfaces = append(reach.Interfaces, strings.Split(list, ",")...)
	}
	return reach
}

// titleReach returns the interfaces of dhcpcd 9 and later, whose processes call
// themselves "dhcpcd: wlan0 [ip4]" or "dhcpcd: [manager] [ip4] [ip6]".
func titleReach(m machine, title string) Reach {
	words := strings.Fields(strings.TrimPrefix(title, "dhcpcd: "))
	if len(words) > 0 && !strings.HasPrefix(words[0], "[") {
		return Reach{Interfaces: words[:1]}
	}
	return dhcpcdReach(m, nil)
}

// dhcpcdReach returns the interfaces that dhcpcd is started with or, if there are
// none, those that dhcpcd.conf(5) allows.
func dhcpcdReach(m machine, args []string) Reach {
	if r := clientReach(args); len(r.Interfaces) > 0 {
		return r
	}
	text, err := m.read("/etc/dhcpcd.conf")
	if err != nil && !os.IsNotExist(err) {
		return Reach{Unseen: reason(err)}
	}
	reach := Reach{All: true}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "denyinterfaces":
			reach.denied(words[1:])
		case words[0] == "allowinterfaces":
			reach.All, reach.Interfaces = false, append(reach.Interfaces, words[1:]...)
		}
	}
	return reach
}

// denied excludes the patterns from All, by entries such as "!wlan*" among the
// interfaces.
func (r *Reach) denied(patterns []string) {
	for _, p := range patterns {
		for one := range strings.SplitSeq(p, ",") {
			r.Interfaces = append(r.Interfaces, "!"+one)
		}
	}
}

// connmanReach returns all interfaces but those that main.conf blacklists
// (connman.conf(5)).
func connmanReach(m machine, args []string) Reach {
	if named := options(args, "-i", "--device"); len(named) > 0 {
		return listReach(named)
	}
	reach := Reach{All: true}
	text, err := m.read("/etc/connman/main.conf")
	if err != nil && !os.IsNotExist(err) {
		return Reach{Unseen: reason(err)}
	}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) == "NetworkInterfaceBlacklist" {
			for prefix := range strings.SplitSeq(value, ",") {
				reach.Interfaces = append(reach.Interfaces, "!"+strings.TrimSpace(prefix)+"*")
			}
		}
	}
	return reach
}

// on reports whether a program works on an interface. Names may be patterns, and a
// name that begins with "!" is an exception.
func (r Reach) on(iface string) bool {
	on := r.All
	for _, pattern := range r.Interfaces {
		name, not := strings.CutPrefix(pattern, "!")
		if ok, err := path.Match(name, iface); err == nil && ok {
			if not {
				return false
			}
			on = true
		}
	}
	return on
}

// String names a process for people: "dnsmasq (pid 7, dnsmasq.service)".
func (p Process) String() string {
	if p.Unit == "" {
		return fmt.Sprintf("%s (pid %d)", p.Name, p.PID)
	}
	return fmt.Sprintf("%s (pid %d, %s)", p.Name, p.PID, p.Unit)
}

// reason returns the text of an error without the names of system calls.
func reason(err error) string {
	if os.IsPermission(err) {
		return "it needs root (sudo netconnectcli doctor)"
	}
	return err.Error()
}

// holders finds the processes that have the sockets. Only root sees the sockets of
// other users' processes.
func (m machine) holders(all []Process, inodes map[uint64]bool) map[uint64]*Process {
	found := map[uint64]*Process{}
	for i, p := range all {
		dir := m.path(fmt.Sprintf("/proc/%d/fd", p.PID))
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			target, err := os.Readlink(filepath.Join(dir, entry.Name()))
			if err != nil {
				continue // closed meanwhile
			}
			text, ok := strings.CutPrefix(target, "socket:[")
			inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
			if ok && err == nil && inodes[inode] {
				found[inode] = &all[i]
			}
		}
	}
	return found
}
