package config

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/netconnectd/netconnectd/internal/flagtext"
	"github.com/netconnectd/netconnectd/internal/nearest"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// commandLine is what the arguments say.
type commandLine struct {
	flags     map[string]*keyFlag // by the key's path; given or not
	file      string
	fileGiven bool
	version   bool
	check     bool
	tearDown  bool
	daemon    string
	doctor    bool
	bundle    string
	defaults  bool // not from a flag: see LoadDefaults
	log       Log
	pid       string // of the original; without effect
}

// lenient reports whether a wrong configuration must not stand in the way.
func (line *commandLine) lenient() bool { return line.tearDown || line.daemon != "" }

// looks reports whether a wrong configuration is one of the things to tell.
func (line *commandLine) looks() bool { return line.doctor || line.bundle != "" }

// pardons reports whether what is wrong takes its default.
func (line *commandLine) pardons() bool { return line.lenient() || line.looks() || line.defaults }

// path is where the file is, and whether somebody has named it.
func (line *commandLine) path(env environment) (path string, named bool) {
	if !line.fileGiven && env.file != "" {
		return env.file, true
	}
	return line.file, line.fileGiven
}

// keyFlag is the flag of one key. It keeps the text as it was typed: it is a
// pflag.Value for the parser and a viper.FlagValue for the precedence.
type keyFlag struct {
	key   *key
	text  string
	given bool
}

// Set keeps the text; the key's setter judges it later, with all others.
func (f *keyFlag) Set(text string) error {
	f.text, f.given = text, true
	return nil
}

// String is the default, as pflag wants it before parsing.
func (f *keyFlag) String() string { return f.key.value }

// Type is the word after the flag in --help; none after a "bool".
func (f *keyFlag) Type() string {
	if f.key.kind == kindBoolean {
		return "bool"
	}
	return string(f.key.kind)
}

// HasChanged reports whether the flag was given.
func (f *keyFlag) HasChanged() bool { return f.given }

// Name is the flag's name without dashes.
func (f *keyFlag) Name() string { return f.key.flag }

// ValueType keeps viper from converting the text.
func (f *keyFlag) ValueType() string { return "string" }

// ValueString is the text for the key, which a negated flag turns round.
func (f *keyFlag) ValueString() string {
	if truth, ok := truthOf(f.text); ok && f.key.negated {
		return fmt.Sprint(!truth)
	}
	return f.text
}

func (f *keyFlag) origin() origin { return origin{name: "--" + f.key.flag} }

// newFlagSet describes all flags and where their values go.
func newFlagSet(line *commandLine) *pflag.FlagSet {
	fs := pflag.NewFlagSet("netconnectd", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.StringVarP(&line.file, "config", "c", DefaultFile, "Configuration `file`.")
	fs.BoolVar(&line.check, "check", false, "Check the configuration, report every problem, and end.")
	fs.BoolVar(&line.tearDown, "tear-down", false, "End what an earlier run left: programs, addresses, name servers.")
	fs.BoolVarP(&line.version, "version", "v", false, "Print the version and end.")
	fs.BoolVarP(&line.log.Debug, "debug", "d", false, "Log more.")
	fs.BoolVarP(&line.log.Quiet, "quiet", "q", false, "Log only warnings and errors.")
	fs.BoolP("foreground", "F", true, "Stay in the foreground, which is always so.")
	fs.StringVarP(&line.pid, "pid", "p", "", "Accepted without effect: no `file` of the process is needed.")
	fs.StringVar(&line.log.File, "logfile", "", "Log to a `file` of 10 MB at most, and keep the three before it; SIGHUP begins a new one. Without it: standard error.")
	fs.StringVar(&line.daemon, "daemon", "", "Ask the daemon that runs, then end: `status` or stop.")
	fs.BoolVar(&line.doctor, "doctor", false, "Look at the device, print what is in the way as JSON, and end: netconnectcli doctor.")
	fs.StringVar(&line.bundle, "bundle", "", "As --doctor, and write all that is known of the device to a `file`, without secrets.")
	for i := range keys {
		f := line.flags[keys[i].path]
		fs.AddFlag(f.describe())
	}
	return fs
}

// describe makes the entry of --help.
func (f *keyFlag) describe() *pflag.Flag {
	p := &pflag.Flag{Name: f.key.flag, Shorthand: f.key.short, Usage: f.key.doc, Value: f, DefValue: f.key.value}
	if f.key.kind == kindBoolean {
		p.NoOptDefVal = "true"
	}
	if f.key.negated {
		p.Usage, p.DefValue = "Set "+f.key.path+" to false.", ""
	}
	if f.key.noEffect != "" {
		p.Usage += " It " + f.key.noEffect + "."
	}
	return p
}

func newCommandLine() *commandLine {
	line := &commandLine{flags: make(map[string]*keyFlag, len(keys))}
	for i := range keys {
		line.flags[keys[i].path] = &keyFlag{key: &keys[i]}
	}
	return line
}

func parseFlags(args []string) (*commandLine, error) {
	line := newCommandLine()
	fs := newFlagSet(line)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return nil, ErrHelp
	case err != nil:
		return nil, &UsageError{flagtext.Explain(err, fs, nearest.Of)}
	case fs.NArg() > 0:
		// The text is not repeated: it may be the rest of a passphrase.
		return nil, &UsageError{fmt.Errorf("argument %d is not a flag (true and false go behind a =, as in --wifi-free=false)",
			len(args)-fs.NArg()+1)}
	case line.log.Debug && line.log.Quiet:
		return nil, &UsageError{errors.New("--debug and --quiet exclude each other")}
	case fs.Changed("daemon") && line.daemon != "stop" && line.daemon != "status":
		return nil, &UsageError{fmt.Errorf("--daemon takes stop or status, not %s", shown.Text(line.daemon))}
	}
	line.fileGiven = fs.Changed("config")
	return line, nil
}

// review checks the values of the flags, and names flags that do not do what
// they seem to.
func (line *commandLine) review(r *report) {
	if line.pid != "" {
		r.warning("--pid", origin{}, "has no effect, systemd knows the process")
	}
	if line.log.File != "" {
		if err := absolute(line.log.File); err != nil {
			r.problem("--logfile", origin{}, "%v", err)
		}
	}
	for i := range keys {
		k := &keys[i]
		f := line.flags[k.path]
		if !f.given {
			continue
		}
		k.check(value{text: f.ValueString(), from: f.origin()}, r)
		if k.secret && f.text != "" {
			r.warning(k.path, f.origin(), "every user can read it in the list of processes; put it into the file")
		}
	}
}

// about is what --help and the manual page begin with.
const about = "Keeps this device reachable: joins the Wi-Fi networks that it knows, and\n" +
	"becomes an access point when no network is left."

// Usage is the text of --help.
func Usage() string {
	var b strings.Builder
	b.WriteString("Usage: netconnectd [flags]\n\n" + about + "\n\n")
	b.WriteString(newFlagSet(newCommandLine()).FlagUsagesWrapped(100))
	return b.String()
}
