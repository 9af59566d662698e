package ap

import (
	"net"
	"net/netip"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Types of ICMP messages (RFC 792, RFC 4861 4.2 and 4.5).
const (
	redirect4           = 5
	routerAdvertisement = 134
	redirect6           = 137
)

// loopback is the range to which no packet from outside may be addressed (RFC 1122
// 3.2.1.3).
var loopback = netip.MustParsePrefix("127.0.0.0/8")

// Where the addresses are in the header of IPv4 (RFC 791 3.1).
const (
	sourceOffset      = 12
	destinationOffset = 16
)

// statusDNAT is the bit IPS_DST_NAT of a connection
// (linux/netfilter/nf_conntrack_common.h): a rule has sent it to another
// address than it was addressed to.
const statusDNAT = 1 << 5

// rule joins conditions and their verdict.
func rule(parts ...[]expr.Any) []expr.Any {
	var all []expr.Any
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func inBy(ifname string) []expr.Any  { return byName(expr.MetaKeyIIFNAME, ifname) }
func outOf(ifname string) []expr.Any { return byName(expr.MetaKeyOIFNAME, ifname) }

// byName matches an interface by its name, because an interface may appear later or
// disappear and come back.
func byName(key expr.MetaKey, ifname string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, ifname)
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, equals(padded)}
}

func equals(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }

// isIPv4 has to come before any condition on the header, as the table sees both
// versions of IP.
func isIPv4() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, equals([]byte{unix.NFPROTO_IPV4})}
}

// from compares the source address with an IPv4 subnet.
func from(subnet netip.Prefix) []expr.Any { return address(subnet, sourceOffset) }

// to compares the destination address with an IPv4 subnet.
func to(subnet netip.Prefix) []expr.Any { return address(subnet, destinationOffset) }

func address(subnet netip.Prefix, offset uint32) []expr.Any {
	return rule(isIPv4(), []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(subnet.Bits(), 32), Xor: make([]byte, 4)},
		equals(subnet.Addr().AsSlice()),
	})
}

// message matches an ICMP message by its type, which is the first byte (RFC 792, RFC
// 4443 2.1), also behind extension headers of IPv6.
func message(protocol, kind byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equals([]byte{protocol}),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1}, equals([]byte{kind}),
	}
}

// answer matches a packet of a known connection.
func answer() []expr.Any {
	return anyOf(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
}

// published matches a packet of a connection that was made to our own address and
// that a rule of another program has redirected.
func published(own netip.Addr) []expr.Any {
	return rule(isIPv4(), anyOf(expr.CtKeySTATUS, statusDNAT), []expr.Any{
		&expr.Ct{Register: 1, Key: expr.CtKeyDST, Direction: 0 /* as the phone sent it */}, equals(own.AsSlice()),
	})
}

// anyOf matches if the connection's state has any of the bits.
func anyOf(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Register: 1, Key: key},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func verdict(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }
