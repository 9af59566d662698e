// Package metrics counts what happens to the network and gives it as text for
// Prometheus. The counters are in memory and begin at zero with the daemon,
// which Prometheus takes for what it is, a reset.
//
// Every label has a fixed set of values. SSIDs, interfaces and reasons are none
// of them: strangers choose SSIDs, and each new value is a time series more.
package metrics

import (
	"slices"
	"sync"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// Joined is the result of an attempt to join a network that worked, and
// Abandoned that of one which something else ended before it was decided: a
// time limit, another wish of somebody's, the end of the daemon. The other
// results are the codes of docs/protocol.md.
const (
	Joined    = "joined"
	Abandoned = "abandoned"
	other     = "other" // a code that is not in results
)

// The values of the labels. Each of them is there from the start: a counter
// that appears with a 1 has no increase that could be seen.
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

// joinBounds are the upper bounds of the histogram of joins that worked, in
// seconds: most take 2 to 6, slow routers 20, and wifi.join_timeout ends them
// at 45.
var joinBounds = [...]float64{2, 5, 10, 20, 45}

// Metrics are the counters. Its methods may be called by anybody, and wait for
// nothing but each other's arithmetic.
type Metrics struct {
	mu sync.Mutex
	counts
}

// counts is a value: a copy of it is a moment that does not change any more.
type counts struct {
	version string
	started time.Time

	configWrong bool

	backend, country string

	uplink      string
	uplinkSince time.Time
	portal      bool
	online      time.Duration // of the stays that are over
	lost        uint64

	accessPoint string
	clients     int
	starts      [len(causes)]uint64

	joins        [len(results)]uint64
	joinSeconds  float64
	joinDuration [len(joinBounds)]uint64 // up to the bound, and above the one before

	probes, probeFailures uint64
	childFailures         [len(roles)]uint64
}

// New makes the metrics of a daemon of that version that starts now.
func New(version string) *Metrics {
	return &Metrics{counts: counts{version: version, started: time.Now()}}
}

// ConfigLoaded notes whether nothing was wrong with the configuration when it was
// read.
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

// Radio notes who joins networks, and whose rules the radio obeys.
func (m *Metrics) Radio(backend, country string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.backend, m.country = backend, country
}

// Join counts an attempt to join a network by its result, and how long it took
// if that is Joined.
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

// Probe counts a probe of an uplink; err is why it failed.
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

// count adds one to what is counted of a label's value.
func count(of []uint64, values []string, value string) {
	if i := slices.Index(values, value); i >= 0 {
		of[i]++
	}
}
