package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vishvananda/netns"

	"github.com/netconnectd/netconnectd/internal/nearest"
)

// netnsDir is where ip-netns(8) keeps network namespaces by their names.
const netnsDir = "/run/netns"

func netnsFlag(cmd *cobra.Command, name *string) {
	cmd.PersistentFlags().StringVar(name, "netns", "", "show the network namespace of this `name` in "+netnsDir+", as root")
	offerFlag(cmd, "netns", each(namespaces))
}

// enterNetns moves the calling thread, and with it the calling goroutine, into a
// network namespace for good; "" keeps the present one.
func enterNetns(name string) error {
	if name == "" {
		return nil
	}
	if strings.ContainsRune(name, '/') || name == "." || name == ".." {
		return usageError(fmt.Sprintf("%q is no name of a network namespace", name))
	}
	space, err := netns.GetFromName(name)
	if errors.Is(err, fs.ErrNotExist) {
		return missingNetns(name)
	}
	if err == nil {
		defer space.Close()
		runtime.LockOSThread()
		err = netns.Set(space)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("no permission to enter the network namespace %s: run it as root", name)
	}
	if err != nil {
		return fmt.Errorf("enter network namespace %s: %w", name, err)
	}
	return nil
}

func missingNetns(name string) error {
	err := fmt.Errorf("there is no network namespace %s in %s", name, netnsDir)
	var names []string
	entries, _ := os.ReadDir(netnsDir) // without the list there is just no proposal
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := nearestName(name, names); near != "" {
		return fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return err
}

// nearestName returns the name that name was probably meant to be, or "". It differs in
// at most two letters, and at least one letter is the same.
func nearestName(name string, names []string) string {
	best, least := "", 3
	for _, other := range names {
		if d := nearest.Distance(name, other); d < least && d < len(name) {
			best, least = other, d
		}
	}
	return best
}
