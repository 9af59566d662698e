package link

import (
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Refusal is the kernel's answer to a request that it did not carry out. It
// unwraps to the error number: errors.Is(err, unix.ERFKILL).
type Refusal struct {
	Errno unix.Errno
	Text  string // the kernel's own words (NLMSGERR_ATTR_MSG), may be empty
}

// Error returns e.g. "ENETUNREACH (network is unreachable): Nexthop has invalid gateway".
func (r *Refusal) Error() string {
	text := fmt.Sprintf("%s (%s)", unix.ErrnoName(r.Errno), r.Errno.Error())
	if r.Text != "" {
		text += ": " + r.Text
	}
	return text
}

// Unwrap returns the error number.
func (r *Refusal) Unwrap() error { return r.Errno }

// refusal returns err as a Refusal where the kernel answered with an error, else as it is.
func refusal(err error) error {
	var failed *netlink.OpError
	var errno unix.Errno
	if errors.As(err, &failed) && failed.Sequence != 0 && errors.As(err, &errno) {
		return &Refusal{Errno: errno, Text: failed.Message}
	}
	return err
}
