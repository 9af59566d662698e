package rtnl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"
)

// Class is what a change of an attribute costs those who use the link.
type Class uint8

// The classes, each worse than the one before. TestEverySettableRow measures which
// attribute has which; docs/changes.md lists them.
const (
	InPlace     Class = iota // the kernel changes the attribute of a link that is in use
	LinkDown                 // only while the link is down
	NoPorts                  // only while the link has no ports
	NoPortsDown              // only while the link is down and has no ports
	Recreate                 // only when the link is made; later the attribute is refused, or ignored
	ReadOnly                 // the kernel shows the attribute and never takes it, or takes it as an order
)

// Both returns the class of a change of two attributes with these classes.
func (c Class) Both(other Class) Class {
	if c != other && min(c, other) == LinkDown && max(c, other) == NoPorts {
		return NoPortsDown
	}
	return max(c, other)
}

// Change is what differs between what a link has and what is wanted.
type Change struct {
	Payload Payload  // the attributes to send
	Names   []string // of the attributes that differ, e.g. "IFLA_BR_PRIORITY"
	Texts   []string // the same for people, e.g. "priority 4096"
	Class   Class    // the worst of them
}

// Payload is attributes as they stand in a message. As LinkInfo.Data or PortData it
// is sent as it is.
type Payload []byte

// Delta compares the data of a link's kind. Only what want mentions counts. have is
// nil for a link that is to be made: then all of that differs. The error names an
// attribute that the kernel does not take.
func Delta(kind string, have, want any) (Change, error) { return delta(kinds, kind, have, want) }

// PortDelta is Delta for the data of a port of a link of that kind.
func PortDelta(kind string, have, want any) (Change, error) {
	return delta(portKinds, kind, have, want)
}

func delta(of map[string]dataCodec, kind string, have, want any) (Change, error) {
	if want == nil {
		return Change{}, nil
	}
	codec, ok := of[kind]
	if !ok {
		return Change{}, fmt.Errorf("compare data of kind %q: %T has no table", kind, want)
	}
	change, err := codec.delta(have, want)
	if err != nil {
		return Change{}, fmt.Errorf("compare data of kind %s: %w", kind, err)
	}
	return change, nil
}

// LinkDelta compares the attributes that links of all kinds have. It does not
// compare IFLA_LINKINFO, for which there is Delta.
func LinkDelta(have, want *Link) (Change, error) {
	plain := *want
	plain.Info = LinkInfo{}
	if have == nil {
		have = &Link{}
	}
	change, err := linkTable.delta(have, &plain, false)
	if err != nil {
		return Change{}, fmt.Errorf("compare links: %w", err)
	}
	return change, nil
}

func (d *dataTable[T]) delta(have, want any) (Change, error) {
	w, ok := want.(T)
	if !ok {
		return Change{}, fmt.Errorf("data is %T instead of %T", want, w)
	}
	fresh := have == nil
	h, ok := have.(T)
	switch {
	case fresh:
		h = d.empty()
	case !ok:
		return Change{}, fmt.Errorf("data is %T instead of %T", have, h)
	}
	rows := d.rows
	if fresh {
		rows = rows.ofNew()
	}
	change, err := rows.delta(h, w, d.whole && !fresh)
	if err == nil && !fresh && d.pair != nil && len(change.Names) > 0 {
		change.Class = change.Class.Both(d.pair(h, w))
	}
	return change, err
}

// ofNew are the rows for a link that is to be made: what is mentioned is sent,
// since the kernel's default may differ from what an absent attribute stands for.
func (rows table[T]) ofNew() table[T] {
	out := make(table[T], len(rows))
	for i := range rows {
		row := *rows[i]
		row.absent = nil
		out[i] = &row
	}
	return out
}

// delta compares row by row. With full the payload has the attributes of have, too,
// that want does not mention. What does not depend on T is in comparison, of which the
// program has one copy and not one for each table.
func (rows table[T]) delta(have, want T, full bool) (Change, error) {
	c := comparison{full: full, attributes: netlink.NewAttributeEncoder()}
	for i := range rows {
		row := rows[i]
		wanted, err := row.encode(want)
		var kept []byte
		if err == nil {
			kept, err = row.encode(have)
		}
		if err != nil {
			return Change{}, fmt.Errorf("attribute %s: %w", row.name, err)
		}
		err = c.add(&compared{row.number | row.flags, row.name, row.class, row.absent, row.beside, row.compare, wanted, kept}, func() string { return row.text(want) })
		if err != nil {
			return Change{}, err
		}
	}
	return c.result()
}

// compared is a row with what it writes of two values.
type compared struct {
	number       uint16 // with the flags
	name         string
	class        Class
	absent       []byte
	beside       []fixed
	compare      func(before, wanted []byte) []byte
	wanted, kept []byte
}

// comparison gathers the Change of the rows of a table.
type comparison struct {
	full       bool
	attributes *netlink.AttributeEncoder
	change     Change
}

func (c *comparison) add(row *compared, text func() string) error {
	payload := row.differing()
	if payload != nil {
		if row.class == ReadOnly {
			return fmt.Errorf("%s (%s) cannot be set: the kernel does not take it", rowText(row.name), row.name)
		}
		c.change.Names = append(c.change.Names, row.name)
		c.change.Texts = append(c.change.Texts, strings.TrimSpace(rowText(row.name)+" "+text()))
		c.change.Class = c.change.Class.Both(row.class)
		for _, beside := range row.beside {
			c.attributes.Bytes(beside.number, beside.payload)
		}
	}
	if payload == nil && c.full && row.class != ReadOnly {
		payload = row.toKeep()
	}
	if len(payload) > maxPayload {
		return fmt.Errorf("attribute %s: %d bytes do not fit", row.name, len(payload))
	}
	if payload != nil {
		c.attributes.Bytes(row.number, payload)
	}
	return nil
}

func (c *comparison) result() (Change, error) {
	if len(c.change.Names) == 0 {
		return Change{}, nil
	}
	var err error
	c.change.Payload, err = c.attributes.Encode()
	return c.change, err
}

// differing returns the payload to send, nil if nothing differs.
func (row *compared) differing() []byte {
	if row.wanted == nil {
		return nil
	}
	before := row.kept
	if before == nil {
		before = row.absent
	}
	switch {
	case row.compare != nil:
		return row.compare(before, row.wanted)
	case before != nil && bytes.Equal(before, row.wanted):
		return nil
	}
	return row.wanted
}

// toKeep returns the payload of a row that does not differ, for a message that needs
// all rows.
func (row *compared) toKeep() []byte {
	if row.wanted != nil {
		return row.wanted
	}
	return row.kept
}

func (row *attribute[T]) text(t T) string {
	if row.show == nil {
		return ""
	}
	return row.show(t)
}

// rowText is a constant's name without the part that all of a table have, in lower
// case as ip(8) has it: "priority" for IFLA_BR_PRIORITY.
func rowText(name string) string {
	parts := strings.SplitN(name, "_", 3)
	return strings.ToLower(parts[len(parts)-1])
}

// readOnly is a row of an attribute that the kernel shows, or that is an order, such
// as to forget what was learned, and not something that a link has.
func readOnly[T any](row *attribute[T]) *attribute[T] { return classed(ReadOnly, row) }

// linkDown is a row of an attribute that the kernel changes only while the link is
// down.
func linkDown[T any](row *attribute[T]) *attribute[T] { return classed(LinkDown, row) }

// noPorts is a row of an attribute that the kernel changes only while the link has no
// ports.
func noPorts[T any](row *attribute[T]) *attribute[T] { return classed(NoPorts, row) }

// noPortsDown is noPorts of a link that has to be down, too.
func noPortsDown[T any](row *attribute[T]) *attribute[T] { return classed(NoPortsDown, row) }

// recreate is a row of an attribute that only a new link takes.
func recreate[T any](row *attribute[T]) *attribute[T] { return classed(Recreate, row) }

//go:noinline
func classed[T any](class Class, row *attribute[T]) *attribute[T] {
	row.class = class
	return row
}

// zeroAbsent is a row of an attribute that the kernel does not show while the value is
// zero, or none, in so many bytes.
func zeroAbsent[T any](size int, row *attribute[T]) *attribute[T] {
	row.absent = make([]byte, size)
	return row
}

// absentIs is a row of an attribute that the kernel does not show while it has this
// value.
func absentIs[T any](payload []byte, row *attribute[T]) *attribute[T] {
	row.absent = payload
	return row
}

// masked is a row of a 32 bit word of flags with a mask behind it of those that are
// meant. The kernel shows all of them.
//
//go:noinline
func masked[T any](row *attribute[T]) *attribute[T] {
	row.compare = func(have, want []byte) []byte {
		if len(have) < 8 || len(want) < 8 {
			return want
		}
		for i := range 4 {
			if (have[i]^want[i])&want[4+i] != 0 {
				return want
			}
		}
		return nil
	}
	return row
}

// besides is a row of a word of flags of which the kernel sets some by itself, whatever
// it is told.
//
//go:noinline
func besides[T any](its uint64, row *attribute[T]) *attribute[T] {
	row.compare = func(have, want []byte) []byte {
		if len(have) == len(want) && integerOf(have)&^its == integerOf(want)&^its {
			return nil
		}
		return want
	}
	return row
}

// sized is a row of which the kernel ignores a payload of another size, such as the
// address of another family.
//
//go:noinline
func sized[T any](size int, row *attribute[T]) *attribute[T] {
	encode := row.encode
	row.encode = func(t T) ([]byte, error) {
		b, err := encode(t)
		if err == nil && b != nil && len(b) != size {
			err = fmt.Errorf("%s has %d bytes, and the kernel takes %d", row.text(t), len(b), size)
		}
		return b, err
	}
	return row
}

// unsupported returns the rows of a kind that shares them with others, and of which the
// kernel ignores some.
func unsupported[T any](rows table[T], names ...string) table[T] {
	out := slices.Clone(rows)
	for i, row := range out {
		if slices.Contains(names, row.name) {
			ignored := *row
			ignored.class = ReadOnly
			out[i] = &ignored
		}
	}
	return out
}

// ticks is a row of a time in 1/100 s (USER_HZ), which the kernel keeps in ticks of its
// own: where these are 1/250 s (CONFIG_HZ), an odd time comes back as one less.
//
//go:noinline
func ticks[T any](row *attribute[T]) *attribute[T] {
	row.compare = func(have, want []byte) []byte {
		h, w := integerOf(have), integerOf(want)
		if len(have) == len(want) && (h == w || h+1 == w) {
			return nil
		}
		return want
	}
	return row
}

// integerOf reads a number of 32 or 64 bits.
func integerOf(b []byte) uint64 {
	switch len(b) {
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}
