package network

import (
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// parse makes Sections of lines such as "device name=br0 type=bridge ports=[a,b]". A value
// in brackets is a list; _ stands for a space. The path of a Section is its kind, and the
// line that of the text.
func parse(text string) []Section {
	var all []Section
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		s := Section{Place: Place{words[0], n + 1}, Kind: words[0]}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			o := Option{Place: Place{words[0] + "." + name, n + 1}, Name: name}
			value = strings.ReplaceAll(value, "_", " ")
			if inner, ok := strings.CutPrefix(value, "["); ok {
				o.List = true
				if inner = strings.TrimSuffix(inner, "]"); inner != "" {
					o.Values = strings.Split(inner, ",")
				}
			} else {
				o.Values = []string{value}
			}
			s.Options = append(s.Options, o)
		}
		all = append(all, s)
	}
	return all
}

// texts has a line for each problem: "warning: device.mtu (line 1): 40 is not in …".
func texts(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		if p.Warning {
			b.WriteString("warning: ")
		}
		fmt.Fprintf(&b, "%s: %s\n", p.Where(), p.Text)
	}
	return b.String()
}

// mustRead reads what has no problem.
func mustRead(t *testing.T, text string) Spec {
	t.Helper()
	spec, problems := Read(parse(text))
	if len(problems) > 0 {
		t.Fatalf("%s:\n%s", text, texts(problems))
	}
	return spec
}

// lines shows what is set in a Spec, one field in a line, without the places.
func lines(s Spec) []string {
	var all []string
	show(&all, "", reflect.ValueOf(s.withoutPlaces()))
	return all
}

// show appends a line for each field below v that is not zero.
func show(all *[]string, path string, v reflect.Value) {
	if v.IsZero() {
		return
	}
	switch x := v.Interface().(type) {
	case netip.Addr, netip.Prefix, net.HardwareAddr:
		*all = append(*all, fmt.Sprintf("%s = %v", path, x))
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if inner := v.Elem(); inner.Kind() != reflect.Struct && inner.Kind() != reflect.Pointer {
			*all = append(*all, fmt.Sprintf("%s = %v", path, inner.Interface())) // also if it is zero
		} else {
			show(all, path, inner)
		}
	case reflect.Struct:
		for n := range v.NumField() {
			name := v.Type().Field(n).Name
			if v.Type().Field(n).IsExported() {
				show(all, strings.TrimPrefix(path+"."+name, "."), v.Field(n))
			}
		}
	case reflect.Slice:
		for n := range v.Len() {
			show(all, fmt.Sprintf("%s[%d]", path, n), v.Index(n))
		}
	case reflect.Map:
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			*all = append(*all, fmt.Sprintf("%s[%v] = %v", path, key, v.MapIndex(key)))
		}
	default:
		*all = append(*all, fmt.Sprintf("%s = %v", path, v.Interface()))
	}
}
