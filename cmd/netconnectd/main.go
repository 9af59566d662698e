// Command netconnectd keeps a device reachable: it joins known Wi-Fi networks, and
// becomes an access point when no other connection is left.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/daemon"
	"github.com/netconnectd/netconnectd/internal/process"
)

// version is set by the build.
var version = "devel"

// Exit statuses.
const (
	exitOK         = 0
	exitError      = 1
	exitUsage      = 2
	exitNotRunning = 3 // of --daemon status, as init scripts expect
)

func main() {
	process.RunConfined(os.Args)
	hangups := outlive()
	if err := withoutHugePages(); err != nil {
		fmt.Fprintln(os.Stderr, "netconnectd: warning:", err)
	}
	status, err := run(os.Args[1:], hangups)
	if err != nil {
		fmt.Fprintln(os.Stderr, "netconnectd:", err)
	}
	os.Exit(status)
}

// outlive keeps SIGHUP and SIGPIPE from ending this process, from its first line to
// its last: systemd takes an end by either signal for a wanted one. SIGPIPE comes
// when the reader of standard error has ended. A SIGHUP waits in the channel until it
// is received.
//
// SIGPIPE is caught and not ignored, because children would inherit an ignored
// signal.
func outlive() (hangups <-chan os.Signal) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return caught
}

// mayBeEnded reverses outlive for a command that a person has typed.
func mayBeEnded() { signal.Reset(syscall.SIGHUP, syscall.SIGPIPE) }

// onlyAnswers reports whether the arguments ask for an answer, not for the daemon or
// its tear-down. cfg and err are the results of config.Load.
func onlyAnswers(cfg *config.Config, err error) bool {
	return errors.Is(err, config.ErrHelp) || cfg != nil && (cfg.Doctor || cfg.Version || cfg.Check || cfg.Daemon != "")
}

func run(args []string, hangups <-chan os.Signal) (status int, err error) {
	cfg, warnings, err := config.LoadAtStart(args, os.Environ())
	if onlyAnswers(cfg, err) {
		mayBeEnded()
	}
	if cfg != nil && cfg.Doctor { // the doctor reports faults of the settings itself
		if err := examine(context.Background(), args, os.Stdout); err != nil {
			return exitError, err
		}
		return exitOK, nil
	}
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "netconnectd: warning:", w)
	}
	if err != nil {
		if cfg = beforeOrDefaults(args, err); cfg != nil {
			err = nil
		}
	}
	var usage *config.UsageError
	switch {
	case errors.Is(err, config.ErrHelp):
		fmt.Print(config.Usage())
		return exitOK, nil
	case errors.As(err, &usage):
		return exitUsage, fmt.Errorf("%w; see netconnectd --help", err)
	case err != nil:
		return exitError, err
	case cfg.Version:
		fmt.Println("netconnectd", version)
		return exitOK, nil
	case cfg.Check:
		verdict := "is fine"
		if slices.ContainsFunc(warnings, func(w config.Problem) bool { return w.Surprising }) {
			verdict = "is valid; the warnings say what the access point will be like"
		}
		fmt.Println(cmp.Or(cfg.File, "the configuration"), verdict)
		return exitOK, nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if cfg.Daemon != "" {
		return control(ctx, cfg.Daemon, cfg.Socket, os.Stdout)
	}
	if err := serve(ctx, stop, hangups, cfg, args); err != nil {
		return exitError, err
	}
	return exitOK, nil
}

// beforeOrDefaults returns the settings for a start at which some are wrong, or nil
// if there are none.
func beforeOrDefaults(args []string, fault error) *config.Config {
	if kept := config.LoadKept(args, os.Environ(), fault); kept != nil {
		return kept
	}
	return config.LoadDefaults(args, os.Environ(), fault)
}

// serve runs the daemon, or its tear-down.
func serve(ctx context.Context, stop func(), hangups <-chan os.Signal, cfg *config.Config, args []string) error {
	log := newLogger(cfg.Log)
	defer log.Close()
	if cfg.TearDown {
		return daemon.TearDown(ctx, cfg, log.Logger)
	}
	if cfg.Fault != nil {
		log.Error("the configuration file is not in force", "in force", inForce(cfg), "err", cfg.Fault)
	}
	listener, err := daemon.Listen(cfg, log.Logger)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() { onHangup(ctx, hangups, log, cfg.Socket) })
	return daemon.Run(ctx, cfg, listener, daemon.Options{
		Version: version, Log: log.Logger, Stop: stop, Self: "/proc/self/exe",
		Load: func() (*config.Config, []config.Problem, error) { return config.Load(args, os.Environ()) },
		Parse: func(text []byte) (*config.Config, []config.Problem, error) {
			return config.Parse(args, os.Environ(), text)
		},
	})
}

func inForce(cfg *config.Config) string {
	if cfg.Defaults {
		return "the default of each wrong setting"
	}
	return "the settings before it"
}

// onHangup starts a new log file and reloads at each SIGHUP. It asks over the socket,
// so that there is only one path to a reload.
func onHangup(ctx context.Context, hangups <-chan os.Signal, log *logger, socket string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		if err := log.Rotate(); err != nil {
			log.Error("begin a new log file", "err", err)
		}
		if err := reload(ctx, socket); err != nil && ctx.Err() == nil {
			log.Error("reload at SIGHUP", "err", err)
		}
	}
}
