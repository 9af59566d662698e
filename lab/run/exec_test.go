package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExecution runs the command that go test -exec calls, in the folder of a
// package.
func TestExecution(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "internal", "link")
	if err := os.MkdirAll(filepath.Join(folder, "testdata"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(root, "go.mod"), filepath.Join(folder, "testdata", "golden"), filepath.Join(folder, "link.go"), filepath.Join(root, "link.test")} {
		if err := os.WriteFile(file, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	e, err := newExecution([]string{"../../link.test", "-test.testlogfile=/tmp/x", "-test.run=^TestKinds$"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"exec -test.run=^TestKinds$"}; !slices.Equal(e.plan(), want) {
		t.Errorf("plan %q, want %q", e.plan(), want)
	}
	if now, _ := os.Getwd(); now != root {
		t.Errorf("the lab works in %s, want the root %s", now, root)
	}
	share := t.TempDir()
	if err := e.stage(share); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"program", "link.go", "testdata/golden"} {
		if !exists(filepath.Join(share, "exec", file)) {
			t.Errorf("the machine does not get %s", file)
		}
	}
}

func TestExecutionRefuses(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		reason string
	}{
		{"no program", nil, "the program is missing"},
		{"white space, which would become two arguments", []string{"x.test", "-test.run=a b"}, "white space"},
		{"a folder that is not in the repository", []string{"x.test"}, "not in the repository"},
	}
	t.Chdir(t.TempDir())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := newExecution(test.args); err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want %s", err, test.reason)
			}
		})
	}
}
