package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// If systemd holds the socket but the daemon cannot start, connections are accepted
// and not answered. Within 3 s a person must read where to look.
func TestSilentDaemon(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	programs := builtPrograms(t)
	for _, command := range []string{"status", "list_networks", "reset"} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		cmd := exec.CommandContext(ctx, filepath.Join(programs, "netconnectcli"), "-a", socket, command)
		cmd.Env = append(os.Environ(), mainEnv+"=1")
		var said bytes.Buffer
		cmd.Stderr = &said
		_ = cmd.Run() // the context ends it
		cancel()
		for _, want := range []string{"journalctl -u netconnectd", "netconnectd --check"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: %q lacks %s", command, said.String(), want)
			}
		}
	}
}

// A daemon that is busy with a request is not silent.
func TestBusyDaemonIsNotSilent(t *testing.T) {
	address := socketOf(t, &device{})
	var said bytes.Buffer
	stop := hintAtSilence(t.Context(), address, &said)
	time.Sleep(hintAfter + aliveWithin) // the hint would come within this time
	stop()
	if said.Len() > 0 {
		t.Errorf("%q", said.String())
	}
}
