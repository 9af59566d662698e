package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEndsQuietlyWhenNobodyReads checks that `netconnectcli … | head` prints no error
// when head has ended, and ends without waiting for more to print.
func TestEndsQuietlyWhenNobodyReads(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	if err := serve(&device{}, t.Cleanup, socket); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args  string
		lines int // how many lines are read before the reader ends
	}{
		{"--help", 0}, {"status", 0}, {"--json status", 0}, {"list_wifi", 0}, {"list_networks", 0}, {"show", 0}, {"history", 0}, {"metrics", 0},
		{"version", 0}, {"--version", 0}, {"status --watch", 0}, {"status --watch", 1}, {"status --watch -j", 1}, {"events", 0}, {"events", 1}, {"--json events", 0}, {"--json events", 1}, {"monitor", 0}, {"monitor", 1},
	} {
		name := "unread"
		if row.lines > 0 {
			name = "read once"
		}
		t.Run(row.args+" "+name, func(t *testing.T) {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			if row.lines == 0 {
				reader.Close()
			}
			var stderr strings.Builder
			cmd := exec.Command("netconnectcli", append([]string{"-a", socket}, strings.Fields(row.args)...)...)
			cmd.Stdout, cmd.Stderr = writer, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			writer.Close()
			late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			defer late.Stop()
			for lines := bufio.NewReader(reader); row.lines > 0; row.lines-- {
				if _, err := lines.ReadString('\n'); err != nil {
					t.Error(err)
				}
			}
			reader.Close()
			err = cmd.Wait()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if err != nil && (!status.Signaled() || status.Signal() != syscall.SIGPIPE) || stderr.Len() > 0 {
				t.Errorf("%v, standard error %q, want status 0 or an end by SIGPIPE, and nothing said", err, stderr.String())
			}
		})
	}
}
