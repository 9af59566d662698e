package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/network"
)

// networkSection is the section that declares devices and interfaces. It has lists where
// other sections have keys, and neither flags nor variables of the environment.
const networkSection = "network"

// networkLists are the lists of the section, and the kinds of what they list.
var networkLists = []struct{ name, kind string }{
	{"devices", network.KindDevice},
	{"interfaces", network.KindInterface},
	{"routes", network.KindRoute},
	{"rules", network.KindRule},
	{"neighbours", network.KindNeighbour},
}

// declared reads the section network. It returns nothing if anything in it is wrong.
func (w *walker) declared(node *yaml.Node) network.Spec {
	before := len(w.problems)
	switch {
	case isNull(node):
	case node.Kind != yaml.MappingNode:
		w.problem(networkSection, at(node), "is %s, not a section with the lists %s", shape(node), strings.Join(listNames(), ", "))
	case hasUCI(node):
		spec := w.declaredUCI(node)
		if len(w.problems) > before {
			return network.Spec{}
		}
		return spec
	default:
		w.pairs(networkSection+".", node, w.declaredList)
	}
	spec, problems := network.Read(w.sections)
	w.networkProblems(problems, "")
	if len(w.problems) > before {
		return network.Spec{}
	}
	return spec
}

// networkProblems reports what is wrong with the declared network. The file is that of
// network.uci, or "".
func (w *walker) networkProblems(problems []network.Problem, file string) {
	for _, p := range problems {
		add := w.problem
		if p.Warning {
			add = w.warning
		}
		add(cmp.Or(p.Path, uciKey), origin{p.Line, file}, "%s", p.Text)
	}
}

func listNames() []string {
	names := make([]string, len(networkLists))
	for i, list := range networkLists {
		names[i] = list.name
	}
	return names
}

// declaredList reads one of the lists.
func (w *walker) declaredList(name string, key, content *yaml.Node) {
	path := below(networkSection, name)
	i := slices.Index(listNames(), name)
	if i < 0 {
		w.problem(path, at(key), "is not a list of this section%s", didYouMean(name, append(listNames(), "uci")))
		return
	}
	w.once(path, key)
	switch {
	case isNull(content):
	case content.Kind != yaml.SequenceNode:
		w.problem(path, at(content), "is %s, not a list; begin each of the %s with a dash and a space", shape(content), name)
	default:
		for n, item := range content.Content {
			w.declaredItem(fmt.Sprintf("%s[%d]", path, n), networkLists[i].kind, item)
		}
	}
}

// declaredItem reads one of the things that a list declares.
func (w *walker) declaredItem(path, kind string, item *yaml.Node) {
	mapping := resolve(item)
	if mapping.Kind != yaml.MappingNode {
		w.problem(path, at(item), "is %s, not a %s with options, such as - name: eth0", shape(mapping), kind)
		return
	}
	s := network.Section{Place: network.Place{Path: path, Line: item.Line}, Kind: kind}
	w.pairs(path+".", mapping, func(name string, key, content *yaml.Node) {
		if content.Kind == yaml.MappingNode {
			w.optionGroup(&s, name, key, content)
			return
		}
		w.option(&s, name, key, content)
	})
	w.sections = append(w.sections, s)
}

// optionGroup reads the options below another, of which there is match only.
func (w *walker) optionGroup(s *network.Section, name string, key, content *yaml.Node) {
	if name != "match" {
		w.problem(below(s.Path, name), at(key), "is a section, not a value or a list of values")
		return
	}
	w.pairs(below(s.Path, name)+".", content, func(inner string, key, content *yaml.Node) {
		w.option(s, name+"."+inner, key, content)
	})
}

// option takes one option as it was typed. Nothing, ~ and null mean that the option is
// not given.
func (w *walker) option(s *network.Section, name string, key, content *yaml.Node) {
	path := below(s.Path, name)
	if isNull(content) && content.Anchor == "" {
		return
	}
	o := network.Option{Place: network.Place{Path: path, Line: key.Line}, Name: name}
	items := []*yaml.Node{content}
	if content.Kind == yaml.SequenceNode {
		o.List, items = true, content.Content
	}
	for _, item := range items {
		value := resolve(item)
		if isNull(value) && value.Anchor == "" {
			w.problem(path, at(item), "has an item with nothing in it; leave the item out")
			continue
		}
		if text, ok := w.text(path, value, "a single value or a list of them"); ok {
			o.Values, o.Lines = append(o.Values, text), append(o.Lines, item.Line)
		}
	}
	s.Options = append(s.Options, o)
}

// maxName is longer than the names of all options.
const maxName = 40

// below returns the path of what a name in the file stands for.
func below(path, name string) string {
	if len(name) > maxName {
		name = name[:maxName] + "…"
	}
	return path + "." + cleanKey(name)
}

// checkOwners reports links that both the simple settings and the section network are
// about: two owners of one link would undo each other's changes.
func checkOwners(d *draft, file contents, winners map[string]value, r *report) {
	for _, simple := range []struct{ path, name string }{
		{"interfaces.wifi", d.Interfaces.Wifi},
		{"interfaces.wired", d.Interfaces.Wired},
	} {
		if simple.name == "" || r.bad(simple.path) {
			continue
		}
		for _, place := range network.Claims(file.sections, simple.name) {
			r.problem(place.Path, origin{place.Line, file.uci.File}, "%s is %s already (%s); name it in one of the two places", simple.name, simple.path, winners[simple.path].from)
		}
	}
}
