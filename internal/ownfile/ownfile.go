// Package ownfile reads the JSON files that a run of ours writes for the next.
// A power loss, a worn flash card or an editor can damage such a file. What is
// damaged then is kept beside it for a person, the rest is used, and nothing
// stands in the way of the next write.
package ownfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// mostAside is how many damaged versions of a file are kept. The last one is
// replaced by later ones: a disk that damages every file must not fill up.
const mostAside = 5

// DamagedError says that a file, or a part of it, could not be understood.
type DamagedError struct {
	Path  string
	Aside string // the name of the file that keeps what was there; empty: it could not be kept
	Err   error  // names places in the file, never its text
}

// Error names the file, the damage, and where the file is kept.
func (e *DamagedError) Error() string {
	text := fmt.Sprintf("%s is damaged: %v", e.Path, e.Err)
	if e.Aside != "" {
		text += "; it is kept as " + e.Aside
	}
	return text
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// ReadJSON decodes the file at path into the value that into points to. The
// error is fs.ErrNotExist without a file. It is a *DamagedError for a file that
// is no JSON of that shape; the file is set aside then, so that the next reader
// finds none.
func ReadJSON(path string, limit int64, into any) error {
	data, err := namedfile.ReadOwn(path, limit)
	if err != nil {
		return unreadable(path, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return Damaged(path, Describe(err))
	}
	return nil
}

// ReadList decodes the file at path, a JSON array, element by element. Elements
// that cannot be decoded, or that valid refuses, are left out. The error is then
// a *DamagedError; the file is set aside, and the good elements are to be written
// anew by the caller.
func ReadList[T any](path string, limit int64, valid func(T) error) (good []T, err error) {
	var elements []json.RawMessage
	if err := ReadJSON(path, limit, &elements); err != nil {
		return nil, err
	}
	var faults []error
	for i, element := range elements {
		var v T
		err := json.Unmarshal(element, &v)
		if err != nil {
			err = Describe(err)
		} else {
			err = valid(v)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("element %d: %w", i, err))
			continue
		}
		good = append(good, v)
	}
	if len(faults) > 0 {
		return good, Damaged(path, errors.Join(faults...))
	}
	return good, nil
}

// Write replaces the file at path by data, as package atomicfile does, where it
// has another content: that spares an SD card. Only its owner can read it.
func Write(path string, data []byte) error {
	if old, err := namedfile.ReadOwn(path, int64(len(data))); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return atomicfile.Write(path, data, 0o600)
}

// unreadable sets aside what cannot be our file, such as a folder. The file of
// another user stays, because root may be examining the daemon's file. A file that
// the disk does not return also stays.
func unreadable(path string, err error) error {
	if errors.Is(err, namedfile.ErrNotRegular) || errors.Is(err, namedfile.ErrTooLarge) {
		return Damaged(path, err)
	}
	return err
}

// Damaged sets the file at path aside because of cause, and returns the
// *DamagedError. Afterwards there is no file at path, unless the disk refuses.
func Damaged(path string, cause error) error {
	aside, err := asideName(path)
	if err == nil {
		err = os.Rename(path, aside)
	}
	if err == nil {
		_ = os.Remove(path) // rename(2) does nothing where both are names of one file, see Preserve
	}
	if err != nil {
		return &DamagedError{Path: path, Err: errors.Join(cause, fmt.Errorf("set it aside: %w", err))}
	}
	Hide(aside)
	return &DamagedError{Path: path, Aside: filepath.Base(aside), Err: cause}
}

// Usable returns what is in the way of a new file, given the error of a reader here.
// A file that is damaged, and has been set aside, or that is another user's is
// none of that: Usable says so in the log. doing says what was being read.
func Usable(err error, log *slog.Logger, doing string) error {
	var damaged *DamagedError
	var foreign *namedfile.OwnerError
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &damaged), errors.As(err, &foreign):
		log.Warn(doing, "err", err)
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Preserve is Damaged for a file that the caller replaces at once. The file stays
// at path until then, where the file system can give it a second name: if the
// disk is full, the caller's write fails and nothing is lost.
func Preserve(path string, cause error) error {
	aside, err := asideName(path)
	if err == nil && linkAs(path, aside) == nil {
		Hide(aside)
		return &DamagedError{Path: path, Aside: filepath.Base(aside), Err: cause}
	}
	return Damaged(path, cause) // VFAT has no links, and files of others get none (fs.protected_hardlinks)
}

// linkAs adds a second name to the file at path. An older file of that name is
// replaced.
func linkAs(path, aside string) error {
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Link(path, aside)
}

// asideName is path + ".broken", or ".broken2" and so on where that is in use by
// another file.
func asideName(path string) (string, error) {
	file, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	name := path + ".broken"
	for n := 2; n <= mostAside; n++ {
		other, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && os.SameFile(file, other) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s.broken%d", path, n)
	}
	return name, nil
}

// Hide removes the rights of others from a file that may hold passphrases and that
// was made readable, e.g. by restoring a backup. If that fails, the next write does
// it. Hide does not follow a link, because its target is not ours.
func Hide(path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		_ = f.Chmod(0o600)
	}
}

// Describe says what encoding/json found, by places and without text of the
// file, which may be a passphrase.
func Describe(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fmt.Errorf("%s has the wrong type", wrongType.Field)
	case errors.As(err, &wrongType):
		return fmt.Errorf("it has the wrong type at byte %d", wrongType.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err.Error() == "unexpected end of JSON input":
		return errors.New("not JSON: it ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	}
	return errors.New("not JSON of the right shape")
}
