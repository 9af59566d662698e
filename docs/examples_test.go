package docs

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/pagetest"
	"github.com/netconnectd/netconnectd/internal/server"
)

// examples says how the examples of each language in protocol.md are run, and what
// that needs.
var examples = map[string]struct {
	file    string
	command []string // the command before the file
	needs   []string
}{
	"sh":         {"example.sh", []string{"sh", "-e"}, []string{"jq", "nc"}},
	"python":     {"example.py", []string{"python3"}, []string{"python3"}},
	"javascript": {"example.js", []string{"node"}, []string{"node"}},
	"go":         {"example.go", []string{"go", "run"}, []string{"go"}},
}

// TestExamples runs the examples of protocol.md unchanged except for the path of the
// socket, and compares their output with the page.
func TestExamples(t *testing.T) {
	buildPrograms(t)
	var printed []pagetest.Block
	programs := map[string]pagetest.Block{}
	for _, b := range pagetest.Blocks(t, "protocol.md") {
		if _, ok := examples[b.Lang]; ok {
			if _, twice := programs[b.Lang]; twice {
				t.Errorf("%s:%d: a second example in %s", b.Page, b.Line, b.Lang)
			}
			programs[b.Lang] = b
		}
		if b.Lang == "text" {
			printed = append(printed, b)
		}
	}
	if len(printed) != 2 || len(programs) != len(examples) {
		t.Fatalf("protocol.md has %d outputs and %d programs", len(printed), len(programs))
	}
	for lang, program := range programs {
		t.Run(lang, func(t *testing.T) {
			want := printed[1].Text
			if lang == "sh" {
				want = printed[0].Text
			}
			if got := runExample(t, program); got != want {
				t.Errorf("%s:%d prints\n%swant\n%s", program.Page, program.Line, got, want)
			}
		})
	}
}

// built holds our programs, which the tests of this package share.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// TestMain removes what the tests have built, after all of them.
func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// buildPrograms builds our programs the first time, and puts them first in PATH.
func buildPrograms(t *testing.T) {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "netconnectd"); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", built.dir, "../cmd/netconnectcli", "../cmd/netconnectd").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build our programs: %v", built.err)
	}
	t.Setenv("PATH", built.dir+":"+os.Getenv("PATH"))
}

// runExample returns the program's output.
func runExample(t *testing.T, program pagetest.Block) string {
	t.Helper()
	how := examples[program.Lang]
	for _, name := range how.needs {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("the example needs it (make test installs it): %v", err)
		}
	}
	socket := serveExamples(t, server.Config{})
	text := strings.NewReplacer("client.DefaultSocket", strconv.Quote(socket), client.DefaultSocket, socket).Replace(program.Text)
	if text == program.Text {
		t.Fatal("the example names no socket")
	}
	path := filepath.Join(t.TempDir(), how.file)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // includes the time to compile, with go run
	defer cancel()
	cmd := exec.CommandContext(ctx, how.command[0], append(how.command[1:], path)...)
	cmd.Dir = ".." // so that go finds the module
	cmd.Env = append(os.Environ(), "NETCONNECTD_SOCKET="+socket)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// serveExamples runs a device that is joining, that has a wrong passphrase for
// Office, and that is online for clients that wait for that.
func serveExamples(t *testing.T, cfg server.Config) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Log, cfg.Handler = slog.New(slog.DiscardHandler), joiningDevice{}
	s := server.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				s.Publish(client.Event{Type: client.EventUplink, Old: "joining", New: "online", Reason: "wlan0 works"})
			}
		}
	})
	working.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); working.Wait() })
	return socket
}

type joiningDevice struct{}

func (joiningDevice) Status() client.Status {
	return client.Status{Uplink: client.Uplink{Condition: client.Condition{State: "joining"}}}
}

func (joiningDevice) Handle(_ context.Context, _ server.Peer, r server.Request) (any, error) {
	if c, ok := r.(server.Connect); ok && string(c.SSID) == "Office" {
		return nil, &client.Error{Code: "wrong_key", Message: client.TextCouldNotConnect, Reason: "the network refused the passphrase"}
	}
	if add, ok := r.(server.AddNetwork); ok {
		return client.ResultAdded(add.SSID), nil
	}
	return nil, errors.New("no such request")
}

// TestExampleInGoIsFormatted checks that the example has gofmt's form, as readers
// copy it.
func TestExampleInGoIsFormatted(t *testing.T) {
	for _, b := range pagetest.Blocks(t, "protocol.md") {
		if b.Lang != "go" {
			continue
		}
		formatted, err := format.Source([]byte(b.Text))
		if err != nil || string(formatted) != b.Text {
			t.Errorf("%s:%d: not gofmt'ed, %v", b.Page, b.Line, err)
		}
	}
}
