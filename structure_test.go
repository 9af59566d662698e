// Package structure holds the tests of the source tree itself: which package may
// import which, and what a package may not do.
package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/netconnectd/netconnectd/"

// mayImport lists, for each package, our packages that it may import. Imports go
// downwards only; a package that is not listed may import none.
var mayImport = map[string][]string{
	"cmd/netconnectd":        {"client", "internal/atomicfile", "internal/bundle", "internal/config", "internal/daemon", "internal/doctor", "internal/process"},
	"cmd/netconnectcli":      {"client", "internal/atomicfile", "internal/flagtext", "internal/inotify", "internal/migrate", "internal/namedfile", "internal/nearest", "internal/openwrt", "internal/process", "state", "state/kernel"},
	"cmd/netconnectd-resolv": {"internal/process", "internal/resolver"},
	"internal/daemon": {
		"client", "internal/address", "internal/ap", "internal/atomicfile", "internal/config", "internal/declared", "internal/doctor", "internal/link", "internal/link/proto/dhcp",
		"internal/history", "internal/hook", "internal/interfaces", "internal/metrics", "internal/netsettings", "internal/networkmanager", "internal/ownfile", "internal/probe", "internal/process", "internal/radio", "internal/resolver", "internal/secret", "internal/server",
		"internal/store", "internal/supervisor", "internal/supervisor/policy", "internal/systemd", "internal/trial", "internal/wifi", "state", "state/kernel",
	},
	"internal/trial":       {"client", "internal/config"},
	"internal/network":     {"internal/address", "internal/link", "internal/link/rtnl", "internal/nearest", "internal/shown", "state"},
	"internal/interfaces":  {"client", "internal/link"},
	"internal/declared":    {"client", "internal/atomicfile", "internal/link", "internal/link/proto/dhcp", "internal/network", "internal/resolver", "internal/ownfile"},
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
	"internal/config":            {"internal/address", "internal/atomicfile", "internal/flagtext", "internal/link", "internal/namedfile", "internal/nearest", "internal/network", "internal/openwrt", "internal/ownfile", "internal/secret", "internal/shown", "internal/yamlalias"},
	"internal/address":           {"internal/shown"},
	"internal/uci":               {"internal/shown"},
	"internal/openwrt":           {"internal/link", "internal/namedfile", "internal/nearest", "internal/network", "internal/shown", "internal/uci"},
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
	pkg  string // the folder from the root
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

// A package that wants to change an interface must be an owner of the lane of package
// interfaces, so that two owners cannot undo each other's changes and the doctor can
// report the wanted state. Only package link sends changes to the kernel.
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
// objects of rtnetlink.
func changesLinks(name string) bool {
	for _, prefix := range []string{"NETLINK_ROUTE", "RTM_NEW", "RTM_DEL", "RTM_SET", "SIOCSIF"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func TestOnlyProcessStartsPrograms(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg != "internal/process" && s.pkg != "internal/netnstest" && !inLab(s.pkg) && slices.Contains(s.imports(), "os/exec") {
			t.Errorf("%s imports os/exec", s.path)
		}
	}
}

// A child reads data of strangers, so every process.Spec must say what the child may
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

// TestSysctlsAreSetInOnePlace checks that only one package writes below
// /proc/sys/net, since it restores the settings, also after a crash.
func TestSysctlsAreSetInOnePlace(t *testing.T) {
	files := []string{"internal/sysctl/sysctl.go", "internal/link/mptcp/mptcp.go"} // the second file only reads
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

// pure are the packages that decide, and neither ask nor change anything. From some
// packages of ours they may use only what begins with certain words: texts and shapes.
var pure = map[string]struct {
	imports []string
	uses    map[string][]string
}{
	"internal/supervisor/policy": {
		[]string{"cmp", "errors", "fmt", "net/netip", "slices", "sort", "strings", "time", module + "client"},
		map[string][]string{"client": {"Code", "Result", "Text"}},
	},
	"internal/network": {
		[]string{
			"cmp", "encoding/hex", "errors", "fmt", "maps", "net", "net/netip", "reflect", "slices", "strconv", "strings", "time", "golang.org/x/sys/unix",
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

// A lease, or a router's lifetime, must be counted by a clock that does not stop
// while the machine is suspended. The timers of package time do stop.
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

// A goroutine has an owner who waits for it, so a constructor must not start one.
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
