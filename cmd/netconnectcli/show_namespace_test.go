package main

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// runInside is the command in of scripts: it runs a program in a network namespace
// that the whole script shares, with a /run/netns of its own. With "!" the program
// must fail.
func runInside(ts *testscript.TestScript, fails bool, args []string) {
	const holder = "NAMESPACE_PID"
	if ts.Getenv(holder) == "" {
		cmd := exec.Command("sh", "-ec", "mount -t tmpfs none /run; mkdir /run/netns; echo; exec sleep 600")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
		out, err := cmd.StdoutPipe()
		ts.Check(err)
		ts.Check(cmd.Start())
		ts.Defer(func() { cmd.Process.Kill(); cmd.Wait() })
		_, err = out.Read(make([]byte, 1))
		ts.Check(err)
		ts.Setenv(holder, fmt.Sprint(cmd.Process.Pid))
	}
	all := append([]string{"-t", ts.Getenv(holder), "-n", "-m", "--wd=" + ts.MkAbs(".")}, args...)
	if err := ts.Exec("nsenter", all...); (err != nil) != fails {
		ts.Fatalf("%s: %v, to fail: %t", strings.Join(args, " "), err, fails)
	}
}

// shell runs sh in the calling goroutine's namespace and returns its output.
func shell(t *testing.T, script string) []byte {
	t.Helper()
	out, err := exec.Command("sh", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return out
}
