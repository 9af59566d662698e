package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/netconnectd/netconnectd/client"
)

// watchStatus shows the status again whenever it changes, until a signal arrives or
// the reader of the output is gone. On a terminal, each status replaces the one
// before; elsewhere it is a line. Neither end is an error.
func (a *app) watchStatus(ctx context.Context, all bool) error {
	c, err := a.dial(ctx) // as always, a daemon that is absent at the start is an error
	if err != nil {
		return err
	}
	c.Close()
	ctx, stop := a.untilStopped(ctx)
	defer stop()
	var show shower = &lineShower{out: a.out}
	switch {
	case a.json:
		show = &jsonShower{a.out}
	case redrawable(a.out):
		show = &pageShower{out: a.out.(*os.File), page: page{colour: colourful(a.out), all: all}}
	}
	err = a.showChanges(ctx, show)
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// redrawable reports whether out is a terminal on which earlier output can be
// replaced.
func redrawable(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// shower shows statuses as they change. Its errors are errors of writing.
type shower interface {
	status(s snapshot) error
	lost(err error) error
	tick() error // a second has passed
}

// showChanges passes everything that the daemon reports to show, one report after the
// other.
func (a *app) showChanges(ctx context.Context, show shower) error {
	ctx, cancel := context.WithCancel(ctx)
	statuses, losses, ended := make(chan snapshot), make(chan error), make(chan error, 1)
	go func() {
		ended <- a.follower().follow(ctx, func(s snapshot) error { return give(ctx, statuses, s) },
			func(err error) { _ = give(ctx, losses, err) })
	}()
	defer func() { cancel(); <-ended }()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		var err error
		select {
		case s := <-statuses:
			err = show.status(s)
		case lost := <-losses:
			err = show.lost(lost)
		case <-second.C:
			err = show.tick()
		case err := <-ended:
			ended <- nil // received by the last line of the function
			return err
		}
		if err != nil {
			return err
		}
	}
}

// give sends a value, unless ctx ends first.
func give[T any](ctx context.Context, to chan<- T, value T) error {
	select {
	case to <- value:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// goneText is shown when the daemon no longer answers.
const goneText = "netconnectd does not answer any more; waiting for it"

// jsonShower prints each status in the form of status -j.
type jsonShower struct{ out io.Writer }

func (j *jsonShower) status(s snapshot) error { return printResult(j.out, s) }

func (j *jsonShower) lost(error) error { return nil }

func (j *jsonShower) tick() error { return nil }

// printResult prints a status as the reply that contained it.
func printResult(out io.Writer, s snapshot) error {
	return json.NewEncoder(out).Encode(map[string]json.RawMessage{"result": s.raw})
}

// lineShower prints a line for each status that differs in text from the one before.
type lineShower struct {
	out  io.Writer
	last string
}

func (l *lineShower) status(s snapshot) error { return l.line(statusLine(s.Status)) }

func (l *lineShower) lost(error) error { return l.line(goneText) }

func (l *lineShower) tick() error { return nil }

func (l *lineShower) line(text string) error {
	if text == l.last {
		return nil
	}
	l.last = text
	_, err := fmt.Fprintf(l.out, "%s %s\n", time.Now().Format("15:04:05"), printable(text))
	return err
}

// statusLine describes a status on one line, without values that change all the time.
func statusLine(s client.Status) string {
	failed := failedProbe(s)
	up := "uplink " + uplinkState(s.Uplink, failed).text
	switch {
	case failed != nil:
		up += ", " + failedText(*failed)
	case s.Uplink.Reason != "":
		up += ": " + s.Uplink.Reason
	}
	point := "access point " + accessPointState(s.AccessPoint).text
	if s.AccessPoint.State == "up" && s.AccessPoint.Clients != nil {
		point += ", " + stationsText(len(s.AccessPoint.Clients))
	}
	parts := []string{up, point}
	if s.Wifi.CurrentSSID != nil {
		parts = append(parts, `Wi-Fi "`+*s.Wifi.CurrentSSID+`"`)
	}
	for _, p := range s.Problems {
		parts = append(parts, "problem "+p.Code)
	}
	return strings.Join(parts, "; ")
}

// pageShower replaces the page on a terminal.
type pageShower struct {
	out  *os.File
	page page

	last    client.Status
	at      time.Time // when the daemon sent the status; zero: it has sent none
	gone    bool
	cleared bool
}

func (p *pageShower) status(s snapshot) error {
	p.last, p.at, p.gone = s.Status, time.Now(), false
	return p.tick()
}

func (p *pageShower) lost(error) error {
	p.gone = true
	return p.tick()
}

// tick draws the page with the ages of now (ECMA-48: CUP goes to the first line, EL
// and ED erase what was there before).
func (p *pageShower) tick() error {
	if p.at.IsZero() {
		return nil
	}
	var text bytes.Buffer
	p.page.out = &text
	if p.gone {
		p.page.row("Daemon", cell{text: goneText, tone: bad}, "")
	}
	p.page.status(aged(p.last, time.Since(p.at)), time.Now())
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if _, height, err := term.GetSize(int(p.out.Fd())); err == nil && height > 1 && len(lines) >= height {
		lines = append(lines[:height-2], fmt.Sprintf("and %d more lines", len(lines)-height+2))
	}
	screen := "\x1b[H"
	if !p.cleared {
		p.cleared, screen = true, "\x1b[2J\x1b[H"
	}
	_, err := p.out.WriteString(screen + strings.Join(lines, "\x1b[K\n") + "\x1b[K\n\x1b[J")
	return err
}

// aged returns a status as it would be some time after the daemon has sent it, if
// nothing else has changed since.
func aged(s client.Status, by time.Duration) client.Status {
	seconds := int64(by / time.Second)
	s.Uplink.Seconds += seconds
	s.AccessPoint.Seconds += seconds
	s.Uplinks = slices.Clone(s.Uplinks)
	for i, u := range s.Uplinks {
		if u.Probe != nil {
			probe := *u.Probe
			probe.Seconds += seconds
			s.Uplinks[i].Probe = &probe
		}
	}
	s.AccessPoint.Clients = slices.Clone(s.AccessPoint.Clients)
	for i := range s.AccessPoint.Clients {
		s.AccessPoint.Clients[i].Seconds += seconds
	}
	s.Next = slices.Clone(s.Next)
	for i := range s.Next {
		s.Next[i].Seconds = max(0, s.Next[i].Seconds-seconds)
	}
	return s
}
