package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// monitored maps the words on the command line to parts of the state.
var monitored = map[string]state.Parts{
	"iface": state.PartIfaces, "route": state.PartRoutes, "rule": state.PartRules,
	"neigh": state.PartNeighbours, "fdb": state.PartFDB, "nexthop": state.PartNexthops,
}

func (a *app) monitorCommand() *cobra.Command {
	var netns string
	cmd := &cobra.Command{
		Use:   "monitor [<part>…]",
		Short: "Show changes of the kernel's network, without the daemon, until interrupted",
		Long: `Show changes of the kernel's network, without the daemon, until interrupted.

A part is iface (with addresses), route, rule, neigh, fdb or nexthop; without a part,
all of them are shown. With -j each line is a JSON object, and the first one
contains the whole present state.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := monitorFilter(args)
			if err != nil {
				return err
			}
			if err := enterNetns(netns); err != nil {
				return err
			}
			return a.monitor(cmd.Context(), filter)
		},
	}
	netnsFlag(cmd, &netns)
	cmd.ValidArgsFunction = monitoredWords
	return cmd
}

func monitorFilter(words []string) (f state.Filter, err error) {
	for _, word := range words {
		part, ok := monitored[word]
		if !ok {
			return f, usageError(fmt.Sprintf("%q is none of %s", word, strings.Join(slices.Sorted(maps.Keys(monitored)), ", ")))
		}
		f.Parts |= part
	}
	return f, nil
}

// monitor prints changes until a signal arrives or the reader of the output is gone.
// Neither is an error.
func (a *app) monitor(ctx context.Context, filter state.Filter) error {
	ctx, stop := a.untilStopped(ctx)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	err := kernel.Watch(ctx, filter, log, func(c state.Change) error {
		if a.json {
			return json.NewEncoder(a.out).Encode(c)
		}
		return writeLine(a.out, time.Now(), changeText(c))
	})
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func writeLine(out io.Writer, at time.Time, text string) error {
	_, err := fmt.Fprintf(out, "%s %s\n", at.Format("15:04:05.000"), printable(text))
	return err
}

// untilStopped returns a context that ends when a signal arrives or the reader of the
// output is gone.
func (a *app) untilStopped(ctx context.Context) (context.Context, func()) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := a.whileRead(ctx)
	return ctx, func() { cancel(); stop() }
}

// whileRead returns a context for a command that goes on until its output is no
// longer read, which is no error: the context ends then, and a write fails with
// EPIPE.
func (a *app) whileRead(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(ctx)
	if file, ok := a.out.(*os.File); ok {
		go untilUnread(file, cancel)
	}
	return ctx, cancel
}

// untilUnread calls gone when the reader of a pipe closes it (poll(2): POLLERR).
// Otherwise that would show only at the next change, which may come tomorrow. It
// returns after that.
func untilUnread(pipe *os.File, gone func()) {
	fds := []unix.PollFd{{Fd: int32(pipe.Fd())}}
	for {
		switch n, err := unix.Poll(fds, -1); {
		case errors.Is(err, unix.EINTR):
		case err != nil || n == 0 || fds[0].Revents&unix.POLLERR == 0:
			return
		default:
			gone()
			return
		}
	}
}
