package wireguard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// WGDEVICE_A_PRIVATE_KEY, WGDEVICE_A_PUBLIC_KEY, WGPEER_A_PUBLIC_KEY and
// WGPEER_A_PRESHARED_KEY are not in these tables, so nobody can show them.
var deviceRows = genl.Table[*state.WireGuard]{
	genl.Optional(unix.WGDEVICE_A_LISTEN_PORT, "WGDEVICE_A_LISTEN_PORT", func(d *state.WireGuard) **uint16 { return &d.ListenPort }),
	genl.Optional(unix.WGDEVICE_A_FWMARK, "WGDEVICE_A_FWMARK", func(d *state.WireGuard) **uint32 { return &d.FwMark }),
	{Number: unix.WGDEVICE_A_PEERS, Name: "WGDEVICE_A_PEERS", Decode: decodePeers},
}

var peerRows = genl.Table[*state.WireGuardPeer]{
	{Number: unix.WGPEER_A_ENDPOINT, Name: "WGPEER_A_ENDPOINT", Decode: decodeEndpoint},
	genl.Optional(unix.WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, "WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL", func(p *state.WireGuardPeer) **uint16 { return &p.PersistentKeepalive }),
	{Number: unix.WGPEER_A_LAST_HANDSHAKE_TIME, Name: "WGPEER_A_LAST_HANDSHAKE_TIME", Decode: decodeHandshake},
	genl.Optional(unix.WGPEER_A_RX_BYTES, "WGPEER_A_RX_BYTES", func(p *state.WireGuardPeer) **uint64 { return &p.RxBytes }),
	genl.Optional(unix.WGPEER_A_TX_BYTES, "WGPEER_A_TX_BYTES", func(p *state.WireGuardPeer) **uint64 { return &p.TxBytes }),
	{Number: unix.WGPEER_A_ALLOWEDIPS, Name: "WGPEER_A_ALLOWEDIPS", Decode: decodeAllowedIPs},
	genl.Optional(unix.WGPEER_A_PROTOCOL_VERSION, "WGPEER_A_PROTOCOL_VERSION", func(p *state.WireGuardPeer) **uint32 { return &p.ProtocolVersion }),
}

func decodePeers(d *state.WireGuard, b []byte) error {
	return genl.Each(b, func(element []byte) error {
		var peer state.WireGuardPeer
		if err := peerRows.Decode(&peer, element); err != nil {
			return err
		}
		d.Peers = append(d.Peers, peer)
		return nil
	})
}

// decodeEndpoint reads a struct sockaddr_in or sockaddr_in6 (linux/in.h,
// linux/in6.h).
func decodeEndpoint(p *state.WireGuardPeer, b []byte) error {
	if len(b) < 2 {
		return fmt.Errorf("%d bytes are no socket address", len(b))
	}
	var address netip.Addr
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET && len(b) >= unix.SizeofSockaddrInet4:
		address = netip.AddrFrom4([4]byte(b[4:8]))
	case family == unix.AF_INET6 && len(b) >= unix.SizeofSockaddrInet6:
		address = netip.AddrFrom16([16]byte(b[8:24]))
		if scope := binary.NativeEndian.Uint32(b[24:28]); scope != 0 {
			address = address.WithZone(strconv.FormatUint(uint64(scope), 10))
		}
	default:
		return fmt.Errorf("%d bytes are no socket address of family %d", len(b), family)
	}
	endpoint := netip.AddrPortFrom(address, binary.BigEndian.Uint16(b[2:4]))
	p.Endpoint = &endpoint
	return nil
}

// yearEnd is what RFC 3339 cannot write any more: the year 10000.
const yearEnd = 253402300800

// decodeHandshake reads a struct __kernel_timespec (linux/time_types.h).
func decodeHandshake(p *state.WireGuardPeer, b []byte) error {
	if len(b) < 16 {
		return fmt.Errorf("%d bytes instead of 16", len(b))
	}
	s, ns := int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))
	if s == 0 && ns == 0 {
		return nil // never
	}
	if s < 0 || s >= yearEnd || ns < 0 || ns >= int64(time.Second) {
		return fmt.Errorf("%d.%09d s is no time", s, ns)
	}
	at := time.Unix(s, ns).UTC()
	p.LastHandshake = &at
	return nil
}

// allowedIP is an element of WGPEER_A_ALLOWEDIPS.
type allowedIP struct {
	family  uint16
	address []byte
	bits    uint8
}

var allowedIPRows = genl.Table[*allowedIP]{
	genl.Number(unix.WGALLOWEDIP_A_FAMILY, "WGALLOWEDIP_A_FAMILY", func(a *allowedIP) *uint16 { return &a.family }),
	genl.Raw(unix.WGALLOWEDIP_A_IPADDR, "WGALLOWEDIP_A_IPADDR", func(a *allowedIP) *[]byte { return &a.address }),
	genl.Number(unix.WGALLOWEDIP_A_CIDR_MASK, "WGALLOWEDIP_A_CIDR_MASK", func(a *allowedIP) *uint8 { return &a.bits }),
}

func decodeAllowedIPs(p *state.WireGuardPeer, b []byte) error {
	return genl.Each(b, func(element []byte) error {
		var allowed allowedIP
		if err := allowedIPRows.Decode(&allowed, element); err != nil {
			return err
		}
		address, ok := netip.AddrFromSlice(allowed.address)
		if !ok || address.Is4() != (allowed.family == unix.AF_INET) || int(allowed.bits) > address.BitLen() {
			return errors.New("no network")
		}
		p.AllowedIPs = append(p.AllowedIPs, netip.PrefixFrom(address, int(allowed.bits)))
		return nil
	})
}
