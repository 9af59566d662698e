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

// DefaultFile is the file that Load reads when nobody names another one. It may be
// missing.
const DefaultFile = "/etc/netconnectd.yaml"

// Config is everything that a user can set. Load has checked its values. Diff compares
// two Configs.
type Config struct {
	File       string // path of the file that Load has read; empty if there is no file
	Fault      error  // what is wrong with the file; the settings are those of the kept copy or, with Defaults, have defaults
	Defaults   bool   // with Fault: each setting that is wrong has its default
	Version    bool   // the program only has to print its version; nothing else is set
	Check      bool   // the program only has to check the settings
	TearDown   bool   // the program only has to end what an earlier run left
	Daemon     string // what the program has to ask of the running daemon: "stop", "status", or nothing
	Doctor     bool   // the program only has to look at the device
	Bundle     string // with Doctor: path of the archive with all that is known of the device
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
	Network     network.Spec // zero if the file declares no devices and interfaces

	Text   secret.Secret // contents of File
	UCI    UCI           // the file that network.uci names
	keptIn string        // folder in which Keep writes the copy
}

// Interfaces are names of at most 15 bytes. The daemon decides if a name is empty.
type Interfaces struct {
	Wifi  string // empty: the first radio
	Wired string // empty: every physical wired interface, and whatever else has a default route
}

// LinkMonitor says when the network counts as lost.
type LinkMonitor struct {
	Enabled     bool
	MaxLinkDown int           // so many failed probes in a row mean a loss
	Interval    time.Duration // time between two probes
	Hold        time.Duration // time without any carrier until the access point comes up
}

// Probe says what has to answer before a network counts as working. The fields that the
// Kind needs are set; the other fields have no effect.
type Probe struct {
	Kind  string       // gateway, ping, http, dns or none
	Hosts []netip.Addr // for ping: 1 to 8 addresses without a zone; one answer is enough
	URL   string       // for http: http:// or https://
	Name  string       // for dns: the name that has to have an address
}

// Start bounds the wait for a network after the daemon's start.
type Start struct {
	Settle time.Duration
}

// AP describes the access point.
type AP struct {
	Mode              string // when the access point comes up by itself: fallback, always or never
	Name              string // a setting of the original; it has no effect
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
	AskedLimit        time.Duration // lifetime of an access point that a user asked for
	YieldAfter        time.Duration // after this time the access point gives way to a working uplink, even while it has clients
	Rescan            time.Duration // time between two scans for known networks
}

// Isolated reports whether the access point keeps its clients from each other. The
// clients of an open access point are strangers to each other.
func (a AP) Isolated() bool { return a.Isolate == "true" || a.Isolate == "auto" && a.PSK.IsZero() }

// Wifi describes the station.
type Wifi struct {
	Name        string // a setting of the original; it has no effect
	Free        bool   // take the radio from NetworkManager
	Backend     string // what joins networks: auto, wpa_supplicant or networkmanager
	Kill        bool   // reset the radio by rfkill when its driver fails
	Metric      int    // metric of the station's default route
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

// draft is a Config in the making, together with values that only the checks need.
type draft struct {
	Config
	ip      netip.Addr
	network netip.Prefix
}

// Load reads the settings. A flag wins over the environment (NETCONNECTD_…), the
// environment over the file, and the file over the default. The args come without the
// program's name, and environ has the shape of os.Environ.
//
// Load returns the warnings also when it returns an error. The error is ErrHelp, a
// *UsageError, an *Error with all problems, or says that the file cannot be read. With
// --tear-down and --daemon the last two errors become warnings, since a running daemon
// must end whatever is wrong with the file by then. The settings are then those of the
// kept copy, which a daemon that started after the mistake uses as well. If there is no
// copy, each wrong setting has its default. With --doctor and --bundle Load returns the
// same settings together with the error.
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

// load is Load for parsed flags. The function read finds the file.
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
	d.Fault, d.Text, d.UCI, d.keptIn = err, secret.New(string(file.text)), file.uci, keptIn
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

// settle puts the values that win into a draft. The values of each source were checked
// when the source was read, also those that another source overrides.
func settle(line *commandLine, env map[string]value, file contents, r *report) *draft {
	d := &draft{Config: Config{Network: file.network}}
	winners := precedence(line, env, file.values)
	for i := range keys {
		// A bad value is reported already, and the checks that need the value are skipped.
		_ = keys[i].set(d, winners[keys[i].path].text)
	}
	if d.AP.SSID == "" {
		host, _ := os.Hostname() // without a host's name the default SSID has no name in it
		d.AP.SSID = defaultSSID(host)
	}
	crossCheck(d, winners, r)
	checkOwners(d, file, winners, r)
	return d
}

// pardon settles again with the default of every key that has a problem. The problems
// become the only warnings.
func pardon(line *commandLine, env map[string]value, file contents, r *report) *draft {
	plan := []string{"ap.ip", "ap.network", "ap.range"} // these three only make sense together
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
		file.network, file.sections, file.uci = network.Spec{}, nil, UCI{} // half of a network may be none
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
	if len(next.problems) > 0 && len(env)+file.count() < given { // the other values do not fit a default
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

// defaultSSID returns the SSID of an access point for which nobody has chosen an SSID. The
// host's name distinguishes two devices in a room. An SSID has at most 32 bytes.
func defaultSSID(host string) string {
	host, _, _ = strings.Cut(host, ".")
	if host == "" || host == "localhost" {
		return "netconnectd"
	}
	ssid := "netconnectd-" + host
	return ssid[:min(len(ssid), 32)]
}

// ErrHelp is the error of Load when --help is given. Usage returns the text.
var ErrHelp = errors.New("help requested")
