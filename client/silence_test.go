package client

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestSilence compares a daemon that works for a minute with one that hangs.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := newClient(near)
		defer c.Close()
		go func() {
			frames := NewFrameReader(far, MaxRequest)
			frames.Read()
			for range 5 {
				time.Sleep(14 * time.Second)
				io.WriteString(far, " ")
			}
			io.WriteString(far, `{"result":"connected to wifi"}`+"\x00")
			frames.Read()
		}()
		if text, err := c.StartWifi(t.Context()); err != nil || text != "connected to wifi" {
			t.Errorf("got %q, %v", text, err)
		}
		began := time.Now()
		if _, err := c.StartWifi(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 15*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// TestQuietSubscription checks that a subscription without events for a day stays
// open.
func TestQuietSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := newClient(near)
		defer c.Close()
		go func() {
			NewFrameReader(far, MaxRequest).Read()
			io.WriteString(far, `{"result":"subscribed"}`+"\x00")
			time.Sleep(24 * time.Hour)
			io.WriteString(far, `{"event":{"type":"uplink"},"seq":1}`+"\x00")
		}()
		sub, err := c.Subscribe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e, err := sub.Next(t.Context()); err != nil || e.Seq != 1 {
			t.Errorf("got %+v, %v", e, err)
		}
	})
}
