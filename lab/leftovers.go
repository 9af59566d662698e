package lab

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// traces is the state that the daemon may change on a device; the key of each part is
// its place, such as a path.
type traces map[string]string

const resolvConf = "/etc/resolv.conf"

// traces records the state that must be the same again after the daemon's stop:
// sysctls, routes of its protocol, the packet filter, the resolver's file.
func (d *Device) traces(t testing.TB) traces {
	t.Helper()
	found := traces{
		"nft list ruleset":       must(t, "", "nft", "list", "ruleset"),
		"ip route proto 78":      must(t, "", "ip", "route", "show", "table", "all", "proto", "78"),
		"ip -6 route proto 78":   must(t, "", "ip", "-6", "route", "show", "table", "all", "proto", "78"),
		"ip rule":                must(t, "", "ip", "rule"),
		"addresses of the radio": fmt.Sprint(link(radioDevice).addresses()),
		"iw type of the radio":   radio(radioDevice).Type,
	}
	if text, err := os.ReadFile(resolvConf); err == nil {
		target, _ := os.Readlink(resolvConf)
		found[resolvConf] = target + "\n" + string(text)
	}
	for _, folder := range []string{"/proc/sys/net/ipv4", "/proc/sys/net/ipv6"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			// The kernel creates this key when a program first listens on TCP.
			if err != nil || entry.IsDir() || entry.Name() == "tcp_fastopen_key" {
				return err
			}
			if text, err := os.ReadFile(path); err == nil { // some settings can only be written
				found[path] = string(text)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("read the sysctls: %v", err)
		}
	}
	return found
}

// differ lists the differences.
func (before traces) differ(now traces) (changes []string) {
	for where := range now {
		if _, was := before[where]; !was {
			changes = append(changes, fmt.Sprintf("%s is new: %s", where, strings.TrimSpace(now[where])))
		}
	}
	for where, was := range before {
		if is := now[where]; is != was {
			changes = append(changes, fmt.Sprintf("%s was %q and is %q", where, was, is))
		}
	}
	slices.Sort(changes)
	return changes
}
