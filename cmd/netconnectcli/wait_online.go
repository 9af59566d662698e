package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

// onlineTimeout is how long wait-online waits unless --timeout says otherwise.
const onlineTimeout = timeLimit(60 * time.Second)

func (a *app) waitOnlineCommand() *cobra.Command {
	timeout := onlineTimeout
	var any, portal bool
	cmd := &cobra.Command{
		Use:   "wait-online",
		Short: "Wait until the device is online",
		Long: `Wait until the device is online, and print through which interface. The daemon may
start later.

A device is online if it has an uplink that works, as status shows. An uplink behind a
portal, where a person must log in, does not count. --portal accepts such an uplink,
and --any also accepts the access point, since the device can then be reached.

Exit status: 0 the device is online, 1 it was not online in time, 2 wrong use, 3 the
daemon did not run. Units can use netconnectd-wait-online.service(8).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if any && portal {
				return usageError("--any and --portal exclude each other: --any takes a portal, too")
			}
			enough := isOnline
			switch {
			case portal:
				enough = isOnlineOrPortal
			case any:
				enough = isReachable
			}
			return a.waitOnline(cmd.Context(), a.follower(), time.Duration(timeout), enough)
		},
	}
	cmd.Flags().VarP(&timeout, "timeout", "t", "wait for this `time` at most: seconds, or e.g. 2m30s; 0 waits for ever")
	cmd.Flags().BoolVar(&any, "any", false, "the access point or an uplink behind a portal is enough")
	cmd.Flags().BoolVar(&portal, "portal", false, "an uplink behind a portal is enough")
	return cmd
}

func isOnline(s client.Status) bool { return isOnlineOrPortal(s) && !s.Uplink.Portal }

func isOnlineOrPortal(s client.Status) bool { return s.Uplink.State == "online" }

func isReachable(s client.Status) bool { return isOnlineOrPortal(s) || s.Connections.AP }

// errEnough ends the wait.
var errEnough = errors.New("the device is as it was waited for")

// waitOnline returns nil as soon as a status satisfies enough.
func (a *app) waitOnline(ctx context.Context, f *follower, limit time.Duration, enough func(client.Status) bool) error {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var last *snapshot
	err := f.follow(ctx, func(s snapshot) error {
		if last = &s; enough(s.Status) {
			return errEnough
		}
		return nil
	}, func(error) { last = nil })
	switch {
	case errors.Is(err, errEnough):
		return a.showOnline(*last)
	case ctx.Err() != nil && last != nil:
		return fmt.Errorf("the device is not online after %v: uplink %s, access point %s", limit, uplinkState(last.Uplink, nil).text, last.AccessPoint.State)
	}
	return err
}

// showOnline prints which uplink, or access point, ended the wait.
func (a *app) showOnline(s snapshot) error {
	if a.json {
		return printResult(a.out, s)
	}
	text := uplinkState(s.Uplink, nil).text
	if s.Uplink.State != "online" {
		text = "access point " + accessPointState(s.AccessPoint).text
	}
	_, err := fmt.Fprintln(a.out, printable(text))
	return err
}

// timeLimit is a flag that takes a time as systemd's programs do: in seconds where
// there is no unit.
type timeLimit time.Duration

func (l *timeLimit) String() string { return time.Duration(*l).String() }

// Type is the word after the flag in --help.
func (l *timeLimit) Type() string { return "time" }

// Set reads "90", "1m30s" or "0".
func (l *timeLimit) Set(text string) error {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		*l = timeLimit(time.Duration(seconds) * time.Second)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("it is neither a number of seconds nor a time such as 2m30s")
	}
	*l = timeLimit(d)
	return nil
}
