package wifi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// scanDeadline bounds a scan whose context has no earlier deadline. All channels
	// of two bands take 4 to 8 s, beside an association half as long again, and
	// another program's scan may come first.
	scanDeadline = 20 * time.Second

	// busyPause is how long we wait for the end of another program's scan before
	// asking again: what keeps a radio busy need not be a scan that ends.
	busyPause = time.Second

	// downLimit is how long another program's interface may be down: that program may
	// take it down for a moment to set another address.
	downLimit = 3 * time.Second

	// clockSlack allows for the kernel's coarse clock (jiffies) in the age of
	// a cell.
	clockSlack = 100 * time.Millisecond
)

// ScanRequest says which radio to scan with, and what to scan.
type ScanRequest struct {
	Interface   string // a Wi-Fi interface that is up
	Frequencies []int  // MHz; none: all frequencies
	AP          bool   // the interface is a serving access point: it leaves its channel for moments
	Preempt     bool   // end another program's scan instead of waiting for its end
}

// scanner is what a scan needs of nl80211.
type scanner interface {
	trigger(ifindex int, req ScanRequest) error
	abort(ifindex int) error
	next(ctx context.Context) (scanEnd, error)
	results(ifindex int) ([]BSS, error)
}

// Scan asks every cell in reach to answer and returns the cells that were heard since
// the request, in the kernel's order. When ctx ends, or after 20 s, the scan is
// aborted, and Scan returns the cells heard so far with the error. Errors wrap
// ErrNotSupported, ErrBusy, ErrNoInterface, ErrDown or the context's error.
func Scan(ctx context.Context, req ScanRequest) ([]BSS, error) {
	ifi, err := net.InterfaceByName(req.Interface)
	if err != nil {
		return nil, fmt.Errorf("scan on %s: %w", req.Interface, ErrNoInterface)
	}
	conn, err := dialNL80211(scanEvents)
	if err != nil {
		return nil, fmt.Errorf("scan on %s: %w", req.Interface, err)
	}
	defer conn.Close()
	found, err := scan(ctx, conn, ifi.Index, req)
	if err != nil {
		return found, fmt.Errorf("scan on %s: %w", req.Interface, err)
	}
	return found, nil
}

// scan runs on a scanner that is already subscribed, so that an end which comes right
// after the trigger is not missed.
func scan(ctx context.Context, s scanner, ifindex int, req ScanRequest) ([]BSS, error) {
	ctx, cancel := context.WithTimeout(ctx, scanDeadline)
	defer cancel()
	for {
		started, err := start(ctx, s, ifindex, req)
		if err != nil {
			return nil, explain(err)
		}
		unfinished := finish(ctx, s, ifindex)
		switch {
		case errors.Is(unfinished, errAborted) && req.Preempt:
			continue // a program that joins a network aborts scans, and does so once
		case unfinished != nil && ctx.Err() == nil:
			return nil, explain(unfinished)
		}
		found, err := s.results(ifindex)
		return heardWithin(found, time.Since(started)+clockSlack), explain(errors.Join(unfinished, err))
	}
}

var errAborted = fmt.Errorf("%w: the scan was aborted", ErrBusy)

// start triggers the scan, if need be after the scans of others, and returns the
// time.
func start(ctx context.Context, s scanner, ifindex int, req ScanRequest) (time.Time, error) {
	begun := time.Now()
	for {
		started := time.Now()
		err := s.trigger(ifindex, req)
		down := errors.Is(err, unix.ENETDOWN) && req.Preempt && time.Since(begun) < downLimit
		if err == nil || !errors.Is(err, unix.EBUSY) && !down {
			return started, err
		}
		if req.Preempt && !down {
			if err := ignoreIdle(s.abort(ifindex)); err != nil {
				return started, err
			}
		}
		// Another program's results may cover one channel, or one SSID, so they do
		// not replace ours. The end may be on another interface of the radio.
		pause, cancel := context.WithTimeout(ctx, busyPause)
		_, waitErr := s.next(pause)
		cancel()
		if ctx.Err() != nil {
			return started, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		if waitErr != nil && !errors.Is(waitErr, context.DeadlineExceeded) {
			return started, waitErr
		}
	}
}

// finish waits for the end of our scan and aborts it when ctx ends.
func finish(ctx context.Context, s scanner, ifindex int) error {
	for {
		end, err := s.next(ctx)
		switch {
		case err != nil:
			// A scan that goes on would keep the radio from the next user.
			return errors.Join(err, ignoreIdle(s.abort(ifindex)))
		case end.ifindex == ifindex && end.aborted:
			return errAborted
		case end.ifindex == ifindex:
			return nil
		}
	}
}

// ignoreIdle drops the kernel's answer that there is no scan to abort.
func ignoreIdle(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

func heardWithin(found []BSS, age time.Duration) []BSS {
	fresh := make([]BSS, 0, len(found))
	for _, bss := range found {
		if bss.LastSeen <= age {
			fresh = append(fresh, bss)
		}
	}
	return fresh
}

// explain wraps the kernel's error with the sentinel of this package.
func explain(err error) error {
	for _, known := range []struct{ errno, ours error }{
		{unix.EOPNOTSUPP, ErrNotSupported},
		{unix.EBUSY, ErrBusy},
		{unix.ENODEV, ErrNoInterface},
		{unix.ENETDOWN, ErrDown},
	} {
		if errors.Is(err, known.errno) {
			return fmt.Errorf("%w: %w", known.ours, err)
		}
	}
	return err
}

// cached returns the cells that the kernel heard within age, without a new scan.
func cached(ctx context.Context, name string, age time.Duration) ([]BSS, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("list networks on %s: %w", name, ErrNoInterface)
	}
	conn, err := dialNL80211("")
	if err != nil {
		return nil, fmt.Errorf("list networks on %s: %w", name, err)
	}
	defer conn.Close()
	found, err := conn.results(ifi.Index)
	if err != nil {
		return nil, fmt.Errorf("list networks on %s: %w", name, explain(err))
	}
	return heardWithin(found, age), nil
}
