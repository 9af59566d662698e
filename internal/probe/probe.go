// Package probe checks whether an uplink works, by asking a host beyond it.
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

// Kind is what a probe asks to find out whether an uplink works.
type Kind string

// The kinds of probes.
const (
	KindGateway Kind = "gateway" // the router of the interface; "" means the same
	KindPing    Kind = "ping"    // hosts, by ICMP echo
	KindHTTP    Kind = "http"    // a web server that answers 204
	KindDNS     Kind = "dns"     // a name server
	KindNone    Kind = "none"    // no host: an address is enough
)

// Config names the hosts to ask. Only the fields of its kind are used.
type Config struct {
	Kind  Kind
	Hosts []netip.Addr // ping: one that answers is enough
	URL   string       // http: http:// or https://; https costs 5 MB of memory
	Name  string       // dns: a name that has an address

	// Servers are the name servers of the interface, for dns and for the host of the
	// URL. If there are none, those of /etc/resolv.conf are asked. One server that
	// answers is enough. /etc/hosts and search domains are not used.
	Servers []netip.Addr
}

// Result describes the answer of the far end.
type Result struct {
	Portal bool   // a captive portal answered in place of the Internet
	Detail string // what identifies the portal, without what changes from one answer to the next
}

const (
	// limit is how long the far end may take to answer. The kernel gives up on a
	// silent neighbour after the same time.
	limit = 3 * time.Second
	// limitHTTP is for the whole of a request: name, connection and answer.
	limitHTTP = 5 * time.Second
)

var errNoReply = errors.New("no reply")

// Check asks the hosts that cfg names, over that interface only. If no host answers
// within 3 s (http: 5 s) or before ctx ends, Check returns an error that names what
// was tried. Only kind gateway uses the gateway. Check needs CAP_NET_RAW, and for
// kind gateway CAP_NET_ADMIN.
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

// plain removes the parts of an error that do not help, or that differ each time (the
// local port), and describes a passed deadline as a missing answer.
func plain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return errNoReply
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// failures holds the errors of all hosts that were asked; its text is one line.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors, for errors.Is and errors.As.
func (f failures) Unwrap() []error { return f }

// race tries the runners until one succeeds, and returns the result of that runner.
// Each runner starts headStart after the previous one, or at once if a runner has
// failed. The others are then cancelled and waited for. If one of them succeeds
// nevertheless, its result goes to discard, which may be nil.
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
