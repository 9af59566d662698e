// Package config turns flags, environment and /etc/netconnectd.yaml into
// checked settings, and reports everything that is wrong with them at once.
//
// The table in keys.go is the one place where a setting is described. The
// file is read as YAML nodes, so that text stays as it was typed and every
// problem has its line; viper only decides which source wins.
package config

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// DefaultFile is read when no other file is named, and may be missing.
const DefaultFile = "/etc/netconnectd.yaml"

// Config is everything that a user can set. Its values are checked. Diff
// compares two.
type Config struct {
	File       string // that was read; empty when there is none
	Fault      error  // what is wrong with the file, so that it is used as it was kept, or else without what is wrong
	Defaults   bool   // with Fault: it is used without what is wrong
	Version    bool   // only the version is asked for; nothing else is set
	Check      bool   // only the check of the settings is asked for
	TearDown   bool   // only the end of what an earlier run left is asked for
	Daemon     string // what is asked of the daemon that runs: "stop", "status", or nothing
	Doctor     bool   // only a look at the device is asked for
	Bundle     string // and this file with all that is known of it
	Socket     string // path of the Unix socket
	RuntimeDir string // folder that a reboot empties, e.g. /run/netconnectd
	StateDir   string // folder of the saved networks, e.g. /var/lib/netconnectd

	Interfaces  Interfaces
	LinkMonitor LinkMonitor
	Probe       Probe
	Start       Start
	AP          AP
	Wifi        Wifi
	Paths       Paths
	Permissions Permissions
	Log         Log
	Network     network.Spec // zero: the file declares no devices and interfaces

	Text   secret.Secret // of File
	keptIn string        // the folder for Keep
}

// Interfaces are names of at most 15 bytes. Empty: the daemon decides.
type Interfaces struct {
	Wifi  string // empty: the first radio
	Wired string // empty: every physical wired interface, and whatever else has a default route
}

// LinkMonitor says when the network counts as lost.
type LinkMonitor struct {
	Enabled     bool
	MaxLinkDown int           // failed probes in a row that mean a loss
	Interval    time.Duration // between two probes
	Hold        time.Duration // without any carrier until the access point
}

// Probe says what has to answer for a network to count as one. Only what its
// Kind needs is sure to be there; the rest is without effect.
type Probe struct {
	Kind  string       // gateway, ping, http, dns or none
	Hosts []netip.Addr // for ping, 1 to 8 without zone; one answer is enough
	URL   string       // for http: http:// or https://
	Name  string       // for dns
}

// Start bounds the wait for a network after the daemon's start.
type Start struct {
	Settle time.Duration
}

// AP describes the access point.
type AP struct {
	Mode              string // fallback, always or never: when it comes up by itself
	Name              string // of the original; without effect
	Driver            string // hostapd.conf(5) driver, e.g. nl80211
	SSID              string // 1 to 32 bytes
	PSK               secret.Secret
	Channel           int    // IEEE 802.11 number, not MHz
	Country           string // ISO 3166-1 alpha-2 in capitals, or empty
	Address           netip.Prefix
	RangeFirst        netip.Addr
	RangeLast         netip.Addr
	Domain            string
	ForwardingToWired bool          // false while interfaces.wired has no name
	Isolate           string        // "true", "false" or "auto", see Isolated
	AskedLimit        time.Duration // an access point that somebody asked for ends then
	YieldAfter        time.Duration // it gives way to a working uplink even while somebody is on it
	Rescan            time.Duration // between two looks for known networks
}

// Isolated reports whether clients are kept from each other. On an open access
// point they are strangers to each other.
func (a AP) Isolated() bool { return a.Isolate == "true" || a.Isolate == "auto" && a.PSK.IsZero() }

// Wifi describes the station.
type Wifi struct {
	Name        string // of the original; without effect
	Free        bool   // take the radio from NetworkManager
	Backend     string // who joins networks: auto, wpa_supplicant or networkmanager
	Kill        bool   // reset the radio by rfkill when its driver fails
	Metric      int    // of its default route
	JoinTimeout time.Duration
}

// Paths are absolute paths of programs, and the folder of hooks.
type Paths struct {
	Hostapd       string
	Dnsmasq       string
	WPASupplicant string
	Hooks         string
}

// Permissions says who may change something: "group" (root and the members
// of netconnect) or "everyone".
type Permissions struct {
	Change string
}

// Log chooses how much is written, and where.
type Log struct {
	Debug bool
	Quiet bool
	File  string // absolute path; empty is standard error
}

// draft is a Config in the making, with what only the checks need.
type draft struct {
	Config
	ip      netip.Addr
	network netip.Prefix
}

// Load reads the settings: a flag wins over the environment (NETCONNECTD_…),
// that over the file, that over the default. args come without the program's
// name, environ has the shape of os.Environ.
//
// The warnings stand also when there is an error. Errors are ErrHelp, a
// *UsageError, an *Error with all problems, or that the file cannot be read.
// With --tear-down and --daemon the last two are warnings: what runs must end
// whatever became of the configuration meanwhile. The settings are those that the
// file had when it was kept, as they are of a daemon that started since, or else
// have the default of what is wrong. With --doctor and --bundle the same settings
// come with the error.
func Load(args, environ []string) (*Config, []Problem, error) {
	line, err := parseFlags(args)
	if err != nil {
		return nil, nil, err
	}
	if line.version {
		return &Config{Version: true}, nil, nil
	}
	c, warnings, err := load(line, environ, readFile)
	if c != nil && c.Fault != nil {
		if before := LoadKept(args, environ, c.Fault); before != nil {
			c = before
		}
	}
	return c, warnings, err
}

// load has read look for the file.
func load(line *commandLine, environ []string, read func(path string, named bool, r *report) (configFile, error)) (*Config, []Problem, error) {
	var r report
	env := readEnviron(environ, &r)
	path, named := line.path(env)
	keptIn := stateDir(line, environ)
	file, err := read(path, named, &r)
	if err != nil && !line.pardons() {
		return nil, nil, err
	}
	if err != nil && (line.lenient() || line.defaults) {
		r.problem("", origin{}, "%v", err)
	}
	line.review(&r)
	d := settle(line, env.values, file.contents, &r)
	if line.pardons() && file.values == nil {
		file.contents = salvage(file.text)
	}
	warnings := byLine(r.warnings)
	if len(r.problems) > 0 {
		err = &Error{File: file.path, Problems: byLine(r.problems)}
	}
	if line.pardons() {
		d = pardon(line, env.values, file.contents, &r)
	}
	d.Fault, d.Text, d.keptIn = err, secret.New(string(file.text)), keptIn
	d.File, d.Check, d.TearDown, d.Daemon, d.Log = file.path, line.check, line.tearDown, line.daemon, line.log
	d.Doctor, d.Bundle = line.looks(), line.bundle
	switch {
	case line.lenient() || line.defaults:
		return &d.Config, byLine(r.warnings), nil
	case err != nil && !line.looks():
		return nil, warnings, err
	}
	return &d.Config, warnings, err
}

// settle keeps the values that win. Each source was checked when it was read,
// with the values that another one overrides.
func settle(line *commandLine, env map[string]value, file contents, r *report) *draft {
	d := &draft{Config: Config{Network: file.network}}
	winners := precedence(line, env, file.values)
	for i := range keys {
		// A bad value was reported above; checks that need it are skipped.
		_ = keys[i].set(d, winners[keys[i].path].text)
	}
	if d.AP.SSID == "" {
		host, _ := os.Hostname() // without a name the default has none either
		d.AP.SSID = defaultSSID(host)
	}
	crossCheck(d, winners, r)
	checkOwners(d, file.sections, winners, r)
	return d
}

// pardon settles again with the default of every key that has a problem, and
// turns the problems into the only warnings.
func pardon(line *commandLine, env map[string]value, file contents, r *report) *draft {
	plan := []string{"ap.ip", "ap.network", "ap.range"} // which only fit together
	wrong := []string{}
	given := len(env) + file.count()
	for _, p := range r.problems {
		wrong = append(wrong, p.Key)
		if p.Key == "--logfile" {
			line.log.File = "" // standard error
		}
	}
	if r.bad(plan...) {
		wrong = append(wrong, plan...)
	}
	if r.badSection(networkSection) {
		file.network, file.sections = network.Spec{}, nil // half of a network may be none
	}
	for _, path := range wrong {
		if f := line.flags[path]; f != nil {
			f.given = false
		}
		delete(env, path)
		delete(file.values, path)
	}
	r.warnings, r.problems = r.problems, nil
	next := report{}
	d := settle(line, env, file, &next)
	if len(next.problems) > 0 && len(env)+file.count() < given { // what is left does not fit a default
		return pardon(line, env, file, &report{problems: next.problems})
	}
	return d
}

// count returns how much the file says that pardon can take away.
func (c contents) count() int {
	n := len(c.values)
	if len(c.sections) > 0 {
		n++
	}
	return n
}

// defaultSSID is the access point's name when nobody chose one: the host's
// name tells two devices in a room apart. An SSID has at most 32 bytes.
func defaultSSID(host string) string {
	host, _, _ = strings.Cut(host, ".")
	if host == "" || host == "localhost" {
		return "netconnectd"
	}
	ssid := "netconnectd-" + host
	return ssid[:min(len(ssid), 32)]
}

// ErrHelp says that --help was given; Usage has the text.
var ErrHelp = errors.New("help requested")
