package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
)

// folder is a folder of hooks for one test.
type folder struct {
	path string
	*Runner
	log *logged
}

// logged collects what a Runner logs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the log contains all of the texts.
func (l *logged) await(t *testing.T, texts ...string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for _, text := range texts {
		for !strings.Contains(l.String(), text) {
			select {
			case <-l.news:
			case <-limit:
				t.Fatalf("the log has no %q:\n%s", text, l)
			}
		}
	}
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hooks")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	log := &logged{news: make(chan struct{}, 1)}
	r := New(func() string { return path }, slog.New(slog.NewTextHandler(log, nil)))
	r.owner = uint32(os.Getuid()) // the user who runs the test is not always root
	return &folder{path, r, log}
}

// add writes a hook. A text that begins with #! is a shell script.
func (f *folder) add(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(f.path, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // independent of the umask
		t.Fatal(err)
	}
	return path
}

// start runs the Runner until the test ends.
func (f *folder) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

func joining(ssid string) client.Event {
	n := client.NewNetwork([]byte(ssid))
	return client.Event{Type: client.EventJoin, Network: &n, New: client.JoinFailed, Code: "wrong_key", Reason: "the passphrase is not the router's"}
}

// tell is a hook that writes down what it receives, and then announces the end.
const tell = `#!/bin/sh
cat >"%[1]s.stdin"
env | sort >"%[1]s.env"
ls -l /proc/self/fd | sed 's/.* -> //' >"%[1]s.fd"
pwd >"%[1]s.cwd"
echo done
`

// TestHookGets checks what a hook receives of an event.
func TestHookGets(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	uplink := client.Event{Type: client.EventUplink, Old: "up", New: "down", Reason: "eth0 has no carrier", Time: at}
	hostile := joining("a\nb'\"$(reboot)\x00\xff")
	hostile.Time = at
	tests := []struct {
		name  string
		event client.Event
		env   []string
	}{
		{"a change of the uplink", uplink, []string{
			"NETCONNECTD_CODE=", "NETCONNECTD_EVENT=uplink", "NETCONNECTD_NEW=down", "NETCONNECTD_OLD=up", "NETCONNECTD_REASON=eth0 has no carrier",
		}},
		{"a failed join, of a hostile SSID", hostile, []string{
			"NETCONNECTD_CODE=wrong_key", "NETCONNECTD_EVENT=join", "NETCONNECTD_NEW=failed", "NETCONNECTD_OLD=",
			"NETCONNECTD_REASON=the passphrase is not the router's",
			`NETCONNECTD_SSID=a\x0ab'"$(reboot)\x00\xff`, "NETCONNECTD_SSID_HEX=610a62272224287265626f6f742900ff",
		}},
	}
	t.Setenv("NETCONNECTD_AP_PSK", "a secret of the daemon's own environment")
	socket, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket")) // a descriptor that a hook must not inherit
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolder(t)
			notes := filepath.Join(t.TempDir(), "notes")
			f.add(t, "tell", fmt.Sprintf(tell, notes), 0o755)
			f.start(t)
			f.Tell(test.event)
			f.log.await(t, "line=done")
			var got client.Event
			if err := json.Unmarshal([]byte(read(t, notes+".stdin")), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.event, got); diff != "" {
				t.Errorf("standard input (-want +got):\n%s", diff)
			}
			var env []string
			for line := range strings.Lines(read(t, notes+".env")) {
				switch name, _, _ := strings.Cut(line, "="); name {
				case "PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_": // set by us, and by a shell itself
				default:
					env = append(env, strings.TrimRight(line, "\n"))
				}
			}
			if diff := cmp.Diff(test.env, env); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
			if got := read(t, notes+".cwd"); got != "/\n" {
				t.Errorf("it runs in %s", got)
			}
			if got := read(t, notes+".fd"); strings.Contains(got, "socket:") {
				t.Errorf("it has a socket of the daemon's:\n%s", got)
			}
		})
	}
}

// TestWhoIsCalled checks which files of the folder run.
func TestWhoIsCalled(t *testing.T) {
	const script = "#!/bin/sh\necho \"$0 runs\"\n"
	f := newFolder(t)
	f.add(t, "20-second", script, 0o755)
	f.add(t, "10-first", script, 0o700)
	f.add(t, "30-last", script, 0o755)
	f.add(t, "README", "not executable", 0o644)
	f.add(t, ".hidden", script, 0o755)
	f.add(t, "15-edited~", script, 0o755)
	f.add(t, "15-old.dpkg-old", script, 0o755)
	f.add(t, "15-group", script, 0o775)
	f.add(t, "15-all", script, 0o757)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"25-link": elsewhere, "15-nowhere": "/nonexistent", "15-device": "/dev/null"} {
		if err := os.Symlink(to, filepath.Join(f.path, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(f.path, "15-folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	f.Tell(client.Event{Type: client.EventStatus}) // hooks are not called for these types
	f.Tell(joining("home"))
	f.log.await(t, "30-last runs")
	var ran []string
	for line := range strings.Lines(f.log.String()) {
		if _, said, ok := strings.Cut(line, `msg="hook says" hook=`); ok {
			name, _, _ := strings.Cut(said, " ")
			ran = append(ran, name)
		}
	}
	if want := []string{"10-first", "20-second", "25-link", "30-last"}; !cmp.Equal(want, ran) {
		t.Errorf("ran %q, want %q", ran, want)
	}
	f.log.await(t,
		"15-group reason=\"others than root can write to", "15-group; run chmod go-w",
		"15-all reason=\"others than root can write to",
		"15-nowhere reason=", "15-device: it is not a regular file")
}

// TestFoldersOfOthers checks that a hook is refused if another user can write to a
// folder on its path, and so could have put anything there.
func TestFoldersOfOthers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("gives files to another user; needs root")
	}
	const nobody = 65534
	f := newFolder(t)
	hook := f.add(t, "hook", "#!/bin/sh\necho runs\n", 0o755)
	tests := []struct {
		name   string
		spoil  func() error
		repair func() error
		want   string
	}{
		{"somebody's hook", func() error { return os.Chown(hook, nobody, 0) }, func() error { return os.Chown(hook, 0, 0) },
			"user 65534 owns " + hook + "; run chown root:root " + hook},
		{"somebody's folder", func() error { return os.Chown(f.path, nobody, 0) }, func() error { return os.Chown(f.path, 0, 0) },
			"user 65534 owns " + f.path},
		{"folder for everybody", func() error { return os.Chmod(f.path, 0o777|os.ModeSticky) }, func() error { return os.Chmod(f.path, 0o755) },
			"others than root can write to " + f.path},
		{"folder on the way for everybody", func() error { return os.Chmod(filepath.Dir(f.path), 0o777) },
			func() error { return os.Chmod(filepath.Dir(f.path), 0o755) }, "others than root can write to " + filepath.Dir(f.path)},
		{"sticky folder on the way", func() error { return os.Chmod(filepath.Dir(f.path), 0o777|os.ModeSticky) },
			func() error { return os.Chmod(filepath.Dir(f.path), 0o755) }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.spoil(); err != nil {
				t.Fatal(err)
			}
			hooks, refused := find(f.path, 0)
			if err := test.repair(); err != nil {
				t.Fatal(err)
			}
			if test.want == "" {
				if len(hooks) != 1 || len(refused) > 0 {
					t.Errorf("hooks %q, refused %q", hooks, refused)
				}
				return
			}
			if got := fmt.Sprint(refused); len(hooks) > 0 || !strings.Contains(got, test.want) {
				t.Errorf("hooks %q, refused %s; want %s", hooks, got, test.want)
			}
		})
	}
}

// TestBadHooks checks that after a hook that misbehaves the next hook is still
// called.
func TestBadHooks(t *testing.T) {
	tests := []struct {
		name, script string
		want         []string // texts in the log
		limit        time.Duration
	}{
		{"fails", "#!/bin/sh\necho oh no >&2\nexit 3\n", []string{"line=\"oh no\"", "err=\"run bad: exit status 3\""}, deadline},
		{"is no program", "nothing\n", []string{"err=\"run bad: fork/exec"}, deadline},
		{"does not end", "#!/bin/sh\nsleep 1000 &\nsleep 1000\n", []string{"err=\"run bad: not done within 2s\""}, 2 * time.Second},
		{"is deaf, and so is its child", "#!/bin/sh\ntrap '' TERM\nsh -c \"trap '' TERM; sleep 1000\"\nsleep 1000\n",
			[]string{"err=\"run bad: not done within 2s\""}, 2 * time.Second},
		{"does not read", "#!/bin/sh\nexec <&-\necho quick\n", []string{"line=quick"}, deadline},
		{"prints for ever", "#!/bin/sh\nyes 'much more than anybody reads' | head -c 1000000\n",
			[]string{"line=\"much more than anybody reads\"", "bytes more"}, deadline},
		{"prints no line", "#!/bin/sh\nhead -c 1000000 /dev/zero\n", []string{"bytes more"}, deadline},
		{"leaves something running", "#!/bin/sh\nsleep 1000 &\necho $! >\"$0.pid\"\necho left\n", []string{"line=left"}, deadline},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t)
			f.limit = test.limit
			path := f.add(t, "bad", test.script, 0o755)
			f.add(t, "good", "#!/bin/sh\necho called\n", 0o755)
			f.start(t)
			f.Tell(joining("home"))
			f.log.await(t, append(test.want, "line=called")...)
			if n := strings.Count(f.log.String(), "\n"); n > linesLimit+5 {
				t.Errorf("%d lines in the log", n)
			}
			if pid, err := os.ReadFile(path + ".pid"); err == nil {
				end(t, strings.TrimSpace(string(pid)))
			}
		})
	}
}

// end kills the process that a hook has left running, and fails the test if none
// runs.
func end(t *testing.T, pid string) {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(pid, &n); err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(n)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Errorf("what the hook left running is gone: %v", err)
	}
}

// TestSlowHooks checks that Tell never waits, that the latest events are kept, and
// that the log mentions only once what many events can cause.
func TestSlowHooks(t *testing.T) {
	f := newFolder(t)
	for i := range queueLimit + 3 {
		f.Tell(joining(fmt.Sprint(i)))
	}
	f.add(t, "say", "#!/bin/sh\necho \"got $NETCONNECTD_SSID\"\n", 0o755)
	f.start(t)
	f.log.await(t, fmt.Sprintf(`line="got %d"`, queueLimit+2))
	said := f.log.String()
	if strings.Contains(said, `"got 2"`) || !strings.Contains(said, `"got 3"`) || strings.Count(said, "an event is dropped") != 1 {
		t.Errorf("not the three oldest were dropped:\n%s", said)
	}
}

// TestEnd checks that the end of the daemon also ends a running hook.
func TestEnd(t *testing.T) {
	f := newFolder(t)
	f.add(t, "sleep", "#!/bin/sh\necho begun\nexec sleep 1000\n", 0o755)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	f.Tell(joining("home"))
	f.log.await(t, "line=begun")
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Run goes on")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocumentedHook runs the script of docs/hooks.md exactly as a user copies it,
// with a file in place of the light.
func TestDocumentedHook(t *testing.T) {
	_, text, _ := strings.Cut(read(t, "../../docs/hooks.md"), "```sh\n")
	script, _, ok := strings.Cut(text, "```")
	light := filepath.Join(t.TempDir(), "brightness")
	if !ok || !strings.Contains(script, "/sys/class/leds/ACT/brightness") {
		t.Fatal("docs/hooks.md has no script with /sys/class/leds/ACT/brightness")
	}
	script = strings.ReplaceAll(script, "/sys/class/leds/ACT/brightness", light)
	f := newFolder(t)
	f.add(t, "50-light", script, 0o755)
	f.add(t, "90-last", "#!/bin/sh\necho \"after $NETCONNECTD_EVENT $NETCONNECTD_NEW $NETCONNECTD_CODE\"\n", 0o755)
	f.start(t)
	for _, step := range []struct {
		event client.Event
		log   []string
		light string
	}{
		{client.Event{Type: client.EventAccessPoint, Old: "off", New: "up"}, []string{"after access_point up"}, "1\n"},
		{client.Event{Type: client.EventAccessPoint, Old: "up", New: "off"}, []string{"after access_point off"}, "0\n"},
		{joining("home"), []string{`line="home: the passphrase is not the router's (wrong_key)"`, "after join failed wrong_key"}, "0\n"},
	} {
		f.Tell(step.event)
		f.log.await(t, step.log...)
		if got := read(t, light); got != step.light {
			t.Errorf("after %s %s the light has %q, want %q", step.event.Type, step.event.New, got, step.light)
		}
	}
}
