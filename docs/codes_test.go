package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestEveryCodeIsExplained checks that docs/protocol.md has every code that a client
// can receive. The codes are the constants of package client; texts_test.go
// checks that the source uses no others.
func TestEveryCodeIsExplained(t *testing.T) {
	page, err := os.ReadFile("protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := parser.ParseFile(token.NewFileSet(), "../client/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Errorf("client.%s is no text", spec.Names[0].Name)
			return true
		}
		code, _ := strconv.Unquote(literal.Value)
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("docs/protocol.md does not explain %s, client.%s", code, spec.Names[0].Name)
		}
		found++
		return true
	})
	if found < 20 {
		t.Errorf("only %d codes were found", found)
	}
}
