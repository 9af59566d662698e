// Package yamlalias bounds what aliases of YAML (*name) add to a file. A small file can
// stand for billions of values by aliases, which would take a reader's memory and time.
package yamlalias

import (
	"cmp"

	"go.yaml.in/yaml/v4"
)

// Most is how many nodes the aliases of a file may repeat.
const Most = 10_000

// Excess returns the line of the alias with which the aliases below a node repeat more
// than Most nodes, or 0 if they do not.
func Excess(root *yaml.Node) (line int) {
	c := counter{}
	c.walk(root, 0)
	return c.line
}

// counter counts the nodes behind aliases, until there are too many.
type counter struct {
	repeated int
	line     int // 0: there are not too many so far
}

// walk visits a node and all nodes below. The number alias is the line of the alias that
// repeats the node, or 0 if none does.
func (c *counter) walk(node *yaml.Node, alias int) {
	if alias > 0 {
		c.repeated++
	}
	if c.repeated > Most {
		c.line = alias
		return
	}
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		c.walk(node.Alias, cmp.Or(alias, node.Line))
		return
	}
	for _, inner := range node.Content {
		if c.walk(inner, alias); c.line > 0 {
			return
		}
	}
}
