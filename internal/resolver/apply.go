package resolver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// System is the machine whose resolver is set. It needs root.
type System struct {
	Root     string // "" or, in tests, a folder that stands for "/"
	StateDir string // survives reboots, only root may write there: what to restore
	Run      func(ctx context.Context, path string, args []string, stdin []byte) (stdout []byte, err error)
	Log      *slog.Logger
}

// method is a way to set name servers.
type method string

const (
	byResolved   method = "systemd-resolved"
	byResolvconf method = "resolvconf"
	byFile       method = "file"
)

// record is what we have done to the system and how to undo it.
type record struct {
	Method    method `json:"method"`
	Interface string `json:"interface"`
	File      *saved `json:"file,omitempty"` // by file only
}

// Apply makes the system use what is published at path (folder/resolv.conf),
// or forget what it was told before if nothing is published. It may be called
// at any time and again; a published file that is not as Publish writes it is
// an error and changes nothing.
func (s *System) Apply(ctx context.Context, path string) error {
	c, err := take(path)
	if err != nil {
		return err
	}
	old, err := s.load()
	if err != nil {
		return err
	}
	if len(c.Servers) == 0 {
		return s.withdraw(ctx, old)
	}
	by, program, err := s.choose()
	if err != nil {
		return err
	}
	if old.Method != "" && (old.Method != by || by != byFile && old.Interface != c.Interface) {
		if err := s.withdraw(ctx, old); err != nil {
			return err
		}
		old = record{}
	}
	told, err := s.set(ctx, by, program, old, path, c)
	if err != nil {
		return fmt.Errorf("set name servers by %s: %w", by, err)
	}
	if told {
		s.Log.Info("name servers set", "by", by, "iface", c.Interface, "servers", c.Servers, "search", c.Search)
	}
	return nil
}

// choose finds out who is in charge of resolv.conf, and the program to tell.
func (s *System) choose() (method, string, error) {
	owned, err := s.ownedByResolved()
	if err != nil {
		return "", "", err
	}
	if program := s.find("/usr/bin/resolvectl", "/bin/resolvectl"); owned && program != "" {
		return byResolved, program, nil
	}
	if program := s.find("/usr/sbin/resolvconf", "/sbin/resolvconf", "/usr/bin/resolvconf"); program != "" {
		// systemd-resolved brings a program of this name, which only talks to it.
		if real := filepath.Base(s.follow(program)); real != "resolvectl" && real != "systemd-resolve" {
			return byResolvconf, program, nil
		}
	}
	return byFile, "", nil
}

// find gives the first of paths that can be executed, or "".
func (s *System) find(paths ...string) string {
	for _, path := range paths {
		info, err := os.Stat(s.Root + path)
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// set tells the system, where there is a need to; by and program come from
// choose.
func (s *System) set(ctx context.Context, by method, program string, old record, published string, c Config) (told bool, err error) {
	if by == byFile {
		return s.setFile(old, published, c)
	}
	// First the record: what is recorded can be undone, whatever happens next.
	if err := s.store(record{Method: by, Interface: c.Interface}); err != nil {
		return false, err
	}
	if by == byResolvconf {
		_, err := s.Run(ctx, s.Root+program, []string{"-a", source(c.Interface)}, c.render())
		return true, err
	}
	return true, s.setResolved(ctx, program, c)
}

func (s *System) setResolved(ctx context.Context, program string, c Config) error {
	dns := []string{"dns", c.Interface}
	for _, server := range c.Servers {
		dns = append(dns, server.String())
	}
	if _, err := s.Run(ctx, s.Root+program, dns, nil); err != nil {
		return err
	}
	domain := append([]string{"domain", c.Interface}, c.Search...)
	if len(c.Search) == 0 {
		domain = append(domain, "") // clears the list, resolvectl(1)
	}
	_, err := s.Run(ctx, s.Root+program, domain, nil)
	return err
}

// source is the name under which resolvconf(8) keeps our servers.
func source(ifname string) string { return ifname + ".netconnectd" }

// withdraw undoes what is recorded and forgets it.
func (s *System) withdraw(ctx context.Context, old record) error {
	var err error
	switch old.Method {
	case byResolved:
		err = s.revert(ctx, old.Interface)
	case byResolvconf:
		if program := s.find("/usr/sbin/resolvconf", "/sbin/resolvconf", "/usr/bin/resolvconf"); program != "" {
			_, err = s.Run(ctx, s.Root+program, []string{"-d", source(old.Interface)}, nil)
		}
	case byFile:
		err = s.restoreFile(old.File)
	}
	if err != nil {
		return fmt.Errorf("withdraw name servers by %s: %w", old.Method, err)
	}
	if old.Method != "" {
		s.Log.Info("name servers withdrawn", "by", old.Method, "iface", old.Interface)
	}
	return s.forget()
}

// revert forgets all that systemd-resolved was told about an interface. It
// has forgotten by itself when the interface is gone.
func (s *System) revert(ctx context.Context, ifname string) error {
	program := s.find("/usr/bin/resolvectl", "/bin/resolvectl")
	if program == "" {
		return nil
	}
	_, err := s.Run(ctx, s.Root+program, []string{"revert", ifname}, nil)
	if _, gone := os.Lstat(s.Root + "/sys/class/net/" + ifname); errors.Is(gone, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *System) recordPath() string { return filepath.Join(s.StateDir, "applied.json") }

// load gives the zero record when nothing is applied.
func (s *System) load() (record, error) {
	data, err := namedfile.ReadOwn(s.recordPath(), 4*maxSystem)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	var r record
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return record{}, fmt.Errorf("read record of name servers: %w", err)
	}
	if !validInterface(r.Interface) || r.Method == byFile && (r.File == nil || !strings.HasPrefix(r.File.Path, "/")) {
		return record{}, fmt.Errorf("read record of name servers: %s is damaged", s.recordPath())
	}
	return r, nil
}

func (s *System) store(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write record of name servers: %w", err)
	}
	return atomicfile.Write(s.recordPath(), append(data, '\n'), 0o600)
}

func (s *System) forget() error {
	err := os.Remove(s.recordPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record of name servers: %w", err)
	}
	return nil
}
