package migrate

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ifquery returns the path of ifupdown's program that prints how it reads a file. The
// package should not be installed for a test, because ifupdown takes over the
// network. If the program is missing, its recorded answers count. To record them:
//
//	apt-get download ifupdown && dpkg-deb -x ifupdown_*.deb build/tools/ifupdown
//	go test ./internal/migrate -update
func ifquery() string {
	if path, err := filepath.Abs("../../build/tools/ifupdown/sbin/ifquery"); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, _ := exec.LookPath("ifquery")
	return path
}

// ifqueryRefuses is recorded where ifquery refuses the file.
const ifqueryRefuses = "refused"

// askIfquery returns the options of w0, one per line.
func askIfquery(t *testing.T, program, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "interfaces")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-i", file, "--no-mappings", "--state-dir", t.TempDir(), "w0")
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if strings.Contains(problem.String(), "couldn't read interfaces file") {
		return ifqueryRefuses
	}
	if err != nil && len(out) == 0 {
		t.Fatalf("ifquery: %v: %s", err, problem.String())
	}
	return string(out)
}

// ours returns the options of w0 in ifquery's form.
func ours(text string) string {
	var all []*stanza
	r := &reader{}
	all = r.stanzas(strings.Split(text, "\n"))
	var b strings.Builder
	for _, s := range all {
		if s.fault != "" {
			return ifqueryRefuses
		}
		for _, o := range s.options {
			if s.name == "w0" {
				b.WriteString(o.name + ": " + o.value + "\n")
			}
		}
	}
	if len(r.problems) > 0 {
		return ifqueryRefuses
	}
	return b.String()
}

// onlyOurs removes what ifupdown adds itself, and renames options to the form that
// scripts see.
func onlyOurs(answer string) string {
	if answer == ifqueryRefuses {
		return answer
	}
	var lines []string
	ofOption := false
	for line := range strings.Lines(answer) {
		name, value, named := strings.Cut(line, ": ")
		if named {
			name = optionName(name)
			ofOption = isOfWifi(name) || name == "dns-nameservers" || isCommand(name)
			line = name + ": " + value
		}
		if ofOption {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestIfqueryReadsTheSame(t *testing.T) {
	const iface = "iface w0 inet dhcp\n"
	rows := map[string]string{
		"plain":                              iface + " wpa-ssid Attic\n wpa-psk lamp-and-ladder\n",
		"tabs and spaces":                    "\tiface \t w0  inet\tdhcp\n\twpa-ssid \t Attic  Stairs \t\n",
		"vertical tabs":                      iface + "\vwpa-ssid\vAttic\f\n",
		"the ends of lines of Windows":       strings.ReplaceAll(iface+" wpa-ssid Attic\n wpa-psk x\n", "\n", "\r\n"),
		"a backslash at the very end":        iface + " wpa-psk lamp\\\nladder\n",
		"the next line's spaces":             iface + " wpa-ssid Attic \\\n   Stairs\n",
		"a backslash before a space":         iface + " wpa-ssid Attic\\ \n wpa-psk lamp-and-ladder\n",
		"a backslash before CR":              iface + " wpa-ssid Attic\\\r\n wpa-psk lamp-and-ladder\n",
		"two backslashes":                    iface + " wpa-ssid Attic\\\\\n wpa-psk x\n",
		"a line that continues with nothing": iface + " wpa-ssid Attic\\\n\n wpa-psk x\n",
		"a line that continues with #":       iface + " wpa-ssid Attic \\\n#1\n",
		"a comment with a backslash":         "# old \\\n" + iface + " wpa-ssid Attic\n",
		"a comment in a stanza":              iface + " wpa-ssid Attic\n  # wpa-ssid Cellar\n wpa-psk x\n",
		"a # in a value":                     iface + " wpa-psk lamp # ladder\n",
		"quotes":                             iface + " wpa-ssid \"Attic\"\n",
		"an option twice":                    iface + " dns-nameservers 192.0.2.1\n dns-nameservers 192.0.2.2\n",
		"commands":                           iface + " wpa-ssid Attic\n up one\n up two\n",
		"an option without a value":          iface + " wpa-ssid\n",
		"an option outside of a stanza":      "auto w0\nwpa-ssid Attic\n" + iface,
		"no family":                          "iface w0\n wpa-ssid Attic\n",
		"a mapping":                          "mapping w9\n script /bin/true\n map wpa-ssid\n" + iface + " wpa-ssid Attic\n",
		"allow, no-auto-down, no-scripts":    "allow-hotplug w0\nno-auto-down w0\nno-scripts w0\n" + iface + " wpa-ssid Attic\n",
		"inherits":                           "iface base inet dhcp\n wpa-ssid Attic\n wpa-psk x\niface w0 inherits base\n wpa-priority 1\n",
		"inherits, of a family":              "iface base inet dhcp\n wpa-ssid Attic\niface w0 inet dhcp inherits base\n wpa-psk x\n",
		"inherits from a later one":          "iface w0 inet dhcp inherits base\n wpa-psk x\niface base inet dhcp\n wpa-ssid Attic\n",
		"two stanzas of a name":              iface + " wpa-ssid Attic\n" + iface + " wpa-ssid Cellar\n",
		"underscores and capitals":           iface + " wpa_ssid Attic\n WPA-PSK x\n",
		"something behind the method":        "iface w0 inet dhcp # cellar\n wpa-ssid Attic\n",
	}
	golden := filepath.Join("testdata", "ifquery.golden")
	recorded := map[string]string{}
	program := ifquery()
	if program != "" {
		for name, text := range rows {
			recorded[name] = onlyOurs(askIfquery(t, program, text))
		}
	}
	if *update && program != "" {
		data, err := json.MarshalIndent(recorded, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := map[string]string{}
	if err := json.Unmarshal(readFile(t, golden), &before); err != nil {
		t.Fatal(err)
	}
	if program != "" {
		if diff := cmp.Diff(before, recorded); diff != "" {
			t.Errorf("ifquery answers otherwise than before (-before +now):\n%s", diff)
		}
	}
	names := []string{}
	for name, text := range rows {
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(before[name], ours(text)); diff != "" {
				t.Errorf("(-ifquery +ours):\n%s", diff)
			}
		})
	}
	for name := range before {
		if !slices.Contains(names, name) {
			t.Errorf("%s is recorded, and asked no more: go test ./internal/migrate -update", name)
		}
	}
}
