package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// report collects what all machines print: which scenarios passed, how long each
// took, and what those that failed complained of.
type report struct {
	began time.Time

	mu       sync.Mutex
	passed   int
	virtual  time.Duration // of all scenarios, by their own clocks
	took     durations     // by the host's clock
	failures []string
}

func newReport() *report { return &report{began: time.Now(), took: durations{}} }

// follow returns a writer for the output of one machine. It passes each line on to
// out behind the prefix, as a whole.
func (r *report) follow(prefix string, out io.Writer) io.Writer {
	return &output{report: r, prefix: prefix, out: out, began: time.Now()}
}

// output is what one boot of a machine prints.
type output struct {
	report   *report
	prefix   string
	out      io.Writer
	began    time.Time // then the boot, now the scenario
	rest     []byte    // of a line that has not ended
	failures failures
	said     bool
}

func (o *output) Write(p []byte) (int, error) {
	o.report.mu.Lock()
	defer o.report.mu.Unlock()
	if !o.said {
		o.said = true
		fmt.Fprintf(o.out, "lab: %sbooted in %.1f s\n", o.prefix, time.Since(o.began).Seconds())
	}
	o.rest = append(o.rest, p...)
	for {
		line, rest, ended := bytes.Cut(o.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		o.rest = rest
		text := strings.TrimSuffix(string(line), "\r")
		o.follow(text)
		if _, err := fmt.Fprintf(o.out, "%s%s\n", o.prefix, text); err != nil {
			return 0, err
		}
	}
}

// verdict is the last line about a scenario.
var verdict = regexp.MustCompile(`^--- (PASS|FAIL): (\w+) \(([0-9.]+)s\)$`)

func (o *output) follow(line string) {
	r := o.report
	if strings.HasPrefix(line, "=== RUN ") {
		o.began = time.Now()
	}
	if v := verdict.FindStringSubmatch(line); v != nil {
		seconds, _ := time.ParseDuration(v[3] + "s") // the pattern has checked it
		r.virtual += seconds
		r.took[v[2]] = time.Since(o.began).Round(10 * time.Millisecond)
		if v[1] == "PASS" {
			r.passed++
		}
	}
	before := len(o.failures.all)
	o.failures.line(line)
	for _, complaint := range o.failures.all[before:] {
		r.failures = append(r.failures, o.prefix+complaint)
	}
}

// print shows the one report of all machines.
func (r *report) print(machines int) {
	if len(r.took) > 0 {
		fmt.Printf("lab: %d scenarios passed, %d machines, %.0f s, in which %.0f s passed in the scenarios\n",
			r.passed, machines, time.Since(r.began).Seconds(), r.virtual.Seconds())
		longest := slices.SortedFunc(maps.Keys(r.took), func(a, b string) int { return int(r.took[b] - r.took[a]) })
		for _, name := range longest[:min(5, len(longest))] {
			fmt.Printf("lab: %8.1f s  %s\n", r.took[name].Seconds(), name)
		}
	}
	if len(r.failures) > 0 {
		fmt.Printf("lab: what failed:\n%s\n", strings.Join(r.failures, "\n"))
		fmt.Printf("lab: the same in short:\n%s\n", strings.Join(summary(r.failures), "\n"))
	}
}

// durationsFile keeps in the cache what each scenario took last time.
const durationsFile = "durations.json"

func readDurations() (durations, error) {
	cache, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	took := durations{}
	text, err := os.ReadFile(filepath.Join(cache, durationsFile))
	if err == nil && json.Unmarshal(text, &took) != nil {
		return durations{}, nil // the order of the queue is all that hangs on it
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read what scenarios took last time: %w", err)
	}
	return took, nil
}

// keepDurations writes what the scenarios took for the next run.
func (r *report) keepDurations(before durations) error {
	cache, err := cacheFolder()
	if err != nil {
		return err
	}
	maps.Copy(before, r.took)
	text, err := json.MarshalIndent(before, "", " ")
	if err != nil {
		return fmt.Errorf("write what scenarios took: %w", err)
	}
	file := filepath.Join(cache, durationsFile)
	temporary := fmt.Sprintf("%s.%d", file, os.Getpid()) // two runs may end at once
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return fmt.Errorf("write what scenarios took: %w", err)
	}
	return os.Rename(temporary, file)
}
