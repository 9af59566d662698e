package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/state"
)

// indexFields have the index of a link.
var indexFields = []string{"Parent", "Link", "PrimaryIndex", "ActivePort", "BackupIndex", "FirstPort", "SecondPort", "Interlink"}

// valuesOf makes data of the type, each with one value in one field.
func valuesOf(data any, field string, candidates []any) (all []any) {
	add := func(set func(v reflect.Value)) {
		one := reflect.New(reflect.TypeOf(data).Elem())
		at := leaves(one)[field]()
		if at.Kind() == reflect.Pointer {
			at.Set(reflect.New(at.Type().Elem()))
			at = at.Elem()
		}
		set(at)
		if v, ok := one.Interface().(*VXLAN); ok && v.VXLANPorts != nil {
			v.VXLANPorts = &state.VXLANPorts{Min: max(v.Min, 1), Max: max(v.Min, v.Max, 1)} // the kernel takes both or none
		}
		all = append(all, one.Interface())
	}
	kind := typeOfField(data, field)
	for _, v := range candidates {
		if spelled, ok := v.(fmt.Stringer); ok && isSpelled(kind) && strings.Trim(spelled.String(), "0123456789") == "" {
			continue // no value of the enumeration
		}
		add(func(at reflect.Value) { at.Set(reflect.ValueOf(v).Convert(at.Type())) })
	}
	return all
}

// typeOfField is the type of a field without its pointer.
func typeOfField(data any, field string) reflect.Type {
	kind := leaves(reflect.New(reflect.TypeOf(data).Elem()))[field]().Type()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind
}

// candidates are values that may differ from what a link has, zero and none first. Even
// times are a whole number of the kernel's ticks.
func candidates(of reflect.Type) (all []any) {
	mac := state.HardwareAddress{2, 0, 0, 0, 0, 9}
	switch reflect.Zero(of).Interface().(type) {
	case netip.Addr:
		for _, text := range []string{"0.0.0.0", "::", "192.0.2.2", "192.0.2.7", "fd00::2", "fd00::7", "239.1.1.1", "2001:db8::", "192.0.0.0"} {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	case state.HardwareAddress:
		return []any{state.HardwareAddress{1, 0x80, 0xc2, 0, 0, 0xf}, mac}
	case []state.HardwareAddress:
		return []any{[]state.HardwareAddress{}, []state.HardwareAddress{mac}, []state.HardwareAddress{}}
	case []state.VLANQoS:
		return []any{[]state.VLANQoS{}, []state.VLANQoS{{From: 1, To: 2}, {From: 3, To: 4}}, []state.VLANQoS{{From: 3, To: 5}}, []state.VLANQoS{}}
	case state.AddressList:
		return []any{state.AddressList{netip.MustParseAddr("192.0.2.9")}, state.AddressList{}}
	case []netip.Addr:
		return []any{[]netip.Addr{netip.MustParseAddr("fd00::9")}, []netip.Addr{}}
	case state.BridgeOptions:
		return []any{state.BridgeOptions{Value: 0, Mask: 1}, state.BridgeOptions{Value: 1, Mask: 1}, state.BridgeOptions{Value: 0, Mask: 1}}
	case state.VXLANReservedBits:
		return []any{state.VXLANReservedBits{}, state.VXLANReservedBits{Flags: 0xf7ffffff}}
	case state.MACsecCipher:
		return []any{state.MACsecCipher(0x0080C20001000001), state.MACsecCipher(0x0080C20001000002)}
	}
	if strings.HasPrefix(of.Name(), "Bits[") {
		return knownBits(of)
	}
	switch of.Kind() {
	case reflect.Bool:
		return []any{false, true, false}
	case reflect.Int32:
		return []any{int32(0), int32(-1), int32(5), int32(1)}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		for _, n := range []uint64{0, 1, 2, 3, 100, 5000, 0x88a8, 65534, 4, 5, 6, 8, 10, 16, 32, 200, 300, 1000, 4096, 100000} {
			v := reflect.New(of).Elem()
			if v.SetUint(n); v.Uint() == n {
				all = append(all, v.Interface())
			}
		}
	}
	return all
}

// knownBits are none of the bits of a word of flags, each bit that has a name, and none
// again.
func knownBits(of reflect.Type) []any {
	all := []any{uint32(0)}
	for i := range 32 {
		bit := reflect.New(of).Elem()
		bit.SetUint(1 << i)
		names := bit.MethodByName("Names").Call(nil)[0].Interface().([]string)
		if len(names) == 1 && strings.Trim(names[0], "0123456789") != "" && names[0] != "ack" { // GRE has ack only in packets of version 1
			all = append(all, uint32(1)<<i)
		}
	}
	return append(all, uint32(0))
}

// bitShown is a bit that ip(8) has as a word of a list.
type bitShown struct {
	name string
	on   bool
}

// sameValue reports whether the value that ip(8) shows under a key is our value, both as
// in JSON. shown is nil if ip(8) does not show the key.
func sameValue(shown, value any) bool {
	if bit, ok := value.(bitShown); ok {
		list, _ := shown.([]any)
		return slices.Contains(list, any(bit.name)) == bit.on
	}
	if list, ok := shown.([]any); ok {
		return fmt.Sprint(list) == fmt.Sprint(value) || fmt.Sprint(list) == "["+strings.ReplaceAll(strings.Trim(fmt.Sprint(value), "[]"), ",", " ")+"]"
	}
	if quad, err := netip.ParseAddr(fmt.Sprint(shown)); err == nil && quad.Is4() { // as which ip shows keys
		b := quad.As4()
		if fmt.Sprint(value) == fmt.Sprint(float64(binary.BigEndian.Uint32(b[:]))) {
			return true
		}
	}
	a, b := plainText(shown), plainText(value)
	if a == b {
		return true
	}
	var n, m uint64
	if _, err := fmt.Sscanf(a, "0x%x", &n); err == nil {
		_, err = fmt.Sscan(b, &m)
		return err == nil && n == m
	}
	return false
}

// plainText is one text for the same value in different forms.
func plainText(v any) string {
	switch text := strings.ToLower(strings.NewReplacer("_", "", "-", "", "+", "").Replace(fmt.Sprint(v))); text {
	case "true", "on", "1", "yes":
		return "1"
	case "<nil>", "false", "off", "0", "no", "", "any", "none", "[]", "inherit", "0.0.0.0", "::", "0x0":
		return "0"
	default:
		if f, ok := v.(float64); ok {
			return fmt.Sprintf("%.0f", f)
		}
		return text
	}
}
