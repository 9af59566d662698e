package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/process"
)

// toolKinds are the programs that netconnectd starts: how they print their version,
// and the oldest version that can be trusted to work.
var toolKinds = map[string]struct {
	pkg     string // of Debian
	flag    string
	pattern *regexp.Regexp
	oldest  string
	why     string
}{
	// 2.9 is what Debian 11 has. Older ones lack fixes of SAE (CVE-2019-9494 and
	// -13377), and hostapd before 2.8 does not know sae_pwe's predecessors.
	"hostapd":        {"hostapd", "-v", regexp.MustCompile(`hostapd v(\d[\d.]*)`), "2.9", "older ones lack fixes in WPA3 (CVE-2019-9494, CVE-2019-13377)"},
	"wpa_supplicant": {"wpasupplicant", "-v", regexp.MustCompile(`wpa_supplicant v(\d[\d.]*)`), "2.9", "older ones lack fixes in WPA3 (CVE-2019-9494, CVE-2019-13377)"},
	// 2.83 fixed DNSpooq (CVE-2020-25681 to -25687), which a neighbour can exploit
	// by DNS answers. Debian backported the fixes to 2.80.
	"dnsmasq": {"dnsmasq-base", "--version", regexp.MustCompile(`Dnsmasq version (\d[\d.]*)`), "2.80", "older ones were never tried and have known holes"},
}

func tools(ctx context.Context, paths config.Paths, daemon User) map[string]Tool {
	found := map[string]Tool{}
	for name, path := range map[string]string{"hostapd": paths.Hostapd, "dnsmasq": paths.Dnsmasq, "wpa_supplicant": paths.WPASupplicant} {
		found[name] = ask(ctx, name, path, daemon)
	}
	return found
}

// ask runs a program for its version. The settings that name the program may be
// another user's. So the program runs only if nobody but root and our user can change
// it, by the descriptor that was checked, and never with root's rights.
func ask(ctx context.Context, name, path string, daemon User) Tool {
	t := Tool{Path: path}
	program, err := namedfile.OpenProgram(path, os.Geteuid())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.Missing = true
		return t
	case err != nil:
		t.Unseen = "it is not run: " + reason(err)
		return t
	}
	defer program.Close()
	out, err := process.RunFile(ctx, program, humble(daemon), []string{toolKinds[name].flag})
	text := string(out)
	if err != nil { // hostapd prints its version on standard error and fails
		text += err.Error()
	}
	m := toolKinds[name].pattern.FindStringSubmatch(text)
	switch {
	case m != nil:
		t.Version = strings.TrimSuffix(m[1], ".")
	case err != nil:
		t.Unseen = reason(err)
	default:
		t.Unseen = "it does not tell its version"
	}
	return t
}

// nobody is the user and the group that own no files (Debian Policy 9.2.2).
const nobody = 65534

// humble returns the user as whom root runs a program that other users have named:
// the daemon's user, who runs the program anyway. It returns nil if we are not root.
func humble(daemon User) *process.User {
	switch {
	case os.Geteuid() != 0:
		return nil
	case !daemon.Exists || daemon.UID == 0:
		return &process.User{UID: nobody, GID: nobody}
	}
	return &process.User{UID: daemon.UID, GID: daemon.GID}
}

// older compares versions such as 2.9 and 2.10 by their numbers.
func older(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range min(len(a), len(b)) {
		x, _ := strconv.Atoi(a[i]) // digits by the pattern
		y, _ := strconv.Atoi(b[i])
		if x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}
