package client

import "context"

// These are the states of an OwnedInterface.
const (
	InterfaceApplied = "applied" // the interface is as its owner wants it
	InterfaceRefused = "refused" // the kernel refused something; the daemon tries again
)

// OwnedInterface is an interface that a part of the daemon owns: the state that the
// owner wants, and whether the kernel has accepted it.
type OwnedInterface struct {
	Interface string   `json:"interface"`        // e.g. "wlan0"
	Owner     string   `json:"owner"`            // e.g. "access point" or "station"
	State     string   `json:"state"`            // InterfaceApplied or InterfaceRefused
	Reason    string   `json:"reason,omitempty"` // why the kernel refused, for people
	Seconds   int64    `json:"seconds"`          // seconds since the last try
	Up        bool     `json:"up"`               // wanted: the interface is up
	Addresses []string `json:"addresses"`        // wanted, with the length of the prefix, e.g. "10.250.250.1/24"
	Routes    []string `json:"routes"`           // wanted, e.g. "0.0.0.0/0 via 192.0.2.1 metric 600"
	Done      []string `json:"done"`             // the changes of the last try, in their order
}

// Interfaces returns the interfaces that the daemon owns, sorted by their names.
func (c *Client) Interfaces(ctx context.Context) ([]OwnedInterface, error) {
	var list []OwnedInterface
	err := c.Call(ctx, "interfaces", nil, &list)
	return list, err
}
