package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// controlTimeout bounds a request to the running daemon. A reload may have to start
// the access point anew.
const controlTimeout = time.Minute

// reload asks the daemon at socket to read its configuration again.
func reload(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Reload(ctx)
	return err
}

// control implements --daemon: it asks the daemon at socket whether it runs, or to
// stop.
func control(ctx context.Context, verb, socket string, out io.Writer) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		fmt.Fprintln(out, "netconnectd is not running: nobody listens on", socket)
		if verb == "stop" {
			return exitOK, nil // the daemon is stopped, as wanted
		}
		return exitNotRunning, nil
	}
	if err != nil {
		return exitError, err
	}
	defer c.Close()
	if verb == "stop" {
		err = stopDaemon(ctx, c, socket, out)
	} else {
		err = showRunning(ctx, c, out)
	}
	if err != nil {
		return exitError, err
	}
	return exitOK, nil
}

func showRunning(ctx context.Context, c *client.Client, out io.Writer) error {
	status, err := c.Status(ctx)
	if err == nil {
		fmt.Fprintln(out, "netconnectd", cmp.Or(status.Version, "(an original one)"), "is running")
	}
	return err
}

// stopDaemon returns when the daemon has closed its connections, so that another
// daemon can be started. A subscription shows when they are closed.
func stopDaemon(ctx context.Context, c *client.Client, socket string, out io.Writer) error {
	second, err := client.Dial(ctx, socket)
	if err != nil {
		return err
	}
	defer second.Close()
	events, err := second.Subscribe(ctx)
	if err != nil {
		return err
	}
	if _, err := c.StopDaemon(ctx); err != nil {
		return err
	}
	for err == nil {
		_, err = events.Next(ctx)
	}
	if ctx.Err() != nil {
		return errors.New("stop netconnectd: it still runs")
	}
	fmt.Fprintln(out, "netconnectd is stopped")
	return nil
}
