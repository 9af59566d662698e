package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) historyCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show past events, also from before a restart",
		Long: `Show past events, also from before a restart: changes of the uplink and the access
point with their reasons, how joining networks ended, and when the daemon ran.

The times since the device was started are right, even if its clock was wrong at
first; older entries have the time that the clock showed then.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError("--number is 0 or more")
			}
			return a.call(cmd.Context(), "history", client.HistoryParams(limit), a.showHistory)
		},
	}
	cmd.Flags().IntVarP(&limit, "number", "n", 20, "show the last `n` entries, 0 for all")
	return cmd
}

func (a *app) showHistory(result json.RawMessage) error {
	var list []client.HistoryEntry
	if err := json.Unmarshal(result, &list); err != nil {
		return fmt.Errorf("decode history: %w", err)
	}
	p := page{out: a.out}
	p.history(list, time.Now())
	return p.err
}

// stamp is how the history writes a time.
const stamp = "2006-01-02 15:04:05"

// history writes the entries in their order, which may differ from the order of their
// times.
func (p *page) history(list []client.HistoryEntry, now time.Time) {
	margin := len(stamp) + 2
	p.line(fmt.Sprintf("%-*s%s", margin, "WHEN", "WHAT"))
	for i, e := range list {
		if i > 0 && e.Boot != list[i-1].Boot {
			p.line(strings.Repeat(" ", margin) + "-- the device was started --")
		}
		at := e.Time
		if e.Seconds != nil {
			at = now.Add(-time.Duration(*e.Seconds) * time.Second)
		}
		text := at.Local().Format(stamp)
		for _, line := range wrap(printable(eventText(e.Event)), pageWidth-margin) {
			p.line(fmt.Sprintf("%-*s%s", margin, text, line))
			text = ""
		}
	}
}
