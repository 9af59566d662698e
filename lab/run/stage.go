package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// shared is what the machine gets: patterns below the root of the repository,
// and the folder of the share that their files go to.
var shared = []struct{ pattern, folder string }{
	{binFolder + "/*", "bin"},
	{"build/lab/package/*.deb", "package"}, // the device's
	{"build/lab/next/*.deb", "next"},       // and what it is upgraded to
	{"lab/guest/*", "."},
}

// stage fills the folder that the machine reads and empties the one that it
// writes.
func stage(plan []string) error {
	for _, folder := range []string{shareFolder, outFolder} {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("clear the machine's folder: %w", err)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make the machine's folder: %w", err)
		}
	}
	for _, s := range shared {
		if err := stageFiles(s.pattern, filepath.Join(shareFolder, s.folder)); err != nil {
			return fmt.Errorf("share %s with the machine: %w", s.pattern, err)
		}
	}
	text := strings.Join(plan, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(shareFolder, "plan"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the machine's plan: %w", err)
	}
	return nil
}

// stageFiles links files, or copies them where a link is not possible.
func stageFiles(pattern, folder string) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		target := filepath.Join(folder, filepath.Base(file))
		if os.Link(file, target) == nil {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, content, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// result is what the machine left behind: nil if every run passed.
func result() error {
	status, err := os.ReadFile(filepath.Join(outFolder, "status"))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the machine ended without a result; its console and logs: %s", outFolder)
	}
	if err != nil {
		return fmt.Errorf("read the machine's result: %w", err)
	}
	if s := strings.TrimSpace(string(status)); s != "0" {
		return fmt.Errorf("not every scenario passed (status %s); what the parties said: %s", s, outFolder)
	}
	return nil
}
