//go:build lab

package lab

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPassphraseLeaksNowhere checks that only the modes of three files decide which
// users can read a passphrase, and that no other place shows it.
func TestPassphraseLeaksNowhere(t *testing.T) {
	l := New(t, "No user without rights can read a passphrase")
	secrets := secretsOf(t, map[string]string{
		apSSID: apPassphrase, l.Home.SSID: l.Home.passphrase, l.Neighbour.SSID: "guessed wrong",
	})
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	l.Device.Configure(t, false)
	l.Device.HideConfig(t)
	watch := watchProcesses(secrets)
	l.coldStart(t, servesAfterStart)
	events := l.events(t)
	l.phoneUses(t)
	l.Phone.Leave()
	l.readableFiles(t, secrets, "as access point")
	l.Timeline.Step("pi: the neighbour's network with a wrong passphrase", func() string {
		l.configure(t, l.Neighbour.SSID, "guessed wrong")
		reply := l.refused(t, member, "select_wifi")
		secrets.absent(t, "the error reply", fmt.Sprint(reply))
		return reply.Error
	})
	l.Timeline.Step("pi: the router's network with its passphrase", func() string {
		l.configure(t, l.Home.SSID, l.Home.passphrase)
		return firstLine(l.Device.must(t, member, "select_wifi"))
	})
	l.seeOn(t, l.Home, noticed)
	l.readableFiles(t, secrets, "joined")
	l.Timeline.Step("not in a command line or environment, at any time", func() string {
		seen, looks := watch()
		for _, s := range seen {
			t.Error(s)
		}
		return fmt.Sprintf("/proc, looked %d times", looks)
	})
	l.Timeline.Step("not in the journal, status, events", func() string {
		secrets.absent(t, "the journal", must(t, "", "journalctl", "--boot", "--output=export", "--no-pager"))
		secrets.absent(t, "the status", l.Device.Status(t).Text)
		secrets.absent(t, "the events", events.text(t))
		return "journalctl, netconnectcli"
	})
}

// secrets maps a description of each secret to the secret.
type secrets map[string]string

// secretsOf returns passphrases and the keys that WPA2 derives from them (IEEE 802.11
// J.4.1), which open the network as well.
func secretsOf(t *testing.T, passphrases map[string]string) secrets {
	t.Helper()
	all := secrets{}
	for ssid, passphrase := range passphrases {
		key, err := pbkdf2.Key(sha1.New, passphrase, []byte(ssid), 4096, 32)
		if err != nil {
			t.Fatal(err)
		}
		all["passphrase of "+ssid] = passphrase
		all["key of "+ssid] = hex.EncodeToString(key)
	}
	return all
}

func (s secrets) absent(t *testing.T, where, text string) {
	t.Helper()
	for what, secret := range s {
		if strings.Contains(text, secret) {
			t.Errorf("the %s is in %s", what, where)
		}
	}
}

// configure passes a passphrase to netconnectcli in the recommended way.
func (l *Lab) configure(t *testing.T, ssid, passphrase string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "psk")
	if err := os.WriteFile(file, []byte(passphrase), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `exec setpriv --reuid "$2" --regid "$2" --init-groups netconnectcli configure_wifi --psk-stdin "$3" <"$1"`
	must(t, "", "sh", "-c", script, "sh", file, member, ssid)
}

// readableFiles searches all files that a user without rights can read.
func (l *Lab) readableFiles(t *testing.T, s secrets, when string) {
	t.Helper()
	l.Timeline.Step("no file that guest can read has one, "+when, func() string {
		// This file shows that the search finds a text that guest can read.
		control := writeFile(t, "/var/tmp/lab-control", "as readable as can be")
		defer os.Remove(control)
		if found := guestFinds("as readable as can be"); found != control {
			t.Fatalf("guest finds %q, want %s: the search finds nothing", found, control)
		}
		for what, secret := range s {
			if found := guestFinds(secret); found != "" {
				t.Errorf("%s: guest finds the %s in %s", when, what, found)
			}
		}
		return "grep -r"
	})
}

// guestFinds returns the names of files with the text. The lab's own parties keep
// their secrets in /run/lab, which is left out.
func guestFinds(text string) string {
	found, _ := namespace("").runFor(time.Minute, "setpriv", "--reuid", stranger, "--regid", stranger, "--init-groups",
		"grep", "--recursive", "--files-with-matches", "--no-messages", "--devices=skip", "--fixed-strings",
		"--exclude-dir=lab", "--", text, "/run", "/var", "/etc", "/tmp", "/home", "/root")
	return strings.TrimSpace(found)
}

// watchProcesses reads everything that processes show to all users, again and again,
// until the returned function is called.
func watchProcesses(s secrets) (stop func() (seen []string, looks int)) {
	quit, gone := make(chan struct{}), make(chan struct{})
	found, looks := map[string]bool{}, 0
	go func() {
		defer close(gone)
		for {
			looks++
			look(s, found)
			select {
			case <-quit:
				return
			case <-time.After(pollInterval):
			}
		}
	}()
	var once sync.Once
	return func() (seen []string, n int) {
		once.Do(func() { close(quit) })
		<-gone
		for what := range found {
			seen = append(seen, what)
		}
		return seen, looks
	}
}

func look(s secrets, found map[string]bool) {
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // the process has ended meanwhile
			}
			for what, secret := range s {
				if bytes.Contains(text, []byte(secret)) && !bytes.HasPrefix(text, []byte("grep\x00")) && !bytes.HasPrefix(text, []byte("setpriv\x00")) {
					name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "comm"))
					found[fmt.Sprintf("the %s is in %s of %s", what, filepath.Base(file), strings.TrimSpace(string(name)))] = true
				}
			}
		}
	}
}
