package metrics

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Text returns the current metrics in the text format 0.0.4 of
// https://prometheus.io/docs/instrumenting/exposition_formats/. signal is that of the
// network that the radio is in, in dBm, or nil.
func (m *Metrics) Text(signal *int) string {
	m.mu.Lock()
	c := m.counts
	m.mu.Unlock()
	p := &page{}
	c.write(p, time.Now())
	if signal != nil {
		p.gauge("netconnectd_wifi_signal_dbm", "Signal of the network that the radio is in.", float64(*signal))
	}
	writeProcess(p)
	return p.String()
}

func (c counts) write(p *page, now time.Time) {
	p.gauge("netconnectd_up", "Whether the daemon answers; netconnectcli metrics --textfile writes 0 when it does not.", 1)
	p.family("netconnectd_build_info", "gauge", "The daemon's version.")
	p.sample("netconnectd_build_info", 1, "version", c.version)
	p.gauge("netconnectd_start_time_seconds", "When the daemon started, by the device's clock, in seconds since 1970.", float64(c.started.Unix()))
	p.truth("netconnectd_config_last_load_successful", "Whether nothing was wrong with the configuration when it was read.", !c.configWrong)
	p.family("netconnectd_wifi_info", "gauge", "Who joins networks, and whose rules the radio obeys (00: those of the whole world).")
	p.sample("netconnectd_wifi_info", 1, "backend", c.backend, "country", c.country)
	c.writeUplink(p, now)
	c.writeAccessPoint(p)
	c.writeJoins(p)
	p.family("netconnectd_child_failures_total", "counter", "Programs that died or hung.")
	p.counts("netconnectd_child_failures_total", "role", roles[:], c.childFailures[:])
}

func (c counts) writeUplink(p *page, now time.Time) {
	p.states("netconnectd_uplink_state", "1 for the state that the uplink is in.", uplinkStates[:], c.uplink)
	p.truth("netconnectd_uplink_portal", "Whether a portal answers in place of the Internet.", c.portal)
	online := c.online
	if c.uplink == "online" {
		online += now.Sub(c.uplinkSince)
	}
	p.counter("netconnectd_uplink_online_seconds_total", "Time online.", online.Seconds())
	p.counter("netconnectd_uplink_lost_total", "Times that the last uplink that worked was lost.", float64(c.lost))
	p.counter("netconnectd_probes_total", "Probes of uplinks.", float64(c.probes))
	p.counter("netconnectd_probe_failures_total", "Probes of uplinks that failed.", float64(c.probeFailures))
}

func (c counts) writeAccessPoint(p *page) {
	p.states("netconnectd_access_point_state", "1 for the state that the access point is in.", accessPointStates[:], c.accessPoint)
	p.gauge("netconnectd_access_point_clients", "Stations on the access point.", float64(c.clients))
	p.family("netconnectd_access_point_starts_total", "counter", "Times that the access point came up.")
	p.counts("netconnectd_access_point_starts_total", "cause", causes[:], c.starts[:])
}

func (c counts) writeJoins(p *page) {
	p.family("netconnectd_join_attempts_total", "counter", "Attempts to join a Wi-Fi network that have ended.")
	p.counts("netconnectd_join_attempts_total", "result", results[:], c.joins[:])
	const name = "netconnectd_join_duration_seconds"
	p.family(name, "histogram", "From the begin of an attempt that worked to the answer of the network's gateway.")
	below := uint64(0)
	for i, bound := range joinBounds {
		below += c.joinDuration[i]
		p.sample(name+"_bucket", float64(below), "le", number(bound))
	}
	all := float64(c.joins[0])
	p.sample(name+"_bucket", all, "le", "+Inf")
	p.sample(name+"_sum", c.joinSeconds)
	p.sample(name+"_count", all)
}

// page is text in Prometheus' format.
type page struct{ strings.Builder }

func (p *page) family(name, kind, help string) {
	fmt.Fprintf(p, "# HELP %s %s\n# TYPE %s %s\n", name, helpEscapes.Replace(help), name, kind)
}

// sample writes one line; labels are names and values in turn.
func (p *page) sample(name string, value float64, labels ...string) {
	p.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		open := ","
		if i == 0 {
			open = "{"
		}
		fmt.Fprintf(p, `%s%s="%s"`, open, labels[i], labelEscapes.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")))
	}
	if len(labels) > 0 {
		p.WriteByte('}')
	}
	p.WriteString(" " + number(value) + "\n")
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

func (p *page) gauge(name, help string, value float64) {
	p.family(name, "gauge", help)
	p.sample(name, value)
}

// truth writes a gauge that is 1 or 0.
func (p *page) truth(name, help string, value bool) {
	one := 0.0
	if value {
		one = 1
	}
	p.gauge(name, help, one)
}

func (p *page) counter(name, help string, value float64) {
	p.family(name, "counter", help)
	p.sample(name, value)
}

// states writes a gauge for each possible state: 1 for the current state, is, and 0
// for all others.
func (p *page) states(name, help string, all []string, is string) {
	p.family(name, "gauge", help)
	for _, state := range all {
		value := 0.0
		if state == is {
			value = 1
		}
		p.sample(name, value, "state", state)
	}
}

func (p *page) counts(name, label string, values []string, counts []uint64) {
	for i, value := range values {
		p.sample(name, float64(counts[i]), label, value)
	}
}
