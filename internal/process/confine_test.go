package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// world is what a child that was taken over would like to reach.
type world struct{ hidden, other, own, stream, datagram string }

// newWorld makes it; everything belongs to the child's own user.
func newWorld(t *testing.T) world {
	t.Helper()
	dir := t.TempDir()
	w := world{
		hidden: filepath.Join(dir, "state"), other: filepath.Join(dir, "record"), own: filepath.Join(dir, "own"),
		stream: filepath.Join(dir, "bus"), datagram: filepath.Join(dir, "control"),
	}
	for _, folder := range []string{w.hidden, w.own} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(w.hidden, "networks.json"), w.other} {
		if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bus, err := net.Listen("unix", w.stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	control, err := net.ListenPacket("unixgram", w.datagram)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { control.Close() })
	return w
}

// tryEverything prints how each attempt ended.
func tryEverything(args []string) {
	w := world{args[0], args[1], args[2], args[3], args[4]}
	daemon, _ := strconv.Atoi(args[5])
	try := func(what string, err error) {
		result := "works"
		if err != nil {
			result = "refused"
		}
		fmt.Println(what + ": " + result)
	}
	read := func(path string) error { _, err := os.ReadFile(path); return err }
	dial := func(network, path string) error {
		conn, err := net.Dial(network, path)
		if err == nil {
			conn.Close()
		}
		return err
	}
	try("read what is hidden", read(filepath.Join(w.hidden, "networks.json")))
	try("list what is hidden", func() error { _, err := os.ReadDir(w.hidden); return err }())
	try("put a file beside what is hidden", os.WriteFile(filepath.Join(w.hidden, "x"), nil, 0o600))
	try("change another file", os.WriteFile(w.other, []byte("forged"), 0o600))
	try("talk to the bus", dial("unix", w.stream))
	try("read memory of the daemon", readMemory(daemon))
	try("open memory of the daemon", func() error {
		f, err := os.Open(fmt.Sprintf("/proc/%d/mem", daemon))
		if err == nil {
			f.Close()
		}
		return err
	}())
	try("make an io_uring", func() error {
		if _, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); errno == unix.EACCES {
			return errno
		}
		return nil // the kernel looked at the arguments, which are wrong
	}())
	try("read another file", read(w.other))
	try("read the system's files", read("/etc/passwd"))
	try("write to a device", os.WriteFile("/dev/null", []byte("x"), 0))
	try("write to its own folder", os.WriteFile(filepath.Join(w.own, "x"), nil, 0o600))
	try("bind a control socket", func() error {
		c, err := net.ListenPacket("unixgram", filepath.Join(w.own, "control"))
		if err == nil {
			c.Close()
		}
		return err
	}())
	try("send to a control socket", dial("unixgram", w.datagram))
	fmt.Println("done")
	time.Sleep(time.Minute)
}

// readMemory asks for nothing: whether it would be allowed is what counts.
func readMemory(pid int) error {
	_, err := unix.ProcessVMReadv(pid, nil, nil, 0)
	return err
}

// TestConfinement checks that a child that was taken over reaches neither the secrets
// nor the programs that obey its user, but still has what it needs for its work.
func TestConfinement(t *testing.T) {
	forbidden := []string{"talk to the bus", "read memory of the daemon", "make an io_uring"}
	if err := CanHide(); err != nil {
		t.Log(err)
	} else {
		forbidden = append(forbidden, "read what is hidden", "list what is hidden", "put a file beside what is hidden",
			"change another file", "open memory of the daemon")
	}
	needed := []string{
		"read another file", "read the system's files", "write to a device", "write to its own folder",
		"bind a control socket", "send to a control socket",
	}
	for _, row := range []struct {
		name     string
		confined bool
	}{{"unconfined", false}, {"confined", true}} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			r := newRunner(t, t.TempDir())
			r.Self = "/proc/self/exe"
			spec := playing("one", "taken over")
			spec.Args = append(spec.Args, w.hidden, w.other, w.own, w.stream, w.datagram, strconv.Itoa(os.Getpid()))
			if row.confined {
				spec.Confine = &Confinement{Hidden: w.hidden, Own: []string{w.own}}
			}
			child, _ := ensure(t, r, spec)
			var said []string
			within(t, 10*time.Second, "the child has tried everything", func() bool {
				said = child.LastOutput()
				return len(said) > 0 && said[len(said)-1] == "done"
			})
			text := strings.Join(said, "\n") + "\n"
			want := map[bool]string{true: "refused", false: "works"}[row.confined]
			for _, what := range forbidden {
				if !strings.Contains(text, what+": "+want+"\n") {
					t.Errorf("%s: not %s", what, want)
				}
			}
			for _, what := range needed {
				if !strings.Contains(text, what+": works\n") {
					t.Errorf("%s: does not work", what)
				}
			}
			if t.Failed() {
				t.Logf("the child said\n%s", text)
			}
		})
	}
}

// TestConfinedProgramThatIsMissing checks that a missing program is reported in the same
// way with and without confinement.
func TestConfinedProgramThatIsMissing(t *testing.T) {
	r := newRunner(t, t.TempDir())
	r.Self = "/proc/self/exe"
	_, _, err := r.Ensure(t.Context(), Spec{Role: "one", Path: "/nonexistent/hostapd", Confine: &Confinement{Hidden: "/nonexistent"}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
