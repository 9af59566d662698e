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

// find returns the executables of a folder that only owner, which is root, can have
// written, and the reasons why it refuses others that another user could have
// written. It ignores files that are not executable.
func find(folder string, owner uint32) (hooks []string, refused map[string]string) {
	refused = map[string]string{}
	entries, err := os.ReadDir(folder) // in the order of names
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			refused[folder] = err.Error()
		}
		return nil, refused
	}
	if err := checkOwner(folder, owner); err != nil {
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

// examine reports whether a file is a hook, and checks that only the owner and root
// can change it. It follows symbolic links, as a user who can change their target, or
// a folder or link on the path, could have written the hook. A hook runs by its path,
// as a script that runs by its descriptor would not know its own name; only the owner
// and root can change that path after the check.
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

// checkOwner returns an error, with the remedy, if another user could have added a
// hook to the folder. That is also possible in a sticky folder, such as /tmp.
func checkOwner(folder string, owner uint32) error {
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
