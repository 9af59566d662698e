package ndp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// allRouters is the group of a link's routers (RFC 4291 2.7.1).
var allRouters = netip.MustParseAddr("ff02::2").As16()

// solicitor asks the routers of a link. It needs CAP_NET_RAW.
type solicitor struct {
	fd      int
	ifi     *net.Interface
	message []byte
}

func openSolicitor(ifi *net.Interface) (*solicitor, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMPV6)
	if err != nil {
		return nil, fmt.Errorf("open a socket for router solicitations: %w", err)
	}
	err = errors.Join(
		// A router ignores what another router may have passed on (RFC 4861 6.1.1).
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, ifi.Index),
		// Nobody reads here what arrives.
		unix.SetsockoptICMPv6Filter(fd, unix.IPPROTO_ICMPV6, unix.ICMPV6_FILTER, blockAll),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare a socket for router solicitations: %w", err), unix.Close(fd))
	}
	return &solicitor{fd: fd, ifi: ifi, message: solicitation(ifi.HardwareAddr)}, nil
}

// blockAll is a filter that lets no type of message pass (RFC 3542 3.2).
var blockAll = func() *unix.ICMPv6Filter {
	var filter unix.ICMPv6Filter
	for i := range filter.Data {
		filter.Data[i] = ^uint32(0)
	}
	return &filter
}()

// solicitation is the message, whose checksum the kernel fills in. It has our
// hardware address, so that the router need not ask for it.
func solicitation(hardware net.HardwareAddr) []byte {
	message := []byte{routerSolicitation, 0, 0, 0, 0, 0, 0, 0}
	if len(hardware) == unit-2 { // others need padding
		message = append(append(message, optionSourceAddress, 1), hardware...)
	}
	return message
}

// solicit asks all routers of the link.
func (s *solicitor) solicit() error {
	to := &unix.SockaddrInet6{ZoneId: uint32(s.ifi.Index), Addr: allRouters}
	if err := unix.Sendto(s.fd, s.message, 0, to); err != nil {
		return fmt.Errorf("send a router solicitation on %s: %w", s.ifi.Name, err)
	}
	return nil
}

// Close ends the solicitor.
func (s *solicitor) Close() error { return unix.Close(s.fd) }
