package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/netconnectd/netconnectd/client"
)

// isOriginal reports whether a status comes from an original netconnectd, which sends
// the fields Link to Wifi.Present only.
func isOriginal(s client.Status) bool { return s.Version == "" && s.Uplink.State == "" }

// originalVersion is shown as the version of an original, which sends none.
const originalVersion = "not told, as by an original netconnectd"

// decodeStatus reads a status. In the status of an original it fills the fields that
// the original does not send from those that it does, so that every command can show
// the same fields.
func decodeStatus(text []byte) (s client.Status, err error) {
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("decode status: %w", err)
	}
	if !isOriginal(s) {
		return s, nil
	}
	s.Version = originalVersion
	s.Uplink.State, s.AccessPoint.State = "lost", "off"
	if s.Link {
		s.Uplink.State = "online"
	}
	if s.Connections.AP {
		s.AccessPoint.State = "up"
	}
	for i, name := range s.Devs {
		if i == 0 {
			s.Uplink.Interface = name
		}
		s.Uplinks = append(s.Uplinks, client.Interface{Name: name, Carrier: true, Works: true})
	}
	return s, nil
}

// unknown reports whether the daemon does not know the command: the original knows
// eight commands.
func unknown(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Message == client.TextUnknownMessage
}

// explained adds to the error "unknown message" that the daemon is the original or an
// older one.
func explained(err error, command string) error {
	if !unknown(err) {
		return err
	}
	return fmt.Errorf("%w: this netconnectd does not know %s; it is an older one, or the original (netconnectcli version)", err, command)
}
