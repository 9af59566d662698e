package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Show asks for the kernel's network state and decodes it into result, a
// *state.State; filter is a state.Filter, or nil for everything. Package state
// is not imported here, since it brings what reads the kernel with it, which a
// client of the daemon does not need.
//
// An unknown interface in filter is an *Error with CodeNotFound.
func (c *Client) Show(ctx context.Context, filter, result any) error {
	return c.Call(ctx, "show", filter, result)
}

// NetworkSubscription is a stream of changes of the kernel's network state. It
// takes over its Client's connection.
type NetworkSubscription struct{ c *Client }

// SubscribeNetwork starts a stream of changes; the first holds all there is.
// filter is a state.Filter, or nil for everything that can be watched. The
// client can make no further calls. Its Close ends the stream.
func (c *Client) SubscribeNetwork(ctx context.Context, filter any) (*NetworkSubscription, error) {
	if filter == nil {
		filter = struct{}{}
	}
	if err := c.subscribe(ctx, map[string]any{"network": filter}); err != nil {
		return nil, err
	}
	return &NetworkSubscription{c}, nil
}

// Next waits for the next change and decodes it into change, a *state.Change.
// One caller at a time. When ctx ends, so does the subscription. A reader that
// is slower than what happens is cut off with CodeTooSlow.
func (s *NetworkSubscription) Next(ctx context.Context, change any) error {
	frame, err := s.c.nextFrame(ctx)
	if err != nil {
		return fmt.Errorf("wait for change: %w", err)
	}
	var message struct {
		Change json.RawMessage `json:"change"`
	}
	if err := json.Unmarshal(frame, &message); err != nil {
		return fmt.Errorf("decode change: %w", err)
	}
	if message.Change == nil {
		return cmp.Or(replyError(frame), errors.New("decode change: there is none"))
	}
	if err := json.Unmarshal(message.Change, change); err != nil {
		return fmt.Errorf("decode change: %w", err)
	}
	return nil
}
