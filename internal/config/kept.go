package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
)

// keptFile is in the state folder.
const keptFile = "config.json"

// kept is a configuration file as it was when nothing was wrong with it.
type kept struct {
	File string `json:"file"` // its path
	Text string `json:"text"`
}

// Keep writes the file that c was read from into the state folder, for LoadKept.
func (c *Config) Keep() error {
	path := filepath.Join(c.StateDir, keptFile)
	if c.File == "" {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.Marshal(kept{File: c.File, Text: string(c.text)})
	if err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil // which spares an SD card
	}
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	return atomicfile.Write(path, data, 0o600)
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
	dir, err := stateDir(args, environ)
	if err != nil {
		return nil
	}
	c, _, err := load(line, environ, func(path string, _ bool, r *report) (configFile, error) {
		return readKept(dir, path, r)
	})
	if err != nil {
		return nil
	}
	c.Fault = fault
	return c
}

// Faults are the texts of Fault, one for each problem.
func (c *Config) Faults() []string {
	var wrong *Error
	switch {
	case c.Fault == nil:
		return nil
	case !errors.As(c.Fault, &wrong):
		return []string{c.Fault.Error()}
	}
	var texts []string
	for _, p := range wrong.Problems {
		texts = append(texts, p.String())
	}
	return texts
}

// stateDir is the state folder, whatever else is wrong with the settings.
func stateDir(args, environ []string) (string, error) {
	line, err := parseFlags(args)
	if err != nil {
		return "", err
	}
	line.tearDown = true
	c, _, err := load(line, environ, readFile)
	if err != nil {
		return "", err
	}
	return c.StateDir, nil
}

// readKept gives what was kept of the file at path.
func readKept(dir, path string, r *report) (configFile, error) {
	data, err := os.ReadFile(filepath.Join(dir, keptFile))
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
	text := []byte(k.Text)
	return configFile{path: path, text: text, values: parseFile(text, r)}, nil
}
