package config

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// triedFile is the name of the record of a trial. The record is beside the kept copy.
const triedFile = "tried-config.json"

// maxTried is the largest record in bytes: far more than two paths of PATH_MAX.
const maxTried = 32 << 10

// tried is the record of a trial. While the file has the same text, a start takes the kept
// copy instead of the file.
type tried struct {
	File string    `json:"file"`   // path of the file; empty if there was no file
	Sum  []byte    `json:"sha256"` // of the file's text, with that of the file that network.uci names
	By   string    `json:"by"`     // who began the trial, for people
	At   time.Time `json:"at"`     // by the device's clock, for people
}

// Try writes the record of a trial of c, which is not in force yet. inForce is the
// configuration to which a start will return; Try refuses if the kept copy is not that
// configuration.
func (c *Config) Try(inForce *Config, by string, at time.Time) error {
	if inForce.File == "" && c.File != "" { // to a start, an empty file is the same as no file
		if err := inForce.writeKept(c.File); err != nil {
			return err
		}
	}
	if path := cmp.Or(inForce.File, c.File); path != "" {
		k, err := keptCopy(c.keptIn, path)
		if err == nil && !bytes.Equal(k.whole(), inForce.copied(path).whole()) {
			err = errors.New("the copy is of another text")
		}
		if err != nil {
			return fmt.Errorf("find the copy of the configuration in force: %w", err)
		}
	}
	record := tried{c.File, c.sum(), by, at.Round(0)}
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode the record of the trial: %w", err)
	}
	path := filepath.Join(c.keptIn, triedFile)
	if err := ownfile.Write(path, data); err != nil {
		return err
	}
	var back tried
	if err = readState(path, maxTried, &back); err == nil && (back.File != record.File || !bytes.Equal(back.Sum, record.Sum)) {
		err = errors.New("the disk has another text")
	}
	if err != nil {
		return fmt.Errorf("read the record of the trial back: %w", err)
	}
	return nil
}

func (c *Config) sum() []byte {
	sum := sha256.Sum256(c.copied("").whole())
	return sum[:]
}

// endTrial removes the record of a trial.
func (c *Config) endTrial() {
	path := filepath.Join(c.keptIn, triedFile)
	atomicfile.Sweep(path)
	_ = os.Remove(path)
}

// Unconfirmed returns the *Error of a configuration that was tried and not confirmed, so
// that a start has to take the kept copy; nil if c counts. The kept copy is that of the
// file at path.
//
// A record that cannot be understood counts as a record of c, because the kept copy is
// known to have worked, and c is not. Without a copy there is nothing to return to, and c counts.
func (c *Config) Unconfirmed(path string) error {
	before, err := keptCopy(c.keptIn, path)
	if err != nil || c.File != "" && bytes.Equal(before.whole(), c.copied(path).whole()) {
		return nil
	}
	var record tried
	err = readState(filepath.Join(c.keptIn, triedFile), maxTried, &record)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return c.unconfirmed(path, fmt.Sprintf("counts as tried and not confirmed, because the record of the last trial, %s, cannot be read: %v",
			filepath.Join(c.keptIn, triedFile), err))
	case record.File != c.File || !bytes.Equal(record.Sum, c.sum()):
		return nil
	}
	return c.unconfirmed(path, fmt.Sprintf("was tried by %s at %s and is not confirmed", record.By, record.At.Format(time.DateTime)))
}

// NotConfirmed returns the *Error of a configuration that was on trial until now.
func (c *Config) NotConfirmed(by string) error {
	return c.unconfirmed(c.File, "was tried by "+by+" and not confirmed")
}

func (c *Config) unconfirmed(path, text string) error {
	return &Error{File: path, Tried: true, Problems: []Problem{{Text: "the configuration " + path + " " + text, Remedy: remedyTried}}}
}

// remedyTried is what a person can do about a configuration that was tried and not confirmed.
const remedyTried = "try it again: netconnectcli apply, then netconnectcli confirm; or take it without a trial: netconnectcli reload; or correct the file"

// LoadAtStart is Load for a program that has to work with the settings that a start takes:
// those of the kept copy if the file was tried and not confirmed. The Fault then says so.
func LoadAtStart(args, environ []string) (*Config, []Problem, error) {
	c, warnings, err := Load(args, environ)
	if err != nil || c.Version || c.Check || c.Fault != nil {
		return c, warnings, err
	}
	line, err := parseFlags(args)
	if err != nil {
		return nil, nil, err
	}
	path, _ := line.path(readEnviron(environ, &report{}))
	fault := c.Unconfirmed(path)
	if fault == nil {
		return c, warnings, nil
	}
	before := LoadKept(args, environ, fault)
	if before == nil { // the flags, or the environment, do not fit the kept copy
		return c, warnings, nil
	}
	if before.Doctor {
		return before, warnings, fault
	}
	return before, nil, nil
}

// Parse is Load for a text in place of a file. Others may have written the text, so no file
// is read that network.uci names.
func Parse(args, environ []string, text []byte) (*Config, []Problem, error) {
	line, err := parseFlags(args)
	if err != nil {
		return nil, nil, err
	}
	return load(line, environ, func(_ string, _ bool, r *report) (configFile, error) {
		return configFile{text: text, contents: parseWith(text, refuseUCI, r)}, nil
	})
}
