package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// markName is the environment variable that ties a process to its record.
const markName = "NETCONNECTD_CHILD="

// environment returns the whole environment of a program: the language in which we
// parse output, and nothing of the daemon's own environment, which may hold a secret.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
}

// mark returns the environment entry of a role's children. For the role "" it returns
// the prefix of all marks of this runtime folder.
func (r *Runner) mark(role string) string {
	dir := r.recordDir()
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return markName + dir + "/" + role
}

// open returns an unwatched Child for a process that is known to be alive or
// unreaped.
func (r *Runner) open(role, hash string, pid int, start uint64) (*Child, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: pid %d: %w", role, pid, err)
	}
	return &Child{
		role: role, hash: hash, pid: pid, start: start, runner: r,
		pidfd: os.NewFile(uintptr(fd), "pidfd"), // non-blocking, so the runtime's poller waits for it
		done:  make(chan struct{}),
	}, nil
}

// adopt returns an unwatched Child for pid if pid is still the process that was
// started at the given time.
func (r *Runner) adopt(role, hash string, pid int, start uint64) (*Child, error) {
	c, err := r.open(role, hash, pid, start)
	if err != nil {
		return nil, err
	}
	// The order matters. The pidfd is open, and the start time that is read now
	// belongs to the pid's present owner. If the pidfd's process is still alive
	// after that, it is the owner.
	now, err := startTime(pid)
	switch {
	case err != nil:
	case now != start:
		err = fmt.Errorf("adopt %s: pid %d belongs to another process now", role, pid)
	case !c.Alive():
		err = fmt.Errorf("adopt %s: pid %d has ended", role, pid)
	default:
		return c, nil
	}
	c.pidfd.Close()
	return nil, err
}

// startTime reads field 22 of /proc/PID/stat (proc(5)): clock ticks since boot.
func startTime(pid int) (uint64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read start time of pid %d: %w", pid, err)
	}
	start, err := parseStartTime(stat)
	if err != nil {
		return 0, fmt.Errorf("read start time of pid %d: %w", pid, err)
	}
	return start, nil
}

// parseStartTime counts from the last parenthesis, because field 2, the
// program's name, may itself contain spaces and parentheses.
func parseStartTime(stat []byte) (uint64, error) {
	const field, afterName = 22, 3
	_, rest, ok := cutLast(stat, ')')
	fields := bytes.Fields(rest)
	if !ok || len(fields) <= field-afterName {
		return 0, fmt.Errorf("%q has no field %d", stat, field)
	}
	return strconv.ParseUint(string(fields[field-afterName]), 10, 64)
}

func cutLast(data []byte, sep byte) (before, after []byte, found bool) {
	i := bytes.LastIndexByte(data, sep)
	if i < 0 {
		return data, nil, false
	}
	return data[:i], data[i+1:], true
}

// marked lists the processes of our own user whose environment holds the mark.
func marked(mark string) []int {
	var pids []int
	eachMark(func(pid int, entry string) {
		if entry == mark {
			pids = append(pids, pid)
		}
	})
	return pids
}

// markedRoles lists the roles of all processes whose mark has the prefix.
func markedRoles(prefix string) []string {
	var roles []string
	eachMark(func(_ int, entry string) {
		if role, ok := strings.CutPrefix(entry, prefix); ok && rolePattern.MatchString(role) {
			roles = append(roles, role)
		}
	})
	return roles
}

// eachMark visits the marked processes of our own user, whatever their folder.
func eachMark(visit func(pid int, entry string)) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return // the pattern is constant and valid
	}
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil || pid == os.Getpid() || !isOurs(name) {
			continue
		}
		environ, err := os.ReadFile(name + "/environ")
		if err != nil {
			continue // the process is gone, or has more rights than we have and so is not ours
		}
		for entry := range bytes.SplitSeq(environ, []byte{0}) {
			if bytes.HasPrefix(entry, []byte(markName)) {
				visit(pid, string(entry))
			}
		}
	}
}

func isOurs(procDir string) bool {
	info, err := os.Stat(procDir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
