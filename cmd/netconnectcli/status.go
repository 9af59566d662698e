package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) statusCommand() *cobra.Command {
	var all, watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the device is connected",
		Long: `Show how the device is connected: the present state, its reasons, and what the
daemon will do next.

With --watch the command goes on until it is interrupted. On a terminal it draws the
page anew whenever the status changes; elsewhere it prints a line for each change,
and with -j a reply.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch {
				return a.watchStatus(cmd.Context(), all)
			}
			return a.call(cmd.Context(), "status", nil, func(result json.RawMessage) error {
				return a.showStatus(result, all)
			})
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on and show changes, until interrupted")
	cmd.Flags().BoolVar(&all, "all", false, "show all networks and clients, even if there are many")
	return cmd
}

func (a *app) showStatus(result json.RawMessage, all bool) error {
	status, err := decodeStatus(result)
	if err != nil {
		return err
	}
	p := page{out: a.out, colour: colourful(a.out), all: all}
	p.status(status, time.Now())
	return p.err
}

const (
	// fewNetworks and fewClients are numbers that a person takes in at a glance, and
	// that leave room on the screen for the rest of the page.
	fewNetworks = 8
	fewClients  = 10
)

// status writes the page for people: the present state, its reasons, and what comes
// next.
func (p *page) status(s client.Status, now time.Time) {
	failed := failedProbe(s)
	p.row("Uplink", uplinkState(s.Uplink, failed), uplinkText(s.Uplink, failed))
	p.row("Access point", accessPointState(s.AccessPoint), conditionText(s.AccessPoint.Condition))
	if text := onAirText(s.AccessPoint); text != "" {
		p.row("", cell{}, text)
	}
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
	p.row("Saved", cell{}, p.savedText(s.Wifi))
	if t := s.Trial; t != nil {
		p.row("On trial", cell{text: "the configuration", tone: waiting}, fmt.Sprintf("by %s; the earlier one is in force again %s, unless netconnectcli confirm comes before", t.By, when(t.Seconds, now)))
	}
	p.problems(s.Problems)
	p.row("Version", cell{}, s.Version)
	p.uplinks(s)
	p.clients(s.AccessPoint.Clients)
}

// problems writes which other programs are in the way, and the remedies.
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
	shown := list
	if !p.all && len(list) > fewClients {
		shown = list[:fewClients]
	}
	for _, c := range shown {
		table = append(table, []cell{{text: cmp.Or(c.Name, "-")}, {text: cmp.Or(c.IP, "-")}, {text: c.Address}, {text: ago(c.Seconds)}})
	}
	p.table(table, nil)
	if n := len(list) - len(shown); n > 0 {
		p.line(andMore(n))
	}
}

// andMore returns the last line of a list from which n rows are left out.
func andMore(n int) string { return fmt.Sprintf("and %d more (status --all)", n) }
