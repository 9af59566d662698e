package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how the device is connected",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), "status", nil, a.showStatus)
		},
	}
}

func (a *app) showStatus(result json.RawMessage) error {
	var status client.Status
	if err := json.Unmarshal(result, &status); err != nil {
		return fmt.Errorf("decode status: %w", err)
	}
	p := page{out: a.out, colour: colourful(a.out)}
	p.status(status, time.Now())
	return p.err
}

// status is for people: what is, why, and what comes next.
func (p *page) status(s client.Status, now time.Time) {
	p.row("Uplink", uplinkState(s.Uplink), conditionText(s.Uplink.Condition))
	p.row("Access point", accessPointState(s.AccessPoint), conditionText(s.AccessPoint.Condition))
	for i, n := range s.Next {
		name := "Next"
		if i > 0 {
			name = ""
		}
		p.row(name, cell{}, when(n.Seconds, now)+": "+n.Text)
	}
	p.row("Wi-Fi", cell{}, wifiText(s.Wifi))
	if e := s.Wifi.LastError; e != nil {
		p.row("Last error", cell{}, failureText(*e))
	}
	if s.Wifi.Candidate != nil {
		p.row("To try", cell{}, quote(*s.Wifi.Candidate))
	}
	p.row("Saved", cell{}, savedText(s.Wifi.Networks))
	p.problems(s.Problems)
	p.row("Version", cell{}, s.Version)
	p.uplinks(s)
	p.clients(s.AccessPoint.Clients)
}

// problems tells what other programs have put in the way, and what to do.
func (p *page) problems(list []client.Problem) {
	for _, problem := range list {
		p.row("Problem", cell{text: problem.Code, tone: bad}, problem.Text)
		p.row("", cell{}, problem.Remedy)
	}
}

func (p *page) uplinks(s client.Status) {
	if len(s.Uplinks) == 0 {
		return
	}
	table := [][]cell{{{text: "UPLINK"}, {text: "STATE"}, {text: "GATEWAY"}, {text: "LAST PROBE"}}}
	var below []string
	for _, u := range s.Uplinks {
		gateway := u.Gateway
		if gateway == "" {
			gateway = "-"
		}
		table = append(table, []cell{{text: u.Name}, interfaceState(u, s.Connections.AP), {text: gateway}, probeText(u.Probe)})
		more := strings.Join(u.Addresses, ", ")
		if u.Probe != nil && !u.Probe.OK {
			more = strings.TrimPrefix(more+"\n"+u.Probe.Reason, "\n")
		}
		below = append(below, more)
	}
	p.table(table, below)
}

func (p *page) clients(list []client.Station) {
	if len(list) == 0 {
		return
	}
	table := [][]cell{{{text: "CLIENT"}, {text: "ADDRESS"}, {text: "MAC"}, {text: "FOR"}}}
	for _, c := range list {
		table = append(table, []cell{{text: cmp.Or(c.Name, "-")}, {text: cmp.Or(c.IP, "-")}, {text: c.Address}, {text: ago(c.Seconds)}})
	}
	p.table(table, nil)
}

func uplinkState(u client.Uplink) cell {
	c := cell{text: u.State, tone: waiting}
	switch u.State {
	case "online":
		c.tone = good
	case "lost":
		c.tone = bad
	}
	if u.Interface != "" {
		c.text += " by " + u.Interface
	}
	if u.Portal {
		c.text += ", behind a portal"
	}
	return c
}

func accessPointState(ap client.AccessPoint) cell {
	switch ap.State {
	case "off":
		return cell{text: ap.State}
	case "up":
		return cell{text: fmt.Sprintf(`%s as "%s"`, ap.State, ap.SSID), tone: good}
	}
	return cell{text: fmt.Sprintf(`%s as "%s"`, ap.State, ap.SSID), tone: waiting}
}

// interfaceState says what an interface is to the device; the radio may be the
// access point.
func interfaceState(u client.Interface, ap bool) cell {
	switch {
	case u.Kind == "wifi" && ap:
		return cell{text: "access point"}
	case u.Works:
		return cell{text: "works", tone: good}
	case !u.Carrier:
		return cell{text: "no carrier"}
	case len(u.Addresses) == 0:
		return cell{text: "no address", tone: waiting}
	case u.Probe != nil && !u.Probe.OK:
		return cell{text: "does not work", tone: bad}
	case u.Gateway == "":
		return cell{text: "no gateway", tone: waiting}
	}
	return cell{text: "not probed yet", tone: waiting}
}

func probeText(p *client.Probe) cell {
	switch {
	case p == nil:
		return cell{text: "-"}
	case p.OK:
		return cell{text: "passed " + ago(p.Seconds) + " ago", tone: good}
	}
	return cell{text: fmt.Sprintf("failed %s ago, %d in a row", ago(p.Seconds), p.Failures), tone: bad}
}

// conditionText is "for 3m: reason".
func conditionText(c client.Condition) string {
	text := ""
	if !c.Since.IsZero() {
		text = "for " + ago(c.Seconds)
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return text
}

// soon is when seconds are easier to grasp than a time of day.
const soon = 10 * 60

// when writes a time to come for people: "in 9s", "at 18:04".
func when(seconds int64, now time.Time) string {
	if seconds < soon {
		return "in " + ago(seconds)
	}
	return "at " + now.Add(time.Duration(seconds)*time.Second).Local().Format("15:04")
}

func failureText(f client.Failure) string {
	text := f.Text + " (" + f.Code + ")"
	if f.Network != nil {
		text = quote(*f.Network) + ": " + text
	}
	return text
}

func wifiText(w client.Wifi) string {
	if !w.Present {
		return "no radio"
	}
	text := "not connected"
	if w.CurrentSSID != nil {
		text = `"` + *w.CurrentSSID + `"`
		if w.Signal != nil {
			text += fmt.Sprintf(", %d dBm", *w.Signal)
		}
		if w.Frequency != 0 {
			text += fmt.Sprintf(", %d MHz", w.Frequency)
		}
		if w.CurrentAddress != nil {
			text += ", cell " + *w.CurrentAddress
		}
	}
	if w.Backend != "" {
		text += ", by " + w.Backend
	}
	if w.Country != "" {
		text += ", country " + w.Country
	}
	return text
}

func savedText(networks []client.Network) string {
	var names []string
	for _, n := range networks {
		names = append(names, quote(n))
	}
	return orNone(strings.Join(names, ", "))
}

func quote(n client.Network) string { return `"` + n.SSID + `"` }

// printBSS prints cells as a table.
func printBSS(out io.Writer, list []client.BSS) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SSID\tSIGNAL\tCHANNEL\tSECURITY\tADDRESS")
	for _, b := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", ssidText(b), signalText(b), b.Channel, securityText(b), printable(b.Address))
	}
	return w.Flush()
}

func ssidText(b client.BSS) string {
	if b.SSID == "" {
		return "(hidden)"
	}
	return printable(b.SSID)
}

func signalText(b client.BSS) string {
	if b.Signal == nil {
		return "?"
	}
	return fmt.Sprintf("%d dBm", *b.Signal)
}

func securityText(b client.BSS) string {
	switch {
	case b.Security != "":
		return printable(b.Security)
	case b.Encrypted:
		return "encrypted"
	}
	return "open"
}
