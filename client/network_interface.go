package client

import (
	"context"
	"time"
)

// NetworkInterface is the state of a declared interface, in the shape of OpenWrt's
// netifd. What an interface only has while it is up is absent before.
type NetworkInterface struct {
	Interface string `json:"interface,omitempty"` // in a dump: the name

	Up        bool   `json:"up"`
	Pending   bool   `json:"pending"`   // on the way up
	Available bool   `json:"available"` // the device is present
	Autostart bool   `json:"autostart"` // the interface goes up whenever the device is present
	Dynamic   bool   `json:"dynamic"`   // always false: the interface is declared in a file
	Uptime    int64  `json:"uptime,omitempty"`
	L3Device  string `json:"l3_device,omitempty"` // the kernel's name of the link that has the addresses
	Proto     string `json:"proto"`               // "none", "static" or "dhcp"
	Device    string `json:"device"`              // as declared

	Metric     uint32 `json:"metric"`
	DNSMetric  uint32 `json:"dns_metric"`
	IP4Table   uint32 `json:"ip4table,omitempty"`
	IP6Table   uint32 `json:"ip6table,omitempty"`
	Delegation bool   `json:"delegation"` // always false: no prefix is delegated

	IPv4Addresses []NetworkAddress `json:"ipv4-address"`
	IPv6Addresses []NetworkAddress `json:"ipv6-address"`
	Routes        []NetworkRoute   `json:"route"`
	DNSServers    []string         `json:"dns-server"`
	DNSSearch     []string         `json:"dns-search"`

	Errors []NetworkError `json:"errors,omitempty"`
}

// NetworkAddress is an address of a NetworkInterface.
type NetworkAddress struct {
	Address string `json:"address"`              // e.g. "192.0.2.1"
	Mask    int    `json:"mask"`                 // length of the prefix in bits
	PtP     string `json:"ptpaddress,omitempty"` // the other end of a point-to-point link
	Valid   int64  `json:"valid,omitempty"`      // seconds until the address ends; absent: it does not end
}

// NetworkRoute is a route of a NetworkInterface.
type NetworkRoute struct {
	Target  string `json:"target"`  // e.g. "0.0.0.0"
	Mask    int    `json:"mask"`    // length of the prefix in bits
	Nexthop string `json:"nexthop"` // "0.0.0.0" or "::": none
	Metric  uint32 `json:"metric,omitempty"`
	Table   uint32 `json:"table,omitempty"` // absent: main
	MTU     uint32 `json:"mtu,omitempty"`
	Source  string `json:"source"`
}

// NetworkError is why a NetworkInterface is not up.
type NetworkError struct {
	Subsystem string   `json:"subsystem"` // "interface", or "proto" with INVALID_PROTO
	Code      string   `json:"code"`      // "NO_DEVICE", "INVALID_PROTO" or "SETUP_FAILED"
	Data      []string `json:"data,omitempty"`
}

// NetworkDump is the state of all declared interfaces.
type NetworkDump struct {
	Interfaces []NetworkInterface `json:"interface"`
}

// NetworkPlan is what there is to do for the kernel to be as declared.
type NetworkPlan struct {
	Changes  []NetworkChange `json:"changes"`  // in order; empty: the kernel is as declared
	Problems []string        `json:"problems"` // what cannot be done, each with its place in the configuration
}

// NetworkChange is one change of a NetworkPlan.
type NetworkChange struct {
	Link  string `json:"link,omitempty"` // name of the link; absent: a rule
	Text  string `json:"text"`           // e.g. "br-lan: set priority 4096 (in place)"
	Class string `json:"class"`          // cost for those who use the link: "in place", "readdress", "restart" or "recreate"
	Path  string `json:"path,omitempty"` // place in the configuration; absent: a declaration that is gone
}

// NetworkApplied is what a change of the configuration has done to the kernel.
type NetworkApplied struct {
	Changes  int      `json:"changes"`         // number of the changes that were made
	Worst    string   `json:"worst,omitempty"` // the highest cost of these, as in NetworkChange; absent: nothing was changed
	Problems []string `json:"problems"`        // what the kernel has refused, each with its place in the configuration; the daemon tries again by itself
}

// NetworkTrial is the result of apply: a configuration is on trial.
type NetworkTrial struct {
	Trial
	Text    string          `json:"text"`    // the settings that differ, as in the result of reload
	Applied *NetworkApplied `json:"applied"` // null: the kernel is still being changed
}

// Apply puts the configuration file in force on trial: unless Confirm is called within
// the time, at most an hour, the daemon goes back to the configuration before. So it does
// if it is restarted before.
func (c *Client) Apply(ctx context.Context, confirm time.Duration) (NetworkTrial, error) {
	var trial NetworkTrial
	err := c.Invoke(ctx, "network", "apply", map[string]any{"confirm": int64(confirm.Seconds())}, &trial)
	return trial, err
}

// Confirm ends a trial: what is in force becomes the boot configuration. The connection
// has to be newer than the change, which shows that the device can still be reached.
func (c *Client) Confirm(ctx context.Context) (string, error) {
	return c.invokeText(ctx, "confirm")
}

// Revert ends a trial: the configuration before is in force again.
func (c *Client) Revert(ctx context.Context) (string, error) {
	return c.invokeText(ctx, "revert")
}

// Extend lets a trial end after that time, counted from now.
func (c *Client) Extend(ctx context.Context, by time.Duration) (Trial, error) {
	var trial Trial
	err := c.Invoke(ctx, "network", "extend", map[string]any{"seconds": int64(by.Seconds())}, &trial)
	return trial, err
}

func (c *Client) invokeText(ctx context.Context, method string) (string, error) {
	var text string
	err := c.Invoke(ctx, "network", method, nil, &text)
	return text, err
}

// Invoke calls a method of an object, e.g. "status" of "network.interface.lan", and
// decodes the result into result unless that is nil. Objects and methods are those of
// OpenWrt's netifd; docs/protocol.md lists them.
func (c *Client) Invoke(ctx context.Context, object, method string, args, result any) error {
	params := map[string]any{"object": object, "method": method}
	if args != nil {
		params["args"] = args
	}
	return c.Call(ctx, "call", params, result)
}
