// Package supervisor is the shell around package policy: one goroutine owns
// the state, feeds it events and carries out its effects in lanes that never
// block it.
package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// Radio is what the radio lane drives.
type Radio interface {
	// Hold brings the radio to the target and keeps it there. It reports each
	// stage of each part of the target as it is reached. It returns when ctx ends,
	// leaving what it made in place, or when the target cannot be reached or held,
	// with a *Failed.
	Hold(ctx context.Context, t policy.Target, report func(policy.Part, policy.Stage)) error
}

// Prober probes uplinks.
type Prober interface {
	// Probe returns nil if the far end of the uplink answers. portal is true if a
	// captive portal answered in place of the Internet.
	Probe(ctx context.Context, u policy.Uplink) (portal bool, err error)
}

// Scanner looks for the saved networks, also while the radio is an access point.
type Scanner interface {
	// SavedVisible returns the SSIDs of the saved networks that are in reach; full
	// asks for a scan of all channels.
	SavedVisible(ctx context.Context, full bool) ([]string, error)
}

// Networks is where the networks are kept.
type Networks interface {
	Promote(ctx context.Context) error
	Forget(ctx context.Context) error
	// Joined records how an attempt to join a saved network ended.
	Joined(ctx context.Context, n policy.Network, failed bool) error
}

// Failed is the error of a Radio that abandons a target.
type Failed struct{ policy.Failure }

func (f *Failed) Error() string { return f.Code + ": " + f.Reason }

// Config are a Supervisor's parts.
type Config struct {
	Policy   policy.Config
	Radio    Radio
	Prober   Prober
	Scanner  Scanner
	Networks Networks
	Log      *slog.Logger
	// Changed is called in the loop after each step that changed one of the
	// two variables or the last failure, and after the first that knew the
	// links; it must not block.
	Changed func(old, new policy.State)
	// KeepAsked stores for the next run until when a start_ap command applies;
	// zero: there is none. If KeepAsked is nil, that time is not stored.
	KeepAsked func(ctx context.Context, until time.Time) error
	Watchdog  Watchdog
}

// Watchdog is fed by the loop itself. A loop that blocks, or a lane that does not
// return, therefore starves it.
type Watchdog struct {
	Every time.Duration // 0: there is no watchdog
	Feed  func()        // must not block
}

// Supervisor owns the state.
type Supervisor struct {
	Config
	inbox   chan message
	ended   chan struct{} // closed when the loop no longer reads the inbox
	state   atomic.Pointer[policy.State]
	radio   radioLane
	records recordLane
	waiting map[int]chan policy.Reply
	mu      sync.Mutex // of waiting
	lastID  int
	fedAt   time.Time // when feed last ran: it fed the watchdog, or skipped it for a late lane
	late    *overdue
}

// message is an event, with the channel that a command's reply goes to.
type message struct {
	event policy.Event
	reply chan policy.Reply
}

// New makes a Supervisor; Run starts it.
func New(c Config) *Supervisor {
	s := &Supervisor{
		Config:  c,
		inbox:   make(chan message),
		ended:   make(chan struct{}),
		waiting: map[int]chan policy.Reply{},
		late:    &overdue{log: c.Log},
	}
	s.records = recordLane{record: s.record, next: make(chan policy.Effect), done: make(chan struct{}), log: c.Log}
	s.state.Store(&policy.State{Config: c.Policy})
	s.radio = radioLane{radio: c.Radio, mailbox: make(chan policy.SetRadio, 1), late: s.late, log: c.Log}
	return s
}

// State returns the state after the last step. It never waits.
func (s *Supervisor) State() policy.State { return *s.state.Load() }

// Post hands the loop an event. It waits for the loop, not for the effects. It
// does nothing when the loop has ended.
func (s *Supervisor) Post(ctx context.Context, ev policy.Event) {
	select {
	case s.inbox <- message{event: ev}:
	case <-s.ended:
	case <-ctx.Done():
	}
}

// Do carries out a command and returns its result, or a *Failed. The loop sets the
// command's ID. The command goes on when ctx ends first, as a client that
// disconnects still wants what it asked for.
func (s *Supervisor) Do(ctx context.Context, c policy.Command) (string, error) {
	reply := make(chan policy.Reply, 1)
	select {
	case s.inbox <- message{event: c, reply: reply}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case r := <-reply:
		if r.Code != "" {
			return "", &Failed{r.Failure}
		}
		return r.Result, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Run is the loop. It returns nil when ctx has ended and all lanes have returned.
// Effects that wait to be recorded are still recorded, for up to drainLimit. A lane
// that does not return within endLimit is abandoned, and Run returns an error. The
// events of first come before any other, in their order.
func (s *Supervisor) Run(ctx context.Context, first ...policy.Event) (err error) {
	var lanes sync.WaitGroup
	defer func() { err = await(&lanes) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lanes.Go(func() { s.radio.run(ctx, s.Post) })
	recording, stop := context.WithCancel(context.WithoutCancel(ctx))
	lanes.Go(func() { s.records.run(recording) })
	defer s.records.drain(stop)
	defer close(s.ended)

	for _, ev := range first {
		s.step(ctx, &lanes, ev)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		stall()
		s.feed()
		s.arm(timer)
		var ev policy.Event = policy.Wake{}
		lane, record := s.records.offer()
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case m := <-s.inbox:
			ev = s.identify(m)
			s.catchUp(ctx, &lanes)
		case lane <- record:
			s.records.sent()
			continue
		}
		s.step(ctx, &lanes, ev)
	}
}

// catchUp lets due deadlines come before the event that has just arrived.
func (s *Supervisor) catchUp(ctx context.Context, lanes *sync.WaitGroup) {
	if due, ok := s.State().Deadline(); ok && !due.After(time.Now()) {
		s.step(ctx, lanes, policy.Wake{})
	}
}

func (s *Supervisor) arm(timer *time.Timer) {
	wait := time.Duration(1<<63 - 1)
	if due, ok := s.State().Deadline(); ok {
		wait = time.Until(due)
	}
	if s.Watchdog.Every > 0 {
		wait = min(wait, time.Until(s.fedAt.Add(s.Watchdog.Every)))
	}
	timer.Reset(wait)
}

// feed feeds the watchdog while the loop turns and no lane is late. It feeds early,
// after half the interval, when the loop turns anyway, which saves a wake-up.
func (s *Supervisor) feed() {
	if s.Watchdog.Every == 0 || time.Since(s.fedAt) <= s.Watchdog.Every/2 {
		return
	}
	if !s.late.any() {
		s.Watchdog.Feed()
	}
	s.fedAt = time.Now()
}

// identify sets the ID of a command, and keeps the channel for its reply.
func (s *Supervisor) identify(m message) policy.Event {
	c, ok := m.event.(policy.Command)
	if !ok {
		return m.event
	}
	s.lastID++
	c.ID = s.lastID
	s.mu.Lock()
	s.waiting[c.ID] = m.reply
	s.mu.Unlock()
	return c
}

func (s *Supervisor) step(ctx context.Context, lanes *sync.WaitGroup, ev policy.Event) {
	old := s.State()
	next, effects := policy.Step(old, time.Now(), ev)
	s.state.Store(&next)
	s.report(old, next)
	for _, e := range effects {
		s.perform(ctx, lanes, e)
	}
}

// report writes one line per transition.
func (s *Supervisor) report(old, next policy.State) {
	if old.Uplink.State != next.Uplink.State || old.Uplink.Name != next.Uplink.Name {
		s.Log.Info("uplink", "old", old.Uplink.State, "new", next.Uplink.State, "iface", next.Uplink.Name, "reason", next.Uplink.Reason)
	}
	if old.AP.State != next.AP.State {
		s.Log.Info("access point", "old", old.AP.State, "new", next.AP.State, "cause", next.AP.Cause, "reason", next.AP.Reason)
	}
	if old.Uplink != next.Uplink || old.AP != next.AP || old.LastFailure != next.LastFailure || old.LinksKnown() != next.LinksKnown() {
		s.Changed(old, next)
	}
}

func (s *Supervisor) perform(ctx context.Context, lanes *sync.WaitGroup, e policy.Effect) {
	switch e := e.(type) {
	case policy.SetRadio:
		s.radio.set(e)
	case policy.RunProbe:
		lanes.Go(func() { s.probe(ctx, e) })
	case policy.RunScan:
		lanes.Go(func() { s.scan(ctx, e) })
	default:
		s.records.add(e)
	}
}

// probeLimit and scanLimit are shorter than the time for which the policy waits for
// the results.
const (
	probeLimit = 10 * time.Second
	scanLimit  = 20 * time.Second
)

func (s *Supervisor) probe(ctx context.Context, e policy.RunProbe) {
	bounded, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	defer s.late.expect("probe of "+e.Uplink.Name, probeLimit+slack)()
	done := policy.ProbeDone{Uplink: e.Uplink.Name, Gen: e.Gen}
	portal, err := s.Prober.Probe(bounded, e.Uplink)
	done.Portal = portal
	if err != nil {
		done.Reason = err.Error()
		s.Log.Debug("probe", "iface", e.Uplink.Name, "gateway", e.Uplink.Gateway, "err", err)
	}
	s.Post(ctx, done)
}

func (s *Supervisor) scan(ctx context.Context, e policy.RunScan) {
	bounded, cancel := context.WithTimeout(ctx, scanLimit)
	defer cancel()
	defer s.late.expect("scan", scanLimit+slack)()
	visible, err := s.Scanner.SavedVisible(bounded, e.Full)
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("scan for the saved networks", "err", err)
	}
	s.Post(ctx, policy.ScanDone{Gen: e.Gen, Visible: visible})
}

// record writes to the store, or answers a command.
func (s *Supervisor) record(ctx context.Context, e policy.Effect) {
	switch e := e.(type) {
	case policy.Promote:
		if err := s.Networks.Promote(ctx); err != nil {
			s.Log.Error("save the network that has just worked", "err", err)
		}
	case policy.RecordJoin:
		if err := s.Networks.Joined(ctx, e.Network, e.Failed); err != nil {
			s.Log.Warn("record how joining a network ended", "err", err)
		}
	case policy.ForgetNetworks:
		if err := s.Networks.Forget(ctx); err != nil {
			s.Log.Error("forget the networks", "err", err)
		}
	case policy.KeepAsked:
		if s.KeepAsked == nil {
			return
		}
		if err := s.KeepAsked(ctx, e.Until); err != nil {
			s.Log.Warn("keep until when somebody wants the access point", "err", err)
		}
	case policy.Reply:
		s.mu.Lock()
		reply := s.waiting[e.ID]
		delete(s.waiting, e.ID)
		s.mu.Unlock()
		if reply != nil {
			reply <- e // the channel has room for this one reply
		}
	}
}

// failure converts an error of a Radio for the policy.
func failure(err error) policy.Failure {
	var f *Failed
	switch {
	case errors.As(err, &f):
		return f.Failure
	case err == nil:
		return policy.Failure{Code: client.CodeInternal, Reason: "the radio's work ended by itself"}
	}
	return policy.Failure{Code: client.CodeInternal, Reason: err.Error()}
}
