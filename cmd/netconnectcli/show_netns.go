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
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return err
}

// nearest returns the name that name was probably meant to be, or "". It differs in
// at most two letters, and at least one letter is the same.
func nearest(name string, names []string) string {
	best, least := "", 3
	for _, other := range names {
		if d := distance(name, other); d < least && d < len(name) {
			best, least = other, d
		}
	}
	return best
}

// distance returns how many bytes must be inserted, removed, replaced, or swapped
// with the next one, to turn a into b.
func distance(a, b string) int {
	var before, last []int // the rows of the table for the first i-2 and i-1 bytes of a
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			differs := 1
			if a[i-1] == b[j-1] {
				differs = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
