package state

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// filler sets every field to a value that differs from the previous field's.
type filler struct{ last int }

func (f *filler) fill(v reflect.Value) {
	f.last++
	switch to := v.Addr().Interface().(type) {
	case *netip.Addr:
		*to = netip.AddrFrom4([4]byte{10, 0, byte(f.last >> 8), byte(f.last)})
	case *netip.Prefix:
		*to = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(f.last >> 8), byte(f.last)}), 31)
	case *netip.AddrPort:
		*to = netip.AddrPortFrom(netip.IPv6Loopback(), uint16(f.last))
	case *time.Time:
		*to = time.Unix(int64(f.last), 5).UTC()
	default:
		f.fillKind(v)
	}
}

func (f *filler) fillKind(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(fmt.Sprint("name ", f.last)), value)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", f.last))
	case reflect.Float64:
		v.SetFloat(float64(f.last) / 4)
	case reflect.Int, reflect.Int32:
		v.SetInt(int64(-f.last))
	default:
		v.SetUint(uint64(f.last%250 + 1))
	}
}

// TestJSON checks that a State and a Change with any content are read back from their
// JSON unchanged.
func TestJSON(t *testing.T) {
	for _, empty := range []func() any{func() any { return new(State) }, func() any { return new(Change) }} {
		thing, again := empty(), empty()
		new(filler).fill(reflect.ValueOf(thing).Elem())
		text, err := json.Marshal(thing)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, again); err != nil {
			t.Fatalf("%T: %v in %s", thing, err, text)
		}
		same := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
		if diff := cmp.Diff(thing, again, same, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Errorf("%T (-written +read):\n%s", thing, diff)
		}
	}
}

// TestKeys checks that each field has its own JSON key in lower case.
func TestKeys(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var look func(of reflect.Type)
	look = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			look(of.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if of.PkgPath() != reflect.TypeFor[State]().PkgPath() || seen[of] {
			return
		}
		seen[of] = true
		if _, ok := reflect.Zero(of).Interface().(json.Marshaler); ok {
			return
		}
		for i := range of.NumField() {
			field := of.Field(i)
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !field.Anonymous && (key == "" || key != strings.ToLower(key)) && of != reflect.TypeFor[BridgeID]() {
				t.Errorf("%s.%s has the key %q", of, field.Name, key)
			}
			look(field.Type)
		}
	}
	look(reflect.TypeFor[State]())
	look(reflect.TypeFor[Change]())
	if len(seen) < 50 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
