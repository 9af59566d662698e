package main

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// packageScenario installs, upgrades and purges the package. It needs the
	// clean disk, so it comes first in its machine.
	packageScenario = "TestPackage"
	shellScenario   = "TestShell"
)

// reboots are scenarios between which the machine reboots.
var reboots = [][2]string{
	{"TestStory", "TestStoryAfterReboot"},
	{"TestBeforeReboot", "TestAfterReboot"},
	{"TestTrial", "TestTrialAfterReboot"},
	{"TestBeforeRebootManaged", "TestAfterRebootManaged"},
}

// repeating matches scenarios that repeat what they are about by themselves, with one
// daemon: see rounds in lab/steps_test.go.
var repeating = regexp.MustCompile(`^TestRouterDies$`)

// notByDefault matches tests that run only when they are named: those that are no
// scenario, and those that only measure.
var notByDefault = regexp.MustCompile(`^(TestShell$|TestBench)`)

// onStock matches what Debian's own kernel is asked for by default: the story, the
// package, and a dozen scenarios that cover each subsystem.
var onStock = regexp.MustCompile(`^Test(Story|Package|BeforeReboot|ColdStartUnplugged|RouterDies|` +
	`CableDuringFallback|WrongPassphrase|Rfkill|ClockJumps|GatewaySilent|DHCPServers|Forwarding|Country|` +
	`StateOfDebiansKinds|Crash|NetworkManagerComesAndGoes)$`)

// planFor returns what each of at most the given number of machines has to do, a
// line each as lab/guest/start reads them, and the queue of scenarios that the
// machines share. Those that took longest come first, so that the machines end
// together.
func planFor(ctx context.Context, o options, machines int, took durations) (plans [][]string, queue []string, err error) {
	switch o.command {
	case "shell":
		return [][]string{{"install", runLine("", shellScenario)}}, nil, nil
	case "exec":
		return [][]string{o.exec.plan()}, nil, nil
	case "story":
		return [][]string{append([]string{"install"}, rebootLines(reboots[0], "")...)}, nil, nil
	}
	all, err := listScenarios(ctx)
	if err != nil {
		return nil, nil, err
	}
	plans, queue = divide(slices.DeleteFunc(all, func(name string) bool { return !o.wants(name) }), o.count, machines, took)
	if len(plans) == 0 {
		return nil, nil, fmt.Errorf("no scenario matches %q; the names are those of the tests in lab/*_test.go", o.only)
	}
	return plans, queue, nil
}

// wants reports whether the scenario is to run.
func (o options) wants(name string) bool {
	switch {
	case o.only != nil:
		return o.only.MatchString(name)
	case o.stock:
		return onStock.MatchString(name)
	}
	return !notByDefault.MatchString(name)
}

// listScenarios asks the compiled scenarios for their names.
func listScenarios(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, binFolder+"/lab.test", "-test.list", ".").Output()
	if err != nil {
		return nil, fmt.Errorf("list the scenarios: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// divide distributes the scenarios to the machines. A scenario that needs a clean
// disk or a reboot belongs to one machine; all others are in the queue.
func divide(scenarios []string, count, machines int, took durations) (plans [][]string, queue []string) {
	var own [][]string // lines that one machine has to go through, after the installation
	clean := slices.Contains(scenarios, packageScenario)
	rest := slices.DeleteFunc(slices.Clone(scenarios), func(name string) bool {
		for _, pair := range reboots {
			if name == pair[0] {
				own = append(own, rebootLines(pair, "-test.v"))
			}
			if slices.Contains(pair[:], name) {
				return true
			}
		}
		return name == packageScenario
	})
	slices.SortStableFunc(rest, func(a, b string) int { return cmp.Compare(took.of(b), took.of(a)) })
	for _, name := range rest {
		times := count
		if repeating.MatchString(name) {
			times = 1
		}
		for range times {
			queue = append(queue, name)
		}
	}
	need := len(own) + len(queue)
	if clean {
		need++
	}
	plans = make([][]string, min(machines, need))
	for i := range plans {
		if clean && i == 0 {
			plans[0] = append(plans[0], runLine("-test.v", packageScenario))
		}
		// A machine that has nothing else to do needs no installation.
		if len(own)+len(queue) > 0 {
			plans[i] = append(plans[i], "install")
		}
	}
	for i, lines := range own {
		to := len(plans) - 1 - i%len(plans) // the first machine has the package
		plans[to] = append(plans[to], lines...)
	}
	if len(queue) > 0 {
		for i := range plans {
			plans[i] = append(plans[i], "queue -test.v")
		}
	}
	return plans, queue
}

// rebootLines run two scenarios with a reboot between them.
func rebootLines(pair [2]string, flags string) []string {
	return []string{runLine(flags, pair[0]), "reboot", runLine(flags, pair[1])}
}

// runLine is the plan's line for one scenario.
func runLine(flags, name string) string {
	return strings.TrimSpace(fmt.Sprintf("run -test.run ^%s$ %s", name, flags))
}

// durations are what scenarios took last time, in the host's time.
type durations map[string]time.Duration

// of returns the scenario's duration. A scenario that is not known yet comes
// before those that are short.
func (d durations) of(name string) time.Duration {
	if took, known := d[name]; known {
		return took
	}
	return 10 * time.Second
}
