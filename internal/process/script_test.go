package process

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestScriptLeavesSomethingRunning checks that the remaining process stays, even
// after the time limit of the script, which has ended, while a process still holds
// its output.
func TestScriptLeavesSomethingRunning(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 1000 &\necho $!\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var said bytes.Buffer
	if err := RunScript(ctx, script, nil, nil, &said); err != nil {
		t.Error(err)
	}
	if ctx.Err() == nil {
		t.Error("the output was not awaited until after the script's time")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(said.String()))
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil || strings.Contains(string(stat), ") Z ") {
		t.Errorf("it is gone: %s %v", stat, err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}
