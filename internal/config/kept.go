package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// keptFile is in the state folder that the file does not name: where a file that
// cannot be read says that it is, nobody knows.
const keptFile = "kept-config.json"

// maxKept is what a file of maxFile has in base64, and its path.
const maxKept = 2 * maxFile

// kept is a configuration file as it was when nothing was wrong with it.
type kept struct {
	File string `json:"file"` // its path
	Text []byte `json:"text"` // in UTF-8 or UTF-16
}

// Keep writes down the file that c was read from, for a time when it is wrong.
func (c *Config) Keep() error {
	path := filepath.Join(c.keptIn, keptFile)
	atomicfile.Sweep(path)
	if c.File == "" {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.Marshal(kept{File: c.File, Text: []byte(c.Text.Reveal())})
	if err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	if err := os.MkdirAll(c.keptIn, 0o700); err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	return ownfile.Write(path, data)
}

// LoadKept is for a start at which Load has found a fault: a device that nobody
// can reach is worse than one with the settings of yesterday. It takes the file
// as it was when it was kept, and everything else as it is now. It gives nil
// where that does not help, and where only a check was asked for.
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

// LoadDefaults is for a start at which Load has found a fault and LoadKept nothing:
// each setting that is wrong has its default, as a device that nobody can reach is
// worse. It returns nil where that does not help, and where only a check was asked
// for.
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

// stateDir is the state folder of a configuration without a file.
func stateDir(line *commandLine, environ []string) string {
	var r report // of no interest here
	return settle(line, readEnviron(environ, &r).values, contents{}, &r).StateDir
}

// readKept gives what was kept of the file at path.
func readKept(dir, path string, r *report) (configFile, error) {
	// Not ownfile.ReadJSON: also root's commands read here, and move no file of the
	// daemon's away.
	data, err := namedfile.ReadOwn(filepath.Join(dir, keptFile), maxKept)
	if err != nil {
		return configFile{}, err
	}
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return configFile{}, err
	}
	if k.File != path {
		return configFile{}, fmt.Errorf("it is of %s", k.File)
	}
	return configFile{path: path, text: k.Text, contents: parseFile(k.Text, r)}, nil
}
