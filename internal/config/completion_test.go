package config

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// The completions of the daemon are made from the flags and the table of keys, as
// the manual pages are: go test ./internal/config -update writes them.

const (
	ofFiles      = "files"
	ofInterfaces = "interfaces"
)

// argument is what can follow a flag: some words, or a kind of names. A flag without
// a value has none.
type argument struct {
	flag  *pflag.Flag
	value bool
	words []string
	names string
}

// The words that a key takes are in what it says of another one.
var (
	anyOf  = regexp.MustCompile(`is not one of: (.*)`)
	choose = regexp.MustCompile(`neither (true) nor (false) nor (\S+)`)
)

// arguments are those of all flags, in the order of --help.
func arguments() []argument {
	line := newCommandLine()
	var all []argument
	newFlagSet(line).VisitAll(func(f *pflag.Flag) {
		a := argument{flag: f, value: f.NoOptDefVal == "" && f.Value.Type() != "bool"}
		if k, ok := f.Value.(*keyFlag); ok {
			a.names = map[kind]string{kindPath: ofFiles}[k.key.kind]
			if strings.HasPrefix(k.key.path, "interfaces.") {
				a.names = ofInterfaces
			}
			if err := k.key.set(new(draft), "\x00"); err != nil {
				if found := anyOf.FindStringSubmatch(err.Error()); found != nil {
					a.words = strings.Split(found[1], ", ")
				} else if found := choose.FindStringSubmatch(err.Error()); found != nil {
					a.words = found[1:]
				}
			}
		}
		switch f.Name {
		case "config", "logfile", "bundle", "pid":
			a.names = ofFiles
		case "daemon":
			a.words = []string{"status", "stop"}
		}
		all = append(all, a)
	})
	return all
}

// flags are the ways to write it.
func (a argument) flags() []string {
	list := []string{"--" + a.flag.Name}
	if a.flag.Shorthand != "" {
		list = append(list, "-"+a.flag.Shorthand)
	}
	return list
}

// made is the first line of each script.
const made = "# %s completion for netconnectd. Made from its flags; see internal/config.\n"

func bashCompletion(all []argument) string {
	var b strings.Builder
	fmt.Fprintf(&b, made, "bash")
	b.WriteString(`_netconnectd() {
	local cur=$2 flag=$3 words='' name
	if [[ $flag == = ]]; then
		flag=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $flag in
`)
	var flags, plain []string
	for _, a := range all {
		flags = append(flags, a.flags()[0])
		pattern := strings.Join(a.flags(), " | ")
		switch {
		case a.words != nil:
			fmt.Fprintf(&b, "\t%s) words='%s' ;;\n", pattern, strings.Join(a.words, " "))
		case a.names == ofFiles:
			fmt.Fprintf(&b, "\t%s) compopt -o default && return ;;\n", pattern)
		case a.names == ofInterfaces:
			fmt.Fprintf(&b, "\t%s)\n\t\tfor name in /sys/class/net/*; do\n\t\t\tname=${name##*/}\n\t\t\t[[ $name == \"$cur\"* ]] && COMPREPLY+=(\"$(printf %%q \"$name\")\")\n\t\tdone\n\t\treturn\n\t\t;;\n", pattern)
		case a.value:
			plain = append(plain, a.flags()...)
		}
	}
	fmt.Fprintf(&b, "\t%s) return ;;\n\t*) words='%s' ;;\n\tesac\n", strings.Join(plain, " | "), strings.Join(flags, " "))
	b.WriteString("\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\ncomplete -F _netconnectd netconnectd\n")
	return b.String()
}

func zshCompletion(all []argument) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef netconnectd\n"+made+"_arguments \\\n", "zsh")
	for i, a := range all {
		what := ":" + a.flag.Name + ":"
		switch {
		case a.words != nil:
			what += "(" + strings.Join(a.words, " ") + ")"
		case a.names == ofFiles:
			what += "_files"
		case a.names == ofInterfaces:
			what += "_net_interfaces"
		case a.value:
			what += " "
		default:
			what = ""
		}
		for j, flag := range a.flags() {
			equals := ""
			if a.value && strings.HasPrefix(flag, "--") {
				equals = "="
			}
			end := " \\\n"
			if i == len(all)-1 && j == len(a.flags())-1 {
				end = "\n"
			}
			fmt.Fprintf(&b, "\t'%s%s%s'%s", flag, equals, what, end)
		}
	}
	return b.String()
}

func fishCompletion(all []argument) string {
	var b strings.Builder
	fmt.Fprintf(&b, made+"complete -c netconnectd -f\n", "fish")
	for _, a := range all {
		fmt.Fprintf(&b, "complete -c netconnectd -l %s", a.flag.Name)
		if a.flag.Shorthand != "" {
			fmt.Fprintf(&b, " -s %s", a.flag.Shorthand)
		}
		switch {
		case a.words != nil:
			fmt.Fprintf(&b, " -x -a '%s'", strings.Join(a.words, " "))
		case a.names == ofFiles:
			b.WriteString(" -r -F")
		case a.names == ofInterfaces:
			b.WriteString(" -x -a '(command ls /sys/class/net)'")
		case a.value:
			b.WriteString(" -x")
		}
		usage, _, _ := strings.Cut(a.flag.Usage, ". ")
		usage, _, _ = strings.Cut(usage, ", e.g")
		fmt.Fprintf(&b, " -d '%s'\n", strings.NewReplacer(`\`, `\\`, "'", `\'`, "`", "").Replace(strings.TrimSuffix(usage, ".")))
	}
	return b.String()
}

func TestCompletions(t *testing.T) {
	all := arguments()
	for shell, text := range map[string]string{"bash": bashCompletion(all), "zsh": zshCompletion(all), "fish": fishCompletion(all)} {
		path := filepath.Join("..", "..", "packaging", "completions", "netconnectd."+shell)
		golden(t, path, text)
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s does not read it: %v %s", shell, err, out)
		}
	}
}

// TestBashCompletesKeys: the real bash offers flags, and the words that a key takes,
// which the daemon takes, too.
func TestBashCompletesKeys(t *testing.T) {
	for _, row := range []struct{ words, cur, prev, want string }{
		{"netconnectd --ap-mo", "--ap-mo", "netconnectd", "--ap-mode"},
		{"netconnectd --ap-mode a", "a", "--ap-mode", "always"},
		{"netconnectd --ap-mode = a", "a", "=", "always"},
		{"netconnectd --ap-isolate ", "", "--ap-isolate", "true false auto"},
		{"netconnectd --wifi-backend n", "n", "--wifi-backend", "networkmanager"},
		{"netconnectd --daemon s", "s", "--daemon", "status stop"},
		{"netconnectd --interface-wifi l", "l", "--interface-wifi", "lo"},
		{"netconnectd --ap-ssid -", "-", "--ap-ssid", ""},
		{"netconnectd --wifi-fr", "--wifi-fr", "netconnectd", "--wifi-free"},
	} {
		script := `source ../../packaging/completions/netconnectd.bash
cur=$1 prev=$2; shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_netconnectd netconnectd "$cur" "$prev"
echo "${COMPREPLY[*]}"`
		args := append([]string{"--norc", "-c", script, "bash", row.cur, row.prev}, strings.Split(row.words, " ")...)
		out, err := exec.Command("bash", args...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != row.want {
			t.Errorf("%s: %q, %v; want %q", row.words, got, err, row.want)
		}
	}
	for _, a := range arguments() {
		k, ok := a.flag.Value.(*keyFlag)
		for _, word := range a.words {
			if ok && k.key.set(new(draft), word) != nil {
				t.Errorf("--%s does not take %s, which is offered", a.flag.Name, word)
			}
		}
	}
	if i := slices.IndexFunc(arguments(), func(a argument) bool { return a.flag.Name == "probe-kind" }); i < 0 || len(arguments()[i].words) < 4 {
		t.Error("the words of probe.kind are not found")
	}
}
