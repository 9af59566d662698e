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
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// System is the machine whose resolver is set. Its methods need root.
type System struct {
	Root     string // "" or, in tests, a folder that stands for "/"
	RunDir   string // for the record of what we have done; only root may write there, and a reboot empties it
	StateDir string // for the record of what to restore after a reboot; only root may write there
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
	Method     method   `json:"method"`
	Interfaces []string `json:"interfaces"`
	File       *saved   `json:"file,omitempty"` // by file only

	Interface string `json:"interface,omitempty"` // the only one, of an earlier version
}

// Apply makes the system use what is published at path (folder/resolv.conf). If
// nothing is published, it undoes the previous Apply. It may be called at any time
// and repeatedly. A published file that Publish cannot have written is an error, and
// nothing changes.
func (s *System) Apply(ctx context.Context, path string) error {
	c, err := take(path)
	if err != nil {
		return err
	}
	old, err := s.load()
	if err != nil {
		return err
	}
	by, program, err := s.choose()
	if err != nil {
		return err
	}
	if len(c.Links) == 0 || c.Apart && by == byFile {
		return s.withdraw(ctx, old)
	}
	if old.Method != "" && old.Method != by {
		if err := s.withdraw(ctx, old); err != nil {
			return err
		}
		old = record{}
	}
	applied, err := s.set(ctx, by, program, old, path, c)
	if err != nil {
		return fmt.Errorf("set name servers by %s: %w", by, err)
	}
	if applied {
		for _, l := range c.Links {
			s.Log.Info("name servers set", "by", by, "iface", l.Interface, "servers", l.Servers, "search", l.Search)
		}
	}
	return nil
}

// choose returns the method for this system, and the program that it runs.
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

// find returns the first of paths that can be executed, or "".
func (s *System) find(paths ...string) string {
	for _, path := range paths {
		info, err := os.Stat(s.Root + path)
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// set applies c to the system, and reports whether that was necessary. by and program
// come from choose.
func (s *System) set(ctx context.Context, by method, program string, old record, published string, c Config) (applied bool, err error) {
	if by == byFile {
		return s.setFile(old, published, c)
	}
	var names []string
	for _, l := range c.Links {
		names = append(names, l.Interface)
	}
	left := slices.DeleteFunc(slices.Clone(old.Interfaces), func(name string) bool { return slices.Contains(names, name) })
	// The record comes first, so that the change can be undone whatever happens next.
	if err := s.store(record{Method: by, Interfaces: slices.Concat(names, left)}); err != nil {
		return false, err
	}
	var failed []error
	for _, name := range left {
		failed = append(failed, s.withdrawLink(ctx, by, name))
	}
	for _, l := range c.Links {
		if by == byResolvconf {
			_, err = s.Run(ctx, s.Root+program, []string{"-a", source(l.Interface)}, Config{Links: []Link{l}}.render())
		} else {
			err = s.setResolved(ctx, program, l)
		}
		failed = append(failed, err)
	}
	if err := errors.Join(failed...); err != nil || len(left) == 0 {
		return true, err
	}
	return true, s.store(record{Method: by, Interfaces: names})
}

func (s *System) setResolved(ctx context.Context, program string, l Link) error {
	dns := []string{"dns", l.Interface}
	for _, server := range l.Servers {
		dns = append(dns, server.String())
	}
	if _, err := s.Run(ctx, s.Root+program, dns, nil); err != nil {
		return err
	}
	domain := append([]string{"domain", l.Interface}, l.Search...)
	if len(l.Search) == 0 {
		domain = append(domain, "") // clears the list, resolvectl(1)
	}
	_, err := s.Run(ctx, s.Root+program, domain, nil)
	return err
}

// source returns the name under which resolvconf(8) keeps our servers.
func source(ifname string) string { return ifname + ".netconnectd" }

// withdraw undoes what is recorded and removes the record.
func (s *System) withdraw(ctx context.Context, old record) error {
	var err error
	if old.Method == byFile {
		err = s.restoreFile(old.File)
	} else {
		for _, name := range old.Interfaces {
			err = errors.Join(err, s.withdrawLink(ctx, old.Method, name))
		}
	}
	if err != nil {
		return fmt.Errorf("withdraw name servers by %s: %w", old.Method, err)
	}
	if old.Method != "" {
		s.Log.Info("name servers withdrawn", "by", old.Method, "iface", strings.Join(old.Interfaces, " "))
	}
	return s.forget()
}

// withdrawLink undoes what was set for a link.
func (s *System) withdrawLink(ctx context.Context, by method, ifname string) error {
	if by == byResolved {
		return s.revert(ctx, ifname)
	}
	program := s.find("/usr/sbin/resolvconf", "/sbin/resolvconf", "/usr/bin/resolvconf")
	if program == "" {
		return nil
	}
	_, err := s.Run(ctx, s.Root+program, []string{"-d", source(ifname)}, nil)
	return err
}

// revert makes systemd-resolved forget its settings of an interface. When the
// interface is gone, systemd-resolved has already forgotten them.
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

const recordName = "applied.json"

// runRecord returns the path of the record of what has been done since the device was
// started.
func (s *System) runRecord() string { return filepath.Join(s.RunDir, recordName) }

// lastRecord returns the path of the record that survives a reboot, as the replaced
// file does.
func (s *System) lastRecord() string { return filepath.Join(s.StateDir, recordName) }

// load returns the record, which is zero if nothing is applied. A damaged record is
// set aside and is no error, as a device without name servers is hard to repair.
func (s *System) load() (record, error) {
	for _, path := range []string{s.runRecord(), s.lastRecord()} {
		r, err := readRecord(path)
		var damaged *ownfile.DamagedError
		switch {
		case err == nil:
			return r, nil
		case errors.Is(err, fs.ErrNotExist):
		case errors.As(err, &damaged):
			s.Log.Warn("read record of name servers", "error", err)
		default: // the disk fails
			s.Log.Error("read record of name servers", "error", err)
		}
	}
	return s.traces()
}

func readRecord(path string) (record, error) {
	var r record
	if err := ownfile.ReadJSON(path, 4*maxSystem, &r); err != nil {
		return record{}, err
	}
	if r.Interface != "" {
		r.Interfaces, r.Interface = []string{r.Interface}, ""
	}
	if err := r.check(); err != nil {
		return record{}, ownfile.Damaged(path, err)
	}
	return r, nil
}

func (r record) check() error {
	switch {
	case r.Method == "": // nothing is applied, see forget
	case len(r.Interfaces) == 0 || slices.ContainsFunc(r.Interfaces, func(name string) bool { return !validInterface(name) }):
		return errors.New("it names no interface")
	case r.Method == byFile && (r.File == nil || !strings.HasPrefix(r.File.Path, "/")):
		return errors.New("it names no file")
	case r.Method != byFile && r.Method != byResolved && r.Method != byResolvconf:
		return errors.New("it says no way in which name servers are set")
	}
	return nil
}

// traces returns a record for a resolv.conf that we have written but whose record is
// lost. The previous content is not known.
func (s *System) traces() (record, error) {
	found, err := s.survey()
	if err != nil || !isOurs(found.Content) {
		return record{}, nil //nolint:nilerr // setFile reports the error, if it matters
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(string(found.Content), header), "\n")
	if !validInterface(name) {
		return record{}, nil
	}
	content := found.Content
	found.Existed, found.Content, found.Written = false, nil, content
	return record{Method: byFile, Interfaces: []string{name}, File: &found}, nil
}

// store writes the record. Only the record of a replaced file has to survive a
// reboot. If the disk is full or read-only, store goes on without that record: the
// previous content of resolv.conf is then lost after a reboot, which is better than a
// device without name servers.
func (s *System) store(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write record of name servers: %w", err)
	}
	data = append(data, '\n')
	if err := os.MkdirAll(s.RunDir, 0o700); err != nil {
		return fmt.Errorf("write record of name servers: %w", err)
	}
	if err := ownfile.Write(s.runRecord(), data); err != nil {
		return fmt.Errorf("write record of name servers: %w", err)
	}
	if r.Method != byFile {
		return nil
	}
	err = os.MkdirAll(s.StateDir, 0o700)
	if err == nil {
		err = ownfile.Write(s.lastRecord(), data)
	}
	if err != nil {
		s.Log.Warn("what resolv.conf was before is not known any more after a reboot", "error", err)
	}
	return nil
}

// forget removes both records. If the second cannot be removed from the disk, an
// empty first record shows until the reboot that nothing is applied.
func (s *System) forget() error {
	last := os.Remove(s.lastRecord())
	if last != nil && !errors.Is(last, fs.ErrNotExist) {
		s.Log.Warn("remove record of name servers", "error", last)
		return ownfile.Write(s.runRecord(), []byte("{}\n"))
	}
	err := os.Remove(s.runRecord())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record of name servers: %w", err)
	}
	return nil
}
