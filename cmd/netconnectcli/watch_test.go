package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
)

// watched is a status --watch whose output a test reads line by line.
type watched struct {
	*exec.Cmd
	lines  *bufio.Reader
	stderr bytes.Buffer
}

func watchOn(t *testing.T, socket string, args ...string) *watched {
	t.Helper()
	w := &watched{Cmd: exec.CommandContext(t.Context(), "/proc/self/exe", append([]string{"-a", socket, "status", "--watch"}, args...)...)}
	w.Env = append(os.Environ(), mainEnv+"=1")
	w.Stderr = &w.stderr
	out, err := w.StdoutPipe()
	if err == nil {
		err = w.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(30*time.Second, func() { w.Process.Kill() })
	t.Cleanup(func() { late.Stop() })
	w.lines = bufio.NewReader(out)
	return w
}

// next returns the next line without its time.
func (w *watched) next(t *testing.T) string {
	t.Helper()
	line, err := w.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("%v after %q; %s", err, line, w.stderr.String())
	}
	_, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	return text
}

// interrupted ends the command with ^C, and checks that its exit status is 0.
func (w *watched) interrupted(t *testing.T) {
	t.Helper()
	if err := w.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(w.lines)
	if err := w.Wait(); err != nil || len(rest) > 0 || w.stderr.Len() > 0 {
		t.Errorf("at the end: %v, %q, standard error %q", err, rest, w.stderr.String())
	}
}

// TestWatchLines checks that each change prints a line, except changes of values that
// change all the time.
func TestWatchLines(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	c := newChanging(lost)
	stop := c.run(t, socket)
	w := watchOn(t, socket)
	say := func(want string) {
		t.Helper()
		if got := w.next(t); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	say("uplink lost; access point off")

	signal, evil := -40, "Evil\x1b[2J\nuplink"
	now := uplink("online", false)
	now.Uplink.Reason, now.Wifi.CurrentSSID, now.Wifi.Signal = "eth0 works", &evil, &signal
	c.become(now)
	say(`uplink online by eth0: eth0 works; access point off; Wi-Fi "Evil\x1b[2J\x0auplink"`)

	weaker := -70
	now.Wifi.Signal = &weaker
	c.become(now) // must print nothing
	now.Uplinks = []client.Interface{{Name: "eth0", Works: true, Probe: &client.Probe{Reason: "no reply", Failures: 2}}}
	c.become(now)
	say(`uplink online by eth0, its last 2 probes failed: no reply; access point off; Wi-Fi "Evil\x1b[2J\x0auplink"`)

	c.become(serving)
	say(`uplink lost; access point up as "pi", 0 stations`)

	stop()
	say(goneText)
	newChanging(online).run(t, socket)
	say("uplink online by eth0; access point off")
	w.interrupted(t)
}

// TestWatchJSON checks that each line has the form of status -j.
func TestWatchJSON(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	c := newChanging(lost)
	c.run(t, socket)
	w := watchOn(t, socket, "-j")
	for _, want := range []string{"lost", "online", "joining"} {
		if want != "lost" {
			c.become(uplink(want, false))
		}
		line, err := w.lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var reply struct{ Result client.Status }
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&reply); err != nil || reply.Result.Uplink.State != want {
			t.Errorf("%v, uplink %s in %s, want %s", err, reply.Result.Uplink.State, line, want)
		}
	}
	w.interrupted(t)
}

// TestWatchNeedsADaemon checks that an absent daemon is an error at once, as it is
// without --watch.
func TestWatchNeedsADaemon(t *testing.T) {
	w := watchOn(t, filepath.Join(t.TempDir(), "none"))
	_, _ = io.ReadAll(w.lines)
	if _ = w.Wait(); w.ProcessState.ExitCode() != exitNoDaemon {
		t.Errorf("exit status %d, %s", w.ProcessState.ExitCode(), w.stderr.String())
	}
}

// TestWatchPage checks that on a terminal the page is replaced and fits, and that ^C
// ends the command with exit status 0.
func TestWatchPage(t *testing.T) {
	term := onTerminal(t, &device{}, "status", "--watch")
	term.cmd.Stdout = term.tty
	if err := unix.IoctlSetWinsize(int(term.tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 6, Col: 80}); err != nil {
		t.Fatal(err)
	}
	term.start(t)
	term.readUntil(t, "\x1b[2J\x1b[H")
	first := term.screen.Len()
	term.readUntil(t, "\x1b[J") // the end of the first page
	if lines := strings.Count(term.screen.String()[first:], "\n"); lines != 5 {
		t.Errorf("%d lines on a terminal of 6: %q", lines, term.screen.String())
	}
	if !strings.Contains(term.screen.String(), "more lines") {
		t.Errorf("nothing says that there is more: %q", term.screen.String())
	}
	term.readUntil(t, "\x1b[H") // the start of the second page, one second later
	term.readUntil(t, "\x1b[J")
	if _, err := term.keys.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	if err := term.cmd.Wait(); err != nil {
		t.Errorf("^C: %v", err)
	}
	if text := term.screen.String(); strings.Count(text, "\x1b[2J") != 1 || strings.Contains(text, "New \x1b") {
		t.Errorf("the screen got %q", text)
	}
}

// TestEventsEndWell checks that an interrupted events command ends with success,
// because it has done its task.
func TestEventsEndWell(t *testing.T) {
	socket := socketOf(t, &device{})
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-a", socket, "events")
		cmd.Env = append(os.Environ(), mainEnv+"=1")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", signal, err)
		}
	}
}

// TestAged checks that durations on the page grow while the daemon sends nothing.
func TestAged(t *testing.T) {
	at := func(n int64) client.Status {
		return client.Status{
			Uplink:      client.Uplink{Condition: client.Condition{Seconds: 10 + n}},
			Uplinks:     []client.Interface{{Probe: &client.Probe{Seconds: 3 + n}}, {}},
			AccessPoint: client.AccessPoint{Condition: client.Condition{Seconds: 20 + n}, Clients: []client.Station{{Seconds: 7 + n}}},
			Next:        []client.Next{{Seconds: max(0, 2-n)}, {Seconds: 60 - n}},
		}
	}
	before := at(0)
	if diff := cmp.Diff(at(5), aged(before, 5900*time.Millisecond)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(at(0), before); diff != "" {
		t.Errorf("the status itself has changed (-want +got):\n%s", diff)
	}
}
