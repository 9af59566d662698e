package state

import (
	"encoding/json"
	"net/netip"
	"strconv"
)

// AppendJSON appends the JSON of a route, equal to that of json.Marshal, in a tenth
// of the time: there may be a million routes. (A method MarshalJSON would not help,
// since json.Marshal checks everything that such a method returns.)
func (r *Route) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = appendString(appendKey(b, "address_family"), string(r.Family))
	b = appendNumber(b, "tos", r.TOS)
	b = appendNumber(b, "table", r.Table)
	b = appendWord(b, "protocol", r.Protocol.String())
	b = appendWord(b, "scope", r.Scope.String())
	b = appendWord(b, "route_type", r.Type.String())
	b = appendWords(b, "flags", r.Flags)
	b = appendPrefix(b, "dst", r.Destination)
	b = appendName(b, "oif", r.OutIface)
	b = appendName(b, "iif", r.InIface)
	b = appendAddress(b, "prefered_src", r.PreferredSource)
	b = appendPrefix(b, "src", r.Source)
	b = appendRealm(b, r.Realm)
	b = appendAddress(b, "gateway", r.Gateway)
	b = appendAddress(b, "via", r.Via)
	b = appendOptional(b, "mark", r.Mark)
	b = appendOptional(b, "uid", r.UID)
	if r.Metrics != nil {
		b = appendMembers(b, r.Metrics)
	}
	if r.RouteCache != nil {
		b = r.RouteCache.appendJSON(b)
	}
	b = appendOptional(b, "metric", r.Metric)
	if r.Preference != nil {
		b = appendWord(b, "preference", r.Preference.String())
	}
	b = appendHops(b, r.Multipath)
	if r.NexthopID != 0 {
		b = appendNumber(b, "nexthop_id", r.NexthopID)
	}
	if r.Encap != 0 {
		b = appendWord(b, "encap", r.Encap.String())
	}
	return append(b, '}')
}

func (c *RouteCache) appendJSON(b []byte) []byte {
	b = appendNumber(b, "cache_clntref", c.References)
	b = appendNumber(b, "cache_last_use", c.LastUse)
	b = appendNumber(b, "cache_expires", c.Expires)
	b = appendNumber(b, "cache_error", c.Error)
	b = appendNumber(b, "cache_used", c.Used)
	b = appendNumber(b, "cache_id", c.ID)
	b = appendNumber(b, "cache_ts", c.Timestamp)
	return appendNumber(b, "cache_ts_age", c.TSAge)
}

func appendHops(b []byte, hops []RouteHop) []byte {
	if len(hops) == 0 {
		return b
	}
	b = append(appendKey(b, "multipath"), '[')
	for i := range hops {
		if i > 0 {
			b = append(b, ',')
		}
		b = hops[i].appendJSON(b)
	}
	return append(b, ']')
}

func (h *RouteHop) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if h.Via.IsValid() {
		b = appendAddress(b, "via", h.Via)
	} else {
		b = appendWord(b, "via", "")
	}
	b = appendString(appendKey(b, "iface"), h.Iface)
	b = appendNumber(b, "weight", h.Weight)
	b = appendWords(b, "flags", h.Flags)
	b = appendRealm(b, h.Realm)
	if h.Encap != 0 {
		b = appendWord(b, "encap", h.Encap.String())
	}
	return append(b, '}')
}

func appendRealm(b []byte, r Realm) []byte {
	if r == (Realm{}) {
		return b
	}
	b = append(appendKey(b, "realm"), '{')
	b = appendNumber(b, "source", r.Source)
	b = appendNumber(b, "destination", r.Destination)
	return append(b, '}')
}

// appendKey begins the next member of the object at the end of b.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, key...)
	return append(b, '"', ':')
}

// appendWord appends a member whose text needs no escaping.
func appendWord(b []byte, key, word string) []byte {
	b = append(appendKey(b, key), '"')
	b = append(b, word...)
	return append(b, '"')
}

func appendWords(b []byte, key string, set interface{ Names() []string }) []byte {
	b = append(appendKey(b, key), '[')
	for i, word := range set.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, word...)
		b = append(b, '"')
	}
	return append(b, ']')
}

func appendNumber[N ~uint8 | ~uint16 | ~uint32 | ~int32](b []byte, key string, n N) []byte {
	return strconv.AppendInt(appendKey(b, key), int64(n), 10)
}

func appendOptional(b []byte, key string, n *uint32) []byte {
	if n == nil {
		return b
	}
	return appendNumber(b, key, *n)
}

func appendPrefix(b []byte, key string, p netip.Prefix) []byte {
	if p == (netip.Prefix{}) {
		return b
	}
	b = append(appendKey(b, key), '"')
	return append(p.AppendTo(b), '"')
}

func appendAddress(b []byte, key string, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	b = appendKey(b, key)
	if a.Zone() != "" { // a zone may be any text
		return appendString(b, a.String())
	}
	return append(a.AppendTo(append(b, '"')), '"')
}

// appendName appends the name of an interface, unless it is "".
func appendName(b []byte, key, name string) []byte {
	if name == "" {
		return b
	}
	return appendString(appendKey(b, key), name)
}

// appendString appends any string. Most strings need no escaping; encoding/json
// encodes the others.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string can always be encoded
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendMembers appends members that few routes have, by a slower method.
func appendMembers(b []byte, object any) []byte {
	text, _ := json.Marshal(object) // numbers and strings can always be encoded
	if members := text[1 : len(text)-1]; len(members) > 0 {
		b = append(append(b, ','), members...)
	}
	return b
}
