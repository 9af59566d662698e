package link

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSolicit(t *testing.T) {
	cable(t, "ask0", "ask1")
	far := peer(t, "ask1")
	ipAll(t, `link set ask0 up
		addr add 10.7.0.7/24 dev ask0
		addr add fd07::7/64 dev ask0 nodad`)
	far("link", "set", "ask1", "address", "02:00:00:00:00:01", "up")
	far("addr", "add", "10.7.0.1/24", "dev", "ask1")
	far("addr", "add", "fd07::1/64", "dev", "ask1", "nodad")
	far("addr", "add", "fe80::1/64", "dev", "ask1", "nodad")
	w := watch(t, firstBuffer)
	// Neighbour discovery needs a link-local address that has been checked.
	w.await(t, "a link-local address", func(s *Snapshot) bool {
		l, _ := s.Link("ask0")
		return slices.ContainsFunc(s.AddressesOf(l.Index), func(a Address) bool {
			return a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() && !a.Tentative()
		})
	})

	tests := []struct {
		name, addr string
		before     string // ip neigh …
		timeout    time.Duration
		reachable  bool
		atLeast    time.Duration
		atMost     time.Duration
	}{
		{name: "nothing known", addr: "10.7.0.1", before: "flush dev ask0", reachable: true, atMost: time.Second},
		{name: "IPv6", addr: "fd07::1", before: "flush dev ask0", reachable: true, atMost: time.Second},
		{name: "IPv6 link-local with zone", addr: "fe80::1%ask0", before: "flush dev ask0", reachable: true, atMost: time.Second},
		{name: "just known", addr: "10.7.0.1", reachable: true, atMost: time.Second},
		{name: "stale", addr: "10.7.0.1", before: "replace 10.7.0.1 lladdr 02:00:00:00:00:01 dev ask0 nud stale", reachable: true, atMost: time.Second},
		{name: "failed before", addr: "10.7.0.1", before: "replace 10.7.0.1 dev ask0 nud failed", reachable: true, atMost: time.Second},
		{name: "believed reachable, but another device has the address now", addr: "10.7.0.1",
			before: "replace 10.7.0.1 lladdr 02:00:00:00:00:99 dev ask0 nud reachable", reachable: true, timeout: 8 * time.Second, atMost: 5 * time.Second},
		{name: "nobody there", addr: "10.7.0.99", timeout: 8 * time.Second, atLeast: time.Second, atMost: 5 * time.Second},
		{name: "believed reachable, but nobody there", addr: "10.7.0.98",
			before: "replace 10.7.0.98 lladdr 02:00:00:00:00:98 dev ask0 nud reachable", timeout: 500 * time.Millisecond, atLeast: 400 * time.Millisecond, atMost: time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.before != "" {
				ipAll(t, "neigh "+test.before)
			}
			ctx := t.Context()
			if test.timeout != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.timeout)
				defer cancel()
			}
			start := time.Now()
			reachable, err := Solicit(ctx, "ask0", addr(test.addr))
			took := time.Since(start)
			if err != nil || reachable != test.reachable {
				t.Errorf("reachable %v, %v", reachable, err)
			}
			if took < test.atLeast || took > test.atMost {
				t.Errorf("took %v, not %v to %v", took, test.atLeast, test.atMost)
			}
			t.Log(took)
		})
	}
}

// TestSolicitAfterOverrun checks that a question is answered although the kernel had to
// drop messages of other neighbours.
func TestSolicitAfterOverrun(t *testing.T) {
	cable(t, "ask0", "ask1")
	far := peer(t, "ask1")
	ipAll(t, `link set ask0 up
		addr add 10.7.0.7/24 dev ask0`)
	far("link", "set", "ask1", "up")
	far("addr", "add", "10.7.0.1/24", "dev", "ask1")
	events, closeEvents, err := dial(t.Context(), unix.RTNLGRP_NEIGH)
	if err != nil {
		t.Fatal(err)
	}
	defer closeEvents()
	requests, closeRequests, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeRequests()
	var storm strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&storm, "neigh replace 10.7.0.99 lladdr 02:00:00:00:%02x:%02x dev ask0\n", i/256, i%256)
	}
	batch(t, storm.String())
	if reachable, err := solicit(events, requests, "ask0", addr("10.7.0.1")); err != nil || !reachable {
		t.Errorf("reachable %v, %v", reachable, err)
	}
}

func TestSolicitEnds(t *testing.T) {
	cable(t, "ask0", "ask1")
	if _, err := Solicit(t.Context(), "absent0", addr("10.7.0.1")); !errors.Is(err, ErrNotExist) {
		t.Errorf("absent link: %v", err)
	}
	ip(t, "link", "set", "ask0", "up")
	if reachable, err := Solicit(t.Context(), "ask0", addr("10.7.0.1")); reachable || err != nil {
		t.Errorf("no carrier: %v, %v", reachable, err)
	}

	ip(t, "link", "set", "ask1", "up")
	ipAll(t, "neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev ask0 nud permanent")
	if _, err := Solicit(t.Context(), "ask0", addr("10.7.0.2")); !errors.Is(err, errNoResolution) {
		t.Errorf("permanent entry: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	start := time.Now()
	if _, err := Solicit(ctx, "ask0", addr("10.7.0.1")); !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
		t.Errorf("cancelled: %v after %v", err, time.Since(start))
	}

	time.AfterFunc(100*time.Millisecond, func() { _ = exec.Command("ip", "link", "set", "ask1", "down").Run() })
	start = time.Now()
	reachable, err := Solicit(t.Context(), "ask0", addr("10.7.0.3"))
	if reachable || err != nil || time.Since(start) > 4*time.Second {
		t.Errorf("cable pulled: %v, %v after %v", reachable, err, time.Since(start))
	}
	t.Logf("cable pulled: %v", time.Since(start))
}
