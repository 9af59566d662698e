package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

const (
	// hintAfter is the time after which a person begins to wonder. systemd holds the
	// socket, so a daemon that does not start looks like one that does not answer.
	hintAfter = 2 * time.Second

	// aliveWithin is more time than a daemon needs to answer status, which it does
	// without waiting for anything.
	aliveWithin = 700 * time.Millisecond
)

// whereToLook is the remedy for a daemon that is silent.
const whereToLook = "sudo netconnectd --check and journalctl -u netconnectd say why"

// hintAtSilence writes to out where to look if the daemon at address is silent, until
// stop is called. A daemon that answers another connection is only busy with the
// request.
func hintAtSilence(ctx context.Context, address string, out io.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
			return
		case <-time.After(hintAfter):
		}
		if !alive(ctx, address) && ctx.Err() == nil {
			fmt.Fprintln(out, "netconnectcli: netconnectd does not answer yet: it is starting, or cannot start; "+whereToLook)
		}
	}()
	return func() { cancel(); <-done }
}

// alive reports whether the daemon at address answers.
func alive(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	c, err := client.Dial(ctx, address)
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = c.Status(ctx)
	return err == nil
}
