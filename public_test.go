package structure

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// public lists the packages for other programs. Those with data types need nothing
// but the standard library, so that a program which only talks to the daemon does not
// link the code that reads the kernel.
var public = map[string]struct{ pure bool }{
	"client": {pure: true}, "state": {pure: true}, "state/kernel": {},
}

// TestPublicTypesHaveNames checks that everything that other programs receive from a
// public package has a type that `go doc` shows and that they can name. No internal
// and no unexported type may be a part of it.
func TestPublicTypesHaveNames(t *testing.T) {
	for _, pkg := range publicPackages(t) {
		checked := 0
		for _, name := range pkg.Scope().Names() {
			if object := pkg.Scope().Lookup(name); object.Exported() {
				exposed := &exposure{t: t, at: pkg.Name() + "." + name}
				exposed.object(object)
				checked += exposed.checked
			}
		}
		if checked < 10 {
			t.Errorf("package %s: only %d types were looked at", pkg.Path(), checked)
		}
	}
}

// publicPackages reads the packages from the compiler's exports, as other programs
// see them.
func publicPackages(t *testing.T) []*types.Package {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for path := range public {
		args = append(args, "./"+path)
	}
	list := exec.Command("go", args...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	open := func(path string) (io.ReadCloser, error) {
		b, err := os.ReadFile(exports[path])
		return io.NopCloser(bytes.NewReader(b)), err
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", open)
	var all []*types.Package
	for path := range public {
		pkg, err := from.Import(module + path)
		if err != nil {
			t.Fatalf("read package %s: %v", path, err)
		}
		all = append(all, pkg)
	}
	return all
}

// exposure is an exported identifier whose types are checked.
type exposure struct {
	t       *testing.T
	at      string // e.g. "state.Bond.Mode"
	checked int
}

func (e *exposure) object(object types.Object) {
	name, ok := object.(*types.TypeName)
	if !ok {
		e.walk(object.Type())
		return
	}
	if alias, ok := name.Type().(*types.Alias); ok {
		e.alias(alias)
		return
	}
	named := name.Type().(*types.Named)
	e.walk(named.Underlying())
	for method := range named.Methods() {
		if method.Exported() {
			e.within(method.Name()).walk(method.Type())
		}
	}
}

// alias may instantiate a generic type with types whose names do not matter: the
// alias is the name.
func (e *exposure) alias(alias *types.Alias) {
	named, ok := alias.Rhs().(*types.Named)
	if !ok || named.TypeArgs().Len() == 0 {
		e.t.Errorf("%s is an alias of %s, so go doc shows no fields", e.at, alias.Rhs())
		return
	}
	e.name(named.Obj())
}

func (e *exposure) within(name string) *exposure {
	return &exposure{t: e.t, at: e.at + "." + name}
}

// walk checks all types that t is made of, up to those that have names.
func (e *exposure) walk(t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		e.name(t.Obj())
	case *types.Named:
		e.name(t.Obj())
		for argument := range t.TypeArgs().Types() {
			e.walk(argument)
		}
	case *types.Struct:
		for field := range t.Fields() {
			if field.Exported() || field.Embedded() {
				e.within(field.Name()).walk(field.Type())
				e.checked++
			}
		}
	case *types.Signature:
		e.walk(t.Params())
		e.walk(t.Results())
	case *types.Tuple:
		for variable := range t.Variables() {
			e.walk(variable.Type())
		}
	case *types.Interface:
		for method := range t.ExplicitMethods() {
			if method.Exported() {
				e.within(method.Name()).walk(method.Type())
			}
		}
	case *types.Map:
		e.walk(t.Key())
		e.walk(t.Elem())
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		e.walk(t.Elem())
	case *types.Basic, *types.TypeParam:
		e.checked++
	default:
		e.t.Errorf("%s has a %T, which this test does not know", e.at, t)
	}
}

func (e *exposure) name(of *types.TypeName) {
	e.checked++
	switch {
	case of.Pkg() == nil: // error or any
	case slices.Contains(strings.Split(of.Pkg().Path(), "/"), "internal"):
		e.t.Errorf("%s has the type %s.%s of an internal package", e.at, of.Pkg().Path(), of.Name())
	case !of.Exported():
		e.t.Errorf("%s has the type %s, which other packages cannot name", e.at, of.Name())
	}
}

// TestTypesOfDataNeedNothing checks what the comment of public says about pure
// packages.
func TestTypesOfDataNeedNothing(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if !public[s.pkg].pure {
			continue
		}
		seen[s.pkg] = true
		for _, path := range s.imports() {
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !strings.HasPrefix(path, module) {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
	}
	if len(seen) != 2 {
		t.Error(fmt.Sprint("looked at ", seen))
	}
}
