package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// hugePages shows, by brackets around a word, whether the kernel gives huge pages to
// programs that do not ask for them (admin-guide/mm/transhuge).
const hugePages = "/sys/kernel/mm/transparent_hugepage/enabled"

// withoutHugePages starts this program anew if the kernel would give it huge pages
// unasked: the runtime's first huge page is half of all the memory that the daemon
// needs. The setting survives the new start (prctl(2)), and the process keeps its
// pid.
func withoutHugePages() error {
	mode, err := os.ReadFile(hugePages)
	if err != nil || !strings.Contains(string(mode), "[always]") {
		return nil
	}
	if disabled, err := unix.PrctlRetInt(unix.PR_GET_THP_DISABLE, 0, 0, 0, 0); err != nil || disabled == 1 {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("do without huge pages: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start anew without huge pages: %w", err)
	}
	if err := syscall.Exec(program, os.Args, os.Environ()); err != nil {
		return fmt.Errorf("start anew without huge pages: %w", err)
	}
	return nil
}
