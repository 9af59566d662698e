package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Names of the package's own.
const (
	daemonName  = "netconnectd" // of the program and of its user
	changeGroup = "netconnect"
)

// answerLimit is what a daemon may take to tell its status, which waits for
// nothing.
const answerLimit = 5 * time.Second

// What Facts.Files has.
const (
	fileConfig  = "config"
	fileRfkill  = "rfkill"
	fileRuntime = "runtime"
	fileState   = "state"
)

// unitNames are netconnectd's, the one that has to run first.
var unitNames = []string{"netconnectd.service", "netconnectd.socket", "netconnectd-resolv.path"}

// Options are what config.Load has said.
type Options struct {
	Config    *config.Config // with the default of what is wrong
	Warnings  []config.Problem
	ConfigErr error
}

// needed are the capabilities that a look with root's rights takes: to see into
// other users' processes and folders, to ask the kernel's accounting, to write
// an archive into the caller's folder, and to become the daemon's user.
var needed = []uintptr{
	unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_NET_ADMIN, unix.CAP_SETUID, unix.CAP_SETGID,
}

// GiveUpRights drops the capabilities of root that Look does not need, for good.
func GiveUpRights() error {
	if os.Geteuid() != 0 {
		return nil
	}
	return process.KeepCapabilities(needed...)
}

// RunningArgs are the arguments of the netconnectd that runs, of whom one asks
// what settings it has; nil if none does.
func RunningArgs(ctx context.Context) []string {
	m := machine{}
	m.service = userNamed(daemonName).UID // 0, which is root, where there is none
	if p, ok := m.daemonAmong(m.processes(""), m.mainPID(ctx)); ok {
		return p.Args[1:]
	}
	return nil
}

// Look gathers all facts. It changes nothing and needs no rights; with those of
// root it sees more.
func Look(ctx context.Context, o Options) *Facts {
	m := machine{}
	f := &Facts{Now: time.Now(), Oldest: buildTime()}
	f.Settings = newSettings(o)
	f.Units = m.units(ctx)
	f.Daemon = m.daemon(ctx)
	m.service = f.Daemon.User.UID
	f.Daemon.ask(ctx, f.Settings.Socket, f.Units)
	f.Caller = caller(f.Daemon.User)
	f.lookForConflicts(ctx, m)
	f.Radio.Soft, f.Radio.Hard, f.Radio.RfkillNote = blocked(f.Radio)
	f.Radio.Country, _ = wifi.Country() // "": not known, which is judged
	f.Filter = filter(ap.LookForTables())
	f.Tools = tools(ctx, f.Settings.Paths, f.Daemon.User)
	f.Files = map[string]File{
		fileConfig:  m.file(configPath(f.Settings)),
		fileRfkill:  m.file("/dev/rfkill"),
		fileRuntime: m.file(f.Settings.RuntimeDir),
		fileState:   m.file(f.Settings.StateDir),
	}
	f.Disk = disk(f.Settings.StateDir)
	return f
}

// LookForConflicts gathers what JudgeConflicts needs, for the daemon.
func LookForConflicts(ctx context.Context, cfg *config.Config, radio string) *Facts {
	f := &Facts{Settings: Settings{Config: cfg}}
	f.Radio.Name = radio
	f.Daemon.User = userOf(os.Geteuid())
	f.Caller = caller(f.Daemon.User)
	f.Daemon.PID = os.Getpid()
	f.lookForConflicts(ctx, machine{service: f.Daemon.User.UID})
	return f
}

func (f *Facts) lookForConflicts(ctx context.Context, m machine) {
	radios, err := wifi.Radios(ctx)
	name := f.Radio.Name
	if name == "" {
		name = f.Settings.Interfaces.Wifi
	}
	if name == "" {
		name = wifi.ChooseRadio(radios)
	}
	f.Radio = m.radio(name, radios)
	if err != nil {
		f.Radio.Unseen = err.Error()
	}
	all := m.processes(f.Settings.RuntimeDir)
	f.Processes = m.relevant(all)
	units := m.cgroups()
	f.Managers = m.enabledManagers()
	f.Sockets = m.sockets(all, units)
	f.Sockets.KeyUsers = m.keyUsers(f.Radio.Index)
	if m.blind() {
		f.Blind = "of others' programs only systemd's units are seen"
		services := m.services(units)
		f.Processes, all = append(f.Processes, services...), append(all, services...)
		name, end := accounts(ctx)
		f.Strangers = m.strangers(name)
		end()
	} else {
		f.Processes = append(f.Processes, m.managersApart(units, f.Processes)...)
	}
	if slices.ContainsFunc(all, func(p Process) bool { return p.Unit == "systemd-networkd.service" }) {
		f.Networkd = m.networkFile(f.Radio.Index)
	}
	f.Ifupdown = m.stanza(name)
	f.Manager = m.manager(ctx, f)
}

// daemon looks at the netconnectd that runs.
func (m machine) daemon(ctx context.Context) Daemon {
	d := Daemon{User: userNamed(daemonName)}
	m.service = d.User.UID
	p, ok := m.daemonAmong(m.processes(""), m.mainPID(ctx))
	if !ok {
		return d
	}
	d.PID, d.User = p.PID, userOf(p.UID)
	if status, err := m.read("/proc/" + strconv.Itoa(p.PID) + "/status"); err == nil {
		d.Capabilities = effective(status)
	}
	return d
}

// daemonAmong finds the daemon, whose arguments are believed. Anybody can give a
// process its name, and a set-user-ID program of any name runs as root: so the
// daemon is what systemd has started as such (main; 0: nothing) or what runs our
// own executable, and root or the daemon's user has started it.
func (m machine) daemonAmong(all []Process, main int) (Process, bool) {
	for _, p := range all {
		if m.believes(p.UID) && p.Name == daemonName && !slices.ContainsFunc(p.Args, isErrand) && (p.PID == main || m.runsUs(p.PID)) {
			return p, true
		}
	}
	return Process{}, false
}

// runsUs reports whether a process runs the executable that this one runs. Only
// root sees that of other users' processes.
func (m machine) runsUs(pid int) bool {
	ours, err := os.Stat("/proc/self/exe")
	its, itsErr := os.Stat(m.path("/proc/" + strconv.Itoa(pid) + "/exe"))
	return err == nil && itsErr == nil && os.SameFile(ours, its)
}

// mainPID is the daemon's process as systemd knows it; 0: there is none.
func (m machine) mainPID(ctx context.Context) int {
	if _, err := os.Stat(m.path("/run/systemd/system")); err != nil {
		return 0
	}
	out, err := process.Run(ctx, "/bin/systemctl", []string{"show", "--property=MainPID", "--value", unitNames[0]}, nil)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(out))) // 0: it is no number
	return pid
}

// ask has the daemon tell of itself. One that is stopped stays so: systemd
// would start it for whoever connects.
func (d *Daemon) ask(ctx context.Context, socket string, units Units) {
	if state := units.stopped(); state != "" && d.PID == 0 {
		d.Silence = unitNames[0] + " is " + state
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		d.Silence = err.Error()
		return
	}
	defer c.Close()
	status, err := c.Status(ctx)
	if err != nil {
		d.Silence = err.Error()
		return
	}
	d.Answers, d.Version, d.Problems = true, status.Version, status.Problems
}

// isErrand tells a netconnectd that is none but does something and ends.
func isErrand(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	return slices.Contains([]string{"--check", "--daemon", "--tear-down", "--doctor", "--bundle", "--version", "-v", "--help", "-h"}, name)
}

// effective reads CapEff of /proc/PID/status.
func effective(status string) uint64 {
	for line := range strings.Lines(status) {
		if text, ok := strings.CutPrefix(line, "CapEff:"); ok {
			set, _ := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
			return set
		}
	}
	return 0
}

// newSettings tells problems in the configuration from one that cannot be read.
func newSettings(o Options) Settings {
	s := Settings{Config: o.Config, Warnings: o.Warnings}
	var wrong *config.Error
	switch {
	case errors.As(o.ConfigErr, &wrong):
		s.Problems = wrong.Problems
	case o.ConfigErr != nil:
		s.Unseen = reason(o.ConfigErr)
	}
	return s
}

func configPath(s Settings) string {
	if s.File != "" {
		return s.File
	}
	return config.DefaultFile
}

func userNamed(name string) User {
	u, err := user.Lookup(name)
	if err != nil {
		return User{Name: name}
	}
	return newUser(u)
}

func userOf(uid int) User {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return User{Exists: true, Name: strconv.Itoa(uid), UID: uid}
	}
	return newUser(u)
}

func newUser(u *user.User) User {
	uid, _ := strconv.Atoi(u.Uid) // numbers on Linux
	gid, _ := strconv.Atoi(u.Gid)
	return User{Exists: true, Name: u.Username, UID: uid, GID: gid}
}

// caller says who we are, and whether the group's rights are ours.
func caller(service User) Caller {
	uid := os.Geteuid()
	c := Caller{Name: userOf(uid).Name, Root: uid == 0, IsService: service.Exists && uid == service.UID}
	group, err := user.LookupGroup(changeGroup)
	if err != nil {
		return c
	}
	c.GroupIs = true
	if gids, err := os.Getgroups(); err == nil {
		c.Member = slices.ContainsFunc(append(gids, os.Getegid()), func(gid int) bool { return strconv.Itoa(gid) == group.Gid })
	}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		listed, _ := u.GroupIds() // none: not listed
		c.Listed = slices.Contains(listed, group.Gid)
	}
	return c
}

// units asks systemd, where it runs (sd_booted(3)).
func (m machine) units(ctx context.Context) Units {
	if _, err := os.Stat(m.path("/run/systemd/system")); err != nil {
		return Units{}
	}
	args := append([]string{"show", "--property=Id,LoadState,ActiveState,UnitFileState"}, unitNames...)
	out, err := process.Run(ctx, "/bin/systemctl", args, nil)
	if err != nil {
		return Units{Systemd: true, Unseen: err.Error()}
	}
	return Units{Systemd: true, States: parseUnits(string(out))}
}

// stopped is the state of the daemon's unit, if that is there and has ended.
func (u Units) stopped() string {
	main := u.States[unitNames[0]]
	if main.Load == "loaded" && (main.Active == "inactive" || main.Active == "failed") {
		return main.Active
	}
	return ""
}

// parseUnits reads blocks of NAME=VALUE, an empty line between two.
func parseUnits(text string) map[string]UnitState {
	states := map[string]UnitState{}
	for block := range strings.SplitSeq(text, "\n\n") {
		values := map[string]string{}
		for line := range strings.Lines(block) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			values[key] = value
		}
		states[values["Id"]] = UnitState{values["LoadState"], values["ActiveState"], values["UnitFileState"]}
	}
	return states
}

// filter says what a look for the packet filter means.
func filter(err error) Filter {
	switch {
	case err == nil:
		return Filter{}
	case errors.Is(err, ap.ErrNoTables):
		return Filter{Missing: true}
	case errors.Is(err, fs.ErrPermission):
		return Filter{Unseen: reason(fs.ErrPermission)}
	}
	return Filter{Unseen: reason(err)}
}

func blocked(r Radio) (soft, hard bool, note string) {
	soft, hard, err := ap.Blocked(r.Name)
	if err != nil && r.Present {
		note = err.Error()
	}
	return soft, hard, note
}

func (m machine) file(path string) File {
	f := File{Path: path}
	info, err := os.Stat(m.path(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Missing = true
		return f
	case err != nil:
		f.Unseen = reason(err)
		return f
	}
	f.Mode = uint32(info.Mode().Perm())
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		f.UID, f.GID = int(owner.Uid), int(owner.Gid)
	}
	var system unix.Statfs_t
	if unix.Statfs(m.path(path), &system) == nil {
		f.ReadOnly = system.Flags&unix.ST_RDONLY != 0
	}
	return f
}

// disk asks for the room where a folder is, or will be.
func disk(path string) Disk {
	d := Disk{Path: path}
	var system unix.Statfs_t
	err := unix.Statfs(path, &system)
	for path != "/" && errors.Is(err, fs.ErrNotExist) {
		path = path[:max(1, strings.LastIndexByte(path, '/'))]
		err = unix.Statfs(path, &system)
	}
	if err != nil {
		d.Unseen = reason(err)
		return d
	}
	d.Free, d.Inodes = system.Bavail*uint64(system.Bsize), system.Ffree
	if system.Files == 0 { // file systems that have no fixed number, such as btrfs
		d.Inodes = 1
	}
	return d
}

// buildTime is when this program was put together, or a little before.
func buildTime() time.Time {
	self, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(self)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
