package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// networkObject is the object of the configuration in calls.
const networkObject = "network"

func (a *app) applyCommand() *cobra.Command {
	var confirm, extend int
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Put the configuration in force on trial",
		Long: `Let the daemon read its configuration again, and put it in force on trial. The daemon
goes back to the earlier configuration by itself unless netconnectcli confirm follows in
time. So a mistake that cuts you off from the device is undone. The daemon also goes back if it is
killed or restarted, or the device reboots, before the confirmation.

The command returns when the kernel has taken the change over, and prints what was
changed and what the kernel has refused. A trial with problems waits for the confirmation, too.

With --extend the command changes nothing but the end of the trial that waits.

Exit status: 0 everything is as declared, 2 the kernel has refused a part.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("extend") {
				if cmd.Flags().Changed("confirm") {
					return usageError("--confirm and --extend exclude each other")
				}
				return a.invokeShown(cmd.Context(), "extend", map[string]int{"seconds": extend}, a.showExtended)
			}
			return a.invokeShown(cmd.Context(), "apply", map[string]int{"confirm": confirm}, a.showTrial)
		},
	}
	cmd.Flags().IntVar(&confirm, "confirm", 60, "`seconds` in which netconnectcli confirm has to follow, 5 to 3600")
	cmd.Flags().IntVar(&extend, "extend", 60, "let the trial that waits end in so many `seconds` from now, 5 to 3600")
	return cmd
}

// trialCommand is a command that ends a trial.
func (a *app) trialCommand(method, short string) *cobra.Command {
	return &cobra.Command{
		Use:   method,
		Short: short,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.invokeShown(cmd.Context(), method, nil, a.showText)
		},
	}
}

// invokeShown calls a method of the network, and prints the result: as it came with
// --json, otherwise by show.
func (a *app) invokeShown(ctx context.Context, method string, args any, show func(json.RawMessage) error) error {
	params := map[string]any{"object": networkObject, "method": method}
	if args != nil {
		params["args"] = args
	}
	return a.call(ctx, "call", params, show)
}

// showTrial prints what apply has changed, and until when it has to be confirmed.
func (a *app) showTrial(result json.RawMessage) error {
	var trial client.NetworkTrial
	if err := json.Unmarshal(result, &trial); err != nil {
		return fmt.Errorf("decode the result: %w", err)
	}
	p := page{out: a.out}
	for line := range strings.SplitSeq("settings: "+trial.Text, "\n") {
		p.line(printable(line))
	}
	switch applied := trial.Applied; {
	case applied == nil:
		p.line("The kernel is still being changed: see netconnectcli plan.")
	case applied.Changes > 0:
		p.line(fmt.Sprintf("changes of the kernel: %d, the worst %s", applied.Changes, printable(applied.Worst)))
	default:
		p.line("changes of the kernel: none")
	}
	if trial.Applied != nil {
		for _, problem := range trial.Applied.Problems {
			p.line("problem: " + printable(problem))
		}
		a.differs = len(trial.Applied.Problems) > 0
	}
	p.line(fmt.Sprintf("On trial for %d s. To keep it: netconnectcli confirm. To go back now: netconnectcli revert.", trial.Seconds))
	return p.err
}

func (a *app) showExtended(result json.RawMessage) error {
	var trial client.Trial
	if err := json.Unmarshal(result, &trial); err != nil {
		return fmt.Errorf("decode the result: %w", err)
	}
	_, err := fmt.Fprintf(a.out, "The trial ends in %d s.\n", trial.Seconds)
	return err
}

func (a *app) planCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plan [<file>]",
		Short: "Show what there is to do for the network to be as declared",
		Long: `Show what there is to do for the network to be as declared: what other programs
have changed since the daemon has set it up, and what could not be done. Nothing is
changed; netconnectcli reload does what is shown.

With a file, the command shows what would be done for the section network of that file
in place of the configuration's. All mistakes in the file are listed with their lines.

Each change has its cost for those who use the interface: in place (nobody
notices), readdress (an address goes for a moment), restart (the interface goes
down) or recreate (the interface is made anew).

Exit status: 0 the network is as declared, 2 it is not.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.planFile(cmd.Context(), args[0])
			}
			return a.plan(cmd.Context(), nil)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault // offer files
		},
	}
}

// planFile plans for a file that this command reads: the daemon may not read what the
// user names.
func (a *app) planFile(ctx context.Context, file string) error {
	text, err := namedfile.Read(ctx, file, client.MaxRequest)
	args := map[string]string{"config": string(text)}
	request, encodeErr := json.Marshal(args)
	switch {
	case errors.Is(err, namedfile.ErrTooLarge), err == nil && len(request) > client.MaxRequest-100: // what stands around the text takes less
		return fmt.Errorf("plan: %s is larger than the %d KiB that can be sent to the daemon: put it in the place of the configuration, then netconnectcli apply, which goes back by itself unless it is confirmed",
			printable(file), client.MaxRequest>>10)
	case err != nil:
		return fmt.Errorf("plan: %w", err)
	case encodeErr != nil:
		return fmt.Errorf("plan: encode %s: %w", printable(file), encodeErr)
	case !utf8.Valid(text):
		return fmt.Errorf("plan: %s is not UTF-8: save it as UTF-8", printable(file))
	case strings.TrimSpace(string(text)) == "":
		return fmt.Errorf("plan: %s is empty", printable(file))
	}
	err = a.plan(ctx, args)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Code == client.CodeBadConfig {
		return &client.Error{Code: refused.Code, Message: file + ": " + refused.Message}
	}
	return err
}

func (a *app) plan(ctx context.Context, args any) error {
	c, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var plan client.NetworkPlan
	if err := c.Invoke(ctx, networkObject, "plan", args, &plan); err != nil {
		return explained(err, "plan")
	}
	a.differs = len(plan.Changes)+len(plan.Problems) > 0
	if a.json {
		return json.NewEncoder(a.out).Encode(plan)
	}
	return a.showPlan(plan)
}

// showPlan prints a line for each change and each problem.
func (a *app) showPlan(plan client.NetworkPlan) error {
	p := page{out: a.out}
	for _, c := range plan.Changes {
		p.line(printable(c.Text))
	}
	for _, problem := range plan.Problems {
		p.line("problem: " + printable(problem))
	}
	if !a.differs {
		p.line("The network is as declared.")
	}
	return p.err
}
