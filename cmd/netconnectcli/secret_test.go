package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
)

const passphrase = "correct-horse-22"

// findings collects texts that must not contain the passphrase.
type findings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (f *findings) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Write(p)
}

func (f *findings) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

// hasPassphrase searches for the passphrase as it is and in all encodings of text.
func (f *findings) hasPassphrase() bool {
	text := strings.ToLower(f.String())
	for _, form := range []string{
		passphrase, hex.EncodeToString([]byte(passphrase)), base64.RawStdEncoding.EncodeToString([]byte(passphrase)[:15]),
	} {
		if strings.Contains(text, strings.ToLower(form)) {
			return true
		}
	}
	return false
}

// gossip is a Handler that reveals all it knows: in its status, in events, in errors
// and in the log.
type gossip struct {
	server *server.Server
	log    *slog.Logger
	mu     sync.Mutex
	last   server.Request
}

func (g *gossip) Status() client.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return client.Status{Wifi: client.Wifi{LastError: &client.Failure{Code: "gossip", Text: fmt.Sprintf("%+v", g.last)}}}
}

func (g *gossip) Handle(_ context.Context, peer server.Peer, req server.Request) (any, error) {
	g.mu.Lock()
	g.last = req
	g.mu.Unlock()
	g.log.Debug("gossip", "request", req, "peer", peer)
	status := g.Status()
	g.server.Publish(client.Event{Type: client.EventStatus, Reason: fmt.Sprintf("%+v", req), Status: &status})
	if _, ok := req.(server.ConfigWifi); ok {
		encoded, err := json.Marshal(req)
		return fmt.Sprintf("%v %s", req, encoded), err
	}
	return nil, &client.Error{Code: "gossip", Message: fmt.Sprintf("%v %+v %#v", req, req, req)}
}

// TestPassphraseIsNowhere passes a passphrase to the daemon in every possible way,
// and searches for it in every place that another person could see.
func TestPassphraseIsNowhere(t *testing.T) {
	seen := &findings{}
	path := filepath.Join(t.TempDir(), "s")
	gossipAt(t, path, seen)
	cli := func(stdin string, args ...string) *exec.Cmd {
		cmd := exec.Command("/proc/self/exe", args...)
		cmd.Env = append(os.Environ(), mainEnv+"=1", socketEnv+"="+path, "GORACE=atexit_sleep_ms=0")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), seen, seen
		return cmd
	}
	events := []*exec.Cmd{cli("", "events"), cli("", "events", "--json")}
	for _, e := range events {
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		defer e.Wait()
		defer e.Process.Kill()
	}
	for _, how := range [][]string{
		{"configure_wifi", "Home", passphrase}, {"--json", "configure_wifi", "Home", passphrase},
		{"configure_wifi", "Home", "--psk-stdin"}, {"--json", "configure_wifi", "-F", "Home", "--psk-stdin"},
		{"add_network", "Home", passphrase}, {"--json", "add_network", "Home", "--psk-stdin"}, {"set_network", "Home", "--psk-stdin"},
		{"add_network", "Work", "--psk-stdin", "--eap", "peap", "--identity", "me"}, {"set_network", "Work", passphrase, "--eap", "ttls"},
		{"select_wifi"}, {"--json", "select_wifi"}, {"status"}, {"--json", "status"}, {"list_wifi"},
		{"configure_wifi", "--open", "Home", passphrase}, {"configure_wifi", "Home", passphrase, "extra"},
		{"configure_wifi", "Home", "x", "--psk=" + passphrase}, {"configure_wifi", "a", "--psk-stdin", passphrase},
	} {
		cli(passphrase+"\n", how...).Run() // it does not matter whether the command succeeds
	}
	whileItRuns(t, cli("", "configure_wifi", "Home", "--psk-stdin"), seen)
	badFrames(t, path, seen)
	eventually(t, seen, `"type":"status"`)
	if seen.hasPassphrase() {
		t.Errorf("the passphrase is in\n%s", seen)
	}
}

// gossipAt serves a gossip until the test ends. seen receives the log.
func gossipAt(t *testing.T, path string, seen io.Writer) {
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(seen, &slog.HandlerOptions{Level: slog.LevelDebug}))
	g := &gossip{log: log}
	g.server = server.New(server.Config{Log: log, Handler: g, Drain: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.server.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
}

// whileItRuns reads what every user can see of a process, and then passes the process
// the passphrase.
func whileItRuns(t *testing.T, cmd *exec.Cmd, seen io.Writer) {
	cmd.Stdin = nil
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(stdin, passphrase)
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", cmd.Process.Pid, name))
		if err != nil {
			t.Error(err)
		}
		seen.Write(text)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// badFrames sends the passphrase in requests that the server must refuse.
func badFrames(t *testing.T, path string, seen io.Writer) {
	for _, request := range []string{
		`{"config_wifi":{"psk":"` + passphrase + `"}}` + "\x00",
		`{"config_wifi":{"ssid":"Home","psk":["` + passphrase + `"]}}` + "\x00",
		`{"config_wifi":{"ssid":"` + strings.Repeat(passphrase, 3) + `"}}` + "\x00",
		`{"config_wifi":{"ssid":"Home","psk":"` + passphrase,
		`{"add_network":{"ssid":"Home","psk":["` + passphrase + `"]}}` + "\x00",
		`{"add_network":{"ssid":"Home","eap":{"password":"` + passphrase + `","x":"` + passphrase + `"}}}` + "\x00",
		`{"` + passphrase + `":{}}` + "\x00",
		passphrase + "\x00",
	} {
		nc, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(nc, request)
		nc.(*net.UnixConn).CloseWrite()
		if _, err := io.Copy(seen, nc); err != nil {
			t.Error(err)
		}
		nc.Close()
	}
}

func eventually(t *testing.T, seen *findings, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if strings.Contains(seen.String(), text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never saw %q in\n%s", text, seen)
		}
	}
}
