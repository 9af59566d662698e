package lab

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Timeline prints the steps of a scenario as they happen: the time, the duration, the
// step, and the witness's answer.
type Timeline struct {
	out      io.Writer
	terminal bool // the host's output is a terminal: progress may overwrite its own line
	origin   time.Time
	mu       sync.Mutex
}

// reportEvery is how often a long step reports that it still goes on, if the output
// is not a terminal.
const reportEvery = 10 * time.Second

func newTimeline(title string) *Timeline {
	tl := &Timeline{out: os.Stdout, terminal: os.Getenv("LAB_TERMINAL") == "1", origin: time.Now()}
	fmt.Fprintf(tl.out, "\n%s\n%10s %9s  what happened (and who saw it)\n", title, "at", "took")
	return tl
}

// originFile holds the time when a story began, while the machine reboots.
const originFile = "/var/lib/lab/story-began"

// Begin records that the story begins now.
func (tl *Timeline) Begin() error {
	tl.origin = time.Now()
	if err := os.MkdirAll(filepath.Dir(originFile), 0o755); err != nil {
		return err
	}
	return os.WriteFile(originFile, []byte(strconv.FormatInt(tl.origin.UnixMilli(), 10)), 0o644)
}

// Continue continues the story that began before a reboot.
func (tl *Timeline) Continue() error {
	text, err := os.ReadFile(originFile)
	if err != nil {
		return err
	}
	ms, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return err
	}
	tl.origin = time.UnixMilli(ms)
	return nil
}

// Step runs do and prints the step when it is done. do returns the witness's answer;
// if do does not return, the step has failed.
func (tl *Timeline) Step(what string, do func() (seen string)) {
	began := time.Now()
	stop := tl.progress(what, began)
	seen, done := "", false
	defer func() {
		stop()
		if !done {
			tl.print(began, "NOT SEEN: "+what, "")
		}
	}()
	seen = do()
	done = true
	stop()
	tl.print(began, what, seen)
}

func (tl *Timeline) print(began time.Time, what, seen string) {
	if seen != "" {
		what += "  (" + seen + ")"
	}
	tl.mu.Lock()
	defer tl.mu.Unlock()
	at, took := time.Since(tl.origin), time.Since(began)
	fmt.Fprintf(tl.out, "%8.3f s %+7.3f s  %s\n", at.Seconds(), took.Seconds(), what)
}

// progress shows that a step goes on, until stop is called. stop may be called more
// than once.
func (tl *Timeline) progress(what string, began time.Time) (stop func()) {
	every := reportEvery
	if tl.terminal {
		every = time.Second
	}
	ticker, quit, gone := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				tl.stillGoing(what, began)
			case <-quit:
				tl.wipe()
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

func (tl *Timeline) stillGoing(what string, began time.Time) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	line := fmt.Sprintf("%10s %7.0f s  … %s", "", time.Since(began).Seconds(), what)
	if tl.terminal {
		fmt.Fprintf(tl.out, "\r%s", line)
	} else {
		fmt.Fprintln(tl.out, line)
	}
}

// wipe clears the line on which progress was shown.
func (tl *Timeline) wipe() {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	if tl.terminal {
		fmt.Fprintf(tl.out, "\r%s\r", strings.Repeat(" ", 79))
	}
}
