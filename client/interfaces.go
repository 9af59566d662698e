package client

import "context"

// States of an OwnedInterface.
const (
	InterfaceApplied = "applied" // the interface is as its owner wants it
	InterfaceRefused = "refused" // the kernel refused something; the daemon tries again
)

// OwnedInterface is an interface of which a part of the daemon says what it has to
// be, and what became of that.
type OwnedInterface struct {
	Interface string   `json:"interface"`        // e.g. "wlan0"
	Owner     string   `json:"owner"`            // e.g. "access point" or "station"
	State     string   `json:"state"`            // InterfaceApplied or InterfaceRefused
	Reason    string   `json:"reason,omitempty"` // why the kernel refused, for people
	Seconds   int64    `json:"seconds"`          // since the last try
	Up        bool     `json:"up"`               // what is wanted: the interface is up
	Addresses []string `json:"addresses"`        // what is wanted, with the length of the prefix, e.g. "10.250.250.1/24"
	Routes    []string `json:"routes"`           // what is wanted, e.g. "0.0.0.0/0 via 192.0.2.1 metric 600"
	Done      []string `json:"done"`             // what there was to do at the last try, in that order
}

// Interfaces returns the interfaces that the daemon owns, sorted by their names.
func (c *Client) Interfaces(ctx context.Context) ([]OwnedInterface, error) {
	var list []OwnedInterface
	err := c.Call(ctx, "interfaces", nil, &list)
	return list, err
}
