package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/server"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"netconnectd": main})
}

// TestScript runs netconnectd beside a daemon on $WORK/s. The daemon on
// $WORK/supervised runs under systemd.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise every exit takes a second
			for _, name := range []string{"s", "supervised"} {
				d := newDevice()
				d.supervised = name == "supervised"
				if err := d.listen(filepath.Join(env.WorkDir, name)); err != nil {
					return err
				}
				env.Defer(d.stop)
			}
			return nil
		},
	})
}

// device is a daemon that consists only of its socket.
type device struct {
	supervised bool
	reload     func() (any, error)
	ctx        context.Context
	end        context.CancelFunc
	served     chan error
}

func newDevice() *device {
	d := &device{served: make(chan error, 1), reload: func() (any, error) { return client.ResultReloaded, nil }}
	d.ctx, d.end = context.WithCancel(context.Background())
	return d
}

func (d *device) listen(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	s := server.New(server.Config{Log: slog.New(slog.DiscardHandler), Handler: d, Drain: time.Second})
	go func() { d.served <- s.Serve(d.ctx, l) }()
	return nil
}

func (d *device) stop() { d.end(); <-d.served }

func (d *device) Status() client.Status { return client.Status{Version: "1.2.3"} }

func (d *device) Handle(_ context.Context, _ server.Peer, req server.Request) (any, error) {
	switch req.(type) {
	case server.Reload:
		return d.reload()
	case server.StopDaemon:
		if d.supervised {
			return nil, &client.Error{Code: client.CodeSupervised, Message: client.TextSupervised}
		}
		d.end()
		return client.ResultStopping, nil
	}
	return nil, errors.New("no such request")
}

func TestHangupRotatesAndReloads(t *testing.T) {
	dir := t.TempDir()
	file, socket := filepath.Join(dir, "netconnectd.log"), filepath.Join(dir, "s")
	reloads := make(chan struct{})
	d := newDevice()
	d.reload = func() (any, error) {
		reloads <- struct{}{}
		return nil, &client.Error{Code: client.CodeBadConfig, Message: "check configuration: 1 problem\n  ap.channel: 15"}
	}
	if err := d.listen(socket); err != nil {
		t.Fatal(err)
	}
	defer d.stop()
	log := newLogger(config.Log{File: file})
	defer log.Close()
	log.Info("before")
	ctx, cancel := context.WithCancel(t.Context())
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	go func() { onHangup(ctx, hangups, log, socket); close(ended) }()
	for range 2 {
		hangups <- syscall.SIGHUP
		<-reloads
		// lumberjack names the files that it rotates by the millisecond.
		for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
		}
	}
	log.Info("after")
	cancel()
	<-ended
	old := logs(t, dir)
	if text := read(t, file); len(old) < 2 || strings.Contains(text, "before") || !strings.Contains(text, "after") {
		t.Errorf("%v beside %q", old, text)
	}
	if all := read(t, old[len(old)-1]) + read(t, file); !strings.Contains(all, `1 problem (bad_config)\n  ap.channel: 15`) {
		t.Errorf("the problem of the reload is not in %q", all)
	}
}

// logs returns the files that were rotated, oldest first.
func logs(t *testing.T, dir string) []string {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(dir, "netconnectd-*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return old
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLogFileIsBoundedAndForItsOwner(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "log", "netconnectd.log")
	log := newLogger(config.Log{File: file})
	if _, err := os.Stat(file); err == nil {
		t.Error("the file is there before anything is written")
	}
	line := strings.Repeat("x", 1<<20)
	for range 5 * logMegabytes {
		log.Info(line)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 || info.Size() > logMegabytes<<20 {
		t.Errorf("%v, %v", info, err)
	}
	// lumberjack removes the oldest files in the background.
	for deadline := time.Now().Add(10 * time.Second); len(logs(t, filepath.Dir(file))) != logBackups; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v", logs(t, filepath.Dir(file)))
		}
	}
}

// TestLogThatCannotBeWritten has a folder in place of the file for a time.
func TestLogThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "netconnectd.log")
	if err := os.MkdirAll(filepath.Join(file, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	var rescue strings.Builder
	log := newLogFile(file, &rescue)
	defer log.to.Close()
	// lumberjack could rename a folder in the log file's place, so the path leads
	// through a file instead.
	blocked := filepath.Join(file, "full", "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log.to.Filename = filepath.Join(blocked, "netconnectd.log")
	for _, line := range []string{"one\n", "two\n"} {
		if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("Write() = %d, %v", n, err)
		}
	}
	text := rescue.String()
	if !strings.HasPrefix(text, "netconnectd: write the log: ") || !strings.HasSuffix(text, "it goes here\none\ntwo\n") ||
		strings.Count(text, "\n") != 3 {
		t.Errorf("rescued %q", text)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	log.Write([]byte("three\n"))
	if got := read(t, log.to.Filename); got != "three\n" || rescue.String() != text {
		t.Errorf("file %q, rescued %q", got, rescue.String())
	}
}
