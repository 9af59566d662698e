package dhcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
)

const (
	// defaultLease is assumed when a server breaks RFC 2131 table 3 and gives
	// no lease time.
	defaultLease = time.Hour
	// minLease keeps a server that grants seconds from making us spin.
	minLease = 10 * time.Second
	// infinite is the lease time that never ends (RFC 2131 3.3).
	infinite = 0xffffffff * time.Second
	// maxMessage is what we can receive: an Ethernet frame's payload without
	// IP and UDP headers (option 57 counts the DHCP message, RFC 2132 9.10).
	maxMessage = 1500 - 20 - 8
)

// wantedOptions is the parameter request list. Option 121 is not in it on
// purpose: who asks for it must ignore option 3 (RFC 3442).
var wantedOptions = []dhcpv4.OptionCode{
	dhcpv4.OptionSubnetMask,
	dhcpv4.OptionRouter,
	dhcpv4.OptionDomainNameServer,
	dhcpv4.OptionDomainName,
	dhcpv4.OptionIPAddressLeaseTime,
	dhcpv4.OptionRenewTimeValue,
	dhcpv4.OptionRebindingTimeValue,
	dhcpv4.OptionDNSDomainSearchList,
}

// identity is what every message of ours says about the device.
type identity struct {
	hardware net.HardwareAddr
	hostName string
	clientID []byte
}

// newIdentity derives the client id from the hardware address if none is
// given, as most clients do, so that an address survives a change of client.
func newIdentity(cfg Config, hardware net.HardwareAddr) identity {
	id := identity{hardware: hardware, hostName: cfg.HostName, clientID: cfg.ClientID}
	if id.clientID == nil {
		id.clientID = append([]byte{byte(iana.HWTypeEthernet)}, hardware...)
	}
	return id
}

// encode builds the message for s.
func (id identity) encode(s send) ([]byte, error) {
	var xid dhcpv4.TransactionID
	binary.BigEndian.PutUint32(xid[:], s.xid)
	messageType := dhcpv4.MessageTypeDiscover
	if s.kind == request {
		messageType = dhcpv4.MessageTypeRequest
	}
	// No broadcast flag: the packet socket receives unicast before there is an
	// address, and access points deliver unicast sooner and more reliably.
	m, err := dhcpv4.New(
		dhcpv4.WithTransactionID(xid),
		dhcpv4.WithHwAddr(id.hardware),
		dhcpv4.WithMessageType(messageType),
		dhcpv4.WithOption(dhcpv4.OptClientIdentifier(id.clientID)),
		dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(maxMessage)),
		dhcpv4.WithRequestedOptions(wantedOptions...),
	)
	if err != nil {
		return nil, fmt.Errorf("build DHCP message: %w", err)
	}
	m.NumSeconds = uint16(min(s.elapsed/time.Second, 0xffff))
	if id.hostName != "" {
		m.UpdateOption(dhcpv4.OptHostName(id.hostName))
	}
	if s.requested.IsValid() {
		m.UpdateOption(dhcpv4.OptRequestedIPAddress(s.requested.AsSlice()))
	}
	if s.server.IsValid() {
		m.UpdateOption(dhcpv4.OptServerIdentifier(s.server.AsSlice()))
	}
	if s.client.IsValid() {
		m.ClientIPAddr = s.client.AsSlice()
	}
	return m.ToBytes(), nil
}

// decode checks a received message. An error means that it is not for us, or
// unusable; such messages are normal on a shared wire.
func (id identity) decode(packet []byte) (reply, error) {
	m, err := dhcpv4.FromBytes(packet)
	if err != nil {
		return reply{}, fmt.Errorf("decode DHCP message: %w", err)
	}
	if m.OpCode != dhcpv4.OpcodeBootReply {
		return reply{}, errors.New("not a reply")
	}
	if m.ClientHWAddr.String() != id.hardware.String() {
		return reply{}, errors.New("for another client")
	}
	kinds := map[dhcpv4.MessageType]kind{
		dhcpv4.MessageTypeOffer: offer, dhcpv4.MessageTypeAck: ack, dhcpv4.MessageTypeNak: nak,
	}
	r := reply{
		kind:   kinds[m.MessageType()],
		xid:    binary.BigEndian.Uint32(m.TransactionID[:]),
		server: unicast(m.ServerIdentifier()),
	}
	switch {
	case r.kind == "":
		return reply{}, fmt.Errorf("unexpected DHCP message type %s", m.MessageType())
	case !r.server.IsValid():
		return reply{}, fmt.Errorf("%s without server identifier", r.kind)
	case r.kind == nak:
		return r, nil
	}
	r.lease, err = lease(m, r.server)
	return r, err
}

// lease reads what an offer or acknowledgement grants.
func lease(m *dhcpv4.DHCPv4, server netip.Addr) (Lease, error) {
	address := unicast(m.YourIPAddr)
	if !address.IsValid() || address.IsLoopback() {
		return Lease{}, fmt.Errorf("%s of the unusable address %s", m.MessageType(), m.YourIPAddr)
	}
	l := Lease{
		Address: netip.PrefixFrom(address, prefixLength(m)),
		Server:  server,
	}
	l.Renew, l.Rebind, l.Expire = times(m)
	for _, ip := range m.Router() {
		if router := unicast(ip); router.IsValid() && router != address {
			l.Router = router
			break
		}
	}
	for _, ip := range m.DNS() {
		if server := unicast(ip); server.IsValid() {
			l.DNS = append(l.DNS, server)
		}
	}
	// Some servers put several domains into option 15, or end it with NUL.
	if domains := strings.Fields(strings.TrimRight(m.DomainName(), "\x00")); len(domains) > 0 {
		l.Domain = domains[0]
	}
	if search := m.DomainSearch(); search != nil && len(search.Labels) > 0 {
		l.Search = search.Labels
	}
	return l, nil
}

// prefixLength is that of option 1, or of the address class (RFC 950) when
// the option is absent or no mask.
func prefixLength(m *dhcpv4.DHCPv4) int {
	if ones, bits := m.SubnetMask().Size(); bits == 32 && ones > 0 {
		return ones
	}
	if mask := m.YourIPAddr.DefaultMask(); mask != nil {
		ones, _ := mask.Size()
		return ones
	}
	return 32
}

// times gives T1, T2 and the length of the lease; zeros for an infinite one.
// T1 and T2 that are absent or out of order are replaced by the defaults of
// RFC 2131 4.4.5.
func times(m *dhcpv4.DHCPv4) (renew, rebind, expire time.Duration) {
	expire = max(m.IPAddressLeaseTime(defaultLease), minLease)
	if expire == infinite {
		return 0, 0, 0
	}
	renew = m.IPAddressRenewalTime(expire / 2)
	rebind = m.IPAddressRebindingTime(expire * 7 / 8)
	if renew < minLease/2 || renew >= rebind || rebind >= expire {
		renew, rebind = expire/2, expire*7/8
	}
	return renew, rebind, expire
}

// unicast converts an address that a host can have; zero for others.
func unicast(ip net.IP) netip.Addr {
	address, ok := netip.AddrFromSlice(ip.To4())
	if !ok || address.IsUnspecified() || address.IsMulticast() || address.As4()[0] >= 240 {
		return netip.Addr{}
	}
	return address
}
