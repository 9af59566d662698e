package openwrt

import (
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/network"
)

// Lists of the section network, in the order in which they are written.
var lists = []struct{ name, kind string }{
	{"devices", network.KindDevice},
	{"interfaces", network.KindInterface},
	{"routes", network.KindRoute},
	{"rules", network.KindRule},
	{"neighbours", network.KindNeighbour},
}

// YAML returns the section network of netconnectd.yaml that declares the same as Sections
// without Foreign.
func YAML(sections []network.Section) string {
	var b strings.Builder
	b.WriteString("network:\n")
	for _, list := range lists {
		begun := false
		for i := range sections {
			if sections[i].Kind != list.kind {
				continue
			}
			if !begun {
				b.WriteString("  " + list.name + ":\n")
			}
			begun = true
			writeItem(&b, &sections[i])
		}
	}
	return b.String()
}

// writeItem writes a section as an item of a list, with its name first.
func writeItem(b *strings.Builder, s *network.Section) {
	before := "    - "
	line := func(name, value string) {
		b.WriteString(before + name + ": " + value + "\n")
		before = "      "
	}
	if s.Kind == network.KindInterface {
		line("name", scalar(s.Name))
	}
	for _, first := range []bool{true, false} {
		for i := range s.Options {
			if o := &s.Options[i]; (o.Name == "name") == first {
				line(o.Name, valueOf(o))
			}
		}
	}
}

func valueOf(o *network.Option) string {
	if !o.List {
		return scalar(strings.Join(o.Values, " "))
	}
	all := make([]string, len(o.Values))
	for i, text := range o.Values {
		all[i] = scalar(text)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// scalar returns a text for YAML. What could be something else than a text is in double
// quotes, whose escapes are those of Go.
func scalar(text string) string {
	special := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-./:+", c))
	}
	plain := text != "" && !strings.ContainsAny(text[:1], "-.:+") && !strings.HasSuffix(text, ":") &&
		!strings.EqualFold(text, "null") && !strings.ContainsFunc(text, special)
	if plain {
		return text
	}
	return strconv.Quote(text)
}
