package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Folders below the root of the repository.
const (
	binFolder = "build/bin"
	labFolder = "build/lab"
)

// shared is what the machines get: patterns below the root of the repository, and
// the folder of the share that their files go to.
var shared = []struct{ pattern, folder string }{
	{binFolder + "/*", "bin"},
	{labFolder + "/package/*.deb", "package"}, // the device's
	{labFolder + "/next/*.deb", "next"},       // and what it is upgraded to
	{"lab/guest/*", "."},
}

// place is a folder of one run's own, so that two runs at once do not disturb each
// other. The machines see it and nothing else of the host.
type place struct {
	work string // the machines' disks; share, what they read; out
	out  string // what they write: logs, their results
	lock *os.File
}

// takePlace takes build/lab/run, or if another run has that, run-2 and so on.
func takePlace() (*place, error) {
	root, err := filepath.Abs(labFolder)
	if err != nil {
		return nil, fmt.Errorf("find a place for the machines: %w", err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("make a place for the machines: %w", err)
	}
	for n := 1; ; n++ {
		work := filepath.Join(root, "run")
		if n > 1 {
			work += fmt.Sprintf("-%d", n)
		}
		held, err := tryLock(work + ".lock")
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &place{work: work, out: filepath.Join(work, "out"), lock: held}, nil
	}
}

// leave removes the disks; what the machines wrote stays.
func (p *place) leave() {
	disks, _ := filepath.Glob(filepath.Join(p.work, "*-*"))
	for _, disk := range disks {
		_ = os.Remove(disk) // the next run removes what is left
	}
	p.lock.Close()
}

// outFile returns a file through which the nth machine passes a result to the host.
func (p *place) outFile(name string, n int) string {
	return filepath.Join(p.out, fmt.Sprintf("%s-%d", name, n))
}

// stage fills the folder that the machines read and empties the one that they
// write.
func (p *place) stage(plans [][]string, queue, environment []string) error {
	share := filepath.Join(p.work, "share")
	if err := os.RemoveAll(p.work); err != nil {
		return fmt.Errorf("clear the machines' folders: %w", err)
	}
	for _, folder := range []string{filepath.Join(share, "queue"), filepath.Join(p.out, "claims")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make the machines' folders: %w", err)
		}
	}
	for _, s := range shared {
		if err := stageFiles(s.pattern, filepath.Join(share, s.folder)); err != nil {
			return fmt.Errorf("share %s with the machines: %w", s.pattern, err)
		}
	}
	for i, plan := range plans {
		text := strings.Join(append(environment, plan...), "\n") + "\n"
		if err := os.WriteFile(filepath.Join(share, fmt.Sprintf("plan-%d", i+1)), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write a machine's plan: %w", err)
		}
	}
	for i, name := range queue {
		if err := os.WriteFile(filepath.Join(share, "queue", fmt.Sprintf("%05d-%s", i, name)), nil, 0o644); err != nil {
			return fmt.Errorf("write the queue: %w", err)
		}
	}
	return nil
}

// stageFiles copies files. The next build may write into the files of build/bin
// while machines still run those of this one.
func stageFiles(pattern, folder string) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		target := filepath.Join(folder, filepath.Base(file))
		if err := errors.Join(copyFiles(target, file), os.Chmod(target, info.Mode().Perm()|fs.FileMode(0o400))); err != nil {
			return err
		}
	}
	return nil
}
