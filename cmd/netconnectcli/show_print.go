package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"

	"golang.org/x/term"

	"github.com/netconnectd/netconnectd/state"
)

// list is an array whose elements are encoded one after the other, as there may be a
// million of them.
type list struct {
	length int
	append func(b []byte, i int) ([]byte, error) // appends the JSON of an element
}

func listOf[T any](all []T) list {
	return list{len(all), func(b []byte, i int) ([]byte, error) {
		text, err := json.Marshal(&all[i])
		return append(b, text...), err
	}}
}

func routeList(all routeTable) list {
	return list{all.Len(), func(b []byte, i int) ([]byte, error) {
		r := all.At(i)
		return r.AppendJSON(b), nil
	}}
}

// members are the members of an object, in order.
type members []struct {
	key   string
	value any // a list, or a value that json.Marshal accepts
}

// membersOf returns the members that json.Marshal writes for a State, with the routes
// beside it.
func membersOf(s picture) members {
	var all members
	if len(s.Ifaces) > 0 {
		all = append(all, members{{"ifaces", s.Ifaces}}...)
	}
	for _, m := range (members{
		{"routes", routeList(s.table)}, {"rules", listOf(s.Rules)}, {"neighbours", listOf(s.Neighbours)},
		{"fdb", listOf(s.FDB)}, {"nexthops", listOf(s.Nexthops)},
	}) {
		if m.value.(list).length > 0 {
			all = append(all, m)
		}
	}
	if s.MPTCP != nil {
		all = append(all, members{{"mptcp", s.MPTCP}}...)
	}
	return all
}

// print prints a list, members or a value that json.Marshal accepts. JSON is on one
// line unless a person reads it: with many routes, indenting takes longer than all
// other steps.
func (a *app) print(document any) error {
	w := bufio.NewWriterSize(a.out, 64<<10)
	var err error
	if a.json {
		file, ok := a.out.(*os.File)
		p := &jsonPrinter{w: w, pretty: ok && term.IsTerminal(int(file.Fd()))}
		err = p.print("", document)
		w.WriteByte('\n')
	} else {
		err = (&yamlPrinter{w: w}).print(document)
	}
	return errors.Join(err, w.Flush())
}

// jsonPrinter reports errors of writing at the last Flush.
type jsonPrinter struct {
	w      *bufio.Writer
	pretty bool

	element  []byte
	encoded  bytes.Buffer
	indented bytes.Buffer
}

func (p *jsonPrinter) print(indent string, value any) error {
	switch value := value.(type) {
	case list:
		return p.group(indent, '[', ']', value.length, func(inner string, i int) (err error) {
			if p.element, err = value.append(p.element[:0], i); err != nil {
				return err
			}
			return p.text(inner, p.element)
		})
	case members:
		return p.group(indent, '{', '}', len(value), func(inner string, i int) error {
			return p.member(inner, value[i].key, value[i].value)
		})
	case map[string]*state.Iface: // one after the other, because thousands take many megabytes
		names := slices.Sorted(maps.Keys(value))
		return p.group(indent, '{', '}', len(names), func(inner string, i int) error {
			return p.member(inner, names[i], value[names[i]])
		})
	}
	return p.one(indent, value)
}

func (p *jsonPrinter) member(indent, key string, value any) error {
	if err := p.one(indent, key); err != nil {
		return err
	}
	p.w.WriteByte(':')
	if p.pretty {
		p.w.WriteByte(' ')
	}
	return p.print(indent, value)
}

func (p *jsonPrinter) one(indent string, value any) error {
	p.encoded.Reset()
	if err := json.NewEncoder(&p.encoded).Encode(value); err != nil {
		return err
	}
	return p.text(indent, bytes.TrimSuffix(p.encoded.Bytes(), []byte("\n")))
}

func (p *jsonPrinter) group(indent string, open, end byte, n int, print func(inner string, i int) error) error {
	p.w.WriteByte(open)
	inner := indent + "  "
	for i := range n {
		if i > 0 {
			p.w.WriteByte(',')
		}
		p.newLine(inner)
		if err := print(inner, i); err != nil {
			return err
		}
	}
	if n > 0 {
		p.newLine(indent)
	}
	return p.w.WriteByte(end)
}

func (p *jsonPrinter) newLine(indent string) {
	if p.pretty {
		p.w.WriteByte('\n')
		p.w.WriteString(indent)
	}
}

func (p *jsonPrinter) text(indent string, text []byte) error {
	if !p.pretty {
		_, err := p.w.Write(text)
		return err
	}
	p.indented.Reset()
	if err := json.Indent(&p.indented, text, indent, "  "); err != nil {
		return err
	}
	_, err := p.w.Write(p.indented.Bytes())
	return err
}
