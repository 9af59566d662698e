// Command run runs the lab from the host: it makes the machine's disk image if
// there is none, shares the binaries of build/bin with the machine, boots it,
// shows what the scenarios print as they print it, and ends with status 0 only
// if every one of them passed. It is started at the root of the repository, by
// the Makefile, and needs nothing but QEMU and, for the image, mmdebstrap.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Folders below the root of the repository.
const (
	binFolder   = "build/bin"
	shareFolder = "build/lab/share" // what the machine reads
	outFolder   = "build/lab/out"   // what the machine writes: logs, its result
)

const usage = `usage: run [flags] image|story|test|manager|shell

  image   make the disk image if it is not in the cache
  story   the main job as one story
  test    the scenarios, flag -run REGEXP for some of them, -count N for N times
  manager the scenarios with NetworkManager
  shell   a shell in the machine, with the daemon running

flags:
`

func init() {
	// The machine ends with this thread (Pdeathsig), so this must be the one
	// that lives as long as the process.
	runtime.LockOSThread()
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	only := flags.String("run", "", "only the scenarios that match this `regexp`, in one boot")
	count := flags.Int("count", 1, "run the scenarios this many `times`")
	limit := flags.Duration("deadline", 75*time.Minute, "of one boot of the machine with everything in it")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	plan, err := planFor(flags.Arg(0), *only, *count)
	if err != nil {
		flags.Usage()
		return err
	}
	image, err := ensureImage(ctx)
	if err != nil || plan == nil {
		return err
	}
	if err := stage(plan); err != nil {
		return err
	}
	m := machine{image: image, interactive: flags.Arg(0) == "shell", limit: *limit}
	err = m.run(ctx)
	if err == nil {
		err = result()
	}
	if complaints := m.failures.all; len(complaints) > 0 {
		fmt.Printf("lab: what failed:\n%s\n", strings.Join(complaints, "\n"))
	}
	return err
}

// planFor is what the machine is to do, a line each: see lab/guest/start. It is
// nil for a command that needs no machine.
func planFor(command, only string, count int) ([]string, error) {
	switch command {
	case "image":
		return nil, nil
	case "shell":
		return append(environment(), "install", "run -test.run ^TestShell$"), nil
	case "story":
		return append(environment(), "install", runs("", "^TestStory$", count), "reboot", runs("", "^TestStoryAfterReboot$", count)), nil
	case "test":
		if only != "" {
			return planOf(only, count)
		}
		// Between the last ones the machine reboots.
		return append(environment(),
			runs("-test.v", packageScenario, count), "install",
			"run -test.v -test.skip ^(TestStory|TestShell|TestBench|TestPackage|TestNetworkManager|TestDoctorWithNetworkManager|TestBeforeReboot|TestAfterReboot).*$ -test.count "+fmt.Sprint(count),
			"run -test.v -test.run ^TestBeforeReboot$", "reboot",
			"run -test.v -test.run ^TestAfterReboot$"), nil
	case "manager": // not among the others: see test-manager in the Makefile
		return append(environment(), "install",
			"run -test.v -test.run ^(TestNetworkManager|TestDoctorWithNetworkManager).*$ -test.count "+fmt.Sprint(count),
			"run -test.v -test.run ^TestBeforeRebootManaged$", "reboot",
			"run -test.v -test.run ^TestAfterRebootManaged$"), nil
	case "":
		return nil, errors.New("what to do is missing")
	}
	return nil, fmt.Errorf("%q is not something to do", command)
}

// runs is the plan's line for the scenarios that match.
func runs(flags, regexp string, count int) string {
	return fmt.Sprintf("run -test.run %s -test.count %d %s", regexp, count, flags)
}

// packageScenario installs, upgrades and purges the package: it comes first, on
// the clean image, and the package is installed for the others after it.
const packageScenario = "^TestPackage$"

// planOf is for the scenarios that a regexp names.
func planOf(only string, count int) ([]string, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	plan := environment()
	if pattern.MatchString("TestPackage") {
		plan = append(plan, runs("-test.v", packageScenario, count))
	}
	if only == packageScenario {
		return plan, nil
	}
	return append(plan, "install", runs("-test.v -test.skip "+packageScenario, only, count)), nil
}

// environment tells the scenarios about the host.
func environment() []string {
	lines := []string{"env TERM=" + os.Getenv("TERM")}
	for _, name := range []string{"LAB_NOISE", "LAB_LONG", "LAB_MANAGER"} {
		if value := os.Getenv(name); value != "" {
			lines = append(lines, "env "+name+"="+value)
		}
	}
	if out, err := filepath.Abs(outFolder); err == nil && !strings.ContainsAny(out, " \n") {
		lines = append(lines, "env LAB_OUT="+out)
	}
	if terminal(os.Stdout) {
		lines = append(lines, "env LAB_TERMINAL=1")
	}
	return lines
}

// terminal says whether somebody is watching.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull && isatty(f)
}

// isatty tells a terminal from other character devices.
func isatty(f *os.File) bool {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	return err == nil && (strings.HasPrefix(name, "/dev/pts/") || strings.HasPrefix(name, "/dev/tty"))
}
