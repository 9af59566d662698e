package namedfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNotExecutable says that a file is no program.
var ErrNotExecutable = errors.New("it is not executable")

// mostLinks is how many symbolic links a path may go through (path_resolution(7)).
const mostLinks = 40

// OpenProgram opens the program at the absolute path, for process.RunFile. It
// makes sure that nobody but owner and root can change the program or what the
// path leads to: every folder, link and file on the way belongs to one of the
// two and cannot be written by others. A sticky folder, such as /tmp, may be on
// the way, as others cannot replace what is in it. The error is ErrNotRegular,
// ErrNotExecutable, or says which part of the path is wrong, and the remedy.
func OpenProgram(path string, owner int) (*os.File, error) {
	f, err := openTrusted(path, owner)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	case info.Mode().Perm()&0o111 == 0:
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotExecutable}
	default:
		return f, nil
	}
	f.Close()
	return nil, err
}

// CheckTrusted reports what OpenProgram reports of any kind of file or folder:
// who but owner and root can change what the absolute path leads to.
func CheckTrusted(path string, owner int) error {
	f, err := openTrusted(path, owner)
	if err != nil {
		return err
	}
	return f.Close()
}

// openTrusted goes to the file step by step, each from the descriptor of the
// folder that was checked before, so that nobody can change the way meanwhile.
// The descriptor is one of O_PATH.
func openTrusted(path string, owner int) (*os.File, error) {
	if !filepath.IsAbs(path) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("the path is not absolute")}
	}
	w := walk{owner: owner, rest: strings.Split(path, "/")}
	if err := w.begin(); err != nil {
		return nil, err
	}
	for len(w.rest) > 0 {
		name := w.rest[0]
		w.rest = w.rest[1:]
		if name == "" || name == "." {
			continue
		}
		if err := w.step(name); err != nil {
			w.at.Close()
			return nil, err
		}
	}
	return w.at, nil
}

// walk is a way to a file, as far as it has come.
type walk struct {
	owner int
	at    *os.File // by O_PATH; its name is the path without links
	rest  []string // names that are still to go
	links int
}

func (w *walk) begin() error {
	root, err := w.open(unix.AT_FDCWD, "/", "/")
	if err != nil {
		return err
	}
	w.become(root)
	return nil
}

func (w *walk) become(f *os.File) {
	if w.at != nil {
		w.at.Close()
	}
	w.at = f
}

// step goes to a name in the folder where the walk is, or sets out for what the
// link of that name says.
func (w *walk) step(name string) error {
	next, err := w.open(int(w.at.Fd()), name, filepath.Join(w.at.Name(), name))
	if err != nil {
		return err
	}
	info, err := next.Stat()
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		w.become(next)
		return err
	}
	defer next.Close()
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(next.Fd()), "", target)
	if err != nil {
		return &fs.PathError{Op: "readlink", Path: next.Name(), Err: err}
	}
	if w.links++; w.links > mostLinks {
		return &fs.PathError{Op: "open", Path: next.Name(), Err: unix.ELOOP}
	}
	w.rest = append(strings.Split(string(target[:n]), "/"), w.rest...)
	if target[0] == '/' {
		return w.begin()
	}
	return nil
}

// open opens one part of the path and checks who can change it.
func (w *walk) open(folder int, name, path string) (*os.File, error) {
	fd, err := unix.Openat(folder, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	var info unix.Stat_t
	if err = unix.Fstat(fd, &info); err == nil {
		err = changeable(path, &info, w.owner)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// changeable says who else can change a part of a path, and what to do.
func changeable(path string, info *unix.Stat_t, owner int) error {
	kind := info.Mode & unix.S_IFMT
	switch {
	case info.Uid != 0 && int(info.Uid) != owner:
		return fmt.Errorf("user %d owns %s; run chown root:root %s", info.Uid, path, path)
	case kind == unix.S_IFLNK: // a link has no rights of its own
	case kind == unix.S_IFDIR && info.Mode&unix.S_ISVTX != 0: // others cannot replace what is in it
	case kind != unix.S_IFDIR && kind != unix.S_IFREG: // a device, which the caller refuses
	case info.Mode&0o022 != 0:
		return fmt.Errorf("others than root can write to %s; run chmod go-w %s", path, path)
	}
	return nil
}
