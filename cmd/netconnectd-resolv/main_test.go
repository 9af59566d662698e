package main

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"netconnectd-resolv": main})
}

// TestReaderOfLogGoes checks that the command finishes its changes to the system even
// if no process reads its output any more.
func TestReaderOfLogGoes(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	defer writer.Close()
	folder := t.TempDir() // a folder instead of a file makes the command print an error and end
	cmd := exec.Command("netconnectd-resolv", "-file", folder, "-state-dir", folder)
	cmd.Stderr = writer
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("%v, want exit status 1", err)
	}
}
