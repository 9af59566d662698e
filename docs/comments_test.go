// Package docs compares the documents beside it with the source that they describe,
// and writes those that are generated from the source.
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

// comments holds the comments of types and of their fields. Types are written
// "path/of/package.Name", fields "path/of/package.Name.Field".
type comments struct {
	types   map[string]string
	fields  map[string]string
	aliases map[string]alias  // by the type of a spelling: the alias for words with that spelling
	words   map[string][]word // by type, the constants of a string type
}

type alias struct{ name, doc string }

type word struct{ text, doc string }

func readComments(folders []string) (*comments, error) {
	c := &comments{
		types: map[string]string{}, fields: map[string]string{},
		aliases: map[string]alias{}, words: map[string][]word{},
	}
	for _, folder := range folders {
		if err := c.addFolder(folder); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *comments) addFolder(folder string) error {
	files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("read comments of %s: %d files, %w", folder, len(files), err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return fmt.Errorf("read comments: %w", err)
		}
		c.addFile(module+folder, file)
	}
	return nil
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
		if generic, ok := spec.Type.(*ast.IndexExpr); ok { // the alias is of Named[spelling] or Bits[spelling]
			if spelling, ok := generic.Index.(*ast.Ident); ok {
				c.aliases[pkg+"."+spelling.Name] = alias{spec.Name.Name, doc}
			}
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

// joined returns the text of comments on one line.
func joined(groups ...*ast.CommentGroup) string {
	var all []string
	for _, group := range groups {
		all = append(all, strings.Fields(group.Text())...)
	}
	return strings.Join(all, " ")
}
