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
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Names of netconnectd's own.
const (
	daemonName  = "netconnectd" // of the program and of its user
	changeGroup = "netconnect"
)

// answerLimit is how long the daemon may take to return its status, which it does
// without waiting for anything.
const answerLimit = 5 * time.Second

// Keys of Facts.Files.
const (
	fileConfig  = "config"
	fileRfkill  = "rfkill"
	fileRuntime = "runtime"
	fileState   = "state"
)

// unitNames are netconnectd's units. The first is the one that has to run.
var unitNames = []string{"netconnectd.service", "netconnectd.socket", "netconnectd-resolv.path"}

// Options are the results of config.Load.
type Options struct {
	Config    *config.Config // with the default of what is wrong
	Warnings  []config.Problem
	ConfigErr error
}

// needed are the capabilities of root that Look uses: to read other users' processes
// and folders, to ask the kernel's accounting, to write an archive into the caller's
// folder, and to become the daemon's user.
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

// RunningArgs returns the arguments of the running netconnectd, which show its
// settings; nil if none runs.
func RunningArgs(ctx context.Context) []string {
	m := machine{}
	m.service = userNamed(daemonName).UID // 0, which is root, where there is none
	if p, ok := m.daemonAmong(m.processes(""), m.mainPID(ctx)); ok {
		return p.Args[1:]
	}
	return nil
}

// Look gathers all facts. It changes nothing and needs no rights, but root sees more.
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
	f.Radio.Country, _ = wifi.Country() // "": not known, which has a finding
	f.Network = network(link.See(ctx))
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

// daemon reads the state of the running netconnectd.
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

// daemonAmong finds the daemon, whose arguments are trusted. Any user can give a
// process its name, and any set-user-ID program runs as root. So the daemon must be
// the unit's main process (main; 0: none) or run our own executable, and root or the
// daemon's user must have started it.
func (m machine) daemonAmong(all []Process, main int) (Process, bool) {
	for _, p := range all {
		if m.believes(p.UID) && p.Name == daemonName && !slices.ContainsFunc(p.Args, isOneShot) && (p.PID == main || m.runsUs(p.PID)) {
			return p, true
		}
	}
	return Process{}, false
}

// runsUs reports whether a process runs our own executable. Only root sees the
// executables of other users' processes.
func (m machine) runsUs(pid int) bool {
	ours, err := os.Stat("/proc/self/exe")
	its, itsErr := os.Stat(m.path("/proc/" + strconv.Itoa(pid) + "/exe"))
	return err == nil && itsErr == nil && os.SameFile(ours, its)
}

// mainPID returns the main process of the daemon's unit; 0: there is none.
func (m machine) mainPID(ctx context.Context) int {
	if _, err := os.Stat(m.path("/run/systemd/system")); err != nil {
		return 0
	}
	out, err := process.Run(ctx, "/bin/systemctl", []string{"show", "--property=MainPID", "--value", unitNames[0]}, nil)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(out))) // 0 if it is no number
	return pid
}

// ask asks the daemon for its status. It does not connect if the daemon is stopped,
// as systemd would then start it.
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

// isOneShot reports whether arg makes netconnectd a one-shot command instead of the
// daemon.
func isOneShot(arg string) bool {
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

// newSettings separates wrong settings from a configuration that cannot be read.
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

// caller returns our user, and whether it has the rights of the group netconnect.
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

// units asks systemd for the units, if systemd runs (sd_booted(3)).
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

// stopped returns the state of the daemon's unit if the unit exists and has ended.
func (u Units) stopped() string {
	main := u.States[unitNames[0]]
	if main.Load == "loaded" && (main.Active == "inactive" || main.Active == "failed") {
		return main.Active
	}
	return ""
}

// parseUnits reads blocks of NAME=VALUE that are separated by empty lines.
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

// filter converts the result of ap.LookForTables.
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

func network(seen *link.Snapshot, err error) Network {
	if err != nil {
		return Network{Unseen: reason(err)}
	}
	return Network{Snapshot: seen}
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

// disk returns the free space of the file system in which a folder is, or will be.
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

// buildTime returns when this program was built, or a little before.
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
