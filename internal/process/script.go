package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// scriptGrace is how long a script that is asked to end may take.
const scriptGrace = 3 * time.Second

// RunScript runs an administrator's program to its end, with env in addition to the
// usual environment. Its output goes to out. When ctx ends, the program and its
// children get SIGTERM, and SIGKILL 3 s later. Children that outlive a program that
// ended by itself go on without output.
func RunScript(ctx context.Context, path string, env []string, stdin []byte, out io.Writer) error {
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(environment(), env...)
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cut := false // ctx ended before the program did
	cmd.Cancel = func() error { cut = true; return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = scriptGrace
	err := cmd.Run()
	switch {
	case cut:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its group has ended, or has ignored SIGTERM
		err = context.Cause(ctx)
	case cmd.Process == nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, exec.ErrWaitDelay), errors.Is(err, syscall.EPIPE): // the program left a child running, or did not read its input
		err = nil
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", filepath.Base(path), err)
	}
	return nil
}
