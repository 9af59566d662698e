package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

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
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, row := range statusRows(status) {
		fmt.Fprintf(w, "%s\t%s\n", row.name, printable(row.value))
	}
	return w.Flush()
}

type row struct{ name, value string }

func statusRows(s client.Status) []row {
	rows := []row{{"Uplink", uplinkText(s.Uplink)}}
	if len(s.Uplink.Addresses) > 0 {
		rows = append(rows, row{"Addresses", strings.Join(s.Uplink.Addresses, ", ")})
	}
	rows = append(rows, row{"Links", orNone(strings.Join(s.Devs, ", "))}, row{"Wi-Fi", wifiText(s.Wifi)})
	if s.Wifi.Candidate != nil {
		rows = append(rows, row{"To try", quote(*s.Wifi.Candidate)})
	}
	rows = append(rows, row{"Saved", savedText(s.Wifi.Networks)})
	if e := s.Wifi.LastError; e != nil {
		rows = append(rows, row{"Last error", failureText(*e)})
	}
	rows = append(rows, row{"Access point", accessPointText(s.AccessPoint)})
	for _, station := range s.AccessPoint.Clients {
		rows = append(rows, row{"", strings.TrimSpace(station.Address + " " + station.IP)})
	}
	return append(append(rows, problemRows(s.Problems)...), row{"Version", s.Version})
}

// problemRows tell what other programs have put in the way, and what to do.
func problemRows(problems []client.Problem) (rows []row) {
	for _, p := range problems {
		rows = append(rows, row{"Problem", p.Text + " (" + p.Code + ")"}, row{"", p.Remedy})
	}
	return rows
}

func failureText(f client.Failure) string {
	text := f.Text + " (" + f.Code + ")"
	if f.Network != nil {
		text = quote(*f.Network) + ": " + text
	}
	return text
}

// conditionText is "online for 3m (reason)", with by between state and time.
func conditionText(c client.Condition, by string) string {
	text := c.State + by
	if !c.Since.IsZero() {
		text += " for " + ago(c.Seconds)
	}
	if c.Reason != "" {
		text += " (" + c.Reason + ")"
	}
	return text
}

func uplinkText(u client.Uplink) string {
	if u.Interface == "" {
		return conditionText(u.Condition, "")
	}
	return conditionText(u.Condition, " by "+u.Interface)
}

func accessPointText(ap client.AccessPoint) string {
	if ap.SSID == "" {
		return conditionText(ap.Condition, "")
	}
	return conditionText(ap.Condition, fmt.Sprintf(` as "%s"`, ap.SSID))
}

func wifiText(w client.Wifi) string {
	switch {
	case !w.Present:
		return "no radio"
	case w.CurrentSSID == nil:
		return "not connected"
	case w.CurrentAddress == nil:
		return fmt.Sprintf(`"%s"`, *w.CurrentSSID)
	}
	return fmt.Sprintf(`"%s" (%s)`, *w.CurrentSSID, *w.CurrentAddress)
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
