package structure

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readers lists the packages that may call functions which open and read files
// without checking them first, and why that does no harm. internal/namedfile reads
// every file that another user, a request or another process names. Files below /proc
// and /sys that the call itself names need no entry.
var readers = map[string]string{
	"cmd/netconnectcli/doctor.go":          "opens its own archive to hand it over, by descriptor, and follows no link",
	"cmd/netconnectcli/import.go":          "reads the caller's standard input, up to a limit",
	"cmd/netconnectcli/passphrase.go":      "reads the caller's standard input, up to a limit",
	"cmd/netconnectd/hugepages.go":         "a file of the kernel, by a constant",
	"internal/ap/ap.go":                    "makes an empty file in our own folder, follows no link and waits for no pipe",
	"internal/ap/rfkill.go":                "files of the kernel, and /dev/rfkill, by constants",
	"internal/atomicfile/atomicfile.go":    "opens a folder, to sync it",
	"internal/daemon/listen.go":            "the lock in our own folder, which follows no link",
	"internal/doctor/processes.go":         "files of the kernel below /proc",
	"internal/doctor/services.go":          "files of the kernel below /sys/fs/cgroup",
	"internal/doctor/strangers.go":         "files of the kernel below /sys/fs/cgroup",
	"internal/history/file.go":             "the end of our own file, up to a limit; it follows no link and waits for no pipe",
	"internal/link/mptcp/mptcp.go":         "a file of the kernel, by a constant",
	"internal/process/confine.go":          "by O_PATH, folders and files that a rule of Landlock names",
	"internal/process/output.go":           "the pipe of a child, by /proc/PID/fd",
	"internal/process/proc.go":             "files of the kernel below /proc",
	"internal/resolver/parse.go":           "by descriptors, up to a limit: what another user's folder has",
	"internal/resolver/resolver.go":        "makes an empty file, follows no link and waits for no pipe",
	"internal/ownfile/ownfile.go":          "our own file, to change its mode; it follows no link and reads nothing",
	"internal/supervisor/stall_labhook.go": "is for the lab only",
	"internal/sysctl/sysctl.go":            "switches of the kernel below /proc/sys/net",
	"packaging/copyright/module.go":        "reads the licences of the modules while a package is built",
}

// opening lists the functions that open or read files by name, or read without a
// limit.
var opening = map[string][]string{
	"os":     {"ReadFile", "Open", "OpenFile", "DirFS", "OpenRoot"},
	"io":     {"ReadAll"},
	"ioutil": {"ReadFile", "ReadAll"},
	"unix":   {"Open", "Openat", "Openat2"},
}

// calledOf returns the package's name and the function of a call, e.g. "os",
// "ReadFile".
func calledOf(call *ast.CallExpr) (pkg, name string) {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name, f.Sel.Name
		}
	}
	return "", ""
}

// ofKernel reports whether an argument is a constant text that begins with /proc/ or
// /sys/, or fmt.Sprintf or filepath.Join of such a text.
func ofKernel(arg ast.Expr) bool {
	if call, ok := arg.(*ast.CallExpr); ok && len(call.Args) > 0 {
		return ofKernel(call.Args[0])
	}
	if sum, ok := arg.(*ast.BinaryExpr); ok {
		return ofKernel(sum.X)
	}
	text, ok := arg.(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return false
	}
	path, _ := strconv.Unquote(text.Value)
	return strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/sys/")
}

func TestNamedFilesHaveOneReader(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if inLab(s.pkg) || strings.HasSuffix(s.pkg, "test") || s.pkg == "internal/namedfile" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if pkg, name := calledOf(call); slices.Contains(opening[pkg], name) && !ofKernel(call.Args[0]) {
				used[s.path] = true
				if readers[s.path] == "" {
					t.Errorf("%s calls %s.%s: whoever names the file may name a pipe, an endless file or another's; read it by internal/namedfile, or say in readers why not", s.path, pkg, name)
				}
			}
			return true
		})
	}
	for path := range maps.Keys(readers) {
		if !used[path] && !strings.HasSuffix(path, "_labhook.go") {
			t.Errorf("%s is among the readers and opens nothing any more", path)
		}
	}
}

// runners lists the calls of process.Run and RunScript whose program is not a
// constant path, and why only root can put another program there between the check of
// the path and the start.
var runners = map[string]string{
	"cmd/netconnectcli/doctor.go": "our own daemon, in the folder from which this program itself was started",
	"internal/hook/hook.go":       "namedfile.OpenProgram has seen that nobody but root can change anything on the way",
}

// TestProgramsAreNotCheckedByPath forbids to check a program by its path and then run
// it by its path, because the file may be another one by then. A program that other
// users name is opened by namedfile.OpenProgram and run by process.RunFile.
func TestProgramsAreNotCheckedByPath(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if inLab(s.pkg) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if pkg, name := calledOf(call); pkg != "process" || name != "Run" && name != "RunScript" {
				return true
			}
			if text, ok := call.Args[1].(*ast.BasicLit); ok && strings.HasPrefix(text.Value, `"/`) {
				return true
			}
			used[s.path] = true
			if runners[s.path] == "" {
				t.Errorf("%s runs a program that is no constant path: open it by namedfile.OpenProgram and use process.RunFile, or say in runners why not", s.path)
			}
			return true
		})
	}
	for path := range maps.Keys(runners) {
		if !used[path] {
			t.Errorf("%s is among the runners and runs nothing any more", path)
		}
	}
}

// TestNoLockIsHeldWhereAContextCounts forbids to hold a mutex during a call that gets
// a context: a goroutine that waits for the mutex would not notice the end of its own
// context. semaphore.Weighted takes turns instead.
func TestNoLockIsHeldWhereAContextCounts(t *testing.T) {
	for _, s := range sources(t) {
		if inLab(s.pkg) {
			continue
		}
		for _, decl := range s.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			for _, held := range heldLocks(f.Body) {
				ast.Inspect(f.Body, func(n ast.Node) bool {
					if _, ok := n.(*ast.FuncLit); ok {
						return false // a function literal runs later, or elsewhere
					}
					call, ok := n.(*ast.CallExpr)
					if !ok || call.Pos() < held.from || call.Pos() > held.to {
						return true
					}
					for _, arg := range call.Args {
						if x, ok := arg.(*ast.Ident); ok && (x.Name == "ctx" || strings.HasSuffix(x.Name, "Ctx")) {
							t.Errorf("%s: %s holds %s during a call that gets a context", s.path, f.Name.Name, held.lock)
						}
					}
					return true
				})
			}
		}
	}
}

// held is a part of a function in which a lock is held.
type held struct {
	lock     string
	from, to token.Pos
}

// heldLocks finds the locks that a body takes: each is held up to the next Unlock of
// the same lock, or to the end if the Unlock is deferred.
func heldLocks(body *ast.BlockStmt) []held {
	var all []held
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			return false
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) > 0 {
				return true
			}
			switch lock := exprText(f.X); f.Sel.Name {
			case "Lock", "RLock":
				all = append(all, held{lock, n.End(), body.End()})
			case "Unlock", "RUnlock":
				for i := range all {
					if all[i].lock == lock && all[i].to == body.End() {
						all[i].to = n.Pos()
					}
				}
			}
		}
		return true
	})
	return all
}

// exprText returns a chain of names as it is written, e.g. "d.telling".
func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	}
	return ""
}

// A file that an earlier run wrote may be damaged. Damage must neither cost the
// undamaged rest nor stay in the file. Only internal/ownfile handles that.
func TestOwnFilesHaveOneReader(t *testing.T) {
	others := []string{
		"internal/config/kept.go",  // root's commands read it as well, and must set nothing aside; Keep replaces it
		"internal/wifi/station.go", // a key, not JSON; a key of a wrong size is replaced
	}
	for _, s := range sources(t) {
		if s.pkg == "internal/ownfile" || slices.Contains(others, s.path) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if pkg, name := calledOf(call); pkg == "namedfile" && name == "ReadOwn" {
					t.Errorf("%s reads a file of an earlier run by namedfile.ReadOwn; use internal/ownfile, which heals it", s.path)
				}
			}
			return true
		})
	}
}
