package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) interfacesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "interfaces",
		Short: "Show what the daemon wants of interfaces, and what became of it",
		Long: `Show what the daemon wants of interfaces, and what became of it: for each
interface which part of the daemon owns it, the addresses and routes that are
wanted, and why the kernel refused something. What the kernel has is shown by
netconnectcli show.`,

		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), "interfaces", nil, a.showInterfaces)
		},
	}
}

func (a *app) showInterfaces(result json.RawMessage) error {
	var list []client.OwnedInterface
	if err := json.Unmarshal(result, &list); err != nil {
		return fmt.Errorf("decode interfaces: %w", err)
	}
	p := page{out: a.out}
	p.interfaces(list)
	return p.err
}

// interfaces writes the wanted state of each interface.
func (p *page) interfaces(list []client.OwnedInterface) {
	if len(list) == 0 {
		p.line("The daemon owns no interface.")
	}
	for _, i := range list {
		since := time.Duration(i.Seconds) * time.Second
		p.line(fmt.Sprintf("%s, owned by the %s: %s %v ago", printable(i.Interface), printable(i.Owner), printable(i.State), since))
		if i.Reason != "" {
			p.line("    " + printable(i.Reason))
		}
		link := "down"
		if i.Up {
			link = "up"
		}
		p.line("    wanted: " + printable(strings.Join(append([]string{link}, i.Addresses...), ", ")))
		for _, r := range i.Routes {
			p.line("    wanted: route " + printable(r))
		}
	}
}
