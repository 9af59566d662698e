package client

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Status asks how the device is connected. The daemon answers at once, even while it
// carries out another request.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	err := c.Call(ctx, "status", nil, &status)
	return status, err
}

// ListWifi returns the cells that the radio sees. If a scan would interrupt the
// access point, the daemon scans only with force.
func (c *Client) ListWifi(ctx context.Context, force bool) ([]BSS, error) {
	var list []BSS
	err := c.Call(ctx, "list_wifi", ListWifiParams(force), &list)
	return list, err
}

// ConfigWifi sets the network that StartWifi will try. An empty psk means an open
// network.
func (c *Client) ConfigWifi(ctx context.Context, ssid []byte, psk string, force bool) (string, error) {
	return c.text(ctx, "config_wifi", ConfigWifiParams(ssid, psk, force))
}

// StartWifi joins the configured network, which can take a minute.
func (c *Client) StartWifi(ctx context.Context) (string, error) {
	return c.text(ctx, "start_wifi", nil)
}

// ForgetWifi removes the configured network.
func (c *Client) ForgetWifi(ctx context.Context) (string, error) {
	return c.text(ctx, "forget_wifi", nil)
}

// Connect joins a saved network, which can take a minute.
func (c *Client) Connect(ctx context.Context, ssid []byte) (string, error) {
	return c.text(ctx, "connect", NetworkParams(ssid))
}

// ListNetworks returns the saved networks, the best first.
func (c *Client) ListNetworks(ctx context.Context) ([]SavedNetwork, error) {
	var list []SavedNetwork
	err := c.Call(ctx, "list_networks", nil, &list)
	return list, err
}

// AddNetwork saves a network without trying it. If the SSID is saved already, nothing
// changes, and the *Error has CodeExists.
func (c *Client) AddNetwork(ctx context.Context, ssid []byte, settings NetworkSettings) (string, error) {
	return c.text(ctx, "add_network", SettingsParams(ssid, settings))
}

// SetNetwork changes a saved network.
func (c *Client) SetNetwork(ctx context.Context, ssid []byte, settings NetworkSettings) (string, error) {
	return c.text(ctx, "set_network", SettingsParams(ssid, settings))
}

// Adopt takes over a network that another program has saved in NetworkManager, so
// that netconnectd may change it.
func (c *Client) Adopt(ctx context.Context, ssid []byte) (string, error) {
	return c.text(ctx, "adopt", NetworkParams(ssid))
}

// RemoveNetwork forgets one saved network and keeps the others.
func (c *Client) RemoveNetwork(ctx context.Context, ssid []byte) (string, error) {
	return c.text(ctx, "remove_network", NetworkParams(ssid))
}

// History returns the last limit entries of the history, 0 for all that are kept, the
// oldest first.
func (c *Client) History(ctx context.Context, limit int) ([]HistoryEntry, error) {
	var list []HistoryEntry
	err := c.Call(ctx, "history", HistoryParams(limit), &list)
	return list, err
}

// Reset forgets all saved networks and lets the daemon start afresh.
func (c *Client) Reset(ctx context.Context) (string, error) { return c.text(ctx, "reset", nil) }

// StartAP starts the access point.
func (c *Client) StartAP(ctx context.Context) (string, error) { return c.text(ctx, "start_ap", nil) }

// StopAP stops the access point.
func (c *Client) StopAP(ctx context.Context) (string, error) { return c.text(ctx, "stop_ap", nil) }

// Metrics returns the daemon's counters in Prometheus' text format.
func (c *Client) Metrics(ctx context.Context) (string, error) { return c.text(ctx, "metrics", nil) }

// Reload makes the daemon read its configuration again and apply the differences. A
// configuration with problems changes nothing; the *Error then has CodeBadConfig and
// lists all problems.
func (c *Client) Reload(ctx context.Context) (string, error) { return c.text(ctx, "reload", nil) }

// StopDaemon ends the daemon, which only root and the daemon's own user may do. The
// network that the daemon set up stays: an access point goes on.
func (c *Client) StopDaemon(ctx context.Context) (string, error) {
	return c.text(ctx, "stop_daemon", nil)
}

// text makes a call whose result is a text for people.
func (c *Client) text(ctx context.Context, command string, params any) (string, error) {
	var text string
	err := c.Call(ctx, command, params, &text)
	return text, err
}

// ListWifiParams returns the parameters of list_wifi for Do.
func ListWifiParams(force bool) any { return listWifi{Force: force} }

// ConfigWifiParams returns the parameters of config_wifi for Do. They contain the
// passphrase: do not print them.
func ConfigWifiParams(ssid []byte, psk string, force bool) any {
	return configWifi{network: newNetworkParams(ssid), PSK: psk, Force: force}
}

// HistoryParams returns the parameters of history for Do.
func HistoryParams(limit int) any { return history{Limit: limit} }

// NetworkParams returns the parameters of connect and remove_network for Do.
func NetworkParams(ssid []byte) any { return newNetworkParams(ssid) }

// SettingsParams returns the parameters of add_network and set_network for Do. They
// contain secrets: do not print them.
func SettingsParams(ssid []byte, settings NetworkSettings) any {
	return networkSettings{newNetworkParams(ssid), settings}
}

type networkSettings struct {
	network
	NetworkSettings
}

// network holds the parameters that name a network.
type network struct {
	SSID    *string `json:"ssid,omitempty"`
	SSIDHex string  `json:"ssid_hex,omitempty"`
}

func newNetworkParams(ssid []byte) network {
	if text := string(ssid); utf8.Valid(ssid) {
		return network{SSID: &text}
	}
	return network{SSIDHex: hex.EncodeToString(ssid)}
}

// configWifi holds the parameters of the command config_wifi.
type configWifi struct {
	network
	PSK   string `json:"psk,omitempty"`
	Force bool   `json:"force"`
}

// listWifi holds the parameters of the command list_wifi.
type listWifi struct {
	Force bool `json:"force"`
}

// history holds the parameters of the command history.
type history struct {
	Limit int `json:"limit,omitempty"`
}

// Subscription is a stream of events. It takes over its Client's connection.
type Subscription struct{ c *Client }

// Subscribe starts a stream of events; the first is a snapshot. The client can make
// no further calls. The client's Close ends the stream.
func (c *Client) Subscribe(ctx context.Context) (*Subscription, error) {
	if err := c.subscribe(ctx, nil); err != nil {
		return nil, err
	}
	return &Subscription{c}, nil
}

// subscribe hands the connection over to a stream.
func (c *Client) subscribe(ctx context.Context, params any) error {
	err := c.inTurn(ctx, func() error {
		frame, err := c.exchange(ctx, "subscribe", params)
		if err != nil {
			return err
		}
		if err := replyError(frame); err != nil {
			return err
		}
		c.events, c.conn.patience = true, 0
		return nil
	})
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// nextFrame waits for the next frame of a stream.
func (c *Client) nextFrame(ctx context.Context) (frame []byte, err error) {
	err = c.during(ctx, func() error {
		frame, err = c.frames.Read()
		return err
	})
	return frame, err
}

// Next waits for the next event, for one caller at a time. When ctx ends, the
// subscription ends, too.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	frame, err := s.c.nextFrame(ctx)
	if err != nil {
		return Event{}, fmt.Errorf("wait for event: %w", err)
	}
	return decodeEvent(frame)
}

func decodeEvent(frame []byte) (Event, error) {
	var reply struct {
		Event *Event `json:"event"`
		Seq   uint64 `json:"seq"`
	}
	if err := json.Unmarshal(frame, &reply); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	if reply.Event == nil {
		return Event{}, cmp.Or(replyError(frame), errors.New("decode event: there is none"))
	}
	reply.Event.Seq, reply.Event.Frame = reply.Seq, frame
	return *reply.Event, nil
}
