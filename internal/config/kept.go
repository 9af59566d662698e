package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/openwrt"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// keptFile is the name of the copy. The copy is in the state folder of a configuration
// without a file: a file that cannot be read names no folder.
const keptFile = "kept-config.json"

// maxKept is the largest copy in bytes: a file of maxFile bytes and the file that
// network.uci names in base64, with their paths.
const maxKept = 2*maxFile + 2*openwrt.MaxFile

// kept is a configuration file as it was when nothing was wrong with it.
type kept struct {
	File string `json:"file"` // path of the file
	Text []byte `json:"text"` // contents in UTF-8 or UTF-16

	UCIFile string `json:"uci_file,omitempty"` // path that network.uci names
	UCI     []byte `json:"uci,omitempty"`      // contents of UCIFile
}

// whole returns the text of all files as one, to compare it with that of another time.
func (k *kept) whole() []byte {
	if k.UCIFile == "" {
		return k.Text
	}
	return slices.Concat(k.Text, []byte("\x00"+k.UCIFile+"\x00"), k.UCI)
}

// copied returns what is kept of c for the file at path.
func (c *Config) copied(path string) *kept {
	return &kept{File: path, Text: []byte(c.Text.Reveal()), UCIFile: c.UCI.File, UCI: []byte(c.UCI.Text.Reveal())}
}

// Keep makes c the boot configuration: it writes a copy of the file from which c was read,
// and then removes the record of a trial. LoadKept uses the copy when the file is wrong, or
// was tried and not confirmed. A record that stays, because of a crash between the two steps
// or of the disk, is void: the file and the copy have the same text.
func (c *Config) Keep() error {
	path := filepath.Join(c.keptIn, keptFile)
	atomicfile.Sweep(path)
	if c.File != "" {
		if err := c.writeKept(c.File); err != nil {
			return err
		}
	} else if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	c.endTrial()
	return nil
}

// writeKept writes the text of c as the copy of the file at path.
func (c *Config) writeKept(path string) error {
	data, err := json.Marshal(c.copied(path))
	if err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	if err := os.MkdirAll(c.keptIn, 0o700); err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	return ownfile.Write(filepath.Join(c.keptIn, keptFile), data)
}

// LoadKept loads the kept copy of the file, with the flags and the environment of now. It
// is for a start at which Load has found a fault: a device that nobody can reach is worse
// than a device with the settings of yesterday. LoadKept returns nil if the copy does not
// help, and if the program only has to check the settings.
func LoadKept(args, environ []string, fault error) *Config {
	line, err := parseFlags(args)
	if err != nil || line.check {
		return nil
	}
	strict := *line
	strict.tearDown, strict.daemon, strict.doctor, strict.bundle = false, "", false, ""
	dir := stateDir(line, environ)
	c, _, err := load(&strict, environ, func(path string, _ bool, r *report) (configFile, error) {
		return readKept(dir, path, r)
	})
	if err != nil {
		return nil
	}
	c.Fault, c.TearDown, c.Daemon, c.Doctor, c.Bundle = fault, line.tearDown, line.daemon, line.looks(), line.bundle
	return c
}

// LoadDefaults loads the settings with the default of each setting that is wrong. It is for
// a start at which Load has found a fault and LoadKept has found no copy: a device that
// nobody can reach is worse than a device with defaults. LoadDefaults returns nil if the
// defaults do not help, and if the program only has to check the settings.
func LoadDefaults(args, environ []string, fault error) *Config {
	line, err := parseFlags(args)
	if err != nil || line.check {
		return nil
	}
	line.defaults = true
	c, _, err := load(line, environ, readFile)
	if err != nil {
		return nil
	}
	c.Fault, c.Defaults = fault, true
	return c
}

// stateDir returns the state folder of a configuration without a file.
func stateDir(line *commandLine, environ []string) string {
	var r report // Load reports the same problems
	return settle(line, readEnviron(environ, &r).values, contents{}, &r).StateDir
}

// readKept returns the kept copy of the file at path.
func readKept(dir, path string, r *report) (configFile, error) {
	k, err := keptCopy(dir, path)
	if err != nil {
		return configFile{}, err
	}
	read := func(path string) ([]byte, error) {
		if path != k.UCIFile {
			return nil, errors.New("it is not in the copy")
		}
		return k.UCI, nil
	}
	return configFile{path: path, text: k.Text, contents: parseWith(k.Text, read, r)}, nil
}

// readState decodes a file of an earlier run. ownfile.ReadJSON would set a damaged file
// aside, but root's commands read here, too, and must not move a file of the daemon.
func readState(path string, limit int64, into any) error {
	data, err := namedfile.ReadOwn(path, limit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return ownfile.Describe(err)
	}
	return nil
}

// keptCopy returns the kept copy of the file at path.
func keptCopy(dir, path string) (*kept, error) {
	var k kept
	if err := readState(filepath.Join(dir, keptFile), maxKept, &k); err != nil {
		return nil, err
	}
	if k.File != path {
		return nil, fmt.Errorf("it is of %s", k.File)
	}
	return &k, nil
}
