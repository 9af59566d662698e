// Command netconnectd-resolv makes the system use the name servers that the daemon
// has published, and ends. It runs as root, started by netconnectd-resolv.path,
// because the daemon itself lacks the rights.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/resolver"
)

func main() {
	// The end of the journal's reader, or a hang-up, must not end a change half-way.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGHUP)
	published := flag.String("file", "/run/netconnectd/"+resolver.FileName, "what the daemon has published")
	run := flag.String("run-dir", "/run/netconnectd-resolv", "where to note what is set, until the device is started again")
	state := flag.String("state-dir", "/var/lib/netconnectd-resolv", "where to keep what a file was before that is replaced")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	system := resolver.System{RunDir: *run, StateDir: *state, Run: process.Run, Log: log}
	if err := system.Apply(ctx, *published); err != nil {
		log.Error("name servers not changed", "error", err)
		os.Exit(1)
	}
}
