package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
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

// Run runs a short command to its end and returns what it printed. The error
// of a command that fails carries what it said on stderr, or, of one that
// complains on stdout, that. It is killed when ctx ends or after 30 s.
func Run(ctx context.Context, path string, args []string, stdin []byte) (stdout []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = environment()
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = time.Second // for what the command may have left behind with our pipes
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
		return out.Bytes(), fmt.Errorf("run %s: %w", filepath.Base(path), err)
	}
	return out.Bytes(), fmt.Errorf("run %s: %w: %s", filepath.Base(path), err, said)
}

func tail(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) > tailSize {
		text = text[len(text)-tailSize:]
	}
	return strings.ToValidUTF8(string(text), "?")
}

// ClearInheritable empties the inheritable capability set of all threads and
// with it the ambient one (capabilities(7)), so that programs get only what
// their Spec names. What this process itself may do is unchanged. It needs a
// build without cgo.
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
