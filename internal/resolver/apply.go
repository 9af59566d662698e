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

	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// System is the machine whose resolver is set. It needs root.
type System struct {
	Root     string // "" or, in tests, a folder that stands for "/"
	RunDir   string // only root may write there, and a reboot empties it: what we have done
	StateDir string // the same, but survives reboots, where it can be written: what to restore then
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

const recordName = "applied.json"

// runRecord is of what has been done since the device was started.
func (s *System) runRecord() string { return filepath.Join(s.RunDir, recordName) }

// lastRecord survives a reboot, as a file does that we have replaced.
func (s *System) lastRecord() string { return filepath.Join(s.StateDir, recordName) }

// load returns the record, the zero one when nothing is applied. A damaged record
// is set aside: without name servers nobody can even look up what is wrong.
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
		default: // a disk that returns nothing
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
	if err := r.check(); err != nil {
		return record{}, ownfile.Damaged(path, err)
	}
	return r, nil
}

func (r record) check() error {
	switch {
	case r.Method == "": // nothing is applied, see forget
	case !validInterface(r.Interface):
		return errors.New("it names no interface")
	case r.Method == byFile && (r.File == nil || !strings.HasPrefix(r.File.Path, "/")):
		return errors.New("it names no file")
	case r.Method != byFile && r.Method != byResolved && r.Method != byResolvconf:
		return errors.New("it says no way in which name servers are set")
	}
	return nil
}

// traces is the record of a resolv.conf that we have written, of which no record
// is left: what was there before is not known.
func (s *System) traces() (record, error) {
	found, err := s.survey()
	if err != nil || !isOurs(found.Content) {
		return record{}, nil //nolint:nilerr // setFile says it, where it matters
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(string(found.Content), header), "\n")
	if !validInterface(name) {
		return record{}, nil
	}
	content := found.Content
	found.Existed, found.Content, found.Written = false, nil, content
	return record{Method: byFile, Interface: name, File: &found}, nil
}

// store writes the record. Only a file that we replace outlives a reboot, and only
// its record has to. A disk that is full or read-only does not take that; then a
// reboot leaves resolv.conf without what it was before, which is better than a
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

// forget removes both records. Where the disk keeps the second, the first says
// until the reboot that nothing is applied.
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
