// Command netconnectd keeps a device reachable: it joins known Wi-Fi networks
// and becomes an access point when nothing else is left.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/daemon"
)

// version is set by the build.
var version = "devel"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "netconnectd:", err)
		var usage *config.UsageError
		if errors.As(err, &usage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	cfg, warnings, err := config.Load(args, os.Environ())
	if errors.Is(err, config.ErrHelp) {
		fmt.Print(config.Usage())
		return nil
	}
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "netconnectd: warning:", w)
	}
	if err != nil && slices.Contains(args, "--tear-down") {
		// What runs must end whatever became of the configuration meanwhile.
		fmt.Fprintln(os.Stderr, "netconnectd: warning: defaults are used:", err)
		cfg, _, err = config.Load([]string{"--tear-down", "--config", os.DevNull}, nil)
	}
	if err != nil {
		return err
	}
	switch {
	case cfg.Version:
		fmt.Println("netconnectd", version)
		return nil
	case cfg.Check:
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := logger(cfg.Log)
	if cfg.TearDown {
		return daemon.TearDown(ctx, cfg, log)
	}
	return daemon.Run(ctx, cfg, version, log)
}

func logger(l config.Log) *slog.Logger {
	level := slog.LevelInfo
	switch {
	case l.Debug:
		level = slog.LevelDebug
	case l.Quiet:
		level = slog.LevelWarn
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: journalTime}))
}

// journalTime drops the time when systemd's journal adds its own.
func journalTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && os.Getenv("JOURNAL_STREAM") != "" {
		return slog.Attr{}
	}
	return a
}
