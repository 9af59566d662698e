// Package client speaks netconnectd's socket protocol: the types on the wire,
// the framing, and a client for Go programs. It depends on nothing but the
// standard library. docs/protocol.md describes the protocol for other
// languages.
//
//	c, err := client.Dial(ctx, client.DefaultSocket)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	status, err := c.Status(ctx)
package client

// DefaultSocket is where netconnectd listens unless configured otherwise.
const DefaultSocket = "/var/run/netconnectd.sock"
