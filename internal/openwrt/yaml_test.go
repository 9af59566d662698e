package openwrt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/openwrt"
)

// load returns what the daemon makes of a configuration.
func load(t *testing.T, yaml string) (network.Spec, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netconnectd.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{"--config", path, "--check"}, nil)
	if err != nil {
		return network.Spec{}, err
	}
	return c.Network, nil
}

// TestYAML: the YAML of each sample is a right configuration that declares the same.
func TestYAML(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.uci")
	if err != nil || len(paths) < 12 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := openwrt.Read(text, openwrt.Options{Tables: map[string]uint32{"vpn": 100}, Translate: true})
		if n.Failed() || n.Spec.IsZero() {
			t.Errorf("%s: %v", path, n.Problems)
			continue
		}
		yaml := openwrt.YAML(n.Sections)
		if spec, err := load(t, yaml); err != nil || !spec.Equal(n.Spec) {
			t.Errorf("%s becomes\n%s%v", path, yaml, err)
		}
	}
}

// TestYAMLOfAnyText: a value is the same text to the reader of YAML, whatever its author
// has put into it.
func TestYAMLOfAnyText(t *testing.T) {
	for _, text := range []string{
		"null", "~", "true", "0x1", "1e3", "2001-01-01", "::", "fe80::", "a: b", "a #b", "- a", "'", `"`, `\n`, "a\nb: c", "\tx", "é\u2028", "*a", "&a", "!a", "%", "@", "`", "<<", "{}", "[a, b]", "a,b", "|", ">", "=",
	} {
		sections := []network.Section{{Kind: network.KindInterface, Name: "lan", Options: []network.Option{
			{Name: "device", Values: []string{"eth0"}},
			{Name: "dns_search", List: true, Values: []string{text, text}},
			{Name: "hostname", Values: []string{text}},
		}}}
		_, want := network.Read(sections)
		_, err := load(t, openwrt.YAML(sections))
		for _, p := range want {
			if err == nil || !strings.Contains(err.Error(), p.Text) {
				t.Errorf("%q: the problem with\n%sis %v, want %s", text, openwrt.YAML(sections), err, p.Text)
			}
		}
	}
}
