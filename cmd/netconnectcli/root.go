package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

// Exit statuses.
const (
	exitOK       = 0
	exitError    = 1 // the daemon answered with an error
	exitUsage    = 2
	exitNoDaemon = 3
	exitDiffers  = 2 // of plan: the network is not as declared
)

// socketEnv overrides the default of --address.
const socketEnv = "NETCONNECTD_SOCKET"

// dialTimeout bounds the wait for a daemon that does not accept connections.
const dialTimeout = 10 * time.Second

// app is what all commands share.
type app struct {
	address string
	json    bool
	started bool // the arguments were valid and a command started
	differs bool // what the command was to compare is not the same
	out     io.Writer
}

// run executes one command line and returns the exit status.
func run(args []string) int {
	a := &app{out: os.Stdout}
	root := a.rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(context.Background())
	switch {
	case err == nil && a.differs:
		return exitDiffers
	case err == nil:
		return exitOK
	}
	status, text := a.exitStatus(err), err.Error()
	if status == exitUsage {
		text = usageText(cmd, err)
	}
	printError(os.Stderr, text)
	return status
}

// printError keeps the lines of the text: a reload reports a problem on each.
func printError(out io.Writer, text string) {
	fmt.Fprint(out, "netconnectcli: ")
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintln(out, printable(line))
	}
}

func (a *app) exitStatus(err error) int {
	var reply *client.Error
	var usage usageError
	var absent *absentError
	switch {
	case errors.As(err, &reply):
		return exitError
	case errors.As(err, &absent):
		return exitNoDaemon
	case errors.As(err, &usage) || !a.started:
		return exitUsage
	}
	return exitError
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "netconnectcli",
		Short: "Control netconnectd, which keeps this device reachable",
		Long: `Control netconnectd, which keeps this device reachable.

Exit status: 0 success, 1 the daemon reported an error, 2 wrong use, 3 the daemon does
not run. Only root and members of the group netconnect may change something.`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usageError("no command given")
		},
		PersistentPreRun: func(*cobra.Command, []string) { a.started = true },
	}
	root.SetVersionTemplate("netconnectcli {{.Version}}\n")
	root.InitDefaultVersionFlag()
	root.Flags().Lookup("version").Usage = "print the version of this program"
	address := cmp.Or(os.Getenv(socketEnv), client.DefaultSocket)
	root.PersistentFlags().StringVarP(&a.address, "address", "a", address, "`socket` of the daemon; the variable "+socketEnv+" sets it, too")
	root.PersistentFlags().BoolVarP(&a.json, "json", "j", false, "print JSON: the daemon's replies, one per line, or the kernel's network")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	offerFiles(root, "address")
	root.AddCommand(
		a.completionCommand(), a.bashCommand(),
		a.statusCommand(), a.waitOnlineCommand(), a.listWifiCommand(), a.configureWifiCommand(),
		a.selectWifiCommand(),
		a.listNetworksCommand(), a.addNetworkCommand(), a.setNetworkCommand(), a.importCommand(),
		a.connectCommand(),
		a.ofNetwork("adopt", "Take over a network that another program saved in NetworkManager"),
		a.ofNetwork("remove_network", "Forget a saved Wi-Fi network and keep the others"),
		a.eraseCommand("forget_wifi", "Forget all saved Wi-Fi networks", "forget_wifi"),
		a.action("start_ap", "Start the access point", "start_ap"),
		a.action("stop_ap", "Stop the access point", "stop_ap"),
		a.eraseCommand("reset", "Forget all saved Wi-Fi networks and start afresh", "reset"),
		a.action("reload", "Let the daemon read its configuration again", "reload"),
		a.planCommand(), a.applyCommand(), a.trialCommand("confirm", "Keep the configuration that is on trial"), a.trialCommand("revert", "Go back from the configuration that is on trial"),
		a.ifstatusCommand(), a.interfaceCommand("ifup", "up", "Set a declared interface up"), a.interfaceCommand("ifdown", "down", "Set a declared interface down"),
		a.callCommand(),
		a.showCommand(), a.monitorCommand(), a.eventsCommand(), a.historyCommand(), a.interfacesCommand(), a.metricsCommand(), a.doctorCommand(), a.versionCommand(),
	)
	checkEach(root)
	return root
}

// action returns a command without parameters whose result is a text.
func (a *app) action(name, short, command string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), command, nil, a.showText)
		},
	}
}

// ofNetwork returns a command for one saved network, named by its SSID.
func (a *app) ofNetwork(name, short string) *cobra.Command {
	return a.namedCommand(name, short, func(ctx context.Context, ssid []byte) error {
		return a.call(ctx, name, client.NetworkParams(ssid), a.showText)
	})
}

func (a *app) namedCommand(name, short string, run func(ctx context.Context, ssid []byte) error) *cobra.Command {
	var f ssidFlag
	cmd := &cobra.Command{
		Use:   name + " <ssid>",
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			ssid, err := f.bytes(args[0])
			if err != nil {
				return err
			}
			return run(cmd.Context(), ssid)
		},
		ValidArgsFunction: first(a.savedNames),
	}
	f.register(cmd)
	return cmd
}

// call sends a command and prints the reply: as it came with --json, otherwise
// show prints the result.
func (a *app) call(ctx context.Context, command string, params any, show func(result json.RawMessage) error) error {
	c, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := hintAtSilence(ctx, a.address, os.Stderr)
	frame, err := c.Do(ctx, command, params)
	stop()
	if a.json && frame != nil {
		fmt.Fprintf(a.out, "%s\n", frame)
	}
	var refused *client.Error // also an error about parameters that cannot be sent
	switch {
	case err != nil && frame == nil && !errors.As(err, &refused):
		return &absentError{a.address, err}
	case err != nil || a.json:
		return explained(err, command)
	}
	var reply struct{ Result json.RawMessage }
	if err := json.Unmarshal(frame, &reply); err != nil {
		return fmt.Errorf("decode reply: %w", err)
	}
	return show(reply.Result)
}

func (a *app) dial(ctx context.Context) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.Dial(ctx, a.address)
	if err != nil {
		return nil, &absentError{a.address, err}
	}
	return c, nil
}

func (a *app) showText(result json.RawMessage) error {
	var text string
	if err := json.Unmarshal(result, &text); err != nil {
		return fmt.Errorf("decode result: %w", err)
	}
	for line := range strings.SplitSeq(text, "\n") { // a reload reports each warning on a line
		fmt.Fprintln(a.out, printable(line))
	}
	return nil
}

// usageError is a wrong use that cobra does not notice.
type usageError string

func (e usageError) Error() string { return string(e) }

// absentError means that the daemon cannot be reached.
type absentError struct {
	address string
	err     error
}

func (e *absentError) Unwrap() error { return e.err }

// Error includes the remedy.
func (e *absentError) Error() string {
	switch {
	case errors.Is(e.err, fs.ErrNotExist), errors.Is(e.err, syscall.ECONNREFUSED):
		return fmt.Sprintf("netconnectd does not listen on %s: start it with sudo systemctl start netconnectd, or name its socket with --address", e.address)
	case errors.Is(e.err, fs.ErrPermission):
		return fmt.Sprintf("no permission to open %s: run it as root", e.address)
	}
	return fmt.Sprintf("netconnectd does not answer on %s: %v; %s", e.address, e.err, whereToLook)
}
