package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
)

// evil is a file that appears in the current folder if a shell executes part of a
// name.
const evil = "EVIL"

// hostileNames are names of networks in reach. Each must be completed unchanged.
var hostileNames = []string{
	"Home", "My Net", "it's", `say "hi"`, "$(touch EVIL)", "`touch EVIL`", "${IFS}x", "$HOME", "a;touch EVIL", "a&touch EVIL", "a|b>EVIL",
	`back\slash`, `a\`, "#hash", "~root", "~", "!!", "a!touch", "*", "[a-z]?", "{a,b}", "Net:5GHz", ":", "a=b", "user@host", "Ünï 😀", "%s %d",
	"$'x'", "'", `"`, "<(touch EVIL)", "(x)", "a  b", "^a^b", "x --y", "connect", "completion: 4", ":4",
}

// untypable are names that must not be offered, and must not keep others from being
// offered.
var untypable = []string{
	"a\nb", "\x1b[2J", "tab\there", "-rf", "--hex", " leads", "trails ", "\xff\xfe", "\u202egnirts", "zero\u200bwidth", "_activeHelp_ x", "\x00", "nb\u00a0sp",
}

// console is an interactive shell on a terminal. It completes for a daemon whose
// networks a test sets. Its netconnectcli records the arguments with which it is
// called. For each completion the shell starts the program as users have it.
type console struct {
	*terminal
	daemon *changing
	dir    string
	tilde  bool // a name that begins with ~ can be completed
}

// done is printed by netconnectcli at its end, and does not occur in a command line.
const done = "ALL" + "-DONE\r\n"

func newConsole(t *testing.T, program string, args ...string) *console {
	t.Helper()
	keys, tty, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	s := &console{terminal: &terminal{keys: keys, tty: tty}, daemon: newChanging(client.Status{}), dir: t.TempDir()}
	socket := filepath.Join(t.TempDir(), "s")
	s.daemon.run(t, socket)
	path := "PATH=" + builtPrograms(t) + ":" + os.Getenv("PATH")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	context.AfterFunc(ctx, func() { keys.Close() })
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Dir = s.dir
	s.cmd.Env = append(os.Environ(), path, socketEnv+"="+socket, "TERM=dumb", "HOME="+s.dir, "LC_ALL=C.UTF-8", "HISTFILE=")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.start(t)
	tty.Close()
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait(); cancel() })
	return s
}

// knows sets the networks that the daemon has saved.
func (s *console) knows(names ...string) {
	var status client.Status
	for _, name := range names {
		status.Wifi.Networks = append(status.Wifi.Networks, client.NewNetwork([]byte(name)))
	}
	s.daemon.now.Store(&status)
}

// called types keys and a return, and returns the arguments with which netconnectcli
// was called.
func (s *console) called(t *testing.T, keys string) []string {
	t.Helper()
	s.screen.Reset()
	if _, err := s.keys.WriteString(keys + "\r"); err != nil {
		t.Fatal(err)
	}
	s.readUntil(t, done)
	text, err := os.ReadFile(filepath.Join(s.dir, "args"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, evil)); err == nil {
		t.Fatalf("%q: a command of the name was run; the screen is %q", keys, s.screen.String())
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// completes checks that a shell completes the names: each alone, those that begin
// with another name, and those beside names that cannot be typed.
func (s *console) completes(t *testing.T) {
	t.Helper()
	is := func(keys string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, s.called(t, keys)); diff != "" {
			t.Errorf("%q (-want +got):\n%s\nthe screen is %q", keys, diff, s.screen.String())
		}
	}
	for _, name := range hostileNames {
		if strings.HasPrefix(name, "~") && !s.tilde {
			continue
		}
		s.knows(slices.Concat(untypable[:6], []string{name}, untypable[6:])...)
		is("netconnectcli connect \t", "connect", name)
		is("netconnectcli remove_network \t\t", "remove_network", name) // a second completion does not execute anything either
	}
	s.knows("$(touch EVIL)1", "$(touch EVIL)2", "$(touch EVIL)2;")
	is("netconnectcli connect \t1\t", "connect", "$(touch EVIL)1")
	s.knows("a b:c", "a b:d", "zeta")
	is("netconnectcli connect a\td\t", "connect", "a b:d")
	is("netconnectcli connect z\t", "connect", "zeta")
	s.knows("Net:5GHz", "Net:2GHz")
	is("netconnectcli connect Net:5\t", "connect", "Net:5GHz")
	s.knows()
	is("netconnectcli stat\t", "status")
	is("netconnectcli add_network x --security wpa2/\t", "add_network", "x", "--security", "wpa2/wpa3")
	is("netconnectcli add_network x --pmf=req\t", "add_network", "x", "--pmf=required")
	if err := os.WriteFile(filepath.Join(s.dir, "wpa supplicant.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	is("netconnectcli import wpa\t", "import", "wpa supplicant.conf")
	if err := os.Remove(filepath.Join(s.dir, "wpa supplicant.conf")); err != nil {
		t.Fatal(err)
	}
	s.knows("\xff\xfe")
	is("netconnectcli connect --hex \t", "connect", "--hex", "fffe")
}

func bash(t *testing.T) *console {
	t.Helper()
	rc := filepath.Join(t.TempDir(), "rc")
	text := `PS1='$ '
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
bind 'set page-completions off'
bind 'set completion-query-items 0'
source <(command netconnectcli completion bash)
netconnectcli() { printf '%s\0' "$@" >args; echo 'ALL''-DONE'; }
echo 'ALL''-DONE'
`
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newConsole(t, "bash", "--noprofile", "--rcfile", rc, "-i")
	s.readUntil(t, done)
	return s
}

// TestBashCompletes runs the real bash.
func TestBashCompletes(t *testing.T) {
	s := bash(t)
	s.tilde = true
	s.completes(t)
}

// TestZshCompletes runs the real zsh.
func TestZshCompletes(t *testing.T) {
	rc := t.TempDir()
	text := `PS1='$ '
unsetopt ZLE_RPROMPT_INDENT PROMPT_SP PROMPT_CR
unset zle_bracketed_paste
LISTMAX=0
autoload -Uz compinit && compinit -u -D
source <(command netconnectcli completion zsh)
netconnectcli() { printf '%s\0' "$@" >args; echo 'ALL''-DONE' }
echo 'ALL''-DONE'
`
	if err := os.WriteFile(filepath.Join(rc, ".zshrc"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZDOTDIR", rc)
	s := newConsole(t, "zsh", "-d", "-i")
	s.tilde = true
	s.readUntil(t, done)
	s.completes(t)
}

// TestFishCompletes runs the real fish, which does not quote a ~, so names that begin
// with ~ are not offered.
func TestFishCompletes(t *testing.T) {
	const text = `function fish_prompt; echo -n '$ '; end
command netconnectcli completion fish | source
function netconnectcli; printf '%s\0' $argv >args; echo 'ALL''-DONE'; end
echo 'ALL''-DONE'
`
	s := newConsole(t, "fish", "--no-config", "--private", "-i", "-C", text)
	s.readUntil(t, done)
	s.completes(t)
	s.knows("~root", "Home")
	if got := s.called(t, "netconnectcli connect \t"); !slices.Equal(got, []string{"connect", "Home"}) {
		t.Errorf("beside ~root: %q", got)
	}
}

// TestBashCompletesWithinQuotes checks that a word which begins with a quote is
// completed within the quotes if the name can be written there.
func TestBashCompletesWithinQuotes(t *testing.T) {
	s := bash(t)
	for _, name := range hostileNames {
		s.knows(name)
		for quote, cannot := range map[string]bool{
			`"`: strings.Contains(name, "!") || strings.HasSuffix(name, `"`), "'": strings.Contains(name, "'"),
		} {
			if cannot {
				continue
			}
			keys := "netconnectcli connect " + quote + "\t"
			if diff := cmp.Diff([]string{"connect", name}, s.called(t, keys)); diff != "" {
				t.Errorf("%q (-want +got):\n%s\nthe screen is %q", keys, diff, s.screen.String())
			}
		}
	}
}

// offeredFor returns the completions at the end of a command line.
func offeredFor(t *testing.T, socket string, words ...string) []string {
	t.Helper()
	a := &app{address: socket}
	cmd := a.rootCommand()
	cmd.SetContext(t.Context())
	names, _ := a.complete(cmd, append([]string{"-a", socket}, words...))
	return names
}

// TestOffers checks which completions are offered for which command.
func TestOffers(t *testing.T) {
	socket := socketOf(t, &device{})
	for _, row := range []struct {
		words []string
		want  []string
	}{
		{[]string{"connect", ""}, []string{"Home"}},
		{[]string{"connect", "Home", ""}, nil},
		{[]string{"connect", "--hex", ""}, []string{"486f6d65"}},
		{[]string{"configure_wifi", ""}, []string{"Home"}}, // Far\x1b[2J is in reach, too, but cannot be typed
		{[]string{"add_network", "--hex", ""}, []string{"486f6d65", "4661721b5b324a"}},
		{[]string{"show", "iface", "l"}, []string{"lo"}},
		{[]string{"show", "route", "--table", ""}, []string{"main", "local", "default"}},
		{[]string{"monitor", "iface", "rule", "neigh", "fdb", ""}, []string{"nexthop", "route"}},
		{[]string{"status", ""}, nil},
		{[]string{"set_network", "Home", "--eap", ""}, []string{"peap", "ttls", "tls"}},
		{[]string{"completion", ""}, []string{"bash", "fish", "zsh"}},
	} {
		if got := offeredFor(t, socket, row.words...); !slices.Equal(withPrefix(got, row.words[len(row.words)-1]), row.want) {
			t.Errorf("%q: %q, want %q", row.words, got, row.want)
		}
	}
	if got := offeredFor(t, filepath.Join(t.TempDir(), "none"), "connect", ""); len(got) != 0 {
		t.Errorf("without a daemon: %q", got)
	}
}

func withPrefix(names []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

// TestOffersDoNotWait checks that a daemon which is silent, or whose radio scans,
// does not delay the completion.
func TestOffersDoNotWait(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start := time.Now()
	if got := offeredFor(t, socket, "configure_wifi", ""); len(got) != 0 || time.Since(start) > 3*offerLimit {
		t.Errorf("%q after %v", got, time.Since(start))
	}
}

// TestSplitLine checks that a line which only bash can interpret is refused, and that
// nothing is evaluated.
func TestSplitLine(t *testing.T) {
	for _, row := range []struct {
		line, want string
	}{
		{`netconnectcli connect `, `["connect"] ""`},
		{`netconnectcli connect My\ N`, `["connect"] "My N"`},
		{`netconnectcli "a  b" 'c"d' $'e' f`, `["a  b" "c\"d" "e"] "f"`},
		{`netconnectcli -a "x\$y\z" "M`, `["-a" "x$y\\z"] "M"`},
		{`netconnectcli a\`, `[] "a"`},
		{`netconnectcli '$(x)' y`, `["$(x)"] "y"`},
		{`netconnectcli`, "no"},
		{`netconnectcli $(x)`, "no"},
		{`netconnectcli "$x"`, "no"},
		{"netconnectcli `x`", "no"},
		{`netconnectcli a; b`, "no"},
		{`netconnectcli a >b`, "no"},
		{"netconnectcli \"`x", "no"},
		{``, "no"},
	} {
		words, last, ok := splitLine(row.line)
		got := "no"
		if ok {
			got = fmt.Sprintf("%q %q", words, last.value())
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.line, got, row.want)
		}
	}
}

// FuzzSplitLine checks for any line that the program does not crash, and that each
// offer replaces the end of the line.
func FuzzSplitLine(f *testing.F) {
	for _, name := range hostileNames {
		f.Add("netconnectcli connect "+name, name)
	}
	f.Add(`netconnectcli a\`, "a ")
	f.Fuzz(func(t *testing.T, line, name string) {
		_, last, ok := splitLine(line)
		if !ok {
			return
		}
		for i := range len(last.raw) + 1 {
			cur := last.raw[i:]
			text, ok := last.replace(name, cur)
			if !ok {
				continue
			}
			if got := (shellWord{strings.TrimSuffix(last.raw, cur) + text}).value(); got != name {
				t.Errorf("%q offers %q in place of %q, which makes %q of %q", line, text, cur, got, name)
			}
		}
	})
}
