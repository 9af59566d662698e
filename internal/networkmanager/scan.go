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
	// seeLimit bounds the time until NetworkManager knows the results of our scan.
	seeLimit = 5 * time.Second

	// againLimit bounds a scan that looks for the cause of a failed join.
	// NetworkManager may keep the radio busy meanwhile.
	againLimit = 8 * time.Second
)

// Air is what the radio receives, whichever program drives it.
type Air interface {
	// Cells scans on some frequencies in MHz (none: on all) and returns the cells
	// heard.
	Cells(ctx context.Context, mhz ...int) ([]wifi.BSS, error)
	// Listen starts to listen to the frames of routers.
	Listen() (Frames, error)
}

// Frames are the frames that routers send to us, see wifi.Listener.
type Frames interface {
	Verdict(ctx context.Context, n wifi.Network) (*wifi.JoinError, error)
	Close()
}

// see searches for the network, so that a network which is absent, or has another
// security, is refused before anything changes. Then it waits until NetworkManager
// knows the network from our scan, because NetworkManager does not activate unknown
// ones.
func (c *Client) see(ctx context.Context, device Device, events *events, n store.Network, air Air) error {
	known, err := c.knownCells(ctx, device)
	if err != nil {
		return err
	}
	otherwise, there := n.Mismatch(known)
	if there && otherwise == nil && n.Frequency == 0 {
		return nil // the network may be gone, but a scan of all channels would take 4 s
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
		known, err := c.knownCells(ctx, device)
		if err != nil {
			return err
		}
		if verdict, present := n.Mismatch(known); present && verdict == nil {
			return nil
		}
		if _, err := events.next(limited); err != nil {
			return ctx.Err() // NetworkManager may find the network by itself
		}
	}
}

func notFound() *wifi.JoinError {
	return &wifi.JoinError{Code: client.CodeNotFound, Reason: "the network was not found"}
}

// knownCells returns the cells that NetworkManager knows, with the fields that Mismatch
// needs.
func (c *Client) knownCells(ctx context.Context, device Device) (cells []wifi.BSS, err error) {
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
			if cell, err := cellOf(proxy); err == nil { // otherwise the access point has vanished meanwhile
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
