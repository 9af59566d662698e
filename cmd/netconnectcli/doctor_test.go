package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestReportPutsTheWorstFirst(t *testing.T) {
	r := report{Findings: []finding{
		{"daemon", "Daemon", levelOK, "netconnectd answers", ""},
		{"config", "Daemon", levelUnknown, "the configuration could not be seen", ""},
		{"country", "Radio", levelWarning, "no country is set (00)", "set ap.country"},
		{"radio", "Radio", levelOK, "wlan0 is there", ""},
		{"iwd", "Other programs", levelProblem, "iwd \x1b[2J works on wlan0", "end it"},
	}}
	var out bytes.Buffer
	if err := printReport(&out, r, 0); err != nil {
		t.Fatal(err)
	}
	const want = `problem: iwd \x1b[2J works on wlan0 [iwd]
    end it
warning: no country is set (00) [country]
    set ap.country
unknown: the configuration could not be seen [config]

Daemon
  ok: netconnectd answers [daemon]

Radio
  ok: wlan0 is there [radio]

problem: 1, warning: 1, unknown: 1, ok: 2
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if err := r.problems(); err == nil || err.Error() != "1 problem" {
		t.Errorf("exit status of %v", err)
	}
	r.Findings = r.Findings[:4]
	if err := r.problems(); err != nil {
		t.Errorf("no problem, and %v", err)
	}
}

// TestReportFits checks that no line is wider than the terminal, and that no word is
// missing.
func TestReportFits(t *testing.T) {
	long := strings.Repeat("Debian's own hostapd has the radio; ", 9) + "sudo systemctl disable --now hostapd.service"
	r := report{Findings: []finding{
		{"other_hostapd", "Other programs", levelProblem, long, long},
		{"radio", "Radio", levelOK, long, long},
	}}
	r.Bundle = &struct {
		File, Hidden string
		Parts        []struct{ Name, What string }
	}{"b.tar.gz", long, []struct{ Name, What string }{{"journal.txt", long}}}
	words := func(width int) []string {
		var out bytes.Buffer
		if err := printReport(&out, r, width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(line) - 1; width > 0 && n > width {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
		return strings.Fields(out.String())
	}
	whole := words(0)
	for _, width := range []int{40, 80, 132} {
		if !slices.Equal(words(width), whole) {
			t.Errorf("words are not the same in %d columns", width)
		}
	}
	if err := printReport(io.Discard, r, 1); err != nil { // a terminal that is narrower than any word
		t.Error(err)
	}
}

// TestDoctorOnATerminal checks that the width is the terminal's.
func TestDoctorOnATerminal(t *testing.T) {
	keys, tty, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	defer tty.Close()
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 52}); err != nil {
		t.Fatal(err)
	}
	if got := columns(tty); got != 52 {
		t.Errorf("%d columns, want 52", got)
	}
	for _, out := range []io.Writer{plainFile(t), new(bytes.Buffer)} {
		if got := columns(out); got != 0 {
			t.Errorf("%d columns of what is no terminal", got)
		}
	}
}

// plainFile returns a file that is no terminal.
func plainFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestDoctor runs both programs together, with no daemon on the socket and a wrong
// configuration.
func TestDoctor(t *testing.T) {
	programs, dir := builtPrograms(t), t.TempDir()
	for _, name := range []string{"netconnectd", "netconnectcli"} {
		if err := os.Link(filepath.Join(programs, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(config, []byte("ap: {channel: 99, psk: longenough, chanel: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	doctor := func(args ...string) (stdout, stderr string, status int) {
		cmd := exec.Command(filepath.Join(dir, "netconnectcli"), append([]string{"-a", "s", "doctor", "-c", "c.yaml"}, args...)...)
		var out, errs bytes.Buffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
		_ = cmd.Run() // the test checks its status
		return out.String(), errs.String(), cmd.ProcessState.ExitCode()
	}

	out, errs, status := doctor()
	for _, want := range []string{"ap.channel: 99", "ap.chanel: is not a known key", "netconnectd does not run [daemon]", "[hostapd]", "problem: "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if status != exitError || !strings.HasSuffix(errs, " problems\n") {
		t.Errorf("exit status %d, %s", status, errs)
	}
	out, _, status = doctor("--json")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != exitError {
		t.Fatalf("exit status %d, %v in %s", status, err, out)
	}
	at := slices.IndexFunc(r.Findings, func(f finding) bool { return f.ID == "config" })
	if at < 0 || r.Findings[at].Level != levelProblem || r.Findings[at].Group == "" || r.Findings[at].Remedy == "" {
		t.Errorf("%+v", r.Findings)
	}

	out, _, _ = doctor("--bundle", "b.tar.gz")
	file := filepath.Join(dir, "b.tar.gz")
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 || !strings.Contains(out, "wrote "+file) {
		t.Fatalf("%v, %v in\n%s", info, err, out)
	}
	if text := archived(t, file); strings.Contains(text, "longenough") || !strings.Contains(text, "ap.psk: [redacted] (line 1)") {
		t.Errorf("%s", text)
	}
	doctor("--bundle")
	if found, _ := filepath.Glob(filepath.Join(dir, "netconnectd-*.tar.gz")); len(found) != 1 {
		t.Errorf("without a name: %v", found)
	}
	if _, errs, status := doctor("b.tar.gz"); status != exitUsage || !strings.Contains(errs, "<file> is that of --bundle") {
		t.Errorf("a file without --bundle: %d, %s", status, errs)
	}
	if err := os.Remove(filepath.Join(dir, "netconnectd")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(daemonProgram); err == nil {
		return // otherwise the program of an installed package would run
	}
	if _, errs, status := doctor(); status != exitError || !strings.Contains(errs, "netconnectd is not installed") {
		t.Errorf("without its program: %d, %s", status, errs)
	}
}

func archived(t *testing.T, file string) (text string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewReader(packed)
	for {
		if _, err := files.Next(); err != nil {
			return text
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		text += string(content)
	}
}

// Root gives away the file that it has written, and no other file.
func TestHandOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file to another user; needs root")
	}
	t.Setenv("SUDO_UID", "1000")
	t.Setenv("SUDO_GID", "1001")
	for _, tt := range []struct {
		name  string
		place func(path, other string) error
		given bool
	}{
		{"the file that was written", func(path, _ string) error { return os.WriteFile(path, nil, 0o600) }, true},
		{"a link to another file", func(path, other string) error { return os.Symlink(other, path) }, false},
		{"another name of another file", func(path, other string) error { return os.Link(other, path) }, false},
		{"a file that everybody can read", func(path, _ string) error { return os.WriteFile(path, nil, 0o644) }, false},
		{"a folder", func(path, _ string) error { return os.Mkdir(path, 0o700) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, other := filepath.Join(t.TempDir(), "bundle"), filepath.Join(t.TempDir(), "other")
			if err := errors.Join(os.WriteFile(other, nil, 0o600), tt.place(path, other)); err != nil {
				t.Fatal(err)
			}
			err := handOver(path)
			var at, beside syscall.Stat_t
			if err := errors.Join(syscall.Lstat(path, &at), syscall.Stat(other, &beside)); err != nil {
				t.Fatal(err)
			}
			if (err == nil) != tt.given || (at.Uid == 1000 && at.Gid == 1001) != tt.given || beside.Uid != 0 {
				t.Errorf("%v; it is user %d's, the other one user %d's", err, at.Uid, beside.Uid)
			}
		})
	}
}
