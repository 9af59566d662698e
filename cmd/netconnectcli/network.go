package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

// interfaceObject is the object of one declared interface in calls.
func interfaceObject(name string) string { return "network.interface." + name }

func (a *app) ifstatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ifstatus <interface>",
		Short: "Show the state of a declared interface",
		Long: `Show the state of a declared interface as JSON: whether the interface is up, its
device, addresses, routes and name servers, and why it is not up. Interfaces are
declared in the section network of the configuration.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.invoke(cmd, interfaceObject(args[0]), "status", nil)
		},
		ValidArgsFunction: first(a.declaredNames),
	}
}

// interfaceCommand is a command that sets a declared interface up or down.
func (a *app) interfaceCommand(name, method, short string) *cobra.Command {
	return &cobra.Command{
		Use:   name + " <interface>",
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.invoke(cmd, interfaceObject(args[0]), method, nil)
		},
		ValidArgsFunction: first(a.declaredNames),
	}
}

func (a *app) callCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "call <object> <method> [<args>]",
		Short: "Call a method of an object of the declared network",
		Long: `Call a method of an object of the declared network, with the names and shapes of
OpenWrt's netifd:

  network                     reload, plan, apply, confirm, revert, extend
  network.interface           dump, and those below with {"interface":"NAME"}
  network.interface.NAME      status, up, down

The arguments are a JSON object. The result is printed as JSON.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var params json.RawMessage
			if len(args) > 2 {
				params = json.RawMessage(args[2])
				if !json.Valid(params) || bytes.TrimSpace(params)[0] != '{' {
					return usageError("<args> is not a JSON object")
				}
			}
			return a.invoke(cmd, args[0], args[1], params)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

// invoke calls a method and prints the result.
func (a *app) invoke(cmd *cobra.Command, object, method string, args json.RawMessage) error {
	params := map[string]any{"object": object, "method": method}
	if args != nil {
		params["args"] = args
	}
	return a.call(cmd.Context(), "call", params, a.showIndented)
}

// showIndented prints a result as JSON for people, and nothing for no result.
func (a *app) showIndented(result json.RawMessage) error {
	if string(result) == "null" {
		return nil
	}
	var text bytes.Buffer
	if err := json.Indent(&text, result, "", "  "); err != nil {
		return fmt.Errorf("decode the result: %w", err)
	}
	_, err := fmt.Fprintln(a.out, text.String())
	return err
}

// declaredNames returns the names of the declared interfaces, as completions.
func (a *app) declaredNames(cmd *cobra.Command) []string {
	var names []string
	a.briefly(cmd, func(ctx context.Context, c *client.Client) error {
		var dump client.NetworkDump
		err := c.Invoke(ctx, "network.interface", "dump", nil, &dump)
		for _, i := range dump.Interfaces {
			if typable(i.Interface) {
				names = append(names, i.Interface+"\t"+printable(i.Proto+", "+i.Device))
			}
		}
		return err
	})
	return tidy(names)
}
