package process

import (
	"context"
	"errors"
	"fmt"
)

// ErrEnded is part of the cause of a context that the end of a child has ended.
var ErrEnded = errors.New("the program ended")

// WhileAlive derives a context that ends with the child, a *Child; its cause
// wraps ErrEnded and says how. release waits for everything that was started.
func WhileAlive(ctx context.Context, child interface {
	Done() <-chan struct{}
	Err() error
}) (alive context.Context, release func()) {
	alive, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-child.Done():
			cancel(fmt.Errorf("%w: %w", ErrEnded, child.Err()))
		case <-alive.Done():
		}
	}()
	return alive, func() {
		cancel(nil)
		<-watched
	}
}
