package rtnl

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Bits is a field of flags of the kernel's. Its JSON is the list of their
// names, the lowest bit first; the Spelling has the name of bit 0 first. A bit
// without a name is its value in decimal.
type Bits[S Spelling] uint32

// Names lists the bits that are set.
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

// Words lists the names that there are, beside numbers.
func (Bits[S]) Words() []string { return words[S]() }

// MarshalJSON gives the Names.
func (f Bits[S]) MarshalJSON() ([]byte, error) { return json.Marshal(f.Names()) }

// UnmarshalJSON reads what MarshalJSON wrote.
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

// bits is a row for a field of flags that has the width of N, left out when
// nil.
func bits[N integer, S Spelling, T any](n uint16, name string, at func(*T) **Bits[S]) attribute[T] {
	return orderedBits[N](binary.NativeEndian, n, name, at)
}

func orderedBits[N integer, S Spelling, T any](order byteOrder, n uint16, name string, at func(*T) **Bits[S]) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			var value N
			if want := binary.Size(value); len(b) != want {
				return fmt.Errorf("%d bytes instead of %d", len(b), want)
			}
			_, err := binary.Decode(b, order, &value)
			*at(t) = new(Bits[S](value))
			return err
		},
		encode: func(t *T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			value := N(**at(t))
			if Bits[S](value) != **at(t) {
				return nil, fmt.Errorf("%#x does not fit", uint32(**at(t)))
			}
			return binary.Append(nil, order, value)
		},
	}
}
