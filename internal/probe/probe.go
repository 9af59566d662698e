// Package probe answers one question: is the far end there?
package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Kind says what is asked whether an uplink works.
type Kind string

// The kinds of probes.
const (
	KindGateway Kind = "gateway" // the router of the interface; so is ""
	KindPing    Kind = "ping"    // hosts, by ICMP echo
	KindHTTP    Kind = "http"    // a web server that answers 204
	KindDNS     Kind = "dns"     // a name server
	KindNone    Kind = "none"    // nobody: an address is enough
)

// Config says whom to ask. Only the fields of its kind count.
type Config struct {
	Kind  Kind
	Hosts []netip.Addr // ping: one that answers is enough
	URL   string       // http: http:// or https://; https costs 5 MB of memory
	Name  string       // dns: a name that has an address

	// Servers are the name servers of the interface, for dns and for the host
	// of the URL; none means those of /etc/resolv.conf. One that answers is
	// enough. /etc/hosts and search domains do not count.
	Servers []netip.Addr
}

// Result is what is known of the far end that answered.
type Result struct {
	Portal bool   // something in front of the Internet answered instead
	Detail string // how the portal was known, without what changes from one answer to the next
}

const (
	// limit is how long the far end has for an answer. The kernel gives up on
	// a silent neighbour after the same time.
	limit = 3 * time.Second
	// limitHTTP is for the whole of a request: name, connection and answer.
	limitHTTP = 5 * time.Second
)

var errNoReply = errors.New("no reply")

// Check asks, over the interface and no other, what cfg names. It returns an
// error that says what was tried if there is no answer within 3 s (http: 5 s)
// or before ctx ends. Kind gateway needs the gateway, the others do not look
// at it. It needs CAP_NET_RAW, and for kind gateway CAP_NET_ADMIN.
func Check(ctx context.Context, cfg Config, ifname string, gateway netip.Addr) (Result, error) {
	switch cfg.Kind {
	case KindNone:
		return Result{}, nil
	case KindGateway, "":
		if !gateway.IsValid() {
			return Result{}, fmt.Errorf("reach gateway on %s: there is none", ifname)
		}
		return Result{}, Gateway(ctx, ifname, gateway)
	case KindPing:
		return Result{}, pingAny(ctx, ifname, cfg.Hosts)
	case KindDNS:
		return Result{}, resolve(ctx, ifname, cfg)
	case KindHTTP:
		return get(ctx, ifname, cfg)
	}
	return Result{}, fmt.Errorf("probe %s: there is no kind %q", ifname, cfg.Kind)
}

// plain takes off an error what says nothing here, or something else each time
// (the port of this end), and calls a deadline what it means.
func plain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return errNoReply
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// failures are those of all who were asked, in one line.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap is for errors.Is and errors.As.
func (f failures) Unwrap() []error { return f }

// race tries all the runners until one succeeds, and returns what that one has.
// Each starts headStart after the one before, or at once if one has failed.
// The others are cancelled and waited for; what they have nevertheless goes to
// discard, if there is one.
func race[T, R any](ctx context.Context, headStart time.Duration, runners []T,
	try func(context.Context, T) (R, error), discard func(R)) (R, error) {
	type outcome struct {
		runner int
		result R
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome)
	started, running := 0, 0
	start := func() {
		i := started
		started, running = started+1, running+1
		go func() {
			result, err := try(ctx, runners[i])
			outcomes <- outcome{i, result, err}
		}()
	}
	errs := make(failures, len(runners))
	for started < len(runners) || running > 0 {
		var next <-chan time.Time
		if started < len(runners) {
			if running == 0 || headStart == 0 {
				start()
				continue
			}
			next = time.After(headStart)
		}
		select {
		case <-next:
			start()
		case o := <-outcomes:
			running--
			if o.err == nil {
				cancel()
				for range running {
					if late := <-outcomes; late.err == nil && discard != nil {
						discard(late.result)
					}
				}
				return o.result, nil
			}
			errs[o.runner] = o.err
			if started < len(runners) {
				start()
			}
		}
	}
	var none R
	if len(errs) == 0 {
		return none, errors.New("nobody to ask")
	}
	return none, errs
}
