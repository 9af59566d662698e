// Package metrics counts events of the network and returns the counters as text for
// Prometheus. The counters are in memory and begin at zero with each start of the
// daemon, which Prometheus recognises as a reset.
//
// Every label has a fixed set of values. SSIDs, interfaces and reasons are no labels:
// each new value would be a new time series, and strangers choose SSIDs.
package metrics

import (
	"slices"
	"sync"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// Joined is the result of an attempt to join a network that succeeded. Abandoned is
// the result of an attempt that was ended before its outcome was known: by a time
// limit, another command, or the end of the daemon. The other results are the codes
// of docs/protocol.md.
const (
	Joined    = "joined"
	Abandoned = "abandoned"
	other     = "other" // a code that is not in results
)

// The values of the labels. The counter of each value exists from the start, as
// Prometheus sees no increase in a counter that first appears with a 1.
var (
	uplinkStates      = [...]string{"starting", "online", "joining", "lost"}
	accessPointStates = [...]string{"off", "starting", "up", "stopping"}
	causes            = [...]string{"fallback", "asked", "always"}
	roles             = [...]string{"hostapd", "dnsmasq", "wpa_supplicant"}
	results           = [...]string{
		Joined, Abandoned, client.CodeWrongKey, client.CodeSecurityMismatch, client.CodeUnsupported, client.CodeServerNotTrusted, client.CodeRejected, client.CodeNotFound, client.CodeLost,
		client.CodeNoAddress, client.CodeNoGateway, client.CodeRadioOff, client.CodeRadioFailed, client.CodeNoRadio, client.CodeNotConfigured, client.CodeTimeout, client.CodeInternal, other,
	}
)

// joinBounds are the upper bounds of the histogram of successful joins, in seconds:
// most joins take 2 to 6, with slow routers 20, and wifi.join_timeout ends them at 45.
var joinBounds = [...]float64{2, 5, 10, 20, 45}

// Metrics are the counters. Its methods may be called concurrently, and wait for
// nothing but a short lock.
type Metrics struct {
	mu sync.Mutex
	counts
}

// counts has no pointers, so that copying it takes a snapshot of all counters.
type counts struct {
	version string
	started time.Time

	configWrong bool

	backend, country string

	uplink      string
	uplinkSince time.Time
	portal      bool
	online      time.Duration // total of the periods that are over
	lost        uint64

	accessPoint string
	clients     int
	starts      [len(causes)]uint64

	joins        [len(results)]uint64
	joinSeconds  float64
	joinDuration [len(joinBounds)]uint64 // above the previous bound, and up to this one

	probes, probeFailures uint64
	childFailures         [len(roles)]uint64
}

// New returns the metrics of a daemon of that version that starts now.
func New(version string) *Metrics {
	return &Metrics{counts: counts{version: version, started: time.Now()}}
}

// ConfigLoaded notes whether the configuration was right when it was last read.
func (m *Metrics) ConfigLoaded(right bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.configWrong = !right
}

// Uplink notes the state of the uplink; portal says that a portal answers in
// place of the Internet.
func (m *Metrics) Uplink(state string, portal bool) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.portal = portal
	if state == m.uplink {
		return
	}
	if m.uplink == "online" {
		m.online += now.Sub(m.uplinkSince)
		m.lost++
	}
	m.uplink, m.uplinkSince = state, now
}

// AccessPoint notes the state of the access point, and why there is one.
func (m *Metrics) AccessPoint(state, cause string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state == "up" && m.accessPoint != "up" {
		count(m.starts[:], causes[:], cause)
	}
	if state != "up" && m.accessPoint == "up" {
		m.clients = 0
	}
	m.accessPoint = state
}

// Clients notes how many stations are on the access point.
func (m *Metrics) Clients(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clients = n
}

// Radio notes which backend joins networks, and the country whose rules the radio
// obeys.
func (m *Metrics) Radio(backend, country string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.backend, m.country = backend, country
}

// Join counts an attempt to join a network by its result. If the result is Joined, it
// also notes how long the attempt took.
func (m *Metrics) Join(result string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(results[:], result) {
		result = other
	}
	count(m.joins[:], results[:], result)
	if result != Joined {
		return
	}
	m.joinSeconds += took.Seconds()
	for i, bound := range joinBounds {
		if took.Seconds() <= bound {
			m.joinDuration[i]++
			break
		}
	}
}

// Probe counts a probe of an uplink. err is why the probe failed, nil if it passed.
func (m *Metrics) Probe(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probes++
	if err != nil {
		m.probeFailures++
	}
}

// ChildFailed counts a program that died or hung.
func (m *Metrics) ChildFailed(role string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(m.childFailures[:], roles[:], role)
}

// count adds one to the counter of a label's value.
func count(of []uint64, values []string, value string) {
	if i := slices.Index(values, value); i >= 0 {
		of[i]++
	}
}
