package state

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// partNames holds the names of parts in JSON, the lowest bit first. A part that is a
// key of State has the same name here.
var partNames = []string{"ifaces", "statistics", "drivers", "routes", "rules", "neighbours", "fdb", "nexthops", "mptcp"}

// Names lists the parts.
func (p Parts) Names() []string {
	names := []string{}
	for i, name := range partNames {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// MarshalJSON returns the Names.
func (p Parts) MarshalJSON() ([]byte, error) { return json.Marshal(p.Names()) }

// UnmarshalJSON reads a list of names. The list must not be empty, since a Filter
// without parts selects everything.
func (p *Parts) UnmarshalJSON(b []byte) error {
	var names []string
	if err := json.Unmarshal(b, &names); err != nil {
		return err
	}
	if names != nil && len(names) == 0 {
		return errors.New("names none; left out it means everything")
	}
	var all Parts
	for _, name := range names {
		i := slices.Index(partNames, name)
		if i < 0 {
			return fmt.Errorf("%q is none of %s", name, strings.Join(partNames, ", "))
		}
		all |= 1 << i
	}
	*p = all
	return nil
}

// filterJSON has the JSON form of a Filter.
type filterJSON struct {
	Parts    Parts          `json:"parts,omitzero"`
	Iface    string         `json:"iface,omitempty"`
	Type     IfaceType      `json:"iface_type,omitempty"`
	Family   AddressFamily  `json:"family,omitempty"`
	Table    uint32         `json:"table,omitempty"`
	Protocol *RouteProtocol `json:"protocol,omitempty"`
	Scope    *RouteScope    `json:"scope,omitempty"`
	OutIface string         `json:"out_iface,omitempty"`
}

// MarshalJSON leaves out fields that filter nothing:
// {"parts":["routes"],"table":254}.
func (f Filter) MarshalJSON() ([]byte, error) { return json.Marshal(filterJSON(f)) }

// UnmarshalJSON reads the form that MarshalJSON returns; null counts as absent.
// Unknown content is an error, because a filter that is half understood would select
// the wrong objects.
func (f *Filter) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return errors.New("decode filter: it is no object")
	}
	var out Filter
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if err := out.setMember(key, members[key]); err != nil {
			return fmt.Errorf("decode filter: %s: %w", key, err)
		}
	}
	*f = out
	return nil
}

func (f *Filter) setMember(key string, value []byte) (err error) {
	var text string
	target := any(&text)
	switch key {
	case "parts":
		target = &f.Parts
	case "table":
		target = &f.Table
	case "iface_type":
		target = &f.Type
	case "iface", "out_iface", "family", "protocol", "scope":
	default:
		return errors.New("no such key")
	}
	if err := json.Unmarshal(value, target); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("it cannot be: %s", wrong.Value)
		}
		return err
	}
	if key == "iface_type" {
		return f.Type.checkWord(value)
	}
	if text == "" {
		return nil
	}
	switch key {
	case "iface":
		f.Iface = text
	case "out_iface":
		f.OutIface = text
	case "family":
		f.Family, err = parseFamily(text)
	case "protocol":
		f.Protocol, err = ParseRouteProtocol(text)
	case "scope":
		f.Scope, err = ParseRouteScope(text)
	}
	return err
}

// checkWord refuses a text that is not one of our words: it may be misspelt, and
// would then select nothing.
func (t IfaceType) checkWord(value []byte) error {
	if t == "" || known[t] || value[0] != '"' {
		return nil
	}
	return fmt.Errorf(`%q is none of %s; of another kind write {"other":%q}`, string(t), strings.Join(t.Words(), ", "), string(t))
}

func parseFamily(text string) (AddressFamily, error) {
	f := AddressFamily(text)
	if f != FamilyIPv4 && f != FamilyIPv6 {
		return "", fmt.Errorf("%q is neither %s nor %s", text, FamilyIPv4, FamilyIPv6)
	}
	return f, nil
}

// ParseRouteProtocol reads a name, in upper or lower case, or a number.
func ParseRouteProtocol(text string) (*RouteProtocol, error) { return parseByte[RouteProtocol](text) }

// ParseRouteScope reads a name, in upper or lower case, or a number.
func ParseRouteScope(text string) (*RouteScope, error) { return parseByte[RouteScope](text) }

// parseByte reads an enumeration that has 8 bits in the kernel.
func parseByte[T ~uint32, P interface {
	*T
	encoding.TextUnmarshaler
}](text string) (*T, error) {
	n := new(T)
	if err := P(n).UnmarshalText([]byte(strings.ToLower(text))); err != nil {
		return nil, err
	}
	if *n > math.MaxUint8 {
		return nil, fmt.Errorf("%s is larger than %d", text, math.MaxUint8)
	}
	return n, nil
}

// ParseTable reads the number of a routing table, or its name: main, local or
// default (RT_TABLE_… of linux/rtnetlink.h).
func ParseTable(text string) (uint32, error) {
	switch strings.ToLower(text) {
	case "default":
		return 253, nil
	case "main":
		return 254, nil
	case "local":
		return 255, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is neither main, local, default nor a number from 1 to %d", text, uint32(math.MaxUint32))
	}
	return uint32(n), nil
}
