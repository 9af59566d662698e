// Package structure holds the tests of the source tree itself: who imports
// whom, and what a package may not do.
package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/netconnectd/netconnectd/"

// mayImport lists, for each package, those of ours that it may import. Imports
// go downwards only; a package that is not listed may import none.
var mayImport = map[string][]string{
	"cmd/netconnectd":        {"client", "internal/atomicfile", "internal/bundle", "internal/config", "internal/daemon", "internal/doctor", "internal/process"},
	"cmd/netconnectcli":      {"client", "internal/atomicfile", "internal/flagtext", "internal/inotify", "internal/migrate", "internal/namedfile", "internal/nearest", "internal/process", "state", "state/kernel"},
	"cmd/netconnectd-resolv": {"internal/process", "internal/resolver"},
	"internal/daemon": {
		"client", "internal/address", "internal/ap", "internal/atomicfile", "internal/config", "internal/declared", "internal/doctor", "internal/link", "internal/link/proto/dhcp",
		"internal/history", "internal/hook", "internal/interfaces", "internal/metrics", "internal/netsettings", "internal/network", "internal/networkmanager", "internal/ownfile", "internal/probe", "internal/process", "internal/radio", "internal/resolver", "internal/secret", "internal/server",
		"internal/store", "internal/supervisor", "internal/supervisor/policy", "internal/systemd", "internal/wifi", "state", "state/kernel",
	},
	"internal/network":     {"internal/address", "internal/link", "internal/link/rtnl", "internal/nearest", "internal/shown", "state"},
	"internal/interfaces":  {"client", "internal/link"},
	"internal/declared":    {"client", "internal/atomicfile", "internal/link", "internal/link/proto/dhcp", "internal/network", "internal/ownfile"},
	"internal/netsettings": {"client", "internal/address", "internal/secret", "internal/server", "internal/store", "internal/wifi"},
	"internal/radio": {
		"client", "internal/ap", "internal/atomicfile", "internal/interfaces", "internal/link", "internal/link/proto/dhcp", "internal/link/proto/ndp", "internal/networkmanager",
		"internal/ownfile", "internal/probe", "internal/process", "internal/store", "internal/supervisor", "internal/supervisor/policy", "internal/sysctl", "internal/wifi",
	},
	"internal/server": {"client", "internal/loglimit", "internal/secret", "state"},
	"client":          {"internal/ssid", "state"},
	"state/kernel": {
		"internal/link", "internal/link/ethtool", "internal/link/genl", "internal/link/mptcp", "internal/link/rtnl",
		"internal/link/wireguard", "internal/ssid", "state",
	},
	"internal/wpactrl":           {"internal/inotify"},
	"internal/supervisor":        {"client", "internal/supervisor/policy"},
	"internal/supervisor/policy": {"client"},
	"internal/metrics":           {"client"},
	"internal/ap":                {"internal/atomicfile", "internal/link", "internal/namedfile", "internal/ownfile", "internal/process", "internal/secret", "internal/sysctl", "internal/wpactrl"},
	"internal/wifi":              {"client", "internal/address", "internal/atomicfile", "internal/namedfile", "internal/process", "internal/secret", "internal/wpactrl"},
	"internal/bundle":            {"client", "internal/config", "internal/doctor", "internal/namedfile", "internal/process", "state", "state/kernel"},
	"internal/doctor":            {"client", "internal/ap", "internal/config", "internal/link", "internal/link/genl", "internal/namedfile", "internal/networkmanager", "internal/process", "internal/wifi"},
	"internal/probe":             {"internal/link", "internal/namedfile"},
	"internal/resolver":          {"internal/atomicfile", "internal/namedfile", "internal/ownfile", "internal/process"},
	"internal/process":           {"internal/atomicfile", "internal/namedfile", "internal/ownfile"},
	"internal/config":            {"internal/address", "internal/atomicfile", "internal/flagtext", "internal/link", "internal/namedfile", "internal/nearest", "internal/network", "internal/ownfile", "internal/secret", "internal/shown", "internal/yamlalias"},
	"internal/address":           {"internal/shown"},
	"internal/store":             {"internal/address", "internal/atomicfile", "internal/namedfile", "internal/ownfile", "internal/secret", "internal/wifi"},
	"internal/ownfile":           {"internal/atomicfile", "internal/namedfile"},
	"internal/sysctl":            {"internal/ownfile"},
	"internal/migrate":           {"client", "internal/address", "internal/yamlalias"},
	"internal/networkmanager":    {"client", "internal/atomicfile", "internal/namedfile", "internal/ownfile", "internal/secret", "internal/store", "internal/wifi"},
	"internal/history":           {"client", "internal/atomicfile"},
	"internal/hook":              {"client", "internal/loglimit", "internal/namedfile", "internal/process"},
	"internal/link":              {"internal/link/rtnl", "internal/ownfile", "internal/shown", "internal/sysctl", "state"},
	"internal/link/rtnl":         {"state"},
	"internal/link/ethtool":      {"internal/link/genl", "state"},
	"internal/link/mptcp":        {"internal/link/genl", "state"},
	"internal/link/wireguard":    {"internal/link/genl", "state"},
	"internal/link/proto/dhcp":   {"internal/link", "internal/link/proto/boottime"},
	"internal/link/proto/ndp":    {"internal/link", "internal/link/proto/boottime", "internal/link/rtnl"},
}

// source is one parsed file that is not a test.
type source struct {
	pkg  string // folder from the root
	path string
	*ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata" || path == "build" || path == "bin") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err == nil {
			all = append(all, source{filepath.ToSlash(filepath.Dir(path)), path, f})
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("read the source tree: %d files, %v", len(all), err)
	}
	return all
}

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, path)
	}
	return paths
}

func inLab(pkg string) bool { return pkg == "lab" || strings.HasPrefix(pkg, "lab/") }

func TestImportsGoDownwards(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range s.imports() {
			ours, ok := strings.CutPrefix(path, module)
			if ok && !inLab(s.pkg) && !slices.Contains(mayImport[s.pkg], ours) {
				t.Errorf("%s imports %s", s.path, ours)
			}
		}
	}
}

// Whoever wants to change an interface is an owner of the lane of package interfaces,
// so that two owners cannot undo each other's changes and the doctor can say what is
// wanted. Only package link speaks of changes to the kernel.
func TestOnlyTheLaneChangesInterfaces(t *testing.T) {
	lane := 0
	for _, s := range sources(t) {
		if inLab(s.pkg) || s.pkg == "internal/netnstest" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			use, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := use.X.(*ast.Ident)
			switch {
			case !ok:
			case pkg.Name == "link" && slices.Contains([]string{"Apply", "Repair", "Declaration"}, use.Sel.Name):
				if s.pkg == "internal/interfaces" {
					lane++
				} else {
					t.Errorf("%s uses link.%s: hand the want to an owner of package interfaces", s.path, use.Sel.Name)
				}
			case pkg.Name == "unix" && changesLinks(use.Sel.Name) && s.pkg != "internal/link" && !strings.HasPrefix(s.pkg, "internal/link/"):
				t.Errorf("%s uses unix.%s: package link makes the requests", s.path, use.Sel.Name)
			}
			return true
		})
	}
	if lane == 0 {
		t.Error("package interfaces changes nothing")
	}
}

// changesLinks reports whether a name of package unix belongs to requests that change
// what rtnetlink manages.
func changesLinks(name string) bool {
	for _, prefix := range []string{"NETLINK_ROUTE", "RTM_NEW", "RTM_DEL", "RTM_SET", "SIOCSIF"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// otherWords are files with literals that are written as a code of package client is,
// and mean something else.
var otherWords = map[string][]string{
	"internal/supervisor/policy/state.go": {"lost"},    // of the uplink
	"internal/supervisor/policy/next.go":  {"lost"},    // likewise
	"internal/metrics/metrics.go":         {"lost"},    // likewise
	"cmd/netconnectcli/status_text.go":    {"lost"},    // likewise
	"cmd/netconnectcli/original.go":       {"lost"},    // of the uplink
	"cmd/netconnectcli/wait_online.go":    {"timeout"}, // a flag
}

// Codes and result texts stand once, in package client, where programs that are not
// ours look for them.
func TestCodesStandOnce(t *testing.T) {
	stands := map[string]bool{}
	all := sources(t)
	for _, s := range all {
		if s.path != "client/error.go" && s.path != "client/texts.go" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for _, v := range spec.Values {
					if text, ok := v.(*ast.BasicLit); ok {
						stands[text.Value] = true
					}
				}
			}
			return true
		})
	}
	if len(stands) < 30 {
		t.Fatalf("package client has %d codes and texts", len(stands))
	}
	for _, s := range all {
		if !strings.HasPrefix(s.pkg, "internal/") && !strings.HasPrefix(s.pkg, "cmd/") {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			text, ok := n.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING || !stands[text.Value] {
				return true
			}
			if word, _ := strconv.Unquote(text.Value); !slices.Contains(otherWords[s.path], word) {
				t.Errorf("%s writes %s: it is a constant of package client", s.path, text.Value)
			}
			return true
		})
	}
}

func TestOnlyProcessStartsPrograms(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg != "internal/process" && s.pkg != "internal/netnstest" && !inLab(s.pkg) && slices.Contains(s.imports(), "os/exec") {
			t.Errorf("%s imports os/exec", s.path)
		}
	}
}

// A child reads what strangers send, so whoever describes one says what it may
// not do.
func TestEveryChildIsConfined(t *testing.T) {
	seen := 0
	for _, s := range sources(t) {
		if s.pkg == "internal/process" || inLab(s.pkg) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || len(literal.Elts) == 0 {
				return true
			}
			of, ok := literal.Type.(*ast.SelectorExpr)
			if !ok || of.Sel.Name != "Spec" {
				return true
			}
			if pkg, ok := of.X.(*ast.Ident); !ok || pkg.Name != "process" {
				return true
			}
			seen++
			confined := slices.ContainsFunc(literal.Elts, func(e ast.Expr) bool {
				pair, ok := e.(*ast.KeyValueExpr)
				if !ok {
					return false
				}
				key, ok := pair.Key.(*ast.Ident)
				return ok && key.Name == "Confine"
			})
			if !confined {
				t.Errorf("%s describes a child that is not confined", s.path)
			}
			return true
		})
	}
	if seen == 0 {
		t.Error("no child was found")
	}
}

// TestTextsKeepTheirLines: client.SSIDText is for the fields named ssid, which may
// have every character. Texts for people take client.SSIDInText.
func TestTextsKeepTheirLines(t *testing.T) {
	fields := []string{"client/ssid.go", "internal/daemon/status.go", "internal/networkmanager/profile.go"}
	for _, s := range sources(t) {
		if inLab(s.pkg) || slices.Contains(fields, s.path) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if name, ok := n.(*ast.Ident); ok && name.Name == "SSIDText" {
				t.Errorf("%s puts an SSID into a text by SSIDText: use SSIDInText", s.path)
			}
			return true
		})
	}
}

// TestSysctlsAreSetInOnePlace: what is set below /proc/sys/net is restored, also
// after a crash, which one package does.
func TestSysctlsAreSetInOnePlace(t *testing.T) {
	files := []string{"internal/sysctl/sysctl.go", "internal/link/mptcp/mptcp.go"} // the second only reads
	for _, s := range sources(t) {
		if inLab(s.pkg) || slices.Contains(files, s.path) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && strings.Contains(text.Value, "/proc/sys/net") {
				t.Errorf("%s names %s", s.path, text.Value)
			}
			return true
		})
	}
}

// TestWrongUseIsASentence: cobra's own checks of arguments count them ("accepts 1
// arg(s), received 0"). checkArguments names what is missing; flags that exclude
// each other say so themselves.
func TestWrongUseIsASentence(t *testing.T) {
	counting := []string{"NoArgs", "ExactArgs", "RangeArgs", "MinimumNArgs", "MaximumNArgs", "OnlyValidArgs", "MatchAll", "ArbitraryArgs",
		"MarkFlagsMutuallyExclusive", "MarkFlagsOneRequired", "MarkFlagsRequiredTogether", "MarkFlagRequired"}
	for _, s := range sources(t) {
		if inLab(s.pkg) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if n, ok := n.(*ast.SelectorExpr); ok && slices.Contains(counting, n.Sel.Name) {
				t.Errorf("%s uses %s", s.path, n.Sel.Name)
			}
			return true
		})
	}
}

// pure are the packages that decide, and neither ask nor change anything. From some
// packages of ours they may use only what begins with certain words: texts and shapes.
var pure = map[string]struct {
	imports []string
	uses    map[string][]string
}{
	"internal/supervisor/policy": {
		[]string{"cmp", "errors", "fmt", "net/netip", "slices", "strings", "time", module + "client"},
		map[string][]string{"client": {"Code", "Result", "Text"}},
	},
	"internal/network": {
		[]string{
			"cmp", "encoding/hex", "errors", "fmt", "net", "net/netip", "reflect", "slices", "strconv", "strings", "time", "golang.org/x/sys/unix",
			module + "internal/address", module + "internal/link", module + "internal/link/rtnl", module + "internal/nearest", module + "internal/shown", module + "state",
		},
		map[string][]string{
			"link": {"AddressSpec", "CheckName", "Desired", "LinkSpec", "NeighbourSpec", "RouteSpec", "RuleSpec"},
			"net":  {"HardwareAddr", "IPMask"},
			"unix": {"AF_", "FIB_RULE_", "FR_ACT_", "IPPROTO_", "NTF_", "NUD_", "RTN_", "RT_TABLE_"},
		},
	},
}

func TestDecisionsArePure(t *testing.T) {
	clock := []string{"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"}
	seen := map[string]bool{}
	for _, s := range sources(t) {
		rules, ok := pure[s.pkg]
		if !ok {
			continue
		}
		seen[s.pkg] = true
		for _, path := range s.imports() {
			if !slices.Contains(rules.imports, path) {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
				t.Errorf("%s has a %T", s.path, n)
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok || x.Obj != nil { // a variable may have the name of a package
					return true
				}
				begins := func(prefix string) bool { return strings.HasPrefix(n.Sel.Name, prefix) }
				words, limited := rules.uses[x.Name]
				switch {
				case x.Name == "time" && slices.Contains(clock, n.Sel.Name):
					t.Errorf("%s reads the clock: time.%s", s.path, n.Sel.Name)
				case limited && !slices.ContainsFunc(words, begins):
					t.Errorf("%s uses %s.%s, which is more than a shape or a text", s.path, x.Name, n.Sel.Name)
				}
			}
			return true
		})
	}
	for pkg := range pure {
		if !seen[pkg] {
			t.Errorf("%s was not found", pkg)
		}
	}
}

// A lease, or what a router says, is counted by a clock that does not stop while the
// machine is suspended. The timers of package time do.
func TestLeasesCountSuspendedTime(t *testing.T) {
	stops := []string{"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since"}
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.pkg, "internal/link/proto/") || s.pkg == "internal/link/proto/boottime" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if n, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(stops, n.Sel.Name) {
					t.Errorf("%s uses time.%s", s.path, n.Sel.Name)
				}
			}
			return true
		})
	}
}

// A goroutine has an owner who waits for it, so nothing starts one unasked.
func TestConstructorsStartNoGoroutine(t *testing.T) {
	for _, s := range sources(t) {
		for _, decl := range s.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || f.Name.Name != "init" && !strings.HasPrefix(f.Name.Name, "New") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if _, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s: %s starts a goroutine", s.path, f.Name.Name)
				}
				return true
			})
		}
	}
}

func TestEveryPackageSaysItsJob(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.pkg] = documented[s.pkg] || s.Doc != nil
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

// What the daemon starts may outlive it, and the companion ends it: it needs
// the same rights, and nobody has looked at any others.
func TestUnitsHaveTheSameRights(t *testing.T) {
	rights := func(unit string) (lines []string) {
		text, err := os.ReadFile("systemd/" + unit)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), "\nUser=")
		if !found {
			t.Fatalf("%s says no user", unit)
		}
		section, _, _ := strings.Cut(rest, "\n[")
		for line := range strings.Lines("User=" + section) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	daemon, companion := rights("netconnectd.service"), rights("netconnectd-radio.service")
	if !slices.Equal(daemon, companion) {
		t.Errorf("netconnectd.service:\n%s\n\nnetconnectd-radio.service:\n%s", strings.Join(daemon, "\n"), strings.Join(companion, "\n"))
	}
}

// TestReloadChecksFirst: systemctl reload fails for a file with an error, because
// systemd runs the lines in their order and stops at the first that fails.
func TestReloadChecksFirst(t *testing.T) {
	unit, err := os.ReadFile("systemd/netconnectd.service")
	if err != nil {
		t.Fatal(err)
	}
	var reload []string
	for line := range strings.Lines(string(unit)) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecReload="); ok {
			reload = append(reload, command)
		}
	}
	want := []string{"/usr/sbin/netconnectd --check", "/bin/sh -c 'kill -HUP $MAINPID'"}
	if !slices.Equal(reload, want) {
		t.Errorf("systemctl reload runs %q, want %q", reload, want)
	}
}

// However the daemon ends, it comes back, until systemctl stops it.
func TestDaemonComesBack(t *testing.T) {
	unit, err := os.ReadFile("systemd/netconnectd.service")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(unit), "\n")
	for _, want := range []string{"Restart=always", "StartLimitIntervalSec=0", "RestartSec=1", "RestartMaxDelaySec=10", "MemoryMax=256M", "OOMPolicy=continue"} {
		if !slices.Contains(lines, want) {
			t.Errorf("netconnectd.service lacks %s", want)
		}
	}
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, "="); name == "RestartPreventExitStatus" || name == "SuccessExitStatus" {
			t.Errorf("netconnectd.service has an end that systemd takes for good: %s", line)
		}
	}
}
