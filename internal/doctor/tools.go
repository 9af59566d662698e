package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/process"
)

// toolKinds are the programs that netconnectd starts: how they tell their
// version, and the oldest with which they can be trusted to work.
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
	// 2.83 fixed the holes of names that a neighbour can use (DNSpooq,
	// CVE-2020-25681 to -25687), which Debian backported to 2.80.
	"dnsmasq": {"dnsmasq-base", "--version", regexp.MustCompile(`Dnsmasq version (\d[\d.]*)`), "2.80", "older ones were never tried and have known holes"},
}

func tools(ctx context.Context, paths config.Paths) map[string]Tool {
	found := map[string]Tool{}
	for name, path := range map[string]string{"hostapd": paths.Hostapd, "dnsmasq": paths.Dnsmasq, "wpa_supplicant": paths.WPASupplicant} {
		found[name] = ask(ctx, name, path)
	}
	return found
}

func ask(ctx context.Context, name, path string) Tool {
	t := Tool{Path: path}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Missing = true
		return t
	}
	if err == nil && os.Geteuid() == 0 && !roots(info) {
		t.Unseen = "others than root can change it, so root does not run it"
		return t
	}
	out, err := process.Run(ctx, path, []string{toolKinds[name].flag}, nil)
	text := string(out)
	if err != nil { // hostapd says it on standard error and fails
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

// roots says whether nobody but root can change a program. The settings that
// name it may be another's.
func roots(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0 && info.Mode()&0o022 == 0
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
