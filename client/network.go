package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/netconnectd/netconnectd/state"
)

// Show asks for the kernel's network state. The zero filter selects everything. If
// the filter names an interface that does not exist, the *Error has CodeNotFound.
func (c *Client) Show(ctx context.Context, filter state.Filter) (*state.State, error) {
	var found state.State
	if err := c.Call(ctx, "show", filter, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// NetworkSubscription is a stream of changes of the kernel's network state. It takes
// over its Client's connection.
type NetworkSubscription struct{ c *Client }

// SubscribeNetwork starts a stream of changes; the first one contains the whole
// state. The zero filter selects everything that can be watched. The client can make
// no further calls. The client's Close ends the stream.
func (c *Client) SubscribeNetwork(ctx context.Context, filter state.Filter) (*NetworkSubscription, error) {
	if err := c.subscribe(ctx, map[string]any{"network": filter}); err != nil {
		return nil, err
	}
	return &NetworkSubscription{c}, nil
}

// Next waits for the next change, for one caller at a time. State.Apply carries out a
// change on a State. When ctx ends, the subscription ends, too. The daemon cuts off a
// reader that is slower than the changes, with CodeTooSlow.
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
