package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/sysctl"
)

// sender sends requests over one socket, many at a time, and sets sysctls.
type sender struct{ conn }

// answersBuffer has room for the answers to as many requests as are under way, of
// which some show a link.
const answersBuffer = 4 << 20

func newSender(c conn) *sender {
	_ = c.nl.SetReadBuffer(answersBuffer) // without it, too, acknowledgements find room
	return &sender{c}
}

func (s *sender) sysctl(key string) (string, error) { return sysctl.Read(sysctl.File(key)) }

func (s *sender) setSysctl(key, value string) error { return sysctl.Write(sysctl.File(key), value) }

// send sends all requests at once. The kernel carries them out one by one, whatever
// becomes of those before, and acknowledges each by its sequence number.
func (s *sender) send(_ context.Context, all []request) ([]reply, error) {
	messages := make([]netlink.Message, 0, len(all))
	replies := make([]reply, len(all))
	position := make(map[uint32]int, len(all))
	for _, r := range all {
		b, err := r.body.MarshalBinary()
		if err != nil {
			return nil, err
		}
		messages = append(messages, netlink.Message{
			Header: netlink.Header{Type: r.kind, Flags: netlink.Request | netlink.Acknowledge | r.flags}, Data: b,
		})
	}
	sent, err := s.nl.SendMessages(messages)
	if err != nil {
		return nil, fmt.Errorf("send to rtnetlink: %w", err)
	}
	for i := range sent {
		position[sent[i].Header.Sequence] = i
	}
	for len(position) > 0 {
		n, err := s.receive(s.buffer, true)
		if err != nil {
			return nil, fmt.Errorf("receive acknowledgements: %w", err)
		}
		var failed error
		walk(s.buffer[:n], func(h netlink.Header, data []byte) bool {
			i, ours := position[h.Sequence]
			if !ours {
				return true
			}
			if h.Type != netlink.Error {
				failed = errors.Join(failed, replies[i].take(h, data))
				return true
			}
			if refused := acknowledged(h, data); refused != nil && replies[i].err == nil {
				replies[i].err = refused
			}
			delete(position, h.Sequence)
			return true
		})
		if failed != nil {
			return nil, failed
		}
	}
	return replies, nil
}

// take reads what the kernel shows of a link.
func (r *reply) take(h netlink.Header, data []byte) error {
	if h.Type != unix.RTM_NEWLINK {
		return nil
	}
	r.link = new(rtnl.Link)
	return r.link.UnmarshalBinary(data)
}

const (
	capped         = 1 << 8 // NLM_F_CAPPED: the request is not repeated, linux/netlink.h
	attributeWords = 1      // NLMSGERR_ATTR_MSG
	errnoSize      = 4
)

// acknowledged reads struct nlmsgerr: nil, or why a request was refused.
func acknowledged(h netlink.Header, data []byte) error {
	if len(data) < errnoSize {
		return fmt.Errorf("acknowledgement of %d bytes", len(data))
	}
	code := -int32(binary.NativeEndian.Uint32(data))
	if code == 0 {
		return nil
	}
	refusal := &Refusal{Errno: unix.Errno(code)}
	if h.Flags&netlink.AcknowledgeTLVs == 0 || len(data) < errnoSize+unix.SizeofNlMsghdr {
		return refusal
	}
	skip := unix.SizeofNlMsghdr
	if h.Flags&capped == 0 {
		skip = max(skip, int(binary.NativeEndian.Uint32(data[errnoSize:])+3)&^3)
	}
	if errnoSize+skip > len(data) {
		return refusal
	}
	attributes, err := netlink.NewAttributeDecoder(data[errnoSize+skip:])
	if err != nil {
		return refusal //nolint:nilerr // the errno counts, the text is for people
	}
	for attributes.Next() {
		if attributes.Type() == attributeWords {
			refusal.Text = attributes.String()
		}
	}
	return refusal
}
