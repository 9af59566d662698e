//go:build lab

package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// object is an object of JSON.
type object = map[string]any

// comparison records which rows have had a value to compare.
type comparison struct {
	*testing.T
	used map[string]bool // by block and key
}

// unused lists the rows of a shape that never had a value.
func (c comparison) unused(s shape) []string {
	var keys []string
	for _, r := range s.rows {
		if r.path != "" && !r.quiet && !c.used[s.block+" "+r.key] {
			keys = append(keys, r.key)
		}
	}
	return keys
}

// compareBlock compares everything that ip(8) shows of a link's kind with our block.
func (t comparison) compareBlock(name string, s shape, theirs, ours object) {
	t.Helper()
	theirs = unfold(theirs)
	for _, key := range slices.Sorted(maps.Keys(theirs)) {
		if !s.knows(key) && s.rest == "" {
			t.Errorf("%s: ip shows %s, which is in no row: %v", name, key, theirs[key])
		}
	}
	for _, r := range s.rows {
		if r.path == "" {
			continue
		}
		value, shown := theirs[r.key]
		if shown {
			t.used[s.block+" "+r.key] = true
		}
		got := at(ours, r.path)
		switch {
		case !shown && s.elsewhereShown(r, theirs):
		case !shown:
			if !r.quiet && !empty(got) {
				t.Errorf("%s: %s is %v, ip does not show %s", name, r.path, got, r.key)
			}
		case r.only != nil && !slices.Contains(r.only, fmt.Sprint(theirs["mode"])):
			if got != nil {
				t.Errorf("%s: %s is %v in mode %v", name, r.path, got, theirs["mode"])
			}
		default:
			if want := r.want(value); !fits(want, got) {
				t.Errorf("%s: %s is %v, ip shows %s %v", name, r.path, got, r.key, value)
			}
		}
	}
}

func (s shape) knows(key string) bool {
	return slices.ContainsFunc(s.rows, func(r row) bool { return r.key == key })
}

// elsewhereShown reports whether ip shows the row's value under another key.
func (s shape) elsewhereShown(of row, theirs object) bool {
	return slices.ContainsFunc(s.rows, func(r row) bool {
		_, shown := theirs[r.key]
		return shown && r.path == of.path
	})
}

func (r row) want(value any) any {
	if r.as == nil {
		return value
	}
	return r.as(value)
}

func fits(want, got any) bool {
	if several, ok := want.(anything); ok {
		return slices.Contains(several, got)
	}
	return reflect.DeepEqual(want, got)
}

// empty reports whether ip leaves out such a value.
func empty(v any) bool {
	switch v {
	case nil, false, 0.0, "", "0.0.0.0", "::", "none":
		return true
	}
	return false
}

// unfold moves objects within an object, and lists of flags, to the top level.
func unfold(o object) object {
	flat := object{}
	for key, value := range o {
		switch value := value.(type) {
		case object:
			for inner, value := range value {
				flat[key+"."+inner] = value
			}
		case []any:
			if key != "flags" {
				flat[key] = value
			}
			for _, flag := range value {
				if key == "flags" {
					flat[fmt.Sprint(key, ".", flag)] = true
				}
			}
		default:
			flat[key] = value
		}
	}
	return flat
}

// at finds "key", "object.key", "list:word", and parts of a number as
// "key>>bits" and "key&mask".
func at(o object, path string) any {
	if list, word, ok := strings.Cut(path, ":"); ok {
		all, _ := o[list].([]any)
		return slices.Contains(all, any(word))
	}
	if key, shift, ok := strings.Cut(path, ">>"); ok {
		number, _ := o[key].(float64)
		bits, _ := strconv.Atoi(shift)
		return math.Floor(number / math.Pow(2, float64(bits)))
	}
	if key, mask, ok := strings.Cut(path, "&"); ok {
		number, _ := o[key].(float64)
		bits, _ := strconv.ParseUint(mask, 0, 32)
		return float64(uint64(number) & bits)
	}
	outer, inner, nested := strings.Cut(path, ".")
	if !nested {
		return o[path]
	}
	within, _ := o[outer].(object)
	return at(within, inner)
}

func parse[T any](t *testing.T, text string) (out T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %.200s", err, text)
	}
	return out
}

// compareSets compares lists whose order has no meaning.
func compareSets(t *testing.T, what string, theirs, ours []string) {
	t.Helper()
	slices.Sort(theirs)
	slices.Sort(ours)
	for _, one := range theirs {
		if i := slices.Index(ours, one); i >= 0 {
			ours = slices.Delete(ours, i, i+1)
		} else {
			t.Errorf("%s: only ip shows %s", what, one)
		}
	}
	for _, one := range ours {
		t.Errorf("%s: only we have %s", what, one)
	}
}
