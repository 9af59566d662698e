package wpactrl

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start runs a real program until the end of the test.
func start(t *testing.T, path string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: hostapd and wpa_supplicant open packet sockets")
	}
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

// supplicant starts wpa_supplicant without a radio and returns its socket.
func supplicant(t *testing.T) (socketPath, localDir string, cmd *exec.Cmd) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "conf")
	if err := os.WriteFile(config, []byte("ctrl_interface="+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = start(t, "/usr/sbin/wpa_supplicant", "-Dnone", "-ilo", "-c"+config)
	return filepath.Join(dir, "lo"), dir, cmd
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func await(t *testing.T, socketPath, localDir string) *Conn {
	t.Helper()
	conn, err := Await(within(t, 10*time.Second), socketPath, localDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestRequestAsksWpaSupplicant(t *testing.T) {
	socketPath, dir, _ := supplicant(t)
	conn := await(t, socketPath, dir)
	ctx := within(t, 5*time.Second)

	reply, err := conn.Request(ctx, "PING")
	if err != nil || reply != "PONG" {
		t.Fatalf("PING = %q, %v", reply, err)
	}
	reply, err = conn.Request(ctx, "STATUS")
	if fields := Fields(reply); err != nil || fields["wpa_state"] == "" || fields["address"] == "" {
		t.Errorf("STATUS = %q, %v", reply, err)
	}
}

func TestRequestReportsARefusalWithoutItsArguments(t *testing.T) {
	socketPath, dir, _ := supplicant(t)
	conn := await(t, socketPath, dir)
	for _, row := range []struct{ cmd, verb, reply string }{
		{"SET_NETWORK 7 psk \"hunter22\"", "SET_NETWORK", "FAIL"},
		{"NO_SUCH_COMMAND hunter22", "NO_SUCH_COMMAND", "UNKNOWN COMMAND"},
	} {
		_, err := conn.Request(within(t, 5*time.Second), row.cmd)
		var refused *CommandError
		if !errors.As(err, &refused) || refused.Command != row.verb || refused.Reply != row.reply {
			t.Errorf("%s: error %v, want %s refused with %s", row.verb, err, row.verb, row.reply)
		}
		if strings.Contains(err.Error(), "hunter22") {
			t.Errorf("the error shows the arguments: %v", err)
		}
	}
}

func TestAttachReceivesEvents(t *testing.T) {
	socketPath, dir, _ := supplicant(t)
	conn := await(t, socketPath, dir)
	events, err := Attach(within(t, 5*time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()

	if _, err := conn.Request(within(t, 5*time.Second), "TERMINATE"); err != nil {
		t.Fatal(err)
	}
	for {
		event, err := events.Next(within(t, 5*time.Second))
		if err != nil {
			t.Fatalf("no CTRL-EVENT-TERMINATING: %v", err)
		}
		if event.Name == "CTRL-EVENT-TERMINATING" {
			return
		}
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	socketPath, dir, _ := supplicant(t)
	await(t, socketPath, dir)
	events, err := Attach(within(t, 5*time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := events.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next = %v, want context.Canceled", err)
	}
	// The connection stays usable.
	if _, err := events.Next(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Next = %v, want context.DeadlineExceeded", err)
	}
}

func TestHostapdSpeaksTheSameProtocol(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "conf")
	text := "driver=none\nssid=x\nctrl_interface=" + dir + "\ninterface=lo\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "/usr/sbin/hostapd", config)
	conn := await(t, filepath.Join(dir, "lo"), dir)
	reply, err := conn.Request(within(t, 5*time.Second), "STATUS")
	if err != nil || Fields(reply)["state"] == "" {
		t.Errorf("STATUS = %q, %v", reply, err)
	}
	events, err := Attach(within(t, 5*time.Second), filepath.Join(dir, "lo"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := events.Close(); err != nil {
		t.Error(err)
	}
}

// program plays a program's control socket with the answers that the test sets.
func program(t *testing.T, answer func(cmd string) []string) (socketPath, localDir string) {
	t.Helper()
	dir := t.TempDir()
	socketPath = filepath.Join(dir, "ctrl")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socketPath, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := conn.ReadFromUnix(buf)
			if err != nil {
				return
			}
			for _, reply := range answer(string(buf[:n])) {
				conn.WriteToUnix([]byte(reply), from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return socketPath, dir
}

func TestALateReplyIsNotTakenForTheNextOne(t *testing.T) {
	release := make(chan struct{})
	socketPath, dir := program(t, func(cmd string) []string {
		if cmd == "SLOW" {
			<-release
			return []string{"late\n"}
		}
		return []string{"right\n"}
	})
	conn, err := Dial(within(t, time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Request(within(t, 20*time.Millisecond), "SLOW"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("SLOW = %v, want a time-out", err)
	}
	close(release)
	if reply, err := conn.Request(within(t, 5*time.Second), "FAST"); reply != "right" {
		t.Errorf("FAST = %q, %v", reply, err)
	}
}

// A request that waits for another request ends when its own context ends.
func TestWaitingForAnotherRequestEndsWithItsContext(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	socketPath, dir := program(t, func(string) []string {
		close(asked)
		<-release
		return []string{"late\n"}
	})
	conn, err := Dial(within(t, time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first := make(chan error, 1)
	go func() { _, err := conn.Request(within(t, 10*time.Second), "SLOW"); first <- err }()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	second := make(chan error, 1)
	go func() { _, err := conn.Request(ctx, "NEXT"); second <- err }()
	select {
	case err := <-second:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("NEXT = %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("NEXT waits for SLOW although its context has ended")
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("SLOW = %v", err)
	}
}

func TestAttachKeepsEventsThatOvertakeTheReply(t *testing.T) {
	socketPath, dir := program(t, func(string) []string { return []string{"<3>FIRST a", "OK\n", "<3>SECOND b"} })
	events, err := Attach(within(t, 5*time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	for _, want := range []string{"FIRST", "SECOND"} {
		if event, err := events.Next(within(t, 5*time.Second)); event.Name != want {
			t.Errorf("Next = %v, %v, want %s", event, err, want)
		}
	}
}

func TestRequestRefusesCommandsThatWouldBeCut(t *testing.T) {
	socketPath, dir := program(t, func(string) []string { return []string{"OK\n"} })
	conn, err := Dial(within(t, time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, cmd := range []string{"SET a\x00b", "SET a\nb"} {
		if _, err := conn.Request(within(t, time.Second), cmd); err == nil {
			t.Errorf("Request(%q) was sent", cmd)
		}
	}
}

func TestAwaitPassesOverTheSocketOfADeadProgram(t *testing.T) {
	dir := t.TempDir()
	socketPath := filepath.Join(dir, "lo")
	stale, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socketPath, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	stale.Close() // the file stays behind
	if _, err := Await(within(t, 50*time.Millisecond), socketPath, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Await = %v, want a time-out", err)
	}

	config := filepath.Join(dir, "conf")
	if err := os.WriteFile(config, []byte("ctrl_interface="+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "/usr/sbin/wpa_supplicant", "-Dnone", "-ilo", "-c"+config)
	await(t, socketPath, dir)
}

func TestCloseAndSweepLeaveNoSockets(t *testing.T) {
	socketPath, dir := program(t, func(string) []string { return []string{"OK\n"} })
	// The name stands for a process that was killed: 4194304 is above every pid
	// (pid_max of proc(5)).
	dead := filepath.Join(dir, localPrefix+"4194305-1")
	if err := os.WriteFile(dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := Dial(within(t, time.Second), socketPath, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, localPrefix+"*"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := conn.Request(within(t, time.Second), "PING"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Request after Close = %v", err)
	}
}
