package resolver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// systemFile is the file that the resolver of every program reads.
const systemFile = "/etc/resolv.conf"

// maxSystem is far above any resolv.conf.
const maxSystem = 1 << 20

// readSystem reads a file that may be a link, also into a folder of another user.
func readSystem(path string) ([]byte, error) {
	return namedfile.Read(context.Background(), path, maxSystem)
}

// saved is a file that we have replaced, and its previous content.
type saved struct {
	Path    string      `json:"path"`    // of the file itself, links followed
	Written []byte      `json:"written"` // our content; null: not written yet
	Existed bool        `json:"existed"` // there was a file with this content:
	Content []byte      `json:"content,omitempty"`
	Mode    fs.FileMode `json:"mode,omitempty"`
	Link    string      `json:"link,omitempty"` // target of the previous link, if that led nowhere
}

// setFile writes resolv.conf itself, and reports whether that was necessary. Other
// programs (dhclient for a wired interface) and administrators write the file, too,
// and the last writer wins: their content stays until there are new name servers.
func (s *System) setFile(old record, published string, c Config) (written bool, err error) {
	if s.follow(systemFile) == published {
		return false, nil // an administrator made resolv.conf a link to what we publish
	}
	content := c.render()
	next, err := s.survey()
	if err != nil {
		return false, err
	}
	if was := old.File; was != nil && was.Path == next.Path {
		switch {
		case bytes.Equal(next.Content, was.Written) && bytes.Equal(content, was.Written):
			return false, nil
		case bytes.Equal(content, was.Written):
			s.Log.Info("resolv.conf left to the program that wrote it", "path", next.Path)
			return false, nil
		case isOurs(next.Content):
			next = *was // the content before our first change is still the one to restore
		}
	}
	if isOurs(next.Content) {
		next.Existed, next.Content = false, nil // our own content of which no record is left
	}
	return true, s.replace(next, c.Links[0].Interface, content)
}

// replace writes the file. It records the file as written only afterwards, so that
// the next Apply repeats a write that fails in between.
func (s *System) replace(next saved, ifname string, content []byte) error {
	r := record{Method: byFile, Interfaces: []string{ifname}, File: &next}
	next.Written = nil
	if err := s.store(r); err != nil {
		return err
	}
	if err := atomicfile.Write(s.Root+next.Path, content, 0o644); err != nil {
		return err
	}
	next.Written = content
	return s.store(r)
}

// isOurs reports whether we have written a file with this content.
func isOurs(content []byte) bool { return bytes.HasPrefix(content, []byte(header)) }

// survey finds the file behind resolv.conf and reads its present content.
func (s *System) survey() (saved, error) {
	found := saved{Path: s.follow(systemFile)}
	if found.Path != systemFile && !s.ourFolder(filepath.Dir(found.Path)) {
		// The link leads into a folder that does not exist, or into another user's
		// folder, where root must not write. The link itself is replaced.
		link, err := os.Readlink(s.Root + systemFile)
		return saved{Path: systemFile, Link: link}, err
	}
	info, err := os.Lstat(s.Root + found.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return saved{}, err
	}
	if !info.Mode().IsRegular() {
		return saved{}, fmt.Errorf("%s is not a regular file", found.Path)
	}
	found.Existed, found.Mode = true, info.Mode().Perm()
	found.Content, err = readSystem(s.Root + found.Path)
	return found, err
}

// ourFolder reports whether dir exists and only our user, which is root, can change it
// or the folders above it.
func (s *System) ourFolder(dir string) bool {
	info, err := os.Stat(s.Root + dir)
	return err == nil && info.IsDir() && info.Mode()&fs.ModeSticky == 0 && namedfile.CheckTrusted(s.Root+dir, os.Geteuid()) == nil
}

// restoreFile puts the previous content back if the present content is ours.
func (s *System) restoreFile(was *saved) error {
	path := s.Root + was.Path
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	now, err := readSystem(path)
	// Written is null if the power was lost during the write.
	ours := bytes.Equal(now, was.Written) || was.Written == nil && isOurs(now)
	if err != nil || !ours {
		return err
	}
	if was.Existed {
		return atomicfile.Write(path, was.Content, was.Mode)
	}
	if err := os.Remove(path); err != nil || was.Link == "" {
		return err
	}
	return os.Symlink(was.Link, path)
}

// follow returns the path, below Root, that path leads to. If that does not exist, it
// returns the last path that can be followed.
func (s *System) follow(path string) string {
	for range 8 {
		link, err := os.Readlink(s.Root + path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = filepath.Clean(link)
	}
	return path
}

// ownedByResolved reports whether the system's programs ask systemd-resolved:
// resolv.conf is a link to one of its files, or names its stub listener
// (systemd-resolved.service(8), "/ETC/RESOLV.CONF").
func (s *System) ownedByResolved() (bool, error) {
	path := strings.TrimPrefix(s.follow(systemFile), "/var")
	if strings.HasPrefix(path, "/run/systemd/resolve/") || strings.HasSuffix(path, "/lib/systemd/resolv.conf") {
		return true, nil
	}
	content, err := readSystem(s.Root + path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	stub := false
	for line := range strings.Lines(string(content)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if words[1] != "127.0.0.53" && words[1] != "127.0.0.54" {
			return false, nil
		}
		stub = true
	}
	return stub, nil
}
