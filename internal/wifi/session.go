package wifi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

const (
	// joinLimit bounds an attempt: a hinted scan, a full one of up to 8 s, and
	// the 10 s that wpa_supplicant allows for authentication.
	joinLimit = 30 * time.Second

	// cleanLimit bounds the clean-up that must happen although ctx has ended.
	cleanLimit = 2 * time.Second

	// airAge is the age up to which a cell that was heard before an attempt counts.
	airAge = 30 * time.Second
)

// session is the connection to one running wpa_supplicant.
type session struct {
	child      child
	ctrl       *wpactrl.Conn
	socketPath string
	localDir   string
	log        *slog.Logger
	cells      func(ctx context.Context, age time.Duration) ([]BSS, error) // the cells that a scan heard within age
	strangers  map[string][]string                                         // by mark: strangers' cells that have our network's name
}

func (s *session) close() { s.ctrl.Close() }

// join makes one attempt with a network block of its own: an old block would bring
// its temporary disabling and its counters along. A block whose attempt did not
// succeed is removed, so that wpa_supplicant stops trying.
func (s *session) join(ctx context.Context, n Network, mark string) (Association, error) {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	ctx, stop := process.WhileAlive(ctx, s.child)
	defer stop()
	a, err := s.tryVariants(ctx, n, mark)
	if err == nil {
		s.log.Info("associated", "ssid", printable(n.SSID), "bssid", a.BSSID.String(), "mhz", a.Frequency, "pmf", a.PMF)
		return a, nil
	}
	if cause := context.Cause(ctx); errors.Is(cause, process.ErrEnded) {
		return Association{}, fmt.Errorf("join the network: %w", cause)
	}
	s.abandon(ctx)
	return Association{}, err
}

// unspecific reports whether a verdict says only that a variant was not on offer.
// Once a weaker variant was tried, such a verdict is no news.
func unspecific(verdict error) bool {
	var failed *JoinError
	return errors.As(verdict, &failed) && failed.lower && failed.Code == client.CodeSecurityMismatch
}

// tryVariants makes an attempt with each variant, as long as the failures are such
// that another variant may help, and the air shows no cell that supports a stronger
// one. The first verdict counts, unless a later one is more specific.
func (s *session) tryVariants(ctx context.Context, n Network, mark string) (a Association, verdict error) {
	begun := time.Now()
	variants := n.variants(s.abilities(ctx))
	s.forgetStrangers(n, mark, s.scanResults(ctx, airAge))
	// Without a hint, the search for SAE covers all channels. With a hint, a scan of
	// that one channel shows what the router offers now, and not half a minute ago.
	if n.Frequency == 0 && variants[0].strength == strong && len(variants) > 1 && n.mayWeaken(variants[1], variants[0], s.scanResults(ctx, airAge)) {
		variants = variants[1:]
	}
	for i, v := range variants {
		if i > 0 && v.strength < variants[i-1].strength && !n.mayWeaken(v, variants[0], s.scanResults(ctx, time.Since(begun)+airAge)) {
			s.log.Info("weaker security is not tried while the router offers better", "ssid", printable(n.SSID), "key_mgmt", v.keyMgmt, "pmf", v.pmf)
			break
		}
		a, err := s.attemptCells(ctx, n, mark, v, begun)
		if err == nil {
			a.PMF = v.pmf
			return a, nil
		}
		var failed *JoinError
		if !errors.As(err, &failed) {
			return a, err
		}
		if verdict == nil || failed.Code == client.CodeWrongKey || unspecific(verdict) {
			verdict = err
		}
		if !failed.lower {
			break
		}
		s.log.Info("not joined", "ssid", printable(n.SSID), "key_mgmt", v.keyMgmt, "pmf", v.pmf, "reason", failed.Reason)
	}
	return a, verdict
}

func (s *session) attempt(ctx context.Context, n Network, mark string, v variant) (Association, error) {
	if err := s.clear(ctx); err != nil {
		return Association{}, err
	}
	// We attach only now, so that the end of the association before does not count.
	events, err := wpactrl.Attach(ctx, s.socketPath, s.localDir)
	if err != nil {
		return Association{}, err
	}
	defer events.Close()
	selected := time.Now()
	id, err := s.add(ctx, n, mark, v)
	if err != nil {
		return Association{}, err
	}
	if s.disabled(ctx) {
		return Association{}, radioOff()
	}
	attempt := newAttempt(n, v, id)
	attempt.began = selected
	if err := s.follow(ctx, events, attempt); err != nil {
		return Association{}, err
	}
	if a, ok := s.associated(ctx, mark); ok {
		// By now wpa_supplicant has reported the whole key exchange: the router's
		// indication comes just after CTRL-EVENT-CONNECTED.
		for e, ok := events.Waiting(); ok; e, ok = events.Waiting() {
			attempt.event(e)
		}
		a.TransitionOver = attempt.transitionOver
		return a, nil
	}
	return Association{}, lowerError(client.CodeLost, "the association was lost at once")
}

// abilities asks what the radio can do. If wpa_supplicant does not report an ability,
// the radio counts as able: the attempt then fails with a reason.
func (s *session) abilities(ctx context.Context) abilities {
	can := func(what, name string) bool {
		reply, err := s.ctrl.Request(ctx, "GET_CAPABILITY "+what)
		return err != nil || slices.Contains(strings.Fields(reply), name)
	}
	// One method that wpa_supplicant does not know makes it refuse the others, too.
	reply, err := s.ctrl.Request(ctx, "GET_CAPABILITY key_mgmt")
	listed := func(name string) bool { return err == nil && slices.Contains(strings.Fields(reply), name) }
	return abilities{
		sae: can("key_mgmt", "SAE"), pmf: can("group_mgmt", "AES-128-CMAC"),
		ftPSK: listed("FT-PSK"), ftSAE: listed("FT-SAE"), ftEAP: listed("FT-EAP"),
	}
}

// clear removes every network, which ends an association, and makes wpa_supplicant
// forget which cells have failed. (wpa_supplicant keeps its count of failures in a
// row until an attempt succeeds: after four failures it disables a network at its
// first failure.)
func (s *session) clear(ctx context.Context) error {
	if err := s.stop(ctx); err != nil {
		return err
	}
	return s.try(ctx, "BLACKLIST clear") // the old name of BSSID_IGNORE; 2.9 to 2.11 accept it
}

// abandon makes wpa_supplicant stop its search. It also works after the end of ctx.
func (s *session) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	select {
	case <-s.child.Done():
		return
	default:
	}
	if err := s.stop(ctx); err != nil {
		s.log.Warn("network not removed from wpa_supplicant", "err", err)
	}
}

// stop removes every network and ends the scan for it, which would keep the radio
// busy for seconds.
func (s *session) stop(ctx context.Context) error {
	if _, err := s.ctrl.Request(ctx, "REMOVE_NETWORK all"); err != nil {
		return err
	}
	return s.try(ctx, "ABORT_SCAN") // refused when no scan runs
}

// try sends a command that wpa_supplicant may refuse.
func (s *session) try(ctx context.Context, cmd string) error {
	_, err := s.ctrl.Request(ctx, cmd)
	if refused := (*wpactrl.CommandError)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}

// add creates and selects the network and returns its id.
func (s *session) add(ctx context.Context, n Network, mark string, v variant) (id string, err error) {
	if id, err = s.ctrl.Request(ctx, "ADD_NETWORK"); err != nil {
		return "", err
	}
	for _, v := range n.settings(mark, v) {
		if err := s.set(ctx, id, v); err != nil {
			return "", err
		}
	}
	cmd := "SELECT_NETWORK " + id
	if ignored := s.strangers[mark]; len(ignored) > 0 {
		// This is the old name of bssid_ignore, as BLACKLIST is of BSSID_IGNORE.
		if err := s.try(ctx, "SET_NETWORK "+id+" bssid_blacklist "+strings.Join(ignored, " ")); err != nil {
			return "", err
		}
	}
	if n.Frequency != 0 {
		cmd += " freq=" + strconv.Itoa(n.Frequency) // holds for the first scan only
	}
	_, err = s.ctrl.Request(ctx, cmd)
	return id, err
}

// set changes a variable. A refusal means that this wpa_supplicant was built without
// what the network needs, for example without SAE.
func (s *session) set(ctx context.Context, id string, v setting) error {
	_, err := s.ctrl.Request(ctx, "SET_NETWORK "+id+" "+v.name+" "+v.value)
	var refused *wpactrl.CommandError
	if errors.As(err, &refused) {
		return joinError(client.CodeUnsupported, "this wpa_supplicant does not accept the network's %s", v.name)
	}
	return err
}

// follow carries out an attempt's decisions until there is a verdict.
func (s *session) follow(ctx context.Context, events *wpactrl.Events, a *attempt) error {
	begun := time.Now()
	var deadline time.Time // the end of the attempt's patience; zero: none
	for {
		e, quiet, err := listen(ctx, events, deadline)
		if err != nil {
			return s.overdue(ctx, a, err)
		}
		d := decision{}
		if quiet {
			d, deadline = a.quiet(), time.Time{}
		} else {
			d = a.event(e)
		}
		if d.do == readResults {
			age := time.Since(begun)
			if !a.full {
				age += airAge // includes cells that a scan of one channel cannot hear
			}
			d = a.judgeCells(s.scanResults(ctx, age))
		}
		switch d.do {
		case joined:
			return nil
		case giveUp:
			d.fail.cell = a.cell
			return d.fail
		case searchFull:
			if _, err := s.ctrl.Request(ctx, "SELECT_NETWORK "+a.id); err != nil {
				return err
			}
		}
		switch patience := a.patience(); {
		case patience == 0:
			deadline = time.Time{}
		case deadline.IsZero():
			deadline = time.Now().Add(patience)
		}
	}
}

// scanResults returns what the attempt's scans found. If the scan results cannot be read, a
// network that wpa_supplicant does not find counts as absent.
func (s *session) scanResults(ctx context.Context, age time.Duration) []BSS {
	cells, err := s.cells(ctx, age)
	if err != nil {
		s.log.Warn("scan results not read", "err", err)
	}
	return cells
}

// listen waits for the next event; quiet reports that none came before the deadline,
// if there is one.
func listen(ctx context.Context, events *wpactrl.Events, deadline time.Time) (e wpactrl.Event, quiet bool, err error) {
	limited := ctx
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		limited, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	e, err = events.Next(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return e, true, nil
	}
	return e, false, err
}

// overdue returns the verdict of an attempt whose time is over.
func (s *session) overdue(ctx context.Context, a *attempt, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("join the network: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	if s.disabled(ctx) {
		return radioOff()
	}
	return a.overdue()
}

// disabled reports whether the interface is disabled: wpa_supplicant then waits for
// it and sends no events.
func (s *session) disabled(ctx context.Context) bool {
	fields, err := s.status(ctx)
	return err == nil && fields["wpa_state"] == "INTERFACE_DISABLED"
}

func (s *session) status(ctx context.Context) (map[string]string, error) {
	reply, err := s.ctrl.Request(ctx, "STATUS")
	if err != nil {
		return nil, err
	}
	return wpactrl.Fields(reply), nil
}

// associated returns the association, if one exists with the network of that mark; ""
// matches any network.
func (s *session) associated(ctx context.Context, mark string) (Association, bool) {
	fields, err := s.status(ctx)
	if err != nil || fields["wpa_state"] != "COMPLETED" {
		return Association{}, false
	}
	if mark != "" && fields["id_str"] != mark {
		return Association{}, false
	}
	a := Association{SSID: wpactrl.Unescape(fields["ssid"])}
	a.BSSID, _ = net.ParseMAC(fields["bssid"])
	a.Frequency, _ = strconv.Atoi(fields["freq"])
	if reply, err := s.ctrl.Request(ctx, "SIGNAL_POLL"); err == nil {
		a.Signal, _ = strconv.Atoi(wpactrl.Fields(reply)["RSSI"])
	}
	return a, true
}

// errHung means that wpa_supplicant runs but does not answer.
