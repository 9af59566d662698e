// Command run runs the lab from the host: it makes the machines' disk image and
// kernel if the cache has none, shares the binaries of build/bin with the machines,
// boots them, shows what the scenarios print as they print it, and ends with
// status 0 only if every scenario passed. The Makefile starts it at the root of the
// repository.
//
// A machine is Linux as a user-mode program in virtual time, one for each core, or
// with -stock one QEMU with Debian's own kernel.
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
	"slices"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: run [flags] image|story|test|shell|exec PROGRAM [ARGUMENT...]

  image   make what the machines need (disk image, kernel) if the cache has none
  story   the main job as one story
  test    the scenarios, flag -run REGEXP for some of them, -count N for N times
  shell   a shell in the machine, with the daemon running, in the host's time
  exec    a program in the machine, for go test -exec "$PWD/build/bin/lab exec"

flags:
`

func init() {
	// The machines end with this thread (Pdeathsig), so this must be the thread
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

// options are the command line.
type options struct {
	command  string
	only     *regexp.Regexp // nil for every scenario
	count    int
	limit    time.Duration
	stock    bool
	machines int
	freeCPU  bool
	exec     execution
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	only := flags.String("run", "", "only the scenarios that match this `regexp`")
	flags.IntVar(&o.count, "count", 1, "run the scenarios this many `times`")
	flags.DurationVar(&o.limit, "deadline", 75*time.Minute, "of one boot of a machine, in the host's time")
	flags.BoolVar(&o.stock, "stock", false, "Debian's own kernel in QEMU, in the host's time")
	flags.IntVar(&o.machines, "machines", 0, "how many `machines` share the scenarios (default: one for each core)")
	flags.BoolVar(&o.freeCPU, "free-cpu", false, "the processor's work takes no virtual time")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.command = flags.Arg(0)
	if o.command == "exec" {
		var err error
		o.exec, err = newExecution(flags.Args()[1:])
		return o, err
	}
	if !slices.Contains([]string{"image", "story", "test", "shell"}, o.command) {
		flags.Usage()
		return o, fmt.Errorf("%q is not something to do", o.command)
	}
	if *only != "" {
		pattern, err := regexp.Compile(*only)
		if err != nil {
			return o, fmt.Errorf("-run: %w", err)
		}
		o.only = pattern
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	starter, err := newStarter(ctx, o)
	if err != nil || o.command == "image" {
		return err
	}
	took, err := readDurations()
	if err != nil {
		return err
	}
	plans, queue, err := planFor(ctx, o, starter.machines(), took)
	if err != nil {
		return err
	}
	place, err := takePlace()
	if err != nil {
		return err
	}
	defer place.leave()
	if err := place.stage(plans, queue, environment(o.count, place.out, starter.noise())); err != nil {
		return err
	}
	if o.command == "exec" {
		if err := o.exec.stage(filepath.Join(place.work, "share")); err != nil {
			return err
		}
	}
	report, err := runMachines(ctx, o, starter, place, len(plans))
	report.print(len(plans))
	return errors.Join(err, report.keepDurations(took))
}

// newStarter returns what starts machines of the wanted kind, after making what
// they are made of.
func newStarter(ctx context.Context, o options) (starter, error) {
	image, err := imageRecipe.ensure(ctx)
	if err != nil {
		return nil, err
	}
	if o.stock {
		return stock{image: image, interactive: o.command == "shell"}, nil
	}
	kernel, err := kernelRecipe.ensure(ctx)
	if err != nil {
		return nil, err
	}
	clock := "time-travel"
	switch {
	case o.command == "shell":
		clock = "" // a person does not type in virtual time
	case o.freeCPU:
		clock = "time-travel=inf-cpu"
	}
	return virtual{image: image, kernel: kernel, clock: clock, cores: coresFor(o)}, nil
}

// environment describes the host and the machine's clock to the scenarios.
func environment(rounds int, place string, noise int) []string {
	lines := []string{"env TERM=" + os.Getenv("TERM"), fmt.Sprintf("env LAB_ROUNDS=%d", rounds)}
	for _, name := range []string{"LAB_LONG", "LAB_MANAGER"} {
		if value := os.Getenv(name); value != "" {
			lines = append(lines, "env "+name+"="+value)
		}
	}
	if value := os.Getenv("LAB_NOISE"); value != "" {
		lines = append(lines, "env LAB_NOISE="+value)
	} else {
		lines = append(lines, fmt.Sprintf("env LAB_NOISE=%d", noise))
	}
	if !strings.ContainsAny(place, " \n") {
		lines = append(lines, "env LAB_OUT="+place)
	}
	return lines
}
