package state_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/netconnectd/netconnectd/state"
)

// The loopback interface is there in every network namespace.
func ExampleRead() {
	s, err := state.Read(context.Background(), state.Filter{Parts: state.PartIfaces})
	if err != nil {
		fmt.Println(err)
		return
	}
	lo := s.Ifaces["lo"]
	fmt.Println(lo.Name, lo.Index, lo.Type, lo.MTU)
	// Output: lo 1 loopback 65536
}

// A filter spares the kernel what nobody wants to know.
func ExampleRead_filter() {
	_, err := state.Read(context.Background(), state.Filter{Parts: state.PartRoutes, OutIface: "absent0"})
	fmt.Println(errors.Is(err, state.ErrNotExist))
	// Output: true
}

// Who applies what Watch tells has the current State at any time.
func ExampleWatch() {
	done := errors.New("seen enough")
	var now state.State
	err := state.Watch(context.Background(), state.Filter{Parts: state.PartIfaces}, slog.New(slog.DiscardHandler),
		func(c state.Change) error {
			if err := now.Apply(c); err != nil {
				return err
			}
			fmt.Println(c.Seq, c.Op, now.Ifaces["lo"].Type)
			return done // a program that goes on returns nil
		})
	fmt.Println(err)
	// Output:
	// 1 snapshot loopback
	// seen enough
}
