package namedfile

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const stranger = 1000

// file writes a file and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRead lists what a path may lead to. None of it may take long.
func TestRead(t *testing.T) {
	folder := t.TempDir()
	pipe, socket := filepath.Join(folder, "pipe"), filepath.Join(folder, "socket")
	if err := unix.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plain := file(t, "plain", "1234")
	link := filepath.Join(folder, "link")
	loop := filepath.Join(folder, "loop")
	if err := errors.Join(os.Symlink(plain, link), os.Symlink(loop, loop)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		want       string
		err        error
	}{
		{"a file", plain, "1234", nil},
		{"a link to a file", link, "1234", nil},
		{"a file that is too large", file(t, "large", "12345"), "", ErrTooLarge},
		{"a file of the kernel, whose size is not told", "/proc/self/status", "", ErrTooLarge},
		{"no file", filepath.Join(folder, "none"), "", fs.ErrNotExist},
		{"a link to itself", loop, "", unix.ELOOP},
		{"a folder", folder, "", ErrNotRegular},
		{"a pipe that nobody writes to", pipe, "", ErrNotRegular},
		{"a socket", socket, "", ErrNotRegular},
		{"an endless device", "/dev/zero", "", ErrNotRegular},
		{"a terminal", "/dev/tty", "", ErrNotRegular},
		{"no file at all", "/dev/null", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := Read(t.Context(), tt.path, 4)
			if string(data) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%q, %v; want %q, %v", data, err, tt.want, tt.err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.path) {
				t.Errorf("%v does not name %s", err, tt.path)
			}
		})
	}
}

// TestReadOwned checks that a file of another user is refused.
func TestReadOwned(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file to another user; needs root")
	}
	path := file(t, "file", "1234")
	if err := os.Chown(path, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	var owner *OwnerError
	if _, err := ReadOwned(t.Context(), path, 10, 0, 7); !errors.As(err, &owner) || owner.UID != stranger {
		t.Errorf("ReadOwned: %v", err)
	}
	if _, err := ReadOwn(path, 10); !errors.As(err, &owner) {
		t.Errorf("ReadOwn: %v", err)
	}
	if data, err := ReadOwned(t.Context(), path, 10, 0, stranger); err != nil || string(data) != "1234" {
		t.Errorf("ReadOwned of the user's own: %q, %v", data, err)
	}
}

// TestReadEndsWithItsContext checks that a file system that does not answer, such as
// NFS without its server, blocks only the goroutine that reads.
func TestReadEndsWithItsContext(t *testing.T) {
	hangs := make(chan struct{})
	hung := func() ([]byte, error) { <-hangs; return nil, nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range mostUnanswered + 1 { // the last one finds no room
		if _, err := await(ctx, "/mnt/file", hung); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "/mnt/file") {
			t.Errorf("%v", err)
		}
	}
	close(hangs)
	limit := time.After(answerLimit)
	for len(reading) > 0 {
		select {
		case reading <- struct{}{}: // a place is free again
			<-reading
		case <-limit:
			t.Fatal("the reads do not end")
		}
	}
}

// TestOpenProgram lists who can change what a path leads to.
func TestOpenProgram(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives files to another user; needs root")
	}
	for _, tt := range []struct {
		name  string
		spoil func(folder, program string) error
		want  string // part of the error; "": it is opened
	}{
		{"root's", func(string, string) error { return nil }, ""},
		{"by root's link", func(folder, program string) error { return moved(program, filepath.Join(folder, "real"), "real") }, ""},
		{"by root's link up and down again", func(folder, program string) error {
			return moved(program, filepath.Join(folder, "real"), "../"+filepath.Base(folder)+"/./real")
		}, ""},
		{"by a chain of root's links", func(folder, program string) error {
			middle := filepath.Join(folder, "middle")
			return errors.Join(moved(program, filepath.Join(folder, "real"), middle), os.Symlink("real", middle))
		}, ""},
		{"in a sticky folder", func(folder, _ string) error { return os.Chmod(folder, 0o777|os.ModeSticky) }, ""},
		{"somebody's", func(_, program string) error { return os.Chown(program, stranger, 0) }, "user 1000 owns PROGRAM; run chown root:root PROGRAM"},
		{"somebody's in a sticky folder", func(folder, program string) error {
			return errors.Join(os.Chmod(folder, 0o777|os.ModeSticky), os.Chown(program, stranger, 0))
		}, "user 1000 owns PROGRAM"},
		{"a group can write it", func(_, program string) error { return os.Chmod(program, 0o775) }, "others than root can write to PROGRAM; run chmod go-w PROGRAM"},
		{"in somebody's folder", func(folder, _ string) error { return os.Chown(folder, stranger, 0) }, "user 1000 owns FOLDER"},
		{"in everybody's folder", func(folder, _ string) error { return os.Chmod(folder, 0o777) }, "others than root can write to FOLDER"},
		{"by somebody's link", func(folder, program string) error {
			return errors.Join(moved(program, filepath.Join(folder, "real"), "real"), os.Lchown(program, stranger, 0))
		}, "user 1000 owns PROGRAM"},
		{"by a chain through somebody's folder", func(folder, program string) error {
			theirs := filepath.Join(folder, "theirs")
			return errors.Join(os.Mkdir(theirs, 0o755), os.Chown(theirs, stranger, 0),
				moved(program, filepath.Join(folder, "real"), "theirs/link"), os.Symlink("../real", filepath.Join(theirs, "link")))
		}, "user 1000 owns FOLDER/theirs"},
		{"by a link to itself", func(_, program string) error { return errors.Join(os.Remove(program), os.Symlink("program", program)) }, "too many levels"},
		{"a folder", func(_, program string) error { return errors.Join(os.Remove(program), os.Mkdir(program, 0o755)) }, ErrNotRegular.Error()},
		{"a file that is not executable", func(_, program string) error { return os.Chmod(program, 0o644) }, ErrNotExecutable.Error()},
		{"nothing", func(_, program string) error { return os.Remove(program) }, "no such file"},
		{"below a file", func(_, program string) error {
			return errors.Join(os.Remove(program), os.Symlink("/etc/passwd/x", program))
		}, "not a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program := file(t, "program", "text")
			folder := filepath.Dir(program)
			if err := tt.spoil(folder, program); err != nil {
				t.Fatal(err)
			}
			f, err := OpenProgram(program, 0)
			if err == nil {
				f.Close()
			}
			want := strings.NewReplacer("PROGRAM", program, "FOLDER", folder).Replace(tt.want)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
	if _, err := OpenProgram("bin/true", 0); err == nil {
		t.Error("a path is opened that hangs on the folder where we are")
	}
}

// moved puts a file elsewhere and a link in its place.
func moved(from, to, link string) error {
	return errors.Join(os.Rename(from, to), os.Symlink(link, from))
}
