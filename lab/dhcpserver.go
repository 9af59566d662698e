package lab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
)

// Manners says how a DHCPServer behaves.
type Manners struct {
	Silent bool          // receives requests, but does not answer
	Delay  time.Duration // before each answer
	Refuse bool          // answers every request for the present address with a NAK
	Lease  time.Duration // a lease may be short; dnsmasq's are at least 2 minutes
}

// DHCPServer is a router's DHCP server whose behaviour a scenario sets.
type DHCPServer struct {
	mu      sync.Mutex
	manners Manners
	last    byte // the last byte of the address that it leases
	acks    []time.Time
	renewed int // requests from a client that had this address already
	router  *Router
	server  *server4.Server
	log     *os.File
	ended   chan struct{}
}

// Behave changes the server's manners from the next packet on.
func (s *DHCPServer) Behave(m Manners) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manners.Refuse && !m.Refuse || s.last == 0 {
		s.last++ // so that no client is leased the refused address again
	}
	s.manners = m
}

// Address returns the address that it now leases.
func (s *DHCPServer) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address()
}

func (s *DHCPServer) address() string { return fmt.Sprintf("%s.%d", s.router.subnet, 100+s.last) }

// Acks returns how many leases the server granted or renewed, and when it did so
// last.
func (s *DHCPServer) Acks() (count, renewals int, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.acks) > 0 {
		last = s.acks[len(s.acks)-1]
	}
	return len(s.acks), s.renewed, last
}

// start listens in the router's network namespace: a socket stays in the namespace in
// which it was created.
func (s *DHCPServer) start(t testing.TB, r *Router) {
	t.Helper()
	s.router = r
	err := r.ns.within(func() (err error) {
		s.server, err = server4.NewServer(r.device, &net.UDPAddr{Port: dhcpv4.ServerPort}, s.handle)
		return err
	})
	if err != nil {
		t.Fatalf("start a DHCP server in %s: %v", r.name, err)
	}
	log, err := os.OpenFile(r.log("dhcp"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	s.log, s.ended = log, make(chan struct{})
	go func() {
		_ = s.server.Serve() // returns an error after Close
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.server.Close()
		<-s.ended
		_ = log.Close()
	})
}

// handle answers according to RFC 2131 section 4.3 and the server's manners.
func (s *DHCPServer) handle(conn net.PacketConn, _ net.Addr, m *dhcpv4.DHCPv4) {
	reply, manners := s.decide(m)
	if reply == nil {
		return
	}
	time.Sleep(manners.Delay)
	to := &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}
	if !m.ClientIPAddr.IsUnspecified() && reply.MessageType() != dhcpv4.MessageTypeNak {
		to.IP = m.ClientIPAddr
	}
	_, err := conn.WriteTo(reply.ToBytes(), to)
	s.mu.Lock()
	defer s.mu.Unlock()
	if reply.MessageType() == dhcpv4.MessageTypeAck {
		s.acks = append(s.acks, time.Now())
		if !m.ClientIPAddr.IsUnspecified() {
			s.renewed++
		}
	}
	fmt.Fprintf(s.log, "%s says %v of %v to %v: %v\n", time.Now().Format(time.TimeOnly), reply.MessageType(), reply.YourIPAddr, to, err)
}

func (s *DHCPServer) decide(m *dhcpv4.DHCPv4) (*dhcpv4.DHCPv4, Manners) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.log, "%s hears %v xid %v, ciaddr %v\n", time.Now().Format(time.TimeOnly), m.MessageType(), m.TransactionID, m.ClientIPAddr)
	kind := dhcpv4.MessageTypeOffer
	wanted := m.RequestedIPAddress()
	if wanted == nil {
		wanted = m.ClientIPAddr
	}
	switch {
	case s.manners.Silent:
		return nil, s.manners
	case m.MessageType() == dhcpv4.MessageTypeDiscover:
	case m.MessageType() != dhcpv4.MessageTypeRequest:
		return nil, s.manners
	case s.manners.Refuse, wanted.String() != s.address():
		kind = dhcpv4.MessageTypeNak
	default:
		kind = dhcpv4.MessageTypeAck
	}
	router := net.ParseIP(s.router.Address())
	modifiers := []dhcpv4.Modifier{dhcpv4.WithMessageType(kind), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(router))}
	if kind != dhcpv4.MessageTypeNak {
		modifiers = append(modifiers,
			dhcpv4.WithYourIP(net.ParseIP(s.address())), dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
			dhcpv4.WithOption(dhcpv4.OptRouter(router)), dhcpv4.WithOption(dhcpv4.OptDNS(router)),
			dhcpv4.WithLeaseTime(uint32(s.manners.Lease.Seconds())))
	}
	reply, err := dhcpv4.NewReplyFromRequest(m, modifiers...)
	if err != nil {
		fmt.Fprintf(s.log, "cannot answer: %v\n", err)
		return nil, s.manners
	}
	return reply, s.manners
}

func (r *Router) leaseFile() string { return filepath.Join(runFolder, r.name+".leases") }
