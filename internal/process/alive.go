package process

import (
	"context"
	"errors"
	"fmt"
)

// ErrEnded is wrapped by the cause of a context that ended with a child.
var ErrEnded = errors.New("the program ended")

// WhileAlive derives a context that ends with the child, a *Child. Its cause wraps
// ErrEnded and the child's error. release waits for the goroutine of WhileAlive.
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
