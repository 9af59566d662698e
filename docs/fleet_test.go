package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/metrics"
	"github.com/netconnectd/netconnectd/internal/pagetest"
)

// TestEveryMetricIsExplained checks that the table of fleet.md has exactly the
// metrics that the daemon reports, with their types and the values of their labels.
func TestEveryMetricIsExplained(t *testing.T) {
	page := pagetest.Read(t, "fleet.md")
	told := metrics.New("1.0.0").Text(new(-60))
	want := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(told, -1) {
		want[m[1]] = m[2]
	}
	got, meaning := map[string]string{}, map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(netconnectd_[a-z_]+)` \\| ([a-z]+) \\| (.*) \\|$").FindAllStringSubmatch(page, -1) {
		got[m[1]], meaning[m[1]] = m[2], m[3]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-daemon +page):\n%s", diff)
	}
	for _, m := range regexp.MustCompile(`(?m)^(netconnectd_[a-z_]+)\{(state|cause|role)="([a-z_]+)"`).FindAllStringSubmatch(told, -1) {
		for _, word := range m[2:] {
			if !strings.Contains(meaning[m[1]], "`"+word+"`") {
				t.Errorf("%s: the page does not know %s", m[1], word)
			}
		}
	}
}

// TestSizes checks that the figures follow from the number of series.
func TestSizes(t *testing.T) {
	page := pagetest.Read(t, "fleet.md")
	series := len(regexp.MustCompile(`(?m)^netconnectd_`).FindAllString(metrics.New("1.0.0").Text(new(-60)), -1))
	for _, want := range []string{
		fmt.Sprintf("A device has %d time series", series),
		fmt.Sprintf("| active series | %d | %s |", series, thousands(series*100_000)),
		fmt.Sprintf("| samples a second, at 60 s | %.2f | %s |", float64(series)/60, thousands((series*100_000+30)/60)),
		fmt.Sprintf("| samples a day | %s | %s |", thousands(series*1440), thousands(series*1440*100_000)),
		fmt.Sprintf("| disk a day, at 2.2 bytes a sample | %.0f kB | %.0f GB |", float64(series)*1440*2.2/1e3, float64(series)*1440*2.2/1e4),
		fmt.Sprintf("by remote write a device sends %d samples a minute", series),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("fleet.md does not say %q", want)
		}
	}
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// TestAlertRules checks that the rules use existing metrics, and that Prometheus
// accepts them if its promtool is installed.
func TestAlertRules(t *testing.T) {
	rules := yamlBlock(t, "## What to alert on")
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(rules), &file); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"node_textfile_mtime_seconds": true}
	for _, m := range regexp.MustCompile(`(?m)^netconnectd_[a-z_]+`).FindAllString(metrics.New("").Text(new(-60)), -1) {
		known[m] = true
	}
	asked := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			for _, name := range regexp.MustCompile(`[a-z]+(:?[a-z0-9_]+)+`).FindAllString(rule.Expr, -1) {
				if strings.HasPrefix(name, "netconnectd_") || strings.HasPrefix(name, "node_") {
					asked++
					if !known[name] {
						t.Errorf("%s%s asks for %s, which nobody tells", rule.Record, rule.Alert, name)
					}
				}
				if strings.HasPrefix(name, "netconnectd:") && !strings.Contains(rules, "record: "+name+"\n") {
					t.Errorf("%s%s asks for %s, which is not recorded", rule.Record, rule.Alert, name)
				}
			}
		}
	}
	if asked < 10 {
		t.Errorf("%d metrics found in the rules", asked)
	}
	t.Run("promtool", func(t *testing.T) {
		promtool, err := exec.LookPath("promtool")
		if err != nil {
			t.Skip("promtool is not installed: Debian's package prometheus has 94 MB")
		}
		path := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(promtool, "check", "rules", "--lint-fatal", path).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestRelabelling checks that the configuration keeps as many series as the page
// says.
func TestRelabelling(t *testing.T) {
	var config struct {
		Rules []struct{ Regex, Action string } `yaml:"metric_relabel_configs"`
	}
	if err := yaml.Unmarshal([]byte(yamlBlock(t, "## Sizing for 100,000 devices")), &config); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, m := range regexp.MustCompile(`(?m)^(netconnectd_[a-z_]+)(?:\{.*?result="([a-z_]+)")?`).FindAllStringSubmatch(metrics.New("").Text(new(-60)), -1) {
		dropped := false
		for _, rule := range config.Rules { // Prometheus anchors the pattern in the same way
			anchored := regexp.MustCompile("^(?:" + rule.Regex + ")$")
			dropped = dropped || anchored.MatchString(m[1]) || anchored.MatchString(m[1]+";"+m[2])
		}
		if !dropped {
			kept++
		}
	}
	if want := fmt.Sprintf("a device has %d series then", kept); !strings.Contains(pagetest.Read(t, "fleet.md"), want) {
		t.Errorf("fleet.md does not say %q", want)
	}
}

func yamlBlock(t *testing.T, heading string) string {
	t.Helper()
	for _, b := range pagetest.Blocks(t, "fleet.md") {
		if b.Lang == "yaml" && b.Heading == heading {
			return b.Text
		}
	}
	t.Fatalf("fleet.md has no yaml under %q", heading)
	return ""
}
