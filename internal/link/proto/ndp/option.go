package ndp

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Types of ICMPv6 messages (RFC 4861 4.1 and 4.2).
const (
	routerSolicitation  = 133
	routerAdvertisement = 134
)

const (
	optionSourceAddress = 1  // RFC 4861 4.6.1
	optionServers       = 25 // RFC 8106 5.1

	unit          = 8  // bytes in which lengths of options are counted
	serversHeader = 8  // type, length, two reserved bytes, lifetime
	addressSize   = 16 // bytes
)

// infinite is the lifetime that never ends (RFC 8106 5.1).
const infinite = 0xffffffff * time.Second

// servers is what one option says.
type servers struct {
	lifetime  time.Duration
	addresses []netip.Addr
}

// readServers finds the name servers in options of a router advertisement. An
// option of a wrong length is ignored (RFC 8106 5.3.1), and so is what follows an
// option without a length.
func readServers(options []byte) (found []servers) {
	for len(options) >= unit {
		size := int(options[1]) * unit
		if size == 0 || size > len(options) {
			return found
		}
		option := options[:size]
		options = options[size:]
		if option[0] != optionServers || size < serversHeader+addressSize || (size-serversHeader)%addressSize != 0 {
			continue
		}
		s := servers{lifetime: time.Duration(binary.BigEndian.Uint32(option[4:])) * time.Second}
		for at := serversHeader; at < size; at += addressSize {
			s.addresses = append(s.addresses, netip.AddrFrom16([addressSize]byte(option[at:])))
		}
		found = append(found, s)
	}
	return found
}
