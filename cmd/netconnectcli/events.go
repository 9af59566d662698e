package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) eventsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "events",
		Short: "Show events as they happen, until interrupted",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.events(cmd.Context())
		},
	}
}

// events prints events until the daemon ends, a signal arrives, or the reader of the
// output is gone.
func (a *app) events(ctx context.Context) error {
	c, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, stop := a.untilStopped(ctx)
	defer stop()
	sub, err := c.Subscribe(ctx)
	for err == nil {
		var event client.Event
		if event, err = sub.Next(ctx); err != nil {
			break
		}
		if a.showEvent(event) != nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return explained(a.streamError(err), "events")
}

// streamError distinguishes a daemon that sent a reason from one that just closed the
// connection.
func (a *app) streamError(err error) error {
	var reply *client.Error
	if errors.As(err, &reply) {
		return reply
	}
	return &absentError{a.address, err}
}

func (a *app) showEvent(e client.Event) error {
	if a.json {
		_, err := fmt.Fprintf(a.out, "%s\n", e.Frame)
		return err
	}
	_, err := fmt.Fprintf(a.out, "%s %s\n", e.Time.Local().Format("15:04:05"), printable(eventText(e)))
	return err
}

// eventText describes an event on one line.
func eventText(e client.Event) string {
	text := e.Type
	if e.Network != nil {
		text += " " + e.SSID
	}
	switch {
	case e.Old != "":
		text += " " + e.Old + " -> " + e.New
	case e.New != "":
		text += " " + e.New
	}
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if s := e.Status; s != nil && e.New == "" {
		text += fmt.Sprintf(" uplink %s, access point %s", orNone(s.Uplink.State), orNone(s.AccessPoint.State))
	}
	return text
}
