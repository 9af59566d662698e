package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const stranger = 1000 // a user who is neither root nor the daemon's

// asStranger starts a program of the stranger's in a folder that everybody can
// search, under another name and with another mode, and returns its pid.
func asStranger(t *testing.T, name string, mode os.FileMode, argv ...string) int {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "stranger") // not t.TempDir, which only root can search
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	program, err := os.ReadFile("/bin/sleep")
	path := filepath.Join(folder, name)
	if err = errors.Join(err, os.Chmod(folder, 0o755), os.WriteFile(path, program, 0o755), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, argv...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// These processes belong to a stranger although the kernel shows them as root's. What
// they say about themselves must not be trusted.
func TestStrangersAreNotTakenForRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becomes another user; needs root")
	}
	for _, tt := range []struct {
		name string
		mode os.FileMode
	}{
		{"an ordinary program", 0o755},
		{"a set-user-ID program", 0o755 | os.ModeSetuid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pid := asStranger(t, "netconnectd", tt.mode, "1000")
			var seen *Process
			for _, p := range (machine{}).processes("") {
				if p.PID == pid {
					seen = &p
				}
			}
			switch {
			case seen == nil || seen.Name != "netconnectd":
				t.Fatalf("the program is seen as %+v", seen)
			case seen.UID != stranger:
				t.Errorf("it is taken for user %d's", seen.UID)
			}
			if p, ok := (machine{}).daemonAmong([]Process{*seen}, 0); ok {
				t.Errorf("the daemon is %v", p)
			}
		})
	}
}

// What others name is not read, or not for ever.
func TestFilesThatHostapdNames(t *testing.T) {
	folder := t.TempDir()
	plain := filepath.Join(folder, "hostapd.conf")
	pipe := filepath.Join(folder, "pipe")
	somebodys := filepath.Join(folder, "somebodys.conf")
	err := errors.Join(
		os.WriteFile(plain, []byte("interface=wlan0\n"), 0o644), unix.Mkfifo(pipe, 0o644),
		os.WriteFile(somebodys, []byte("interface=wlan0\n"), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(somebodys, stranger, stranger); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, file string
		uid        int
		want       string // why it is not seen; "": it works on wlan0
	}{
		{"root's hostapd", plain, 0, ""},
		{"a stranger's hostapd", plain, stranger, "what it names is not read"},
		{"an endless device", "/dev/zero", 0, "not a regular file"},
		{"a pipe", pipe, 0, "not a regular file"},
		{"a folder", folder, 0, "not a regular file"},
		{"somebody's file", somebodys, 0, "belongs to user 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.HasPrefix(tt.want, "belongs") && os.Geteuid() != 0 {
				t.Skip("gives a file to another user; needs root")
			}
			found := machine{}.relevant([]Process{{Name: "hostapd", UID: tt.uid, Args: []string{"hostapd", tt.file}}})
			reach := found[0].Reach
			if tt.want == "" && !reach.on("wlan0") || tt.want != "" && !strings.Contains(reach.Unseen, tt.want) {
				t.Errorf("%+v, want %q", reach, tt.want)
			}
		})
	}
}

// A stranger's program that names our files is none of ours.
func TestStrangersProgramsAreNotOurs(t *testing.T) {
	files := map[string]string{}
	for pid, uid := range map[int]int{7: 0, 8: serviceUID, 9: stranger} {
		folder := fmt.Sprintf("/proc/%d/", pid)
		files[folder+"stat"] = fmt.Sprintf("%d (hostapd) S 1 7 7 0 -1", pid)
		files[folder+"cmdline"] = "hostapd\x00/run/netconnectd/hostapd.conf\x00"
		files[folder+"status"] = fmt.Sprintf("Name:\thostapd\nUid:\t%d\t0\t0\t0\n", uid)
	}
	m := lay(t, files)
	m.service = serviceUID
	for _, p := range m.processes("/run/netconnectd") {
		if want := p.UID != stranger; p.Ours != want {
			t.Errorf("hostapd of user %d is ours: %v", p.UID, p.Ours)
		}
	}
}

// Root runs only programs that nobody else can change, with the rights of the user
// nobody.
func TestRootRunsRootsProgramsOnly(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("is about root")
	}
	const script = "#!/bin/sh\necho hostapd v2.10\nid -u >&2\n"
	for _, tt := range []struct {
		name    string
		prepare func(folder, program string) error
		want    string // the version; "": it does not run
	}{
		{"root's", func(string, string) error { return nil }, "2.10"},
		{"a group can write it", func(_, program string) error { return os.Chmod(program, 0o775) }, ""},
		{"somebody's", func(_, program string) error { return os.Chown(program, stranger, 0) }, ""},
		{"in somebody's folder", func(folder, _ string) error { return os.Chown(folder, stranger, 0) }, ""},
		{"in a folder that a group can write", func(folder, _ string) error { return os.Chmod(folder, 0o775) }, ""},
		{"by somebody's link", func(_, program string) error {
			real := program + ".real"
			return errors.Join(os.Rename(program, real), os.Symlink(real, program), os.Lchown(program, stranger, 0))
		}, ""},
		{"by a link through somebody's folder", func(folder, program string) error {
			theirs, real := filepath.Join(folder, "theirs"), program+".real"
			return errors.Join(os.Mkdir(theirs, 0o755), os.Rename(program, real), os.Symlink(real, filepath.Join(theirs, "link")),
				os.Symlink(filepath.Join(theirs, "link"), program), os.Chown(theirs, stranger, 0))
		}, ""},
		{"a device", func(_, program string) error {
			return errors.Join(os.Remove(program), os.Symlink("/dev/zero", program))
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			program := filepath.Join(folder, "hostapd")
			if err := errors.Join(os.WriteFile(program, []byte(script), 0o755), tt.prepare(folder, program)); err != nil {
				t.Fatal(err)
			}
			if got := ask(t.Context(), "hostapd", program, User{}); got.Version != tt.want || (got.Unseen == "") != (tt.want != "") {
				t.Errorf("%+v, want version %q", got, tt.want)
			}
		})
	}
}
