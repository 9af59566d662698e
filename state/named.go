package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Spelling lists the names of the numbers of one of the kernel's enumerations; ""
// means that a number has no name.
type Spelling interface{ names() []string }

// Named is a number of the kernel's that people know by its name. Its text is the
// name, or the number in decimal if there is no name: new kernels add numbers.
type Named[S Spelling] uint32

func (n Named[S]) String() string {
	var s S
	if names := s.names(); int64(n) < int64(len(names)) && names[n] != "" {
		return names[n]
	}
	return strconv.FormatUint(uint64(n), 10)
}

// MarshalText returns the String.
func (n Named[S]) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (n *Named[S]) UnmarshalText(b []byte) error {
	var s S
	if i := slices.Index(s.names(), string(b)); i >= 0 && len(b) > 0 {
		*n = Named[S](i)
		return nil
	}
	number, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return fmt.Errorf("%q is neither a number nor one of %s", b, strings.Join(n.Words(), ", "))
	}
	*n = Named[S](number)
	return nil
}

// Words lists the names that the text may have; otherwise the text is a number.
func (Named[S]) Words() []string { return words[S]() }

// Bits is a set of flags of the kernel's. Its JSON is the list of their names, the
// lowest bit first; the Spelling starts with the name of bit 0. A bit without a name
// is written as its value in decimal.
type Bits[S Spelling] uint32

// Names lists the set bits.
func (f Bits[S]) Names() []string {
	var s S
	known, out := s.names(), []string{}
	for i := range 32 {
		switch bit := uint32(1) << i; {
		case uint32(f)&bit == 0:
		case i < len(known) && known[i] != "":
			out = append(out, known[i])
		default:
			out = append(out, strconv.FormatUint(uint64(bit), 10))
		}
	}
	return out
}

// Words lists the names that exist; other bits are numbers.
func (Bits[S]) Words() []string { return words[S]() }

// MarshalJSON returns the Names.
func (f Bits[S]) MarshalJSON() ([]byte, error) { return json.Marshal(f.Names()) }

// UnmarshalJSON reads the list that MarshalJSON returns.
func (f *Bits[S]) UnmarshalJSON(b []byte) error {
	var names []string
	if err := json.Unmarshal(b, &names); err != nil {
		return err
	}
	var s S
	*f = 0
	for _, name := range names {
		if i := slices.Index(s.names(), name); i >= 0 && name != "" {
			*f |= 1 << i
			continue
		}
		bit, err := strconv.ParseUint(name, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is neither a number nor the name of a flag", name)
		}
		*f |= Bits[S](bit)
	}
	return nil
}

func words[S Spelling]() []string {
	var s S
	return slices.DeleteFunc(slices.Clone(s.names()), func(name string) bool { return name == "" })
}
