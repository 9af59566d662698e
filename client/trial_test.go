package client

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestTrialCommands checks what the methods of a trial send and decode.
func TestTrialCommands(t *testing.T) {
	path, requests := script(t,
		`{"result":{"by":"pi","until":"2026-01-02T03:05:05Z","seconds":60,"text":"network","applied":{"changes":2,"problems":["p"]}}}`+"\x00",
		`{"result":{"by":"pi","seconds":90}}`+"\x00", `{"result":"a"}`+"\x00", `{"result":"b"}`+"\x00",
	)
	c, ctx := dial(t, path), t.Context()
	if begun, err := c.Apply(ctx, time.Minute); err != nil || begun.By != "pi" || begun.Seconds != 60 || begun.Until.IsZero() || begun.Applied.Changes != 2 || begun.Text != "network" {
		t.Errorf("%+v, %v", begun, err)
	}
	if longer, err := c.Extend(ctx, 90*time.Second); err != nil || longer.Seconds != 90 {
		t.Errorf("%+v, %v", longer, err)
	}
	confirmed, err := c.Confirm(ctx)
	reverted, revertErr := c.Revert(ctx)
	if err := errors.Join(err, revertErr); err != nil || confirmed+reverted != "ab" {
		t.Errorf("%q, %q, %v", confirmed, reverted, err)
	}
	c.Close()
	want := `{"call":{"args":{"confirm":60},"method":"apply","object":"network"}} {"call":{"args":{"seconds":90},"method":"extend","object":"network"}} ` +
		`{"call":{"method":"confirm","object":"network"}} {"call":{"method":"revert","object":"network"}}`
	if got := strings.Join(requests(), " "); got != want {
		t.Errorf("sent %s", got)
	}
}
