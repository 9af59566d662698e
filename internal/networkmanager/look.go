package networkmanager

import (
	"context"
	"fmt"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

const (
	// seeLimit is how long NetworkManager may take to hear of what a scan of
	// ours has found.
	seeLimit = 5 * time.Second

	// againLimit bounds a scan that is to say why joining failed.
	// NetworkManager may keep the radio busy meanwhile.
	againLimit = 8 * time.Second
)

// Air is what the radio hears, whoever drives it.
type Air interface {
	// Cells are those that a scan on some frequencies in MHz (none: on all) hears.
	Cells(ctx context.Context, mhz ...int) ([]wifi.BSS, error)
	// Listen begins to listen to what routers say to us.
	Listen() (Frames, error)
}

// Frames is what routers say to us, see wifi.Listener.
type Frames interface {
	Verdict(ctx context.Context, n wifi.Network) (*wifi.JoinError, error)
	Close()
}

// see looks for the network, so that what is not there, or has another
// security, is known before anything changes; and waits until NetworkManager
// has heard of it from our scan, since it activates nothing else.
func (c *Client) see(ctx context.Context, device Device, events *events, n store.Network, air Air) error {
	known, err := c.heard(ctx, device)
	if err != nil {
		return err
	}
	otherwise, there := n.Mismatch(known)
	if there && otherwise == nil && n.Frequency == 0 {
		return nil // it may be gone, but to look on all channels takes 4 s
	}
	var cells []wifi.BSS
	if n.Frequency != 0 {
		cells, err = air.Cells(ctx, n.Frequency)
	}
	verdict, present := n.Mismatch(cells)
	if err == nil && !present {
		cells, err = air.Cells(ctx)
		verdict, present = n.Mismatch(cells)
	}
	switch {
	case err != nil:
		return fmt.Errorf("look for the network: %w", err)
	case verdict != nil:
		return verdict
	case !present && otherwise != nil:
		return otherwise // a scan beside an association may miss a beacon
	case !present:
		return notFound()
	}
	limited, cancel := context.WithTimeout(ctx, seeLimit)
	defer cancel()
	for {
		known, err := c.heard(ctx, device)
		if err != nil {
			return err
		}
		if verdict, present := n.Mismatch(known); present && verdict == nil {
			return nil
		}
		if _, err := events.next(limited); err != nil {
			return ctx.Err() // it may find the network by itself
		}
	}
}

func notFound() *wifi.JoinError {
	return &wifi.JoinError{Code: client.CodeNotFound, Reason: "the network was not found"}
}

// heard are the cells that NetworkManager knows, with what Mismatch looks at.
func (c *Client) heard(ctx context.Context, device Device) (cells []wifi.BSS, err error) {
	err = read(ctx, func() error {
		wireless, ok := device.proxy.(nm.DeviceWireless)
		if !ok {
			return fmt.Errorf("%s is no radio to NetworkManager", c.Interface)
		}
		all, err := wireless.GetAllAccessPoints()
		if err != nil {
			return err
		}
		for _, proxy := range all {
			if cell, err := cellOf(proxy); err == nil { // else it went meanwhile
				cells = append(cells, cell)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask NetworkManager for access points: %w", err)
	}
	return cells, nil
}
