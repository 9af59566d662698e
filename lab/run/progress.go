package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// runWithProgress shows each line that the command prints as the step that it
// is at, with the seconds that have passed; other output only if it fails.
func runWithProgress(cmd *exec.Cmd) error {
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	showSteps(lines, began)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(complaints.String()))
	}
	fmt.Printf("%8.1f s  done\n", time.Since(began).Seconds())
	return nil
}

func showSteps(lines <-chan string, began time.Time) {
	every, watched := 15*time.Second, terminal(os.Stdout)
	if watched {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	current := ""
	for {
		select {
		case line, more := <-lines:
			if !more {
				if watched {
					fmt.Println()
				}
				return
			}
			if watched && current != "" {
				fmt.Println()
			}
			current = line
			fmt.Printf("%8.1f s  %s", time.Since(began).Seconds(), current)
			if !watched {
				fmt.Println()
			}
		case <-ticker.C:
			prefix, suffix := "", "\n"
			if watched {
				prefix, suffix = "\r", ""
			}
			fmt.Printf("%s%8.1f s  %s%s", prefix, time.Since(began).Seconds(), cmp.Or(current, "…"), suffix)
		}
	}
}

// terminal reports whether a person is watching.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull && isatty(f)
}

// isatty reports whether a character device is a terminal.
func isatty(f *os.File) bool {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	return err == nil && (strings.HasPrefix(name, "/dev/pts/") || strings.HasPrefix(name, "/dev/tty"))
}
