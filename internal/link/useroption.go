package link

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// FollowUserOptions calls seen for each message about options of a router
// advertisement, of any link, until ctx ends or seen fails, and returns that
// error. It calls begun once, when it misses no message any more. seen gets nil
// for messages that the kernel had to drop.
func FollowUserOptions(ctx context.Context, begun func(), seen func(*rtnl.UserOption) error) error {
	events, done, err := dial(ctx, unix.RTNLGRP_ND_USEROPT)
	if err != nil {
		return err
	}
	defer done()
	begun()
	for {
		messages, err := events.nl.Receive()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, unix.ENOBUFS):
			if err := errors.Join(events.skip(), seen(nil)); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("listen to what routers advertise: %w", err)
		}
		for _, m := range messages {
			if m.Header.Type != unix.RTM_NEWNDUSEROPT {
				continue
			}
			var o rtnl.UserOption
			if err := o.UnmarshalBinary(m.Data); err != nil {
				return fmt.Errorf("listen to what routers advertise: %w", err)
			}
			if err := seen(&o); err != nil {
				return err
			}
		}
	}
}
