//go:build lab

package lab

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// hookFolder is the default folder of hooks.
const hookFolder = "/etc/netconnectd.d"

// hookScript records exactly what a hook receives, and which rights it has.
const hookScript = `#!/bin/sh
{
	printf 'ssid_hex=%s\n' "$NETCONNECTD_SSID_HEX"
	printf 'new=%s\n' "$NETCONNECTD_NEW"
	printf 'ssid=%s\n' "$NETCONNECTD_SSID"
	printf 'json='; cat
	grep '^Cap' /proc/self/status
	printf 'uid=%s\n' "$(id -u)"
} >>/var/lib/netconnectd/hook.log
`

// TestHostileSSIDs uses SSIDs of a stranger's choice. Each must be listed, saved,
// joined, passed to a hook and forgotten exactly, and no reader may take it for more
// than a name.
func TestHostileSSIDs(t *testing.T) {
	l := New(t, "Hostile SSIDs")
	writeFile(t, hookFolder+"/50-note", hookScript)
	must(t, "", "chmod", "755", hookFolder+"/50-note")
	t.Cleanup(func() { _ = os.RemoveAll(hookFolder) })
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	rows := [][2]string{
		{"NUL", "a\x00b"},
		{"newline", "a\nssid=home\npsk=x"},
		{"quotes", `a"b'c\d`},
		{"shell", "$(reboot)`reboot`;reboot"},
		{"32 bytes of no text", strings.Repeat("\xff", 32)},
		{"spaces", "  home  "},
		{"markup", "<script>alert(1)</script>"},
		{"emoji", "🖨️ printer"},
		{"right to left", "\u202egnp.exe"},
		{"terminal", "\x1b[2J\x1b]0;x\x07"},
		{"format", "%s%n%x"},
		{"path", "../../etc/passwd"},
		{"like a key of the log", "x msg=fake level=ERROR"},
	}
	routers := []*Router{l.Home, l.Neighbour}
	for pair := range slices.Chunk(rows, len(routers)) {
		for i, row := range pair { // one scan finds both
			l.become(t, routers[i], row[0], row[1])
		}
		for i, row := range pair {
			l.hostile(t, routers[i], row[0], row[1])
		}
	}
	l.Timeline.Step("nobody can save a name of no length, or of 33 bytes", func() string {
		for _, name := range []string{"", strings.Repeat("x", 33)} {
			if reply := l.refused(t, member, "add_network", name, "pass phrase"); reply.Code != "bad_request" {
				t.Errorf("a name of %d bytes: %+v", len(name), reply)
			}
		}
		return "bad_request"
	})
	l.hooksHaveNoRights(t)
	l.Timeline.Step("the journal has one line for each", func() string {
		text := must(t, "", "journalctl", "--boot", "--no-pager", "--output=json", "-u", daemonUnit)
		lines := 0
		for line := range strings.Lines(text) {
			var entry struct{ MESSAGE any }
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			message, isText := entry.MESSAGE.(string) // journalctl prints any other text as a list of bytes
			if !isText || strings.HasPrefix(message, "ssid=home") || strings.HasPrefix(message, "psk=x") {
				t.Errorf("the journal has %v", entry.MESSAGE)
			}
			lines++
		}
		return fmt.Sprintf("journalctl: %d lines, all text", lines)
	})
}

func (l *Lab) become(t *testing.T, r *Router, name, ssid string) {
	t.Helper()
	l.Timeline.Step("router "+r.name+": "+name, func() string {
		r.Become(t, func(c *routerConfig) { c.SSID = ssid })
		return "hostapd_cli"
	})
}

func (l *Lab) hostile(t *testing.T, r *Router, name, ssid string) {
	t.Helper()
	named := fmt.Sprintf("%x", ssid)
	l.Timeline.Step(name+": listed, saved, joined, told, forgotten", func() string {
		l.Device.sees(t, ssid)
		l.Device.must(t, member, "list_wifi")
		l.Device.must(t, member, "add_network", "--hex", named, r.passphrase)
		if saved := l.savedNames(t); !slices.Equal(saved, []string{named}) {
			t.Errorf("saved are %q, want %q", saved, named)
		}
		_ = os.Remove(stateFolder + "/hook.log")
		l.Device.must(t, member, "connect", "--hex", named)
		until(t, noticed, "the device is on it", func() (string, bool) { return l.Device.On(r) })
		if air := must(t, "", "iw", "dev", radioDevice, "link"); !strings.Contains(air, "Connected to") {
			t.Errorf("iw: %s", air)
		}
		if status := l.Device.Status(t); !strings.Contains(status.Text, `"current_ssid_hex":"`+named+`"`) {
			t.Errorf("status: %s", status.Text)
		}
		until(t, noticed, "the hook was called", func() (string, bool) {
			text, _ := os.ReadFile(stateFolder + "/hook.log")
			return string(text), strings.Contains(string(text), "ssid_hex="+named+"\nnew=joined\nssid=") && l.noted(t, ssid)
		})
		said := l.Device.must(t, member, "remove_network", "--hex", named)
		if saved := l.savedNames(t); len(saved) > 0 || strings.ContainsAny(strings.TrimSpace(said), "\x00\n\x1b") {
			t.Errorf("remove_network says %q, saved are %q", said, saved)
		}
		return strings.TrimSpace(said)
	})
}

// savedNames returns the SSIDs of the saved networks in hexadecimal, from
// list_networks and from the file.
func (l *Lab) savedNames(t *testing.T) []string {
	t.Helper()
	var list struct {
		Result []struct {
			SSID string `json:"ssid_hex"`
		}
	}
	if err := json.Unmarshal([]byte(l.Device.must(t, member, "--json", "list_networks")), &list); err != nil {
		t.Fatal(err)
	}
	file := savedFile(t)
	names := []string{}
	for _, n := range list.Result {
		names = append(names, n.SSID)
		if !strings.Contains(file, n.SSID) {
			t.Errorf("the file has no %s:\n%s", n.SSID, file)
		}
	}
	return names
}

// noted reports whether every line of the hook's notes is one that the hook wrote,
// and whether its JSON has the SSID.
func (l *Lab) noted(t *testing.T, ssid string) bool {
	t.Helper()
	text, err := os.ReadFile(stateFolder + "/hook.log")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "ssid_hex", "new", "ssid", "uid":
		case "json":
			var event struct {
				SSID string `json:"ssid_hex"`
			}
			if err := json.Unmarshal([]byte(value), &event); err != nil {
				return false // the file is being written
			}
			if event.SSID == hex.EncodeToString([]byte(ssid)) {
				found = true
			}
		default:
			if !strings.HasPrefix(line, "Cap") {
				t.Errorf("the hook's notes have a line of the SSID's: %q", line)
			}
		}
	}
	return found
}

// hooksHaveNoRights checks what the last hook recorded about its rights.
func (l *Lab) hooksHaveNoRights(t *testing.T) {
	t.Helper()
	l.Timeline.Step("hooks run as the daemon's user, without capabilities", func() string {
		text, err := os.ReadFile(stateFolder + "/hook.log")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			if slices.Contains([]string{"CapEff", "CapPrm", "CapInh", "CapAmb"}, name) && strings.Trim(value, "\t0") != "" {
				t.Errorf("the hook has %s", strings.TrimSpace(line))
			}
		}
		if want := fmt.Sprintf("uid=%d\n", l.Device.uid(t)); !strings.Contains(string(text), want) || !strings.Contains(string(text), "CapEff:\t") {
			t.Errorf("the hook's notes lack %q:\n%s", want, text)
		}
		return "/proc/self/status"
	})
}
