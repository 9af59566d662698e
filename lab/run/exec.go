package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// execution is a program of another place than the lab that runs in the machine,
// such as a test binary that needs kinds of links which the host's kernel lacks:
//
//	go test -exec 'build/bin/lab exec' ./internal/link
//
// go test calls that in the package's folder, so the lab has to be named by its
// absolute path.
type execution struct {
	program   string
	folder    string // where the program was called; its files go with it
	arguments []string
}

// newExecution takes the command line behind "exec" and goes to the root of the
// repository, where all else of the lab is.
func newExecution(args []string) (e execution, err error) {
	if len(args) == 0 {
		return e, errors.New("exec: the program is missing")
	}
	if e.program, err = filepath.Abs(args[0]); err != nil {
		return e, fmt.Errorf("find the program: %w", err)
	}
	for _, argument := range args[1:] {
		switch {
		case strings.ContainsAny(argument, " \t\n"):
			return e, fmt.Errorf("exec: %q has white space, which a plan cannot hold", argument)
		case strings.HasPrefix(argument, "-test.testlogfile="): // this file is on the host
		default:
			e.arguments = append(e.arguments, argument)
		}
	}
	if e.folder, err = os.Getwd(); err != nil {
		return e, fmt.Errorf("find the program's folder: %w", err)
	}
	root := e.folder
	for !exists(filepath.Join(root, "go.mod")) {
		if root == filepath.Dir(root) {
			return e, fmt.Errorf("exec: %s is not in the repository", e.folder)
		}
		root = filepath.Dir(root)
	}
	return e, os.Chdir(root)
}

// plan is what the machine has to do.
func (e execution) plan() []string {
	return []string{strings.TrimSpace("exec " + strings.Join(e.arguments, " "))}
}

// stage copies the program and the files of its folder, with testdata, to the share.
func (e execution) stage(share string) error {
	folder := filepath.Join(share, "exec")
	if err := os.CopyFS(filepath.Join(folder, "testdata"), os.DirFS(filepath.Join(e.folder, "testdata"))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("share testdata with the machine: %w", err)
	}
	if err := stageFiles(filepath.Join(e.folder, "*.go"), folder); err != nil {
		return fmt.Errorf("share the package with the machine: %w", err)
	}
	if err := copyFiles(filepath.Join(folder, "program"), e.program); err != nil {
		return fmt.Errorf("share the program with the machine: %w", err)
	}
	return os.Chmod(filepath.Join(folder, "program"), 0o755)
}
