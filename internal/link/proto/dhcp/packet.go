package dhcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
)

// maxMessage is what we can receive: an Ethernet frame's payload without IP
// and UDP headers (option 57 counts the DHCP message, RFC 2132 9.10).
const maxMessage = 1500 - 20 - 8

// wantedOptions is the parameter request list. RFC 3442 requires that option
// 121 is asked for before option 3.
var wantedOptions = []dhcpv4.OptionCode{
	dhcpv4.OptionSubnetMask,
	dhcpv4.OptionClasslessStaticRoute,
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
	if err := readOverloaded(m, packet); err != nil {
		return reply{}, err
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
	if r.lease, err = lease(m, r.server); err != nil {
		return reply{}, &unusableError{r.kind, r.xid, r.server, err}
	}
	return r, nil
}

// unusableError says why what a server offers to this very client cannot be
// taken. Somebody has to mend that server.
type unusableError struct {
	kind   kind
	xid    uint32
	server netip.Addr
	why    error
}

func (e *unusableError) Error() string { return fmt.Sprintf("%s of %s: %v", e.kind, e.server, e.why) }

// Where the fields are that may hold options, too (RFC 2131 figure 1).
const (
	serverNameAt = 44
	fileAt       = 108
	cookieAt     = 236
)

// readOverloaded adds the options that option 52 says are in the fields file
// and sname (RFC 2132 9.3). An option that is in several places is one value in
// parts, of which those in file come before those in sname (RFC 3396 5).
func readOverloaded(m *dhcpv4.DHCPv4, packet []byte) error {
	overload := m.Options.Get(dhcpv4.OptionOptionOverload)
	if len(overload) != 1 || len(packet) < cookieAt {
		return nil
	}
	for _, field := range []struct {
		bit  byte
		data []byte
	}{{1, packet[fileAt:cookieAt]}, {2, packet[serverNameAt:fileAt]}} {
		if overload[0]&field.bit == 0 {
			continue
		}
		if err := m.Options.FromBytes(field.data); err != nil {
			return fmt.Errorf("decode DHCP options beside the options field: %w", err)
		}
	}
	return nil
}
