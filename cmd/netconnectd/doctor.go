package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/bundle"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/doctor"
)

// examineLimit bounds an examination of the device, with all programs that it asks.
const examineLimit = 25 * time.Second

// report is what --doctor prints, for netconnectcli doctor.
type report struct {
	Findings []doctor.Finding `json:"findings"`
	Bundle   *written         `json:"bundle,omitempty"`
}

// written describes an archive that was written.
type written struct {
	File   string        `json:"file"`
	Parts  []bundle.Part `json:"parts"`
	Hidden string        `json:"hidden"`
}

// examine implements --doctor and --bundle. The settings are those of the running
// daemon, unless args name others.
func examine(ctx context.Context, args []string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, examineLimit)
	defer cancel()
	if err := doctor.GiveUpRights(); err != nil {
		fmt.Fprintln(os.Stderr, "netconnectd: warning: give up rights:", err)
	}
	args = append(doctor.RunningArgs(ctx), args...)
	cfg, warnings, err := config.LoadAtStart(args, os.Environ())
	if cfg == nil {
		return err
	}
	facts := doctor.Look(ctx, doctor.Options{Config: cfg, Warnings: warnings, ConfigErr: err})
	found := report{Findings: doctor.Judge(facts)}
	if cfg.Bundle != "" {
		if found.Bundle, err = pack(ctx, args, bundle.Device{Version: version, Config: cfg, Findings: found.Findings, Silence: facts.Daemon.Silence}); err != nil {
			return err
		}
	}
	return json.NewEncoder(out).Encode(found)
}

// pack writes what is known of d, and what d's daemon answers.
func pack(ctx context.Context, args []string, d bundle.Device) (*written, error) {
	var err error
	if d.Settings, err = config.Values(args, os.Environ()); err != nil {
		d.Settings = append(d.Settings, fmt.Sprintf("the configuration could not be read: %v", err))
	}
	parts := bundle.Collect(ctx, d)
	var archive bytes.Buffer
	if err := bundle.Write(&archive, parts, bundle.NewRedactor(bundle.Secrets(ctx, d.Config)), time.Now()); err != nil {
		return nil, fmt.Errorf("pack the bundle: %w", err)
	}
	file := d.Config.Bundle
	if err := atomicfile.Write(file, archive.Bytes(), 0o600); err != nil {
		return nil, fmt.Errorf("write the bundle: %w", err)
	}
	return &written{file, parts, bundle.Hidden}, nil
}
