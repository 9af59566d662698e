package doctor

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	portDNS  = 53
	portDHCP = 67
)

// listeners returns the sockets that listen on the ports of DNS and DHCP. The
// kernel's sock_diag shows the device that a socket is bound to. Kernels without
// udp_diag have only /proc/net, which does not show it.
func (m machine) listeners() ([]Socket, error) {
	found, err := diagnose()
	if err != nil {
		if found, err = m.procSockets(); err != nil {
			return nil, fmt.Errorf("list the sockets: %w", err)
		}
	}
	return slices.DeleteFunc(found, func(s Socket) bool {
		port := s.Local.Port()
		return port != portDNS && !(port == portDHCP && s.Protocol == "udp")
	}), nil
}

// tables are the tables to ask the kernel for, with the state of a listening socket:
// LISTEN of TCP, and 7 (TCP_CLOSE) of UDP sockets that are not connected
// (include/net/tcp_states.h).
var tables = []struct {
	protocol string
	family   uint8
	number   uint8
	states   uint32
	file     string
	state    string
}{
	{"udp", unix.AF_INET, unix.IPPROTO_UDP, 1 << 7, "/proc/net/udp", "07"},
	{"udp", unix.AF_INET6, unix.IPPROTO_UDP, 1 << 7, "/proc/net/udp6", "07"},
	{"tcp", unix.AF_INET, unix.IPPROTO_TCP, 1 << 10, "/proc/net/tcp", "0A"},
	{"tcp", unix.AF_INET6, unix.IPPROTO_TCP, 1 << 10, "/proc/net/tcp6", "0A"},
}

func diagnose() ([]Socket, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var all []Socket
	for _, t := range tables {
		// struct inet_diag_req_v2 (linux/inet_diag.h): no extensions, no
		// addresses or ports.
		request := make([]byte, 56)
		request[0], request[1] = t.family, t.number
		binary.NativeEndian.PutUint32(request[4:], t.states)
		replies, err := conn.Execute(netlink.Message{
			Header: netlink.Header{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: netlink.Request | netlink.Dump}, Data: request,
		})
		if err != nil {
			return nil, err
		}
		for _, reply := range replies {
			if s, ok := decodeDiag(reply.Data); ok {
				s.Protocol = t.protocol
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// decodeDiag reads struct inet_diag_msg.
func decodeDiag(b []byte) (s Socket, ok bool) {
	if len(b) < 72 {
		return s, false
	}
	addr := netip.AddrFrom4([4]byte(b[8:12]))
	if b[0] == unix.AF_INET6 {
		addr = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	}
	s.Local = netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[4:]))
	if index := binary.NativeEndian.Uint32(b[40:]); index != 0 {
		s.Device = strconv.Itoa(int(index))
		if nic, err := net.InterfaceByIndex(int(index)); err == nil {
			s.Device = nic.Name
		}
	}
	s.decodeAttributes(b[72:])
	s.UID, s.inode = int(binary.NativeEndian.Uint32(b[64:])), uint64(binary.NativeEndian.Uint32(b[68:]))
	return s, true
}

// Attributes of struct inet_diag_msg (linux/inet_diag.h) that come unasked.
const (
	diagV6Only = 11
	diagCgroup = 21
)

func (s *Socket) decodeAttributes(b []byte) {
	ad, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return // of a kernel that has none
	}
	for ad.Next() {
		switch ad.Type() {
		case diagV6Only:
			s.V6Only = ad.Uint8() != 0
		case diagCgroup:
			s.cgroup = ad.Uint64()
		}
	}
}

func (m machine) procSockets() ([]Socket, error) {
	var all []Socket
	for _, t := range tables {
		text, err := m.read(t.file)
		if err != nil {
			return nil, err
		}
		for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) < 10 || fields[3] != t.state {
				continue // the heading, or connected
			}
			s := Socket{Protocol: t.protocol}
			var ok bool
			if s.Local, ok = parseHexAddress(fields[1]); ok {
				s.UID, _ = strconv.Atoi(fields[7])
				s.inode, _ = strconv.ParseUint(fields[9], 10, 64)
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// parseHexAddress reads an address of /proc/net/udp or udp6 (proc_pid_net(5)):
// words of 32 bits in this machine's byte order, and the port.
func parseHexAddress(text string) (netip.AddrPort, bool) {
	digits, portText, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(digits)
	port, portErr := strconv.ParseUint(portText, 16, 16)
	if err != nil || portErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}

// keyExchange is the ethertype of EAPOL frames (ETH_P_PAE of linux/if_ether.h),
// as /proc/net/packet writes it. wpa_supplicant and hostapd listen to them.
const keyExchange = "888e"

// keyUsers returns the UIDs of the sockets that receive key exchanges on an
// interface. The table is readable even if the processes of other users are hidden
// (proc_pid_net(5)): "sk RefCnt Type Proto Iface R Rmem User Inode".
func (m machine) keyUsers(ifindex int) (uids []int) {
	text, err := m.read("/proc/net/packet")
	if err != nil {
		return nil // no CONFIG_PACKET, so there is no such socket
	}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 9 || fields[3] != keyExchange || fields[4] != strconv.Itoa(ifindex) {
			continue
		}
		if uid, err := strconv.Atoi(fields[7]); err == nil {
			uids = append(uids, uid)
		}
	}
	return uids
}

// sockets returns the listening sockets and their holders.
func (m machine) sockets(all []Process, units []cgroup) Sockets {
	list, err := m.listeners()
	if err != nil {
		return Sockets{Unseen: err.Error()}
	}
	inodes := map[uint64]bool{}
	for _, s := range list {
		inodes[s.inode] = true
	}
	holders := m.holders(all, inodes)
	for i := range list {
		list[i].Holder = holders[list[i].inode]
		for _, u := range units {
			if list[i].cgroup != 0 && uint32(list[i].cgroup) == u.id {
				list[i].Unit = u.unit
			}
		}
	}
	return Sockets{List: list}
}
