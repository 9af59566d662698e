package openwrt

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/network"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sampleTables are the routing tables that the samples name.
var sampleTables = Tables([]byte("255\tlocal\n# comment\n0x64 vpn # of the house\n"))

// samples returns the files with the shapes of the files that people have, by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.uci")
	if err != nil || len(paths) < 12 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		if all[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// existing returns the links that a machine with this network has before the daemon runs.
// Bridges that are left out are not there.
func existing(spec network.Spec) []string {
	made, names := map[string]bool{}, []string{}
	for _, d := range spec.Devices {
		made[d.Name] = d.Type != ""
	}
	refer := func(name string) {
		if below, _, isVLAN := network.VLANByName(name); isVLAN {
			name = below
		}
		if name != "" && !made[name] && !strings.HasPrefix(name, "br-") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, d := range spec.Devices {
		for _, name := range append(slices.Clone(d.Ports), d.Parent) {
			refer(name)
		}
		if d.Type == "" {
			refer(d.Name)
		}
	}
	for _, i := range spec.Interfaces {
		if slices.Contains(protocols, i.Proto) {
			refer(i.Device)
		}
	}
	slices.Sort(names)
	return names
}

// outcome returns what a file comes to on a machine that has its links and nothing else:
// what is declared, the changes of the kernel, the state of the interfaces, and the problems.
func outcome(t *testing.T, n Network) string {
	t.Helper()
	var b strings.Builder
	have, seen := &link.Tables{}, network.LinksChanged{}
	for i, name := range existing(n.Spec) {
		have.Links = append(have.Links, rtnl.Link{Name: name, Index: int32(i + 2)})
		seen.Links = append(seen.Links, network.Link{Name: name, Index: i + 2, Carrier: true})
	}
	now := time.Unix(1000, 0)
	s, _ := network.Step(network.State{}, now, network.Declared{Spec: n.Spec})
	s, _ = network.Step(s, now, seen)
	changes, err := link.PlanAll(have, s.Desired(), link.Owned{})
	if err != nil {
		t.Error(err)
	}
	b.WriteString("Declared:\n" + YAML(n.Sections) + "Changes:\n")
	for _, c := range changes {
		fmt.Fprintf(&b, "  %v\n", c)
	}
	b.WriteString("Interfaces:\n")
	for _, i := range s.Interfaces() {
		fmt.Fprintf(&b, "  %s on %s, %s: %s %s\n", i.Name, i.Device, i.Proto, i.Phase, i.Error)
	}
	b.WriteString("Problems:\n" + told(n.Problems))
	return b.String()
}

func told(problems []network.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "  %s: %d: %s: %s\n", kind, p.Line, p.Path, p.Text)
	}
	return b.String()
}

// TestSamples: each of the files loads, and comes to what its golden file says.
func TestSamples(t *testing.T) {
	for path, text := range samples(t) {
		n := Read(text, Options{Tables: sampleTables})
		if n.Failed() {
			t.Errorf("%s does not load:\n%s", path, told(n.Problems))
			continue
		}
		golden, got := strings.TrimSuffix(path, "uci")+"golden", outcome(t, n)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != got {
			t.Errorf("%s comes to\n%s%v; see the difference by: go test -update", path, got, err)
		}
	}
}
