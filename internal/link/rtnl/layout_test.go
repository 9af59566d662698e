package rtnl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/state"
)

// A layout says how the attributes of one struct stand in a message. It is
// written after linux/if_link.h (numbers) and the functions of the kernel that
// fill the messages (sizes), not after our tables, so that a forgotten row, two
// swapped ones and a wrong width are seen.
type layout struct {
	name   string
	prefix string // of the names
	codec  dataCodec
	rows   map[uint16]string
	empty  func() any

	// A line has the number, the kernel's name, the size in bytes ("be" is in
	// network byte order, "mac" six bytes, "id" a BridgeID, "+" a struct or what
	// has none), and the JSON name of the field, or its Go name where JSON
	// does not have it.
	lines string
}

func layoutOf[T any](name, prefix string, rows table[*T], lines string) layout {
	l := layout{name: name, prefix: prefix, codec: data(rows), rows: map[uint16]string{}, lines: lines, empty: func() any { return new(T) }}
	for _, row := range rows {
		l.rows[row.number] = row.name
	}
	return l
}

// TestLayouts sets each field alone, and looks at the one attribute that is
// written.
func TestLayouts(t *testing.T) {
	for _, l := range slices.Concat(layouts, kindLayouts) {
		t.Run(l.name, func(t *testing.T) {
			rows, fields := map[uint16]bool{}, map[string]bool{}
			for line := range strings.Lines(strings.TrimSpace(l.lines)) {
				column := strings.Fields(line)
				number, _ := strconv.ParseUint(column[0], 10, 16)
				rows[uint16(number)], fields[column[3]] = true, true
				if got, want := l.rows[uint16(number)], l.prefix+column[1]; got != want {
					t.Errorf("row %d is %q, want %q", number, got, want)
				}
				t.Run(column[1]+" "+column[3], func(t *testing.T) { l.checkField(t, uint16(number), column[2], column[3]) })
			}
			for number, name := range l.rows {
				if !rows[number] {
					t.Errorf("row %d, %s, is not in the layout", number, name)
				}
			}
			for name := range leaves(reflect.ValueOf(l.empty())) {
				if !fields[name] {
					t.Errorf("no line sets the field %s", name)
				}
			}
		})
	}
}

func (l layout) checkField(t *testing.T, number uint16, size, field string) {
	data := l.empty()
	at, ok := leaves(reflect.ValueOf(data))[field]
	if !ok {
		t.Fatalf("no field %s", field)
	}
	f := &filler{next: 0x31, ipv6: size == "16be"}
	want := f.fill(at)
	b, err := l.codec.encode(data)
	if err != nil {
		t.Fatal(err)
	}
	got, payload, rest, err := cutAttribute(b)
	if err != nil || got != number || len(rest) > 0 {
		t.Fatalf("%s is attribute %d with %x behind it, %v, want %d alone", field, got, rest, err, number)
	}
	if size != "+" && !bytes.Equal(payload, expected(t, size, want)) {
		t.Errorf("%s is %x, want %x", field, payload, expected(t, size, want))
	}
	again, err := l.codec.decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(data, again, compareAll...); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

// expected is the payload of a size for a number, or for bytes as they are.
func expected(t *testing.T, size string, value any) []byte {
	t.Helper()
	if b, ok := value.([]byte); ok {
		return b
	}
	order := binary.AppendByteOrder(binary.NativeEndian)
	digits, big := strings.CutSuffix(size, "be")
	if big {
		order = binary.BigEndian
	}
	number := value.(uint64)
	switch digits {
	case "0":
		return nil
	case "1":
		return []byte{uint8(number)}
	case "2":
		return order.AppendUint16(nil, uint16(number))
	case "4":
		return order.AppendUint32(nil, uint32(number))
	case "8":
		return order.AppendUint64(nil, number)
	}
	t.Fatalf("size %q of %v", size, value)
	return nil
}

// leaves returns the fields of a struct by their JSON names, or by their Go names
// where JSON does not have them. What is embedded counts as its fields; what
// points to it is made by the call that gives the field.
func leaves(pointer reflect.Value) map[string]func() reflect.Value {
	out := map[string]func() reflect.Value{}
	structure := pointer.Type().Elem()
	for _, field := range reflect.VisibleFields(structure) {
		owner := structure
		for _, i := range field.Index[:len(field.Index)-1] {
			if owner = owner.Field(i).Type; owner.Kind() == reflect.Pointer {
				owner = owner.Elem()
			}
		}
		if field.Anonymous || !field.IsExported() || isFromAbove(owner, field.Name) {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		out[name] = func() reflect.Value {
			v := pointer.Elem()
			for _, i := range field.Index {
				if v.Kind() == reflect.Pointer {
					if v.IsNil() {
						v.Set(reflect.New(v.Type().Elem()))
					}
					v = v.Elem()
				}
				v = v.Field(i)
			}
			return v
		}
	}
	return out
}

// filler sets fields to values that all differ, as far as their width goes.
type filler struct {
	next uint64
	ipv6 bool
}

// fill returns what it has set as a uint64 or as bytes, or nil for structs.
func (f *filler) fill(field func() reflect.Value) any {
	f.next++
	v := field()
	switch to := v.Addr().Interface().(type) {
	case *netip.Addr:
		*to = f.address(f.ipv6)
		return to.AsSlice()
	case *state.AddressList:
		*to = state.AddressList{f.address(false), f.address(false)}
		return nil
	case *[]netip.Addr:
		*to = []netip.Addr{f.address(true), f.address(true)}
		return nil
	case *state.HardwareAddress:
		*to = state.HardwareAddress{2, 3, 4, 5, 6, byte(f.next)}
		return []byte(*to)
	case *state.BridgeID, *state.VXLANReservedBits, *state.BridgeOptions:
	case **state.BridgeID:
		*to = &state.BridgeID{Priority: 0x8000 + uint16(f.next), Address: [6]byte{2, 3, 4, 5, 6, byte(f.next)}}
		return []byte{0x80, byte(f.next), 2, 3, 4, 5, 6, byte(f.next)}
	case **Link:
		*to = &Link{Name: "peer" + strconv.FormatUint(f.next, 10), MTU: 1400}
		return nil
	}
	return f.fillKind(v)
}

func (f *filler) fillKind(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.fill(v.Elem)
	case reflect.Bool:
		v.SetBool(true)
		return uint64(1)
	case reflect.Struct:
		for i := range v.NumField() {
			f.ipv6 = strings.HasPrefix(v.Type().Field(i).Name, "IPv6")
			f.fill(func() reflect.Value { return v.Field(i) })
		}
		return nil
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			f.fill(func() reflect.Value { return v.Index(i) })
		}
		return nil
	case reflect.Int32:
		v.SetInt(int64(f.next))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.next)
	default:
		panic(fmt.Sprintf("%s is new here", v.Type()))
	}
	return f.next
}

func (f *filler) address(ipv6 bool) netip.Addr {
	f.next++
	if ipv6 {
		return netip.AddrFrom16([16]byte{0xfd, 15: byte(f.next)})
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(f.next)})
}

// TestAllFields sets all fields at once, to values that differ, and reads them
// back from the message.
func TestAllFields(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			data := l.empty()
			f := &filler{next: 1}
			fields := leaves(reflect.ValueOf(data))
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				f.ipv6 = strings.HasPrefix(name, "ipv6")
				f.fill(fields[name])
			}
			b, err := l.codec.encode(data)
			if err != nil {
				t.Fatal(err)
			}
			again, err := l.codec.decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(data, again, compareAll...); diff != "" {
				t.Errorf("message (-written +read):\n%s", diff)
			}
		})
	}
}
