package resolver

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/process"
)

// machine is a file system with a daemon's folder, and a diary of the calls of its
// programs.
type machine struct {
	t      *testing.T
	root   string
	run    string // the daemon's folder
	system System
	logged strings.Builder
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir()}
	m.run = filepath.Join(m.root, "run/netconnectd")
	for _, dir := range []string{"etc", "run/netconnectd", "usr/bin", "usr/sbin", "sys/class/net/wlan0", "state"} {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.system = System{Root: m.root, RunDir: m.root + "/run/netconnectd-resolv", StateDir: m.root + "/state", Run: process.Run, Log: slog.New(slog.NewTextHandler(&m.logged, nil))}
	return m
}

// program puts an executable there that writes its arguments and input down.
func (m *machine) program(path, exit string) {
	m.t.Helper()
	script := fmt.Sprintf("#!/bin/sh\n{ echo \"%s $*\"; sed 's/^/  /'; } >>%s/diary\n%s\n", filepath.Base(path), m.root, exit)
	if err := os.WriteFile(m.root+path, []byte(script), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) diary() string {
	content, _ := os.ReadFile(m.root + "/diary")
	os.Remove(m.root + "/diary")
	return string(content)
}

func (m *machine) write(path, content string) {
	m.t.Helper()
	if err := os.WriteFile(m.root+path, []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) link(target, path string) {
	m.t.Helper()
	os.Remove(m.root + path)
	if err := os.Symlink(target, m.root+path); err != nil {
		m.t.Fatal(err)
	}
}

// publish is the daemon's side and the root side's, one after the other.
func (m *machine) publish(ifname string, servers ...string) error {
	m.t.Helper()
	return m.publishAll(Config{Links: []Link{{Interface: ifname, Servers: addresses(servers...), Search: []string{"lan"}}}})
}

func (m *machine) publishAll(config Config) error {
	m.t.Helper()
	if err := Publish(m.run, config); err != nil {
		m.t.Fatal(err)
	}
	return m.system.Apply(m.t.Context(), filepath.Join(m.run, FileName))
}

func (m *machine) withdraw() error {
	m.t.Helper()
	if err := Withdraw(m.run); err != nil {
		m.t.Fatal(err)
	}
	return m.system.Apply(m.t.Context(), filepath.Join(m.run, FileName))
}

// aboutToWrite leaves the record of a write over before that was not finished.
func (m *machine) aboutToWrite(before string) {
	m.t.Helper()
	file := &saved{Path: systemFile, Existed: true, Content: []byte(before), Mode: 0o644}
	m.ok(m.system.store(record{Method: byFile, Interfaces: []string{"wlan0"}, File: file}))
}

// etc describes /etc/resolv.conf without following it.
func (m *machine) etc() string {
	path := m.root + systemFile
	if link, err := os.Readlink(path); err == nil {
		return "-> " + link
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "absent"
	}
	return string(content)
}

func (m *machine) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) same(what, want, got string) {
	m.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

func ours(ifname, server string) string {
	return fmt.Sprintf("# netconnectd: %s\nnameserver %s\nsearch lan\n", ifname, server)
}
