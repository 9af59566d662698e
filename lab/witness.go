package lab

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pollInterval is short compared with everything that the lab measures, and long
// compared with the cost of asking a witness.
const pollInterval = 50 * time.Millisecond

// until calls ask until ask reports true. It fails the scenario with the last answer
// after limit, and returns how long it waited.
func until(t testing.TB, limit time.Duration, what string, ask func() (answer string, ok bool)) time.Duration {
	t.Helper()
	took, answer, ok := poll(limit, ask)
	if !ok {
		t.Fatalf("not within %v: %s; last seen: %s", limit, what, answer)
	}
	return took
}

// poll is until for callers that go on after a failure.
func poll(limit time.Duration, ask func() (answer string, ok bool)) (took time.Duration, answer string, ok bool) {
	start := time.Now()
	for {
		asked := time.Now()
		answer, ok = ask()
		took = time.Since(start)
		if ok || took > limit {
			return took, answer, ok
		}
		// Witnesses are programs: asking again at once would keep one of the
		// machine's two processors from the program that is observed.
		time.Sleep(max(pollInterval, time.Since(asked)))
	}
}

// kernelLink is a link of the root namespace in the form of `ip -j addr`.
type kernelLink struct {
	Name      string   `json:"ifname"`
	Flags     []string `json:"flags"` // UP, LOWER_UP, NO-CARRIER, …
	MAC       string   `json:"address"`
	Addresses []struct {
		Family string `json:"family"` // inet, inet6
		Local  string `json:"local"`
		Length int    `json:"prefixlen"`
		Scope  string `json:"scope"` // global, link, host
	} `json:"addr_info"`
}

// link asks ip(8) for a link of the device. It returns nil if the link does not
// exist.
func link(name string) *kernelLink {
	out, err := kernel.ask(name, "ip", "-j", "addr", "show", "dev", name)
	if err != nil {
		return nil
	}
	var links []kernelLink
	if err := json.Unmarshal([]byte(out), &links); err != nil || len(links) != 1 {
		return nil
	}
	return &links[0]
}

// hardwareAddress returns the MAC address of an existing link.
func hardwareAddress(t testing.TB, name string) (mac string) {
	t.Helper()
	until(t, commandLimit, "ip shows "+name, func() (string, bool) {
		l := link(name)
		if l != nil {
			mac = l.MAC
		}
		return l.String(), l != nil
	})
	return mac
}

// soleAddress returns the only address of the link.
func soleAddress(t testing.TB, name string) (address string) {
	t.Helper()
	until(t, commandLimit, name+" has one address", func() (string, bool) {
		l := link(name)
		found := l.addresses()
		if len(found) == 1 {
			address = found[0]
		}
		return l.String(), len(found) == 1
	})
	return address
}

func (l *kernelLink) up() bool      { return l != nil && slices.Contains(l.Flags, "UP") }
func (l *kernelLink) carrier() bool { return l != nil && slices.Contains(l.Flags, "LOWER_UP") }

// addresses returns the addresses of global scope, without their prefix lengths.
func (l *kernelLink) addresses() (found []string) {
	if l == nil {
		return nil
	}
	for _, a := range l.Addresses {
		if a.Scope == "global" {
			found = append(found, a.Local)
		}
	}
	return found
}

func (l *kernelLink) String() string {
	if l == nil {
		return "no such link"
	}
	return fmt.Sprintf("%s %v addresses %v", l.Name, l.Flags, l.addresses())
}

// radioInfo is the output of `iw dev X info`.
type radioInfo struct {
	Type string // managed, AP
	SSID string // the network that it has joined or serves
	MHz  int
}

// radio asks iw(8) about a radio's interface of the device.
func radio(device string) radioInfo {
	out, _ := kernel.ask(device, "iw", "dev", device, "info")
	var info radioInfo
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "type":
			info.Type = value
		case "ssid":
			info.SSID = value
		case "channel": // "channel 6 (2437 MHz), width: …"
			_, rest, _ := strings.Cut(value, "(")
			mhz, _, _ := strings.Cut(rest, " ")
			info.MHz, _ = strconv.Atoi(mhz)
		}
	}
	return info
}

// stations returns the MAC addresses of the stations on an access point's interface.
func stations(ns namespace, device string) (found []string, err error) {
	out, err := ns.run("iw", "dev", device, "station", "dump")
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "Station "); ok {
			mac, _, _ := strings.Cut(rest, " ")
			found = append(found, mac)
		}
	}
	return found, err
}

// processesOf returns the names of the programs that the user runs, from /proc.
func processesOf(uid uint32) (names []string) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != uid {
			continue
		}
		if name, err := os.ReadFile(folder + "/comm"); err == nil {
			names = append(names, strings.TrimSpace(string(name)))
		}
	}
	return names
}

// listensUDP reports whether a process in the same network namespace has bound the
// UDP port, from /proc/PID/net/udp.
func listensUDP(pid, port int) bool {
	file, err := os.Open(fmt.Sprintf("/proc/%d/net/udp", pid))
	if err != nil {
		return false
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		// "  sl  local_address rem_address …": 2: 00000000:0043 …
		fields := strings.Fields(scanner.Text())
		if len(fields) > 1 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			return true
		}
	}
	return false
}

func hasLine(text, line string) bool {
	for l := range strings.Lines(text) {
		if strings.TrimSpace(l) == line {
			return true
		}
	}
	return false
}

// inRange reports whether first <= address <= last.
func inRange(address, first, last string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.Compare(netip.MustParseAddr(first)) >= 0 && a.Compare(netip.MustParseAddr(last)) <= 0
}
