package hook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
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
	if err := owned(folder, owner, false); err != nil {
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

// examine follows symbolic links: what they lead to counts, and the way.
func examine(path string, owner uint32) (runs bool, err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return false, err
	}
	switch {
	case !info.Mode().IsRegular():
		return false, errors.New("it is not a file")
	case info.Mode().Perm()&0o111 == 0:
		return false, nil
	}
	for _, start := range []string{real, path} { // whoever can replace the link, too
		for at := start; ; at = filepath.Dir(at) {
			if err := owned(at, owner, true); err != nil {
				return false, err
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return true, nil
}

// owned says who else could have written a file or a folder, and what to do. In
// a sticky folder, such as /tmp, others cannot replace what is there; that is
// enough on the way to a hook, but they can add to it.
func owned(path string, owner uint32, sticky bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	uid := info.Sys().(*syscall.Stat_t).Uid
	switch {
	case uid != owner && uid != 0:
		return fmt.Errorf("user %d owns %s; run chown root:root %s", uid, path, path)
	case info.Mode()&fs.ModeSymlink != 0: // has no rights of its own
	case sticky && info.Mode()&fs.ModeSticky != 0:
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others than root can write to %s; run chmod go-w %s", path, path)
	}
	return nil
}
