// Package docs checks the documents beside it against the source that they
// tell of, and writes those that are made from it.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

const module = "github.com/netconnectd/netconnectd/"

// comments is what the source says of types and of their fields. Types are
// written "path/of/package.Name", fields "path/of/package.Name.Field".
type comments struct {
	folders []string
	types   map[string]string
	fields  map[string]string
	aliases map[string][]alias // other names of a type, or of the type of its spelling
	words   map[string][]word  // constants of a type of strings
}

type alias struct{ pkg, name, doc string }

type word struct{ text, doc string }

func readComments(folders []string) (*comments, error) {
	c := &comments{
		folders: folders, types: map[string]string{}, fields: map[string]string{},
		aliases: map[string][]alias{}, words: map[string][]word{},
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("read comments of %s: %d files, %w", folder, len(files), err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				return nil, fmt.Errorf("read comments: %w", err)
			}
			c.addFile(module+folder, file)
		}
	}
	return c, nil
}

func (c *comments) addFile(pkg string, file *ast.File) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				doc := joined(spec.Doc, spec.Comment)
				if doc == "" && !(group.Lparen.IsValid() && spec.Assign.IsValid()) {
					doc = joined(group.Doc)
				}
				c.addType(pkg, spec, doc)
			case *ast.ValueSpec:
				c.addConstant(pkg, spec)
			}
		}
	}
}

func (c *comments) addType(pkg string, spec *ast.TypeSpec, doc string) {
	name := pkg + "." + spec.Name.Name
	if spec.Assign.IsValid() {
		for _, original := range c.originals(pkg, spec.Type) {
			c.aliases[original] = append(c.aliases[original], alias{pkg, spec.Name.Name, doc})
		}
		return
	}
	c.types[name] = doc
	if structure, ok := spec.Type.(*ast.StructType); ok {
		for _, field := range structure.Fields.List {
			for _, ident := range field.Names {
				c.fields[name+"."+ident.Name] = joined(field.Doc, field.Comment)
			}
		}
	}
}

// originals are what the right side of an alias names: a type, and of
// Named[spelling] the spelling.
func (c *comments) originals(pkg string, of ast.Expr) []string {
	switch of := of.(type) {
	case *ast.Ident:
		return []string{pkg + "." + of.Name}
	case *ast.IndexExpr:
		return c.originals(pkg, of.Index)
	case *ast.SelectorExpr:
		for _, folder := range c.folders {
			if x, ok := of.X.(*ast.Ident); ok && filepath.Base(folder) == x.Name {
				return []string{module + folder + "." + of.Sel.Name}
			}
		}
	}
	return nil
}

func (c *comments) addConstant(pkg string, spec *ast.ValueSpec) {
	of, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 {
		return
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return
	}
	text, _ := strconv.Unquote(literal.Value)
	name := pkg + "." + of.Name
	c.words[name] = append(c.words[name], word{text, joined(spec.Doc, spec.Comment)})
}

// joined is the text of comments on one line.
func joined(groups ...*ast.CommentGroup) string {
	var all []string
	for _, group := range groups {
		all = append(all, strings.Fields(group.Text())...)
	}
	return strings.Join(all, " ")
}

// alias finds the public name of a type, and what is said of it there. An
// alias of an alias goes before it, as it stands in the public package.
func (c *comments) alias(original string) (alias, bool) {
	found := c.aliases[original]
	if len(found) == 0 {
		return alias{}, false
	}
	a := found[0]
	if further, ok := c.alias(a.pkg + "." + a.name); ok {
		if further.doc == "" {
			further.doc = a.doc
		}
		return further, true
	}
	return a, true
}
