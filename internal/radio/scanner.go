package radio

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

const (
	// scanAge is how old a list of cells may be to be served instead of a
	// scan: front ends poll every 30 s, and each scan disturbs who is served.
	scanAge = 45 * time.Second
	// scanLimit is when a list is made of what was heard so far: beside an
	// association, a scan of all channels may take longer than anybody waits.
	scanLimit = 12 * time.Second
	// failureAge is how long a scan that failed answers those who only want a
	// list: a client that asks in a loop must not keep the radio at it.
	failureAge = 3 * time.Second
)

// ErrCannotScan says that the radio cannot scan while it is an access point.
var ErrCannotScan = errors.New("the radio cannot scan while it is an access point")

// scanner looks around, one scan at a time, and remembers what it saw. Whoever
// asks while a scan runs waits for that scan and has its result.
//
// The search for saved networks comes first: where the scan that it waited for
// has failed it scans itself, and nobody else scans until failureAge is over.
type scanner struct {
	scan     func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error)
	iface    func() string
	networks func() NetworkStore

	last atomic.Pointer[scanResults]

	mu      sync.Mutex  // guards what follows; nobody scans under it
	running *sharedScan // nil: nobody scans
	failed  *sharedScan // the latest, where that failed
}

// sharedScan is one scan. What comes after done is for those who have seen done closed.
type sharedScan struct {
	wifi.ScanRequest
	done  chan struct{}
	cells []wifi.BSS
	err   error
	ended time.Time
	left  bool // its caller gave up, so the error says nothing of the radio
}

// covers reports whether the result of l answers req, too.
func (l *sharedScan) covers(req wifi.ScanRequest) bool {
	return l != nil && l.Interface == req.Interface && l.AP == req.AP && (l.Frequencies == nil || req.Frequencies != nil)
}

func newScanner(scan func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error), iface func() string, networks func() NetworkStore) *scanner {
	return &scanner{scan: scan, iface: iface, networks: networks}
}

// scanResults are the cells that a scan of all channels has seen.
type scanResults struct {
	cells []wifi.BSS
	taken time.Time
}

// seen is what was seen last, within age.
func (s *scanner) seen(age time.Duration) ([]wifi.BSS, bool) {
	last := s.last.Load()
	if last == nil || time.Since(last.taken) >= age {
		return nil, false
	}
	return last.cells, true
}

func (s *scanner) remember(cells []wifi.BSS) { s.last.Store(&scanResults{cells, time.Now()}) }

// hintAge is how old the results of a scan may be to tell where to look first: routers stay
// on their channel for days.
const hintAge = time.Hour

// frequency is where the network was seen best, in MHz; 0 if it was not.
func (s *scanner) frequency(ssid []byte) int {
	cells, _ := s.seen(hintAge)
	found := CellsOf(cells, ssid)
	if len(found) == 0 {
		return 0
	}
	return slices.MaxFunc(found, func(a, b wifi.BSS) int { return cmp.Compare(a.Signal, b.Signal) }).Frequency
}

// request scans, or waits for the scan that runs and covers the request. With first
// the failure of a scan that somebody else has begun is no answer.
func (s *scanner) request(ctx context.Context, req wifi.ScanRequest, first bool) ([]wifi.BSS, error) {
	for {
		s.mu.Lock()
		running, failed := s.running, s.failed
		if running == nil && (first || !failed.covers(req) || time.Since(failed.ended) >= failureAge) {
			own := &sharedScan{ScanRequest: req, done: make(chan struct{})}
			s.running = own
			s.mu.Unlock()
			if !first {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, scanLimit)
				defer cancel()
			}
			s.carryOut(ctx, own)
			return own.cells, own.err
		}
		s.mu.Unlock()
		if running == nil {
			return failed.cells, failed.err
		}
		select {
		case <-running.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if running.covers(req) && !running.left && (running.err == nil || !first) {
			return running.cells, running.err
		}
	}
}

// carryOut scans and keeps what came of it. What was heard until the
// time was over is good enough.
func (s *scanner) carryOut(ctx context.Context, l *sharedScan) {
	l.cells, l.err = s.scan(ctx, l.ScanRequest)
	if errors.Is(l.err, context.DeadlineExceeded) && len(l.cells) > 0 {
		l.err = nil
	}
	if l.err == nil && l.Frequencies == nil {
		s.remember(l.cells)
	}
	l.ended, l.left = time.Now(), errors.Is(ctx.Err(), context.Canceled)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
	switch {
	case l.err == nil:
		s.failed = nil
	case !l.left:
		s.failed = l
	}
	close(l.done)
}

// SavedVisible implements supervisor.Scanner. A radio that cannot scan while
// it is an access point cannot look before it leaps, so there the networks
// count as visible; the policy's back-off spaces the attempts.
func (s *scanner) SavedVisible(ctx context.Context, full bool) ([]string, error) {
	saved := s.networks().Networks()
	if len(saved) == 0 {
		return nil, nil
	}
	req := wifi.ScanRequest{Interface: s.iface(), AP: s.isAP(ctx)}
	if !full {
		req.Frequencies = frequencies(saved)
	}
	cells, err := s.request(ctx, req, true)
	if err != nil && !errors.Is(err, wifi.ErrNotSupported) {
		return nil, err
	}
	var visible []string
	for _, n := range saved {
		if err != nil || len(CellsOf(cells, n.SSID)) > 0 {
			visible = append(visible, string(n.SSID))
		}
	}
	return visible, nil
}

// frequencies are those where the networks were seen last; none, which means
// all, if that is unknown of one.
func frequencies(of []store.Network) []int {
	var all []int
	for _, n := range of {
		if n.Frequency == 0 {
			return nil
		}
		if !slices.Contains(all, n.Frequency) {
			all = append(all, n.Frequency)
		}
	}
	return all
}

// list returns the cells in reach: what was seen lately, else a new scan. On a
// radio that cannot scan while it is an access point, what was seen before.
func (s *scanner) list(ctx context.Context, fresh bool) ([]wifi.BSS, error) {
	if cells, ok := s.seen(scanAge); ok && !fresh {
		return cells, nil
	}
	cells, err := s.request(ctx, wifi.ScanRequest{Interface: s.iface(), AP: s.isAP(ctx)}, false)
	switch {
	case err == nil:
	case errors.Is(err, wifi.ErrNotSupported) && s.last.Load() != nil && !fresh:
		return s.last.Load().cells, nil
	case errors.Is(err, wifi.ErrNotSupported):
		return nil, ErrCannotScan
	}
	return cells, err
}

// isAP asks the kernel what the radio is at this moment, for which hostapd may
// be ahead of what the daemon knows.
func (s *scanner) isAP(ctx context.Context) bool { return isAccessPoint(ctx, s.iface()) }

func isAccessPoint(ctx context.Context, iface string) bool {
	radios, err := wifi.Radios(ctx)
	return err == nil && slices.ContainsFunc(radios, func(r wifi.Radio) bool {
		return r.Name == iface && r.Type == wifi.TypeAccessPoint
	})
}

// CellsOf returns the cells of a network.
func CellsOf(cells []wifi.BSS, ssid []byte) []wifi.BSS {
	var found []wifi.BSS
	for _, c := range cells {
		if bytes.Equal(c.SSID, ssid) {
			found = append(found, c)
		}
	}
	return found
}
