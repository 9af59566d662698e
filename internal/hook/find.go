package hook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// find gives the executables of a folder that only their owner, and whoever
// owns a folder on the way, can have written: root, in other words. What others
// could have written is refused with a reason. Files that are not executable
// are none of ours.
func find(folder string, owner uint32) (hooks []string, refused map[string]string) {
	refused = map[string]string{}
	entries, err := os.ReadDir(folder) // in the order of names
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			refused[folder] = err.Error()
		}
		return nil, refused
	}
	if err := owned(folder, owner); err != nil {
		refused[folder] = err.Error()
		return nil, refused
	}
	for _, entry := range entries {
		if !meant(entry) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		switch runs, err := examine(path, owner); {
		case err != nil:
			refused[path] = err.Error()
		case runs:
			hooks = append(hooks, path)
		}
	}
	return hooks, refused
}

// examine follows symbolic links: who can change what they lead to, or a folder
// or link on the way, could have written the hook. A script that runs by its
// descriptor would not know its own name, so a hook runs by its path, which
// nobody but the owner and root can change after this.
func examine(path string, owner uint32) (runs bool, err error) {
	program, err := namedfile.OpenProgram(path, int(owner))
	switch {
	case errors.Is(err, namedfile.ErrNotExecutable):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, program.Close()
}

// owned says who else could have added a hook to the folder, and what to do.
// Also in a sticky folder, such as /tmp, others can add one.
func owned(folder string, owner uint32) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	switch uid := info.Sys().(*syscall.Stat_t).Uid; {
	case uid != owner && uid != 0:
		return fmt.Errorf("user %d owns %s; run chown root:root %s", uid, folder, folder)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others than root can write to %s; run chmod go-w %s", folder, folder)
	}
	return nil
}
