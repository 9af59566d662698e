package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// Shrink gives back the memory that this process needed once and does not need
// now: garbage, and the pages of its own program. Those that are used again
// the kernel maps again, from its cache of the file.
func Shrink() error {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find our own program: %w", err)
	}
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("find the pages of our own program: %w", err)
	}
	defer file.Close()
	var errs []error
	for _, m := range unchanged(bufio.NewScanner(file), program) {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED); errno != 0 {
			errs = append(errs, fmt.Errorf("give back pages of our own program: %w", errno))
		}
	}
	return errors.Join(errs...)
}

// mapping is a part of the address space.
type mapping struct{ start, end uintptr }

// unchanged reads /proc/PID/smaps (proc_pid_smaps(5)) for the mappings of a
// file that are read only and have no page that differs from the file: of such
// a one nothing is lost. "00401000-00966000 r-xp 00001000 fe:00 1234 /path"
// begins the lines "Key: value" of a mapping.
func unchanged(smaps *bufio.Scanner, file string) (found []mapping) {
	var current *mapping
	for smaps.Scan() {
		line := smaps.Text()
		fields := strings.Fields(line)
		var m mapping
		if _, err := fmt.Sscanf(line, "%x-%x ", &m.start, &m.end); err == nil {
			current = nil
			if len(fields) > 5 && strings.HasPrefix(fields[1], "r-") && strings.HasSuffix(line, " "+file) {
				current = &m
			}
		} else if current != nil && fields[0] == "Anonymous:" && fields[1] == "0" {
			found = append(found, *current)
		}
	}
	return found
}
