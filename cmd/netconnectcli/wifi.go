package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) listWifiCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "list_wifi",
		Short: "List the Wi-Fi networks in reach",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), "list_wifi", client.ListWifiParams(force), a.showList)
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "F", false, "scan even if that interrupts the access point")
	return cmd
}

// showList prints the strongest cells first.
func (a *app) showList(result json.RawMessage) error {
	var list []client.BSS
	if err := json.Unmarshal(result, &list); err != nil {
		return fmt.Errorf("decode list: %w", err)
	}
	slices.SortStableFunc(list, byStrength)
	return printBSS(a.out, list)
}

// byStrength puts the strongest cell first.
func byStrength(x, y client.BSS) int { return cmp.Compare(strength(y), strength(x)) }

func strength(b client.BSS) int {
	if b.Signal == nil {
		return math.MinInt
	}
	return *b.Signal
}

func (a *app) configureWifiCommand() *cobra.Command {
	var force bool
	var source passphraseSource
	var named ssidFlag
	cmd := &cobra.Command{
		Use:     "configure_wifi <ssid> [<psk>]",
		Aliases: []string{"config_wifi"},
		Short:   "Configure the Wi-Fi network that select_wifi joins",
		Long: `Configure the Wi-Fi network that select_wifi joins.

Without <psk> the command asks for the passphrase on a terminal; an empty one means
an open network. Without a terminal, use --psk-stdin or --open. While the command
runs, every user of this machine can see a <psk> on the command line, so prefer the
prompt or --psk-stdin.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ssid, err := named.bytes(args[0])
			if err != nil {
				return err
			}
			source.argument = args[1:]
			psk, err := source.read()
			if err != nil {
				return err
			}
			params := client.ConfigWifiParams(ssid, psk, force)
			return a.call(cmd.Context(), "config_wifi", params, a.showText)
		},
	}
	named.register(cmd)
	cmd.ValidArgsFunction = first(a.seenNames)
	cmd.Flags().BoolVarP(&force, "force", "F", false, "scan even if that interrupts the access point")
	cmd.Flags().BoolVar(&source.stdin, "psk-stdin", false, "read the passphrase from standard input")
	cmd.Flags().BoolVar(&source.open, "open", false, "the network is open; do not ask for a passphrase")
	return cmd
}

func (a *app) selectWifiCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "select_wifi",
		Aliases: []string{"start_wifi"},
		Short:   "Join the configured Wi-Fi network",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.join(cmd.Context(), "start_wifi", nil, nil)
		},
	}
}

func (a *app) connectCommand() *cobra.Command {
	return a.namedCommand("connect", "Join a saved Wi-Fi network", func(ctx context.Context, ssid []byte) error {
		network := client.NewNetwork(ssid)
		return a.join(ctx, "connect", client.NetworkParams(ssid), &network)
	})
}
