package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// Open reads the file at path, which only this process may use. A missing file is an
// empty store. A copy of the file lies beside it, as path + ".copy".
//
// The store can be used even if there is an error:
//   - Where records are not understood, the store has the others. The records
//     stay unchanged in the file.
//   - Where the file as a whole is damaged, the store has the copy's networks, else
//     those before the damage. The damaged file is kept as path + ".broken" (package
//     ownfile) and written anew.
//   - Where a later netconnectd has written the file (ErrLater), the store has what
//     it understands; where the disk does not return the file, the store has the
//     copy's networks. Such a file is never replaced: changes then only live in
//     memory.
func Open(path string) (*Store, error) {
	s := &Store{path: path, write: atomicfile.Write}
	atomicfile.Sweep(path)
	atomicfile.Sweep(s.copyPath())
	data, err := namedfile.Read(context.Background(), path, maxFile)
	var c *contents
	switch {
	case errors.Is(err, fs.ErrNotExist): // a user has deleted it, and wants the passphrases in the copy deleted as well
		return s, s.removeCopy()
	case err != nil:
		s.refuse = fmt.Errorf("read saved networks: %w", err)
		c, _, _ = s.readCopy()
		err = s.refuse
	default:
		c, err = s.understand(data)
		ownfile.Hide(path)
	}
	s.current.Store(c)
	return s, err
}

// understand returns the contents of data, which was read from the file, or of the
// copy if the file is damaged, and repairs the file.
func (s *Store) understand(data []byte) (*contents, error) {
	c, faults, err := decode(data)
	switch {
	case errors.Is(err, ErrLater):
		s.refuse = fmt.Errorf("read saved networks %s: %w", s.path, err)
		return c, s.refuse
	case err != nil:
		return s.heal(c, err)
	case len(faults) > 0:
		before, _, _ := s.readCopy()
		c.recover(before)
		return c, fmt.Errorf("read saved networks %s, where what is not understood stays as it is: %w", s.path, errors.Join(faults...))
	}
	if old, err := namedfile.Read(context.Background(), s.copyPath(), maxFile); err != nil || !bytes.Equal(old, data) {
		_ = s.write(s.copyPath(), data, 0o600) // if the disk refuses, the next change writes the copy
	}
	return c, nil
}

// heal replaces a file that is damaged as a whole. part holds what comes before the
// damage.
func (s *Store) heal(part *contents, cause error) (*contents, error) {
	c, there, err := s.readCopy()
	if errors.Is(err, ErrLater) {
		s.refuse = fmt.Errorf("read saved networks %s: %w; of its copy: %w", s.path, cause, err)
		return c, s.refuse
	}
	if !there {
		c = part
	}
	cause = fmt.Errorf("read saved networks: %w", ownfile.Preserve(s.path, cause))
	var damaged *ownfile.DamagedError
	if errors.As(cause, &damaged) && damaged.Aside == "" {
		s.refuse = cause
		return c, cause
	}
	if err := s.save(c); err != nil {
		s.unsaved = true
		cause = fmt.Errorf("%w; write it anew: %w", cause, err)
	}
	return c, cause
}

func (s *Store) copyPath() string { return s.path + ".copy" }

// readCopy returns the copy's contents, empty without a copy, and reports whether the
// copy is whole. The error may be ErrLater.
func (s *Store) readCopy() (c *contents, there bool, err error) {
	data, err := namedfile.Read(context.Background(), s.copyPath(), maxFile)
	if err != nil {
		return &contents{}, false, err
	}
	c, _, err = decode(data)
	return c, err == nil, err
}

func (s *Store) removeCopy() error {
	if err := os.Remove(s.copyPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the copy of the saved networks: %w", err)
	}
	return nil
}

// recover adds those networks whose records were not understood if an earlier version
// of the file has readable records of them.
func (c *contents) recover(before *contents) {
	for _, u := range c.unread {
		if n, err := before.find(u.ssid); err == nil && c.index(u.ssid) < 0 {
			c.networks = append(c.networks, n)
		}
	}
}

// save writes the file and then its copy, so that a removed network is in neither.
func (s *Store) save(c *contents) error {
	switch {
	case s.path == "":
		return nil
	case s.refuse != nil:
		return s.refuse
	}
	data, err := encode(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	if err := s.write(s.path, data, 0o600); err != nil {
		return err
	}
	if err := s.write(s.copyPath(), data, 0o600); err != nil {
		return errors.Join(err, s.removeCopy())
	}
	return nil
}

// unreadWithout returns the unread records except those of one network.
func (c *contents) unreadWithout(ssid []byte) []unread {
	return slices.DeleteFunc(slices.Clone(c.unread), func(u unread) bool { return u.ssid != nil && bytes.Equal(u.ssid, ssid) })
}
