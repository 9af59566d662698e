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
		Short: "Show the interfaces that the daemon owns, and their wanted state",
		Long: `Show the interfaces that the daemon owns, and their wanted state: for each interface
the part of the daemon that owns it, the wanted addresses and routes, and why the
kernel refused a part of them. netconnectcli show shows the kernel's present state.`,

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
