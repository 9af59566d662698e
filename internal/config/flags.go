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

// commandLine has the values of the arguments.
type commandLine struct {
	flags     map[string]*keyFlag // by the key's path; also flags that are not given
	file      string
	fileGiven bool
	version   bool
	check     bool
	tearDown  bool
	daemon    string
	doctor    bool
	bundle    string
	defaults  bool // set by LoadDefaults, not by a flag
	log       Log
	pid       string // a flag of the original; it has no effect
}

// lenient reports whether the program has to work in spite of a wrong configuration.
func (line *commandLine) lenient() bool { return line.tearDown || line.daemon != "" }

// looks reports whether the program looks at the device, and reports a wrong configuration
// as one of its findings.
func (line *commandLine) looks() bool { return line.doctor || line.bundle != "" }

// pardons reports whether a wrong setting has its default instead.
func (line *commandLine) pardons() bool { return line.lenient() || line.looks() || line.defaults }

// path returns the path of the file, and whether somebody has named the file.
func (line *commandLine) path(env environment) (path string, named bool) {
	if !line.fileGiven && env.file != "" {
		return env.file, true
	}
	return line.file, line.fileGiven
}

// keyFlag is the flag of one key. It keeps the text as it was typed. The parser uses it as
// a pflag.Value, and precedence uses it as a viper.FlagValue.
type keyFlag struct {
	key   *key
	text  string
	given bool
}

// Set keeps the text. The key's setter checks the text later, together with all others.
func (f *keyFlag) Set(text string) error {
	f.text, f.given = text, true
	return nil
}

// String returns the default, which pflag asks for before it parses.
func (f *keyFlag) String() string { return f.key.value }

// Type returns the word that --help has after the flag. There is no word after a "bool".
func (f *keyFlag) Type() string {
	if f.key.kind == kindBoolean {
		return "bool"
	}
	return string(f.key.kind)
}

// HasChanged reports whether the flag was given.
func (f *keyFlag) HasChanged() bool { return f.given }

// Name returns the flag's name without dashes.
func (f *keyFlag) Name() string { return f.key.flag }

// ValueType returns "string", so that viper does not convert the text.
func (f *keyFlag) ValueType() string { return "string" }

// ValueString returns the text for the key. A negated flag has the opposite text.
func (f *keyFlag) ValueString() string {
	if truth, ok := truthOf(f.text); ok && f.key.negated {
		return fmt.Sprint(!truth)
	}
	return f.text
}

func (f *keyFlag) origin() origin { return origin{name: "--" + f.key.flag} }

// newFlagSet returns all flags. Their values go into line.
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

// describe returns the flag with its entry of --help.
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
		// The message does not repeat the text, which may be the rest of a passphrase.
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

// review checks the values of the flags, and warns of flags without the effect that
// their names promise.
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

// about is the beginning of --help and of the manual page.
const about = "Keeps this device reachable: joins the Wi-Fi networks that it knows, and\n" +
	"becomes an access point when no network is left."

// Usage returns the text of --help.
func Usage() string {
	var b strings.Builder
	b.WriteString("Usage: netconnectd [flags]\n\n" + about + "\n\n")
	b.WriteString(newFlagSet(newCommandLine()).FlagUsagesWrapped(100))
	return b.String()
}
