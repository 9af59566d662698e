package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/netconnectd/netconnectd/state"
)

// Show asks for the kernel's network state. The zero filter wants everything. An
// interface in filter that does not exist is an *Error with CodeNotFound.
func (c *Client) Show(ctx context.Context, filter state.Filter) (*state.State, error) {
	var found state.State
	if err := c.Call(ctx, "show", filter, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// NetworkSubscription is a stream of changes of the kernel's network state. It
// takes over its Client's connection.
type NetworkSubscription struct{ c *Client }

// SubscribeNetwork starts a stream of changes; the first holds all there is. The
// zero filter wants everything that can be watched. The client can make no further
// calls. Its Close ends the stream.
func (c *Client) SubscribeNetwork(ctx context.Context, filter state.Filter) (*NetworkSubscription, error) {
	if err := c.subscribe(ctx, map[string]any{"network": filter}); err != nil {
		return nil, err
	}
	return &NetworkSubscription{c}, nil
}

// Next waits for the next change, which State.Apply carries out on a State. One
// caller at a time. When ctx ends, so does the subscription. A reader that is
// slower than what happens is cut off with CodeTooSlow.
func (s *NetworkSubscription) Next(ctx context.Context) (state.Change, error) {
	frame, err := s.c.nextFrame(ctx)
	if err != nil {
		return state.Change{}, fmt.Errorf("wait for change: %w", err)
	}
	var message struct {
		Change *state.Change `json:"change"`
	}
	if err := json.Unmarshal(frame, &message); err != nil {
		return state.Change{}, fmt.Errorf("decode change: %w", err)
	}
	if message.Change == nil {
		return state.Change{}, cmp.Or(replyError(frame), errors.New("decode change: there is none"))
	}
	return *message.Change, nil
}
