package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/netconnectd/netconnectd/client"
)

// join sends a command that joins a network, and shows on a terminal how far the join
// has come. target is the network, nil for the configured one.
func (a *app) join(ctx context.Context, command string, params any, target *client.Network) error {
	p := a.followJoin(ctx, target)
	err := a.call(ctx, command, params, func(result json.RawMessage) error {
		p.finish(nil)
		return a.showText(result)
	})
	p.finish(err)
	return err
}

// progress is one line on a terminal that is replaced as joining goes on. The
// zero progress shows nothing.
type progress struct {
	out   io.Writer
	width int
	stop  func() // ends the subscription and waits for its end

	target *client.Network
	began  time.Time // zero: the join has not begun
	done   []string  // the stages completed, with their times
	last   string    // the last stage, a client.Join…
}

// doing names the work after a stage, and reached names the stage when it is
// completed.
var doing = map[string]string{
	client.JoinStarted: "freeing the radio…", client.JoinAssociating: "associating…",
	client.JoinAssociated: "asking for an address…", client.JoinAddressed: "asking the gateway…",
}

var reached = map[string]string{
	client.JoinAssociated: "associated", client.JoinAddressed: "address", client.JoinDone: "gateway answers",
}

// followJoin listens to events if standard error is a terminal on which a line can be
// replaced. If it cannot listen, it shows nothing, and the command goes on.
func (a *app) followJoin(ctx context.Context, target *client.Network) *progress {
	fd := int(os.Stderr.Fd())
	if a.json || os.Getenv("TERM") == "dumb" || !term.IsTerminal(fd) {
		return &progress{}
	}
	c, err := a.dial(ctx)
	if err != nil {
		return &progress{}
	}
	ctx, cancel := context.WithCancel(ctx)
	sub, err := c.Subscribe(ctx)
	if err != nil {
		cancel()
		c.Close()
		return &progress{}
	}
	p := &progress{out: os.Stderr, width: pageWidth, target: target}
	if width, _, err := term.GetSize(fd); err == nil && width > 0 {
		p.width = width
	}
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			e, err := sub.Next(ctx)
			if err != nil {
				return
			}
			p.event(e, time.Now())
		}
	})
	p.stop = func() {
		cancel()
		listening.Wait()
		c.Close()
	}
	return p
}

// event records a stage. It ignores stages of another network, which may be joined,
// too: the previous one, or the one that the daemon returns to.
func (p *progress) event(e client.Event, now time.Time) {
	if s := e.Status; e.Type == client.EventSnapshot && p.target == nil {
		p.target = configured(s)
	}
	if e.Type != client.EventJoin || e.Network == nil || p.target == nil || e.SSIDHex != p.target.SSIDHex {
		return
	}
	if e.New == client.JoinStarted {
		p.began, p.done = now, nil
	}
	if !p.began.IsZero() {
		p.reach(e.New, now)
	}
}

// configured returns the network that start_wifi joins.
func configured(s *client.Status) *client.Network {
	switch {
	case s == nil:
		return nil
	case s.Wifi.Candidate != nil:
		return s.Wifi.Candidate
	case len(s.Wifi.Networks) > 0:
		return &s.Wifi.Networks[0]
	}
	return nil
}

func (p *progress) reach(stage string, now time.Time) {
	p.last = stage
	if text := reached[stage]; text != "" {
		p.done = append(p.done, fmt.Sprintf("%s %.1fs", text, now.Sub(p.began).Seconds()))
	}
	p.draw(doing[stage])
}

// draw replaces the line (ECMA-48: EL erases the rest of a longer line).
func (p *progress) draw(now string) {
	parts := p.done
	if now != "" {
		parts = append(parts[:len(parts):len(parts)], now)
	}
	text := printable(quote(*p.target)) + ": " + strings.Join(parts, ", ")
	if n := p.width - 1; utf8.RuneCountInString(text) > n {
		text = string([]rune(text)[:max(0, n-1)]) + "…"
	}
	fmt.Fprintf(p.out, "\r%s\x1b[K", text)
}

// finish shows how the join ended. The reply may report the end before the event
// does. finish may be called twice.
func (p *progress) finish(err error) {
	if p.stop == nil {
		return
	}
	p.stop()
	p.stop = nil
	if p.began.IsZero() {
		return
	}
	now := time.Now()
	var failed *client.Error
	switch {
	case errors.As(err, &failed):
		p.done = append(p.done, fmt.Sprintf("failed %.1fs (%s)", now.Sub(p.began).Seconds(), failed.Code))
		p.draw("")
	case err == nil && p.last != client.JoinDone:
		p.reach(client.JoinDone, now)
	}
	fmt.Fprintln(p.out)
}
