package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	runLimit = 30 * time.Second // of a short command when ctx has no earlier deadline
	tailSize = 400              // bytes of a command's own words in an error
)

// Run runs a short command to its end and returns what it printed. The error of a
// command that fails has the command's stderr or, if that is empty, its stdout. The
// command is killed when ctx ends or after 30 s. Only root may be able to change the
// path; files_test.go lists the callers. RunFile is for any other program.
func Run(ctx context.Context, path string, args []string, stdin []byte) (stdout []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	return finish(ctx, exec.CommandContext(ctx, path, args...), filepath.Base(path), stdin)
}

// User is the user with whose rights a program runs.
type User struct{ UID, GID int }

// RunFile runs an open program (namedfile.OpenProgram) as Run does. The checked file
// itself runs, whatever its path leads to by now. The program gets the rights of the
// user as and no capabilities; nil stands for our own user.
func RunFile(ctx context.Context, program *os.File, as *User, args []string) (stdout []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	// The child's number of its first extra file. The file has to stay open
	// there while the program starts: a script's interpreter opens it again.
	cmd := exec.CommandContext(ctx, "/proc/self/fd/3", args...)
	cmd.Args[0] = program.Name()
	cmd.ExtraFiles = []*os.File{program}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(as.UID), Gid: uint32(as.GID)}
	}
	return finish(ctx, cmd, filepath.Base(program.Name()), nil)
}

func finish(ctx context.Context, cmd *exec.Cmd, name string, stdin []byte) (stdout []byte, err error) {
	var out, complaint bytes.Buffer
	cmd.Env = environment()
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &limited{to: &out}, &limited{to: &complaint}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	cmd.WaitDelay = time.Second // for a process that the command has left behind with our pipes
	err = cmd.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	said := tail(complaint.Bytes())
	if said == "" {
		said = tail(out.Bytes())
	}
	if said == "" {
		return out.Bytes(), fmt.Errorf("run %s: %w", name, err)
	}
	return out.Bytes(), fmt.Errorf("run %s: %w: %s", name, err, said)
}

// mostOutput bounds how much of a command's output is kept. The largest output is a
// journal of 5000 lines.
const mostOutput = 16 << 20

// limited drops output beyond mostOutput.
type limited struct{ to *bytes.Buffer }

func (l *limited) Write(data []byte) (int, error) {
	l.to.Write(data[:min(len(data), mostOutput-l.to.Len())]) // never fails
	return len(data), nil
}

func tail(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) > tailSize {
		text = text[len(text)-tailSize:]
	}
	return strings.ToValidUTF8(string(text), "?")
}

// ClearInheritable empties the inheritable capability set of all threads and
// with it the ambient one (capabilities(7)), so that programs get only the
// capabilities that their Spec names. The rights of this process itself do not
// change. It needs a build without cgo.
func ClearInheritable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	sets[0].Inheritable, sets[1].Inheritable = 0, 0
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0)
	if errno != 0 {
		return fmt.Errorf("clear inheritable capabilities: %w", errno)
	}
	return nil
}

// lastCapability is the highest possible capability: the sets of capget(2) have 64
// bits.
const lastCapability = 63

// KeepCapabilities gives up every capability that is not listed, for all threads
// and for every program that they run (capabilities(7): the bounding set). Root still
// owns its files. It needs a build without cgo.
func KeepCapabilities(kept ...uintptr) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	var failed error
	for c := uintptr(0); c <= lastCapability; c++ {
		if slices.Contains(kept, c) {
			continue
		}
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil {
			break // the kernel's list has ended (EINVAL)
		}
		if has == 1 {
			if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0); errno != 0 {
				failed = fmt.Errorf("drop capability %d for good: %w", c, errno)
			}
		}
		set, bit := &sets[c/32], uint32(1)<<(c%32)
		set.Effective, set.Permitted, set.Inheritable = set.Effective&^bit, set.Permitted&^bit, set.Inheritable&^bit
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0)
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return failed
}
