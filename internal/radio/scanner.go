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
	// scanAge is how old a list of cells may be that is returned instead of
	// scanning: front ends poll every 30 s, and each scan disturbs the clients of
	// the access point.
	scanAge = 45 * time.Second
	// scanLimit is how long a client waits for a scan. The cells heard so far are
	// then the result, as a scan of all channels may take much longer while the
	// radio is associated.
	scanLimit = 12 * time.Second
	// failureAge is how long the error of a failed scan answers further requests
	// for a list, so that a client that asks in a loop does not keep the radio busy.
	failureAge = 3 * time.Second
)

// ErrCannotScan is the error of a radio that cannot scan while it is an access point.
var ErrCannotScan = errors.New("the radio cannot scan while it is an access point")

// scanner makes one scan at a time and remembers the results. A request during a
// scan waits for that scan and shares its result.
//
// The search for saved networks has priority. If the scan that it has waited for
// fails, it scans again itself, and no client starts a scan until failureAge is over.
type scanner struct {
	scan     func(context.Context, wifi.ScanRequest) ([]wifi.BSS, error)
	iface    func() string
	networks func() NetworkStore

	last atomic.Pointer[scanResults]

	mu      sync.Mutex  // guards the fields below; it is not held during a scan
	running *sharedScan // nil: no scan runs
	failed  *sharedScan // the last scan, if it failed
}

// sharedScan is one scan. The fields after done may be read once done is closed.
type sharedScan struct {
	wifi.ScanRequest
	done  chan struct{}
	cells []wifi.BSS
	err   error
	ended time.Time
	left  bool // its caller gave up, so err is not the radio's
}

// covers reports whether the result of l also answers req.
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

// seen returns the results of the last scan if they are younger than age.
func (s *scanner) seen(age time.Duration) ([]wifi.BSS, bool) {
	last := s.last.Load()
	if last == nil || time.Since(last.taken) >= age {
		return nil, false
	}
	return last.cells, true
}

func (s *scanner) remember(cells []wifi.BSS) { s.last.Store(&scanResults{cells, time.Now()}) }

// hintAge is how old the results of a scan may be to choose the first channel of the
// next scan: routers stay on their channel for days.
const hintAge = time.Hour

// frequency returns where the network's signal was best, in MHz; 0 if the network
// was not seen.
func (s *scanner) frequency(ssid []byte) int {
	cells, _ := s.seen(hintAge)
	found := CellsOf(cells, ssid)
	if len(found) == 0 {
		return 0
	}
	return slices.MaxFunc(found, func(a, b wifi.BSS) int { return cmp.Compare(a.Signal, b.Signal) }).Frequency
}

// request scans, or waits for a running scan that covers the request. With first,
// the failure of another caller's scan is no answer, and request scans itself.
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

// carryOut scans and keeps the result. Cells heard before the time was over count as
// a success.
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

// SavedVisible implements supervisor.Scanner. If the radio cannot scan while it is
// an access point, all saved networks count as visible: the only way to find out is
// to try to join, and the policy's back-off spaces the attempts.
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

// frequencies returns where the networks were seen last. It returns nil, which
// stands for all channels, if that is unknown for any network.
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

// list returns the cells in reach: the recent results, or else those of a new scan.
// If the radio cannot scan while it is an access point, list returns the last
// results whatever their age.
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

// isAP asks the kernel whether the radio is an access point now. hostapd may have
// changed that before the daemon knows.
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
