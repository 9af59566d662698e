package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
)

// changing plays a daemon whose status a test sets. It counts the requests for the
// status.
type changing struct {
	server *server.Server
	now    atomic.Pointer[client.Status]
	asked  atomic.Int32
}

func (c *changing) Status() client.Status {
	c.asked.Add(1)
	return *c.now.Load()
}

func (c *changing) Handle(context.Context, server.Peer, server.Request) (any, error) {
	return nil, errors.New("no such request")
}

// become sets the status and publishes it to the subscribers.
func (c *changing) become(s client.Status) {
	c.now.Store(&s)
	c.server.Publish(client.Event{Type: client.EventStatus, Status: &s})
}

// newChanging returns a daemon that does not run yet.
func newChanging(s client.Status) *changing {
	c := &changing{}
	c.now.Store(&s)
	c.server = server.New(server.Config{Log: slog.New(slog.DiscardHandler), Handler: c, Drain: 100 * time.Millisecond})
	return c
}

// run serves on the socket until stop.
func (c *changing) run(t *testing.T, socket string) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err == nil {
		err = os.Chmod(socket, 0o666) // the daemon sets the same mode
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.server.Serve(ctx, l) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func uplink(state string, portal bool) client.Status {
	s := client.Status{Version: "1", Uplink: client.Uplink{Condition: client.Condition{State: state}, Portal: portal}}
	s.AccessPoint.State = "off"
	if state == "online" {
		s.Uplink.Interface = "eth0"
	}
	return s
}

var (
	lost     = uplink("lost", false)
	online   = uplink("online", false)
	byPortal = uplink("online", true)
	serving  = func() client.Status {
		s := uplink("lost", false)
		s.Connections.AP, s.AccessPoint = true, client.AccessPoint{Condition: client.Condition{State: "up"}, SSID: "pi"}
		return s
	}()
)

// patient returns a follower that never tries again by itself, so that it can only
// act on events.
func patient(socket string) *follower { return &follower{socket, time.Hour} }

// pending is a running wait-online.
type pending struct {
	out bytes.Buffer
	err chan error
}

func waitFor(t *testing.T, f *follower, enough func(client.Status) bool) *pending {
	t.Helper()
	w := &pending{err: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { w.err <- (&app{out: &w.out}).waitOnline(ctx, f, time.Minute, enough) }()
	return w
}

// ended waits for the end and returns the output.
func (w *pending) ended(t *testing.T) string {
	t.Helper()
	select {
	case err := <-w.err:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it still waits")
	}
	return w.out.String()
}

// goesOn fails the test if the wait has ended already.
func (w *pending) goesOn(t *testing.T) {
	t.Helper()
	select {
	case err := <-w.err:
		t.Fatalf("it waits no longer: %v, %s", err, w.out.String())
	case <-time.After(100 * time.Millisecond):
	}
}

// TestWaitOnlineWhatIsEnough checks which status ends the wait, and which does not.
func TestWaitOnlineWhatIsEnough(t *testing.T) {
	for _, row := range []struct {
		name                  string
		now                   client.Status
		plain, portal, anyWay bool
		says                  string
	}{
		{"lost", lost, false, false, false, ""},
		{"joining", uplink("joining", false), false, false, false, ""},
		{"online", online, true, true, true, "online by eth0\n"},
		{"behind a portal", byPortal, false, true, true, "online by eth0, behind a portal\n"},
		{"access point", serving, false, false, true, "access point up as \"pi\"\n"},
	} {
		for _, mode := range []struct {
			name   string
			enough func(client.Status) bool
			ends   bool
		}{
			{"plain", isOnline, row.plain}, {"portal", isOnlineOrPortal, row.portal}, {"any", isReachable, row.anyWay},
		} {
			t.Run(row.name+" "+mode.name, func(t *testing.T) {
				socket := filepath.Join(t.TempDir(), "s")
				c := newChanging(row.now)
				c.run(t, socket)
				w := waitFor(t, patient(socket), mode.enough)
				if mode.ends {
					if said := w.ended(t); said != row.says {
						t.Errorf("it says %q, want %q", said, row.says)
					}
					return
				}
				w.goesOn(t)
				c.become(online)
				w.ended(t)
			})
		}
	}
}

// TestWaitOnlineAsksOnce checks that changes arrive as events, without further
// requests.
func TestWaitOnlineAsksOnce(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	c := newChanging(lost)
	c.run(t, socket)
	w := waitFor(t, (&app{address: socket}).follower(), isOnline)
	time.Sleep(1500 * time.Millisecond) // a program that polls would ask again within this time
	c.become(uplink("joining", false))
	w.goesOn(t)
	c.become(online)
	if w.ended(t); c.asked.Load() != 1 {
		t.Errorf("the status was asked for %d times, want once", c.asked.Load())
	}
}

// TestWaitOnlineDaemonStartsLater starts without the daemon, even without the folder
// of its socket.
func TestWaitOnlineDaemonStartsLater(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "run", "d", "s")
	w := waitFor(t, patient(socket), isOnline)
	w.goesOn(t)
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	w.goesOn(t)
	newChanging(online).run(t, socket)
	w.ended(t)
}

// TestWaitOnlineStaleSocket starts with the socket of a daemon that has died. Another
// daemon then replaces the socket.
func TestWaitOnlineStaleSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	w := waitFor(t, patient(socket), isOnline)
	w.goesOn(t)
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	newChanging(online).run(t, socket)
	w.ended(t)
}

// TestWaitOnlineDaemonRestarts ends the daemon during the wait and starts it again.
func TestWaitOnlineDaemonRestarts(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	first := newChanging(lost)
	stop := first.run(t, socket)
	w := waitFor(t, (&app{address: socket}).follower(), isOnline)
	for first.asked.Load() == 0 {
		w.goesOn(t)
	}
	stop()
	w.goesOn(t)
	newChanging(online).run(t, socket)
	w.ended(t)
}

// TestWaitOnlineOriginal waits for an original daemon, which sends no events and
// answers one request on each connection.
func TestWaitOnlineOriginal(t *testing.T) {
	const down, up = `{"result":{"link":false,"devs":[],"connections":{"wifi":false,"ap":false,"wired":false},"wifi":{"current_ssid":null,"current_address":null,"valid_config":false,"present":true}}}`,
		`{"result":{"link":true,"devs":["eth0"],"connections":{"wifi":false,"ap":false,"wired":true},"wifi":{"current_ssid":null,"current_address":null,"valid_config":false,"present":true}}}`
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var asked atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			request, err := client.NewFrameReader(c, 1<<10).Read()
			reply := `{"error":"unknown message"}`
			if err == nil && strings.Contains(string(request), "status") {
				if reply = down; asked.Add(1) > 2 {
					reply = up
				}
			}
			c.Write([]byte(reply + "\x00"))
			c.Close()
		}
	}()
	w := waitFor(t, &follower{socket, 10 * time.Millisecond}, isOnline)
	if w.ended(t); asked.Load() < 3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestWaitOnlineExitStatus checks the exit status that a unit sees.
func TestWaitOnlineExitStatus(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	c := newChanging(serving)
	c.run(t, socket)
	for _, row := range []struct {
		args   string
		status int
		says   string // text on standard error
	}{
		{"--any", exitOK, ""},
		{"--timeout 3", exitError, "the device is not online after 3s: uplink lost, access point up"},
		{"--timeout 2.5s --portal", exitError, "the device is not online after 2.5s"},
		{"--any --portal", exitUsage, "--any and --portal exclude each other"},
		{"--timeout soon", exitUsage, "neither a number of seconds nor a time such as 2m30s"},
		{"--timeout -1s", exitUsage, "neither a number of seconds nor a time such as 2m30s"},
		{"now", exitUsage, ""},
		{"--timeout 1 -a " + socket + "-none", exitNoDaemon, "netconnectd does not listen on"},
	} {
		t.Run(row.args, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", append([]string{"-a", socket, "wait-online"}, strings.Fields(row.args)...)...)
			cmd.Env = append(os.Environ(), mainEnv+"=1")
			var said bytes.Buffer
			cmd.Stderr = &said
			_ = cmd.Run() // the test checks its status
			if got := cmd.ProcessState.ExitCode(); got != row.status || !strings.Contains(said.String(), row.says) {
				t.Errorf("exit status %d, %q; want %d, %q", got, said.String(), row.status, row.says)
			}
		})
	}
}

// unitCommand is the command that the unit runs, without its flags.
const unitCommand = "/usr/bin/netconnectcli wait-online"

// TestWaitOnlineUnit checks that the unit calls an existing command, comes before the
// target of units that need the network, and is disabled by default.
func TestWaitOnlineUnit(t *testing.T) {
	text, err := os.ReadFile("../../systemd/netconnectd-wait-online.service")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	values := map[string]string{}
	for _, line := range lines {
		if key, value, ok := strings.Cut(line, "="); ok {
			values[key] = value
		}
	}
	args, ok := strings.CutPrefix(values["ExecStart"], "/usr/bin/netconnectcli ")
	if !ok || !strings.HasPrefix(values["ExecStart"], unitCommand) {
		t.Fatalf("ExecStart=%s", values["ExecStart"])
	}
	if err := parse(strings.Fields(args), false); err != nil {
		t.Errorf("ExecStart: %v", err)
	}
	for key, want := range map[string]string{
		"Before": "network-online.target", "WantedBy": "network-online.target", "After": "netconnectd.service", "Wants": "netconnectd.service",
	} {
		if values[key] != want {
			t.Errorf("%s=%s, want %s", key, values[key], want)
		}
	}
	for _, script := range []string{"postinst", "prerm"} {
		text, err := os.ReadFile("../../packaging/scripts/" + script)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "wait-online") && !strings.Contains(line, " stop ") {
				t.Errorf("%s: %s", script, line)
			}
		}
	}
}
