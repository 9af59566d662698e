package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/nearest"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// form is how text becomes a value of type V.
type form[V any] struct {
	takes string // the texts, for people, e.g. "68 to 65535"
	parse func(text string) (V, error)
}

// option is one setting that Sections of a kind can have. T is a pointer to what the
// Section becomes: the compiler makes one copy of generic code for all pointers.
// To add an option is to add a row: reading, the hints for unknown names, and the tables
// of docs/network.md are made of the rows.
type option[T any] struct {
	name   string
	others []string // further names that netifd's files have for the option
	of     []string // types of devices, or protocols of interfaces, that have the option; nil: all
	list   bool     // the option has any number of values
	takes  string   // form.takes
	unset  string   // what holds without the option, for people; "": the link is left as it is
	doc    string   // sentences for people, without back quotes

	set func(t T, text string, at Place) error // for each value
}

// row makes an option whose value goes where put says.
//
//go:noinline
func row[T, V any](name string, f form[V], put func(t T, v V), doc string) *option[T] {
	return placedRow(name, f, func(t T, v V, _ Place) { put(t, v) }, doc)
}

// placedRow is row for what has to know where the value stands.
//
//go:noinline
func placedRow[T, V any](name string, f form[V], put func(t T, v V, at Place), doc string) *option[T] {
	return &option[T]{name: name, takes: f.takes, doc: doc, set: func(t T, text string, at Place) error {
		v, err := f.parse(text)
		if err == nil {
			put(t, v, at)
		}
		return err
	}}
}

// rows makes an option with any number of values.
//
//go:noinline
func rows[T, V any](name string, f form[V], add func(t T, v V), doc string) *option[T] {
	return row(name, f, add, doc).many()
}

func (o *option[T]) many() *option[T]                { o.list = true; return o }
func (o *option[T]) also(names ...string) *option[T] { o.others = names; return o }
func (o *option[T]) only(of ...string) *option[T]    { o.of = of; return o }
func (o *option[T]) except(of string) *option[T]     { o.of = allTypesBut(of); return o }
func (o *option[T]) without(text string) *option[T]  { o.unset = text; return o }
func (o *option[T]) has(name string) bool            { return o.name == name || slices.Contains(o.others, name) }
func (o *option[T]) fits(of string) bool             { return o.of == nil || slices.Contains(o.of, of) }

// Options of netifd, and of YAML, that are refused, with the reason.
var refused = map[string]string{
	"route.proto":     "routes of this file carry the protocol number by which netconnectd knows its own routes; leave the option out",
	"route.valid":     "routes of this file do not expire; leave the option out",
	"device.vlan":     "VLANs of a bridge cannot be declared yet",
	"interface.zone":  "there is no firewall with zones; leave the option out",
	"interface.type":  "a bridge is a device of its own, which the interface names in the option device",
	"interface.mtu":   "is an option of the device; give it in the section of the device",
	"interface.ports": "is an option of the device; give it in the section of the device",
}

// given has the places of a Section's options by the names of their rows.
type given map[string]Place

// read takes the options of a Section through the rows into t. The type of the device or
// the protocol of the interface is of, or "" if that is wrong or does not matter.
func read[T any](r *reader, options []*option[T], s *Section, t T, of string) given {
	found := given{}
	for i := range s.Options {
		o := &s.Options[i]
		row := find(options, o.Name, of)
		if row == nil {
			r.unknown(s, o, namesOf(options, of))
			continue
		}
		if first, twice := found[row.name]; twice {
			r.problem(o.Place, "%s is given twice, first in line %d; leave one out", row.name, first.Line)
			continue
		}
		found[row.name] = o.Place
		if !row.fits(of) && of != wrong {
			r.problem(o.Place, "is for %ss %s, and this one is %s; leave out the option", s.Kind, variant(s.Kind, row.of[0]), variant(s.Kind, of))
			continue
		}
		r.take(o, row.list, func(text string, at Place) error { return row.set(t, text, at) })
	}
	return found
}

// find returns the row of a name, or nil. Of several rows with the name it returns the
// row that fits.
func find[T any](options []*option[T], name, of string) *option[T] {
	var other *option[T]
	for i := range options {
		row := options[i]
		if row.has(name) && row.fits(of) {
			return row
		}
		if row.has(name) {
			other = row
		}
	}
	return other
}

// Has reports whether Sections of a kind can have an option of a name, and whether those of
// a type of device, or of a protocol of interfaces, can.
func Has(kind, name, of string) (known, fits bool) {
	switch kind {
	case KindDevice:
		return has(deviceOptions, name, of)
	case KindInterface:
		return has(interfaceOptions, name, of)
	case KindRoute:
		return has(routeOptions, name, of)
	case KindRule:
		return has(ruleOptions, name, of)
	case KindNeighbour:
		return has(neighbourOptions, name, of)
	}
	return false, false
}

func has[T any](options []*option[T], name, of string) (known, fits bool) {
	row := find(options, name, of)
	return row != nil, row != nil && row.fits(of)
}

// Names returns the names of all options of devices or interfaces, for hints.
func Names(kind string) []string {
	switch kind {
	case KindDevice:
		return namesOf(deviceOptions, wrong)
	case KindInterface:
		return namesOf(interfaceOptions, wrong)
	}
	return nil
}

// wrong stands for a type or a protocol that there is not. The problem with it is
// reported already, so the options that need another are not.
const wrong = "?"

// variant describes a Section whose type or protocol is of.
func variant(kind, of string) string {
	switch {
	case kind == KindInterface:
		return "of proto " + of
	case of == "":
		return "without a type"
	}
	return "of type " + of
}

// take hands the values of an option to set, and reports what set finds wrong.
func (r *reader) take(o *Option, list bool, set func(text string, at Place) error) {
	values := o.Values
	switch {
	case len(values) == 0 && !o.List: // what read the file has said why
		return
	case !list && (o.List || len(values) != 1):
		r.problem(o.Place, "is a list, and the option has one value")
		return
	case list && !o.List: // as netifd does
		values = nil
		for _, text := range o.Values {
			values = append(values, strings.Fields(text)...)
		}
	}
	for i, text := range values {
		at := o.Place
		if o.List {
			at = o.place(i)
		}
		if err := set(text, at); err != nil {
			r.problem(at, "%v", err)
		}
	}
}

func namesOf[T any](options []*option[T], of string) []string {
	var names []string
	for i := range options {
		if options[i].fits(of) || of == wrong {
			names = append(append(names, options[i].name), options[i].others...)
		}
	}
	return names
}

// unknown reports an option that no row has.
func (r *reader) unknown(s *Section, o *Option, known []string) {
	switch why := refused[s.Kind+"."+o.Name]; {
	case why != "":
		r.problem(o.Place, "%s", why)
	case o.Name == "<<":
		r.problem(o.Place, "merging by << is not supported; write the options out")
	default:
		r.problem(o.Place, "is not an option of a %s; leave it out%s", s.Kind, r.hint(o.Name, known))
	}
}

// hint proposes the nearest known name. A file can have many names that are not known,
// so there is an end to the comparisons.
func (r *reader) hint(name string, known []string) string {
	if r.compared += len(known); r.compared > maxCompared {
		return ""
	}
	if near := nearest.Of(name, known); near != "" {
		return "; did you mean " + shown.Text(near) + "?"
	}
	return ""
}

const maxCompared = 100_000

// value returns the only value of an option, or "".
func (s *Section) value(name string) string {
	for i := range s.Options {
		if o := &s.Options[i]; o.Name == name && len(o.Values) == 1 {
			return o.Values[0]
		}
	}
	return ""
}

// orList joins words as a sentence does: "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return fmt.Sprintf("%s or %s", strings.Join(words[:last], ", "), words[last])
}
