package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// transport carries DHCP messages, without their IP and UDP headers.
type transport interface {
	// Broadcast sends to every server; source is zero while there is no address.
	Broadcast(source netip.Addr, message []byte) error
	// Unicast sends from an address that the interface has.
	Unicast(source, server netip.Addr, message []byte) error
	// Receive blocks until a message came, or Close.
	Receive(buf []byte) (int, error)
	Close() error
}

// conn is the transport over an interface. It needs CAP_NET_RAW and, for
// unicast, CAP_NET_BIND_SERVICE; not root.
type conn struct {
	index int
	raw   *packet.Conn   // IPv4 packets with link-layer header cut
	in    net.PacketConn // the same, UDP to the client port only
	// udp sends unicast through the kernel, which knows neighbours and routes,
	// and keeps the kernel from answering servers with "port unreachable". It
	// is nil when another DHCP client holds the port. Nobody reads it: raw
	// sees everything that arrives.
	udp *ipv4.PacketConn
}

// listen opens the transport on ifi, which needs neither address nor carrier.
func listen(ifi *net.Interface) (*conn, error) {
	filter, err := bpf.Assemble(toClientPort)
	if err != nil {
		return nil, fmt.Errorf("assemble packet filter: %w", err)
	}
	raw, err := packet.Listen(ifi, packet.Datagram, unix.ETH_P_IP, &packet.Config{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("open packet socket on %s: %w", ifi.Name, err)
	}
	c := &conn{index: ifi.Index, raw: raw}
	c.in = nclient4.NewBroadcastUDPConn(raw, &net.UDPAddr{Port: dhcpv4.ClientPort})
	c.udp = listenUDP(ifi.Name)
	return c, nil
}

// toClientPort accepts unfragmented UDP to the client port, so that a busy
// interface does not wake us for each packet. Offsets are those of IPv4.
var toClientPort = []bpf.Instruction{
	bpf.LoadAbsolute{Off: 9, Size: 1}, // protocol
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_UDP, SkipTrue: 6},
	bpf.LoadAbsolute{Off: 6, Size: 2}, // fragment offset
	bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 4},
	bpf.LoadMemShift{Off: 0},          // X = length of the IP header
	bpf.LoadIndirect{Off: 2, Size: 2}, // destination port
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: dhcpv4.ClientPort, SkipTrue: 1},
	bpf.RetConstant{Val: 0xffff},
	bpf.RetConstant{Val: 0},
}

// listenUDP gives nil when the port cannot be had.
func listenUDP(ifname string) *ipv4.PacketConn {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		control := raw.Control(func(fd uintptr) {
			err = errors.Join(
				unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, ifname),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 0), // the kernel's minimum
			)
		})
		return errors.Join(control, err)
	}}
	any4 := netip.AddrPortFrom(netip.IPv4Unspecified(), dhcpv4.ClientPort).String()
	udp, err := config.ListenPacket(context.Background(), "udp4", any4)
	if err != nil {
		return nil
	}
	return ipv4.NewPacketConn(udp)
}

func (c *conn) Broadcast(source netip.Addr, message []byte) error {
	from := &net.UDPAddr{Port: dhcpv4.ClientPort, IP: net.IPv4zero}
	if source.IsValid() {
		from.IP = source.AsSlice()
	}
	to := &net.UDPAddr{Port: dhcpv4.ServerPort, IP: net.IPv4bcast}
	_, err := nclient4.NewBroadcastUDPConn(c.raw, from).WriteTo(message, to)
	return err
}

func (c *conn) Unicast(source, server netip.Addr, message []byte) error {
	if c.udp == nil {
		return errors.New("the client port is in use")
	}
	to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(server, dhcpv4.ServerPort))
	_, err := c.udp.WriteTo(message, &ipv4.ControlMessage{Src: source.AsSlice(), IfIndex: c.index}, to)
	return err
}

func (c *conn) Receive(buf []byte) (int, error) {
	for {
		n, _, err := c.in.ReadFrom(buf)
		// Once for every time that the interface goes down; the socket goes on
		// by itself when it comes up. It says the same when the interface goes
		// away for good.
		if errors.Is(err, unix.ENETDOWN) {
			if _, err := net.InterfaceByIndex(c.index); err == nil {
				continue
			}
		}
		return n, err
	}
}

func (c *conn) Close() error {
	err := c.raw.Close()
	if c.udp != nil {
		err = errors.Join(err, c.udp.Close())
	}
	return err
}
