package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	// silence is how long the daemon may send nothing while it owes a reply: a
	// working daemon sends white space every 4 s.
	silence = 15 * time.Second
	// writeTimeout bounds the sending of a request.
	writeTimeout = 10 * time.Second
	// maxReply bounds the size of a reply that the client accepts. 100,000 routes
	// have 25 MiB.
	maxReply = 64 << 20
)

// ErrClosed means that the daemon ended the connection.
var ErrClosed = errors.New("netconnectd closed the connection")

// Client is one connection to the daemon. Its methods may be called from
// several goroutines; calls are made one after the other. A call that ends by
// its context ends the connection.
type Client struct {
	conn   *patientConn
	frames *FrameReader
	turn   chan struct{} // holds one token; the goroutine that holds it may use the other fields
	broken error         // why the connection can no longer be used
	events bool          // the connection belongs to a Subscription
}

// Dial connects to the socket at path.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("connect to netconnectd: %w", err)
	}
	return newClient(conn), nil
}

func newClient(conn net.Conn) *Client {
	patient := &patientConn{Conn: conn, patience: silence}
	c := &Client{conn: patient, frames: NewFrameReader(patient, maxReply), turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

// Close ends the connection. Operations that the daemon has begun continue.
func (c *Client) Close() error { return c.conn.Close() }

// Do sends a command with its parameters, nil for none, and returns the whole reply.
// If the reply is an error, Do returns both the reply and the *Error. It does not
// send parameters that are not UTF-8: the *Error then has CodeBadRequest, and there
// is no reply.
func (c *Client) Do(ctx context.Context, command string, params any) (frame json.RawMessage, err error) {
	err = c.inTurn(ctx, func() error {
		frame, err = c.exchange(ctx, command, params)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return frame, replyError(frame)
}

// inTurn runs f after all earlier calls.
func (c *Client) inTurn(ctx context.Context, f func() error) error {
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Call sends a command and decodes the result into result, if result is not nil.
func (c *Client) Call(ctx context.Context, command string, params, result any) error {
	frame, err := c.Do(ctx, command, params)
	if err != nil || result == nil {
		return err
	}
	reply := struct {
		Result any `json:"result"`
	}{result}
	if err := json.Unmarshal(frame, &reply); err != nil {
		return fmt.Errorf("decode reply to %s: %w", command, err)
	}
	return nil
}

// exchange writes a request and reads a frame. The caller has the turn.
func (c *Client) exchange(ctx context.Context, command string, params any) (frame []byte, err error) {
	if c.events {
		return nil, errors.New("the connection is used for events")
	}
	if params == nil {
		params = struct{}{}
	}
	if err := notUTF8(params); err != nil {
		return nil, err
	}
	request, err := EncodeFrame(map[string]any{command: params})
	if err != nil {
		return nil, err
	}
	err = c.during(ctx, func() error {
		if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		// A daemon that refuses a connection sends the reason before it closes, so
		// after a failed write the reason may still be there to be read.
		_, writeErr := c.conn.Write(request)
		if frame, err = c.frames.Read(); err != nil && writeErr != nil {
			return writeErr
		}
		return err
	})
	return frame, err
}

// during runs f, which uses the connection, until ctx ends. After a failure, an
// unknown part of a frame may be left, so the connection can no longer be used.
func (c *Client) during(ctx context.Context, f func() error) error {
	if c.broken != nil {
		return c.broken
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	err := f()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrClosed
	}
	if !stop() {
		c.broken = ctx.Err()
	} else if err != nil {
		c.broken = err
	}
	if err == nil {
		return nil
	}
	c.conn.Close()
	return c.broken
}

// replyError returns the error that a reply holds, or nil.
func replyError(frame []byte) error {
	var reply struct {
		Result json.RawMessage `json:"result"`
		Error  *string         `json:"error"`
		Code   string          `json:"code"`
		Reason string          `json:"reason"`
	}
	if err := json.Unmarshal(frame, &reply); err != nil {
		return fmt.Errorf("decode reply: %w", err)
	}
	switch {
	case reply.Error != nil:
		return &Error{Code: reply.Code, Message: *reply.Error, Reason: reply.Reason}
	case reply.Result == nil:
		return errors.New("decode reply: neither result nor error")
	}
	return nil
}

// patientConn gives up a read if nothing arrives within patience; 0 means never.
type patientConn struct {
	net.Conn
	patience time.Duration
}

func (p *patientConn) Read(b []byte) (int, error) {
	var deadline time.Time
	if p.patience > 0 {
		deadline = time.Now().Add(p.patience)
	}
	if err := p.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}
