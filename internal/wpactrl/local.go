package wpactrl

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// localPrefix begins the names of our reply sockets: <prefix><pid>-<count>.
const localPrefix = "wpactrl-"

var localCount atomic.Uint64

// localName returns a name that no other connection of this process uses. A file of
// that name was left by a dead process with the same id.
func localName(dir string) string {
	name := filepath.Join(dir, fmt.Sprintf("%s%d-%d", localPrefix, os.Getpid(), localCount.Add(1)))
	os.Remove(name)
	return name
}

// sweep removes the reply sockets of processes that ended without Close. Such sockets
// would otherwise gather in the runtime folder with every crash.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the following bind reports what is wrong with the folder
	}
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), localPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		number, err := strconv.Atoi(pid)
		if !ours || err != nil || number <= 0 {
			continue
		}
		if syscall.Kill(number, 0) == syscall.ESRCH {
			os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}
