package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// offerLimit is how long a person who presses the tabulator key waits at most. A scan
// that takes longer goes on, and its result is offered the next time.
const offerLimit = 3 * time.Second

// offers returns the values that can be completed, each followed by a tabulator and a
// remark.
type offers = cobra.CompletionFunc

// fixed offers the words in the given order.
func fixed(words ...string) offers {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
}

// first offers values for the first argument and none for others.
func first(values func(cmd *cobra.Command) []string) offers {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values(cmd), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// each offers values for the value of a flag.
func each(values func(cmd *cobra.Command) []string) offers {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return values(cmd), cobra.ShellCompDirectiveNoFileComp
	}
}

// offerFlag registers values as the completions of a flag.
func offerFlag(cmd *cobra.Command, flag string, values offers) {
	if err := cmd.RegisterFlagCompletionFunc(flag, values); err != nil {
		panic(err) // the program's code names a flag that does not exist
	}
}

// offerFiles registers the names of files as the completions of flags.
func offerFiles(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		offerFlag(cmd, flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		})
	}
}

// savedNames returns the saved networks, the best first.
func (a *app) savedNames(cmd *cobra.Command) []string {
	var names []string
	a.briefly(cmd, func(ctx context.Context, c *client.Client) error {
		status, err := c.Status(ctx)
		for _, n := range status.Wifi.Networks {
			names = append(names, offered(cmd, n, "saved"))
		}
		return err
	})
	return tidy(names)
}

// seenNames returns the networks in reach, the strongest first.
func (a *app) seenNames(cmd *cobra.Command) []string {
	var names []string
	a.briefly(cmd, func(ctx context.Context, c *client.Client) error {
		list, err := c.ListWifi(ctx, false)
		slices.SortStableFunc(list, byStrength)
		for _, b := range list {
			names = append(names, offered(cmd, b.Network, securityText(b)+", "+signalText(b)))
		}
		return err
	})
	return tidy(names)
}

// briefly asks the daemon within offerLimit. An answer that comes later is not
// offered.
func (a *app) briefly(cmd *cobra.Command, ask func(context.Context, *client.Client) error) {
	ctx, cancel := context.WithTimeout(cmd.Context(), offerLimit)
	defer cancel()
	c, err := client.Dial(ctx, a.address)
	if err != nil {
		return
	}
	defer c.Close()
	if err := ask(ctx, c); err != nil {
		cobra.CompDebugln("netconnectd: "+err.Error(), false)
	}
}

// offered returns a network as an offer: its name, or with --hex the bytes of its name.
// It returns "" for a name that cannot be typed.
func offered(cmd *cobra.Command, n client.Network, remark string) string {
	ssid, err := hex.DecodeString(n.SSIDHex)
	if err != nil || n.SSIDHex == "" && n.SSID != "" { // an older daemon does not send the bytes
		ssid = []byte(n.SSID)
	}
	if byHex, err := cmd.Flags().GetBool("hex"); err == nil && byHex {
		return fmt.Sprintf("%x\t%s", ssid, printable(n.SSID))
	}
	if !typable(string(ssid)) {
		return ""
	}
	return string(ssid) + "\t" + remark
}

// typable reports whether a name can be completed: it is printable text that does not
// look like a flag, and cobra, which trims spaces, passes it on unchanged.
func typable(name string) bool {
	return name != "" && utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 &&
		!strings.HasPrefix(name, "-") && strings.TrimSpace(name) == name && !strings.HasPrefix(name, "_activeHelp_")
}

// tidy removes values that cannot be offered, and duplicates.
func tidy(names []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(name string) bool {
		value, _, _ := strings.Cut(name, "\t")
		twice := seen[value]
		seen[value] = true
		return value == "" || twice
	})
}

// interfaces returns the kernel's interfaces, in the order of their numbers.
func interfaces(cmd *cobra.Command) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), offerLimit)
	defer cancel()
	s, err := kernel.Read(ctx, state.Filter{Parts: state.PartIfaces})
	if err != nil {
		return nil
	}
	var names []string
	for _, i := range byIndex(s) {
		if typable(i.Name) {
			names = append(names, i.Name+"\t"+string(i.Type)+", "+i.State.String())
		}
	}
	return names
}

// namespaces returns the network namespaces that have a name.
func namespaces(*cobra.Command) []string {
	entries, err := os.ReadDir(netnsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var names []string
	for _, e := range entries {
		if typable(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// monitoredWords returns the words of monitor that the command line does not have
// yet.
func monitoredWords(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	left := slices.DeleteFunc(slices.Sorted(maps.Keys(monitored)), func(word string) bool { return slices.Contains(args, word) })
	return left, cobra.ShellCompDirectiveNoFileComp
}
