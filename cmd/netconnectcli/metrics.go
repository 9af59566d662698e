package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
)

// downText is the content of the text file when the daemon does not answer: the
// previous values are no longer true.
const downText = "# HELP netconnectd_up Whether the daemon answers.\n# TYPE netconnectd_up gauge\nnetconnectd_up 0\n"

func (a *app) metricsCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Show the daemon's counters for Prometheus",
		Long: `Show the daemon's counters in Prometheus' text format.

With --textfile they go to a file for node_exporter's textfile collector, which
reads files whose names end in .prom; run this command every minute by a timer. If
the daemon does not answer, the file contains netconnectd_up 0.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" && a.json {
				return usageError("--textfile and --json exclude each other")
			}
			if file == "" {
				return a.call(cmd.Context(), "metrics", nil, a.showMetrics)
			}
			return a.keepMetrics(cmd, file)
		},
	}
	cmd.Flags().StringVar(&file, "textfile", "", "replace this `file`")
	offerFiles(cmd, "textfile")
	return cmd
}

func (a *app) showMetrics(result json.RawMessage) error {
	text, err := metricsText(result)
	if err != nil {
		return err
	}
	fmt.Fprint(a.out, text)
	return nil
}

// keepMetrics replaces the file, which node_exporter may be reading.
func (a *app) keepMetrics(cmd *cobra.Command, file string) error {
	err := a.call(cmd.Context(), "metrics", nil, func(result json.RawMessage) error {
		text, err := metricsText(result)
		if err != nil {
			return err
		}
		return writeTextfile(file, text)
	})
	var absent *absentError
	if errors.As(err, &absent) {
		err = errors.Join(err, writeTextfile(file, downText))
	}
	return err
}

func metricsText(result json.RawMessage) (text string, err error) {
	if err := json.Unmarshal(result, &text); err != nil {
		return "", fmt.Errorf("decode metrics: %w", err)
	}
	return text, nil
}

// writeTextfile makes the file readable for every user, as node_exporter is another
// user.
func writeTextfile(file, text string) error { return atomicfile.Write(file, []byte(text), 0o644) }
