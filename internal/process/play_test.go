package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary also plays the children and the daemon that goes away.
func TestMain(m *testing.M) {
	RunConfined(os.Args)
	if len(os.Args) > 2 && os.Args[1] == "play" {
		play(os.Args[2], os.Args[3:])
		return
	}
	os.Exit(m.Run())
}

func play(part string, args []string) {
	switch part {
	case "stubborn": // does not end on SIGTERM
		signal.Ignore(unix.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Minute)
	case "orderly": // handles SIGTERM itself, as hostapd does
		term := make(chan os.Signal, 1)
		signal.Notify(term, unix.SIGTERM)
		fmt.Println("ready")
		<-term
	case "complain":
		fmt.Println("first line")
		fmt.Fprintln(os.Stderr, "cannot do it")
		os.Exit(3)
	case "chatter": // prints the time for ever
		for {
			fmt.Println(time.Now().UnixMilli())
			time.Sleep(time.Millisecond)
		}
	case "parent": // leaves a process of its own behind
		cmd := exec.Command("/bin/sleep", "60")
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		fmt.Println(cmd.Process.Pid)
		time.Sleep(time.Minute)
	case "few capabilities": // shows those that a program of ours has
		if err := KeepCapabilities(unix.CAP_SETUID, unix.CAP_NET_ADMIN); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		show := exec.Command("/bin/sh", "-c", "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2")
		show.Stdout = os.Stdout
		if err := show.Run(); err != nil {
			panic(err)
		}
	case "taken over": // tries what a confined child may not do
		tryEverything(args)
	case "daemon": // starts a child and ends without a word
		c, _, err := (&Runner{Dir: args[0]}).Ensure(context.Background(), playing("one", args[1]))
		if err != nil {
			panic(err)
		}
		fmt.Println(c.PID())
	}
}

// playing is the Spec of a child that the test binary plays; "sleep" is the
// real program.
func playing(role, part string) Spec {
	if part == "sleep" {
		return Spec{Role: role, Path: "/bin/sleep", Args: []string{"60"}, Hash: "h"}
	}
	return Spec{Role: role, Path: os.Args[0], Args: []string{"play", part}, Hash: "h"}
}

// newRunner returns a Runner whose children are ended with the test.
func newRunner(t *testing.T, dir string) *Runner {
	t.Helper()
	r := &Runner{Dir: dir}
	t.Cleanup(func() {
		if err := r.EndAll(context.Background()); err != nil {
			t.Error(err)
		}
		r.Close()
	})
	return r
}

func ensure(t *testing.T, r *Runner, spec Spec) (*Child, bool) {
	t.Helper()
	c, adopted, err := r.Ensure(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return c, adopted
}

// becomes reports whether ok says so within the limit.
func becomes(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if !becomes(limit, ok) {
		t.Fatalf("not within %v: %s", limit, what)
	}
}

func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := cutLast(stat, ')')
	return bytes.HasPrefix(rest, []byte(" Z"))
}
