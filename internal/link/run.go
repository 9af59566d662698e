package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// Outcome is what became of changes.
type Outcome struct {
	Done    []Change // in the order in which they were made
	Refused []Refused
}

// Refused is a change that was not made.
type Refused struct {
	Change
	Err error // names the place of the declaration, and holds the *Refusal if the kernel refused
}

// err joins why changes were not made.
func (o Outcome) err() error {
	var all []error
	for _, r := range o.Refused {
		all = append(all, r.Err)
	}
	return errors.Join(all...)
}

// kernel is what a run changes.
type kernel interface {
	// send makes requests, and returns for each of them what came of it. Its error is
	// that of the way to the kernel.
	send(ctx context.Context, all []request) ([]reply, error)
	sysctl(key string) (string, error)
	setSysctl(key, value string) error
}

// reply is the kernel's answer to a request.
type reply struct {
	link *rtnl.Link // to RTM_GETLINK
	err  error      // a *Refusal
}

// mostRequests is how many requests are under way at a time. Each has an answer, which
// must find room in the socket's buffer.
const mostRequests = 64

// run makes changes.
type run struct {
	kernel kernel
	ledger *ledger
	save   func(Owned) error // called before links are changed, and when their indexes are known
	at     indexes
	dead   map[string]string // links that are not there, with why
	spoilt map[string]bool   // links of which a change was refused
	sets   map[string][]*Change

	batch    []queued
	requests int
	out      Outcome
}

// queued is a change of which the requests are about to be sent.
type queued struct {
	*Change
	requests []request
}

// make makes all changes, as far as they are not refused. The error is that of the way
// to the kernel, or of the memory of what is ours.
func (r *run) make(ctx context.Context, changes []Change) error {
	r.dead, r.spoilt, r.sets = map[string]string{}, map[string]bool{}, map[string][]*Change{}
	if err := r.begin(changes); err != nil {
		return err
	}
	for i := range changes {
		if err := r.one(ctx, &changes[i]); err != nil {
			return errors.Join(err, r.save(r.ledger.owned()))
		}
	}
	return errors.Join(r.flush(ctx), r.save(r.ledger.owned()))
}

// begin remembers what is about to be ours, and how it was.
func (r *run) begin(changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if c.owns.sets != "" {
			r.sets[c.Link] = append(r.sets[c.Link], c)
		}
		s, ok := c.step.(sysctlStep)
		if !ok || c.owns.restored != nil {
			continue
		}
		if value, err := r.kernel.sysctl(s.key); err == nil {
			c.owns.was = map[string]string{sysctlProperty + s.key: value}
		}
	}
	r.ledger.intend(changes, r.at)
	return r.save(r.ledger.owned())
}

// one makes a change, or queues it.
func (r *run) one(ctx context.Context, c *Change) error {
	if why := r.waitsFor(c); why != "" {
		r.refuse(c, fmt.Errorf("not tried, since %s", why))
		return nil
	}
	switch s := c.step.(type) {
	case nil:
		if err := r.flush(ctx); err != nil {
			return err
		}
		if !r.spoilt[c.Link] {
			r.done(c)
		}
		return nil
	case sysctlStep:
		if err := r.flush(ctx); err != nil {
			return err
		}
		r.settle(c, r.kernel.setSysctl(s.key, s.value))
		return nil
	}
	requests, err := c.step.requests(r.at)
	if errors.Is(err, ErrNotExist) && len(r.batch) > 0 {
		if err := r.flush(ctx); err != nil {
			return err
		}
		if why := r.waitsFor(c); why != "" {
			r.refuse(c, fmt.Errorf("not tried, since %s", why))
			return nil
		}
		requests, err = c.step.requests(r.at)
	}
	if err != nil {
		r.refuse(c, err)
		return nil
	}
	if r.requests+len(requests) > mostRequests {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	r.batch, r.requests = append(r.batch, queued{c, requests}), r.requests+len(requests)
	if c.owns.removes {
		delete(r.at, c.Link) // what comes next is about the link that takes its name
	}
	return nil
}

// waitsFor returns why a change cannot be made, or "".
func (r *run) waitsFor(c *Change) string {
	if why := r.dead[c.Link]; why != "" {
		return why
	}
	for _, name := range c.needs {
		if why := r.dead[name]; why != "" {
			return why
		}
	}
	return ""
}

// flush sends what is queued, and reads the answers.
func (r *run) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	all := make([]request, 0, r.requests)
	for _, q := range r.batch {
		all = append(all, q.requests...)
	}
	replies, err := r.kernel.send(ctx, all)
	if err != nil {
		return err
	}
	created := false
	for _, q := range r.batch {
		err := replies[0].err
		if len(q.requests) > 1 && err == nil {
			err = r.made(q.Change, replies[1])
			created = true
		}
		r.settle(q.Change, err)
		replies = replies[len(q.requests):]
	}
	r.batch, r.requests = nil, 0
	if created {
		return r.save(r.ledger.owned())
	}
	return nil
}

// made notes the index of a new link, and of a veth's other end.
func (r *run) made(c *Change, answer reply) error {
	if answer.err != nil {
		return fmt.Errorf("read it back: %w", answer.err)
	}
	r.at[c.Link] = uint32(answer.link.Index)
	if peer := c.step.(createStep).peer; peer != "" {
		r.at[peer] = answer.link.ParentIndex()
	}
	for _, later := range r.sets[c.Link] {
		r.ledger.byName[c.Link].remember(later.owns.sets, propertyOf(answer.link, later.owns.sets))
	}
	return nil
}

// propertyOf is a property as it is, in the text of OwnedLink.Was.
func propertyOf(l *rtnl.Link, property string) string {
	switch property {
	case propertyMTU:
		return strconv.FormatUint(uint64(l.MTU), 10)
	case propertyQueue:
		if l.TxQueueLength == nil {
			return "0"
		}
		return strconv.FormatUint(uint64(*l.TxQueueLength), 10)
	case propertyMAC:
		return net.HardwareAddr(l.MAC).String()
	case propertyPromiscuous, propertyMulticast:
		return onOff(l.Flags&linkFlags[property] != 0)
	}
	return ""
}

// settle notes what came of a change.
func (r *run) settle(c *Change, err error) {
	switch {
	case err == nil || c.step.done(err):
		r.done(c)
	case errors.Is(err, unix.ENODEV):
		r.refuse(c, errors.Join(ErrNotExist, err)) // it went away since it was read
	default:
		r.refuse(c, err)
	}
}

func (r *run) done(c *Change) {
	r.out.Done = append(r.out.Done, *c)
	r.ledger.settle(*c, r.at)
}

func (r *run) refuse(c *Change, err error) {
	r.spoilt[c.Link] = true
	if c.owns.creates {
		r.ledger.forget(c.Link)
		why := fmt.Sprintf("%s %s was refused", c.Text, c.Link)
		r.dead[c.Link] = why
		if s, ok := c.step.(createStep); ok && s.peer != "" {
			r.dead[s.peer] = why
		}
	}
	r.out.Refused = append(r.out.Refused, Refused{*c, c.failed(err)})
}
