package rtnl

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A message may hold decodedOnce bytes, for its structs, and decodedPerByte for
// each byte that came: a list of the smallest elements in Go is larger than in
// the message, but not without limit.
const (
	decodedOnce    = 4096
	decodedPerByte = 40
)

// FuzzDecode: hostile bytes never panic, and what they leave is no more than a
// small multiple of them.
func FuzzDecode(f *testing.F) {
	messages := []func() message{
		func() message { return &Link{} }, func() message { return &Address{} },
		func() message { return &Route{} }, func() message { return &Neighbour{} },
		func() message { return &Rule{} }, func() message { return &Nexthop{} },
	}
	for which := range messages {
		f.Add(uint8(which), []byte{})
	}
	for _, link := range filled() {
		if b, err := link.MarshalBinary(); err == nil {
			f.Add(uint8(0), b)
		}
	}
	for _, example := range examples {
		b, err := example.message.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		for which, fresh := range messages {
			if reflect.TypeOf(fresh()) == reflect.TypeOf(example.message) {
				f.Add(uint8(which), b)
			}
		}
	}
	bridge := append([]byte{unix.AF_BRIDGE}, make([]byte, linkHeaderSize-1)...)
	f.Add(uint8(0), append(bridge, 12, 0, unix.IFLA_AF_SPEC, 0, 8, 0, 2, 0, 6, 0, 10, 0))
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		m := messages[int(which)%len(messages)]()
		_ = m.UnmarshalBinary(b) // even what is refused is held for a while
		if held, limit := held(reflect.ValueOf(m)), decodedOnce+decodedPerByte*len(b); held > limit {
			t.Errorf("%d bytes became %d, more than %d", len(b), held, limit)
		}
	})
}

// held is the memory of what a value points to.
func held(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		if v.Kind() == reflect.Interface {
			return held(v.Elem())
		}
		return int(v.Type().Elem().Size()) + held(v.Elem())
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		size := v.Cap() * int(v.Type().Elem().Size())
		return size + heldByAll(v, v.Len())
	case reflect.Array:
		return heldByAll(v, v.Len())
	case reflect.Struct:
		size := 0
		for i := range v.NumField() {
			size += held(v.Field(i))
		}
		return size
	}
	return 0
}

func heldByAll(v reflect.Value, n int) int {
	size := 0
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return 0
	}
	for i := range n {
		size += held(v.Index(i))
	}
	return size
}

// TestMemoryIsBounded has the lists whose elements grow most, as long as an
// attribute can be.
func TestMemoryIsBounded(t *testing.T) {
	full := func(one string) string { return strings.Repeat(one, maxPayload/(len(one)/2)) }
	tests := []struct{ name, bytes string }{
		{"alternative names", nest(unix.IFLA_PROP_LIST, full(nest(unix.IFLA_ALT_IFNAME, "")))},
		{"functions", nest(unix.IFLA_VFINFO_LIST, full(vfInfo(vfMAC("00000000", "000000000000"))))},
		{"allowed addresses", info("macvlan", nest(5, strings.Repeat(nest(4, "000000000000"), 5000)))},
		{"peers of peers", peers(900)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, strings.Repeat("00", linkHeaderSize)+test.bytes)
			var l Link
			if err := l.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if held, limit := held(reflect.ValueOf(&l)), decodedOnce+decodedPerByte*len(b); held > limit || held < len(b)/2 {
				t.Errorf("%d bytes became %d, more than %d", len(b), held, limit)
			}
			if allocated, limit := allocatedBy(func() { _ = new(Link).UnmarshalBinary(b) }), 3*decodedPerByte*len(b); allocated > limit {
				t.Errorf("%d bytes needed %d on the way, more than %d", len(b), allocated, limit)
			}
		})
	}
}

func allocatedBy(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// peers is a veth of which the other end is a veth, and so on.
func peers(depth int) string {
	inner := ""
	for range depth {
		inner = info("veth", nest(attributeVethPeer, strings.Repeat("00", linkHeaderSize)+inner))
	}
	return inner
}
