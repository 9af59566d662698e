package ap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

const (
	lookInterval = 20 * time.Millisecond
	answerLimit  = 200 * time.Millisecond // for an answer from this machine
	// gaveUp is how long a hostapd that gives up may take to end after its first
	// sign, such as AP-DISABLED: it resets the radio meanwhile.
	gaveUp = 2 * time.Second
)

// hostapdServes reports whether a hostapd runs and serves with the wanted
// configuration.
func (a *AccessPoint) hostapdServes(ctx context.Context, hash string) bool {
	child, found := a.runner.Find(RoleHostapd)
	if !found || child.Hash() != hash || !a.IsOne(ctx) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, adoptLimit)
	defer cancel()
	conn, err := wpactrl.Dial(ctx, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return false
	}
	defer conn.Close()
	_, enabled, err := readCell(ctx, conn)
	return err == nil && enabled
}

// awaitHostapd returns when hostapd sends beacons and the interface has its
// address. It returns hostapd's cell, and the events from then on.
func (a *AccessPoint) awaitHostapd(ctx context.Context, child *process.Child) (Cell, *wpactrl.Events, error) {
	ctx, cancel := context.WithTimeout(ctx, hostapdLimit)
	defer cancel()
	alive, release := process.WhileAlive(ctx, child)
	defer release()
	conn, err := wpactrl.Await(alive, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return Cell{}, nil, hostapdFailed(ctx, child, err)
	}
	defer conn.Close()
	// The socket appears once the interface is an access point and up again.
	if err := a.links.Apply(alive, a.spec()); err != nil {
		return Cell{}, nil, hostapdFailed(ctx, child, err)
	}
	events, err := wpactrl.Attach(alive, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return Cell{}, nil, hostapdFailed(ctx, child, err)
	}
	cell, err := awaitEnabled(alive, conn, events)
	if err != nil {
		events.Close()
		return Cell{}, nil, hostapdFailed(ctx, child, err)
	}
	return cell, events, nil
}

// Services announce and find each other by multicast (mDNS, SSDP). Multicast leaves
// by the default route, which the access point does not have, so it needs routes of
// its own.
var multicast = []link.RouteSpec{
	{Destination: netip.MustParsePrefix("224.0.0.0/4")},
	{Destination: netip.MustParsePrefix("239.255.255.250/32")},
}

// spec returns the wanted state of a serving access point's interface.
func (a *AccessPoint) spec() link.Spec {
	return link.Spec{
		Name: a.config.Interface, Up: true,
		Addresses: []link.AddressSpec{{Prefix: a.config.Address}},
		Routes:    multicast,
	}
}

// hostapdFailed returns hostapd's own output if hostapd has ended, as the output
// explains more than err. Otherwise it returns err.
func hostapdFailed(ctx context.Context, child *process.Child, err error) error {
	ended := time.NewTimer(gaveUp)
	defer ended.Stop()
	select {
	case <-child.Done():
	case <-ended.C:
	case <-ctx.Done():
	}
	if child.Err() != nil {
		return explain(RoleHostapd, child)
	}
	return fmt.Errorf("wait for hostapd: %w", err)
}

// awaitEnabled asks for the state first and then waits for events. None is missed, as
// the events were subscribed to before.
func awaitEnabled(ctx context.Context, conn *wpactrl.Conn, events *wpactrl.Events) (Cell, error) {
	for {
		cell, enabled, err := readCell(ctx, conn)
		if err != nil || enabled {
			return cell, err
		}
		// Any event may be a change of state; DISABLED ones end the wait.
		event, err := events.Next(ctx)
		if err != nil {
			return Cell{}, err
		}
		if err := disabling(event); err != nil {
			return Cell{}, err
		}
	}
}

// awaitDisabled returns why hostapd's radio is off, or nil when ctx ends. Whenever a
// phone comes or goes, it signals on moved, which has room for one value.
func awaitDisabled(ctx context.Context, events *wpactrl.Events, moved chan<- struct{}) error {
	for {
		event, err := events.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := disabling(event); err != nil {
			return err
		}
		if event.Name == "AP-STA-CONNECTED" || event.Name == "AP-STA-DISCONNECTED" {
			select {
			case moved <- struct{}{}:
			default: // a signal is pending already
			}
		}
	}
}

// disabling returns an error if the event reports that the access point is off.
func disabling(event wpactrl.Event) error {
	switch event.Name {
	case "INTERFACE-DISABLED":
		return errors.New("the interface was switched off (by rfkill, or by another program setting it down)")
	case "AP-DISABLED":
		return errors.New("hostapd switched the access point off (AP-DISABLED)")
	case "CTRL-EVENT-TERMINATING":
		return errors.New("hostapd was told to end")
	}
	return nil
}

// awaitDnsmasq returns when phones get leases and, if possible, names. If another
// program has the port of DNS (Debian's dnsmasq.service, say), dnsmasq is started
// again for leases alone, which suffice to reach the device. A dnsmasq that runs but
// does not serve in time is ended, so that the next Hold does not adopt it.
func (a *AccessPoint) awaitDnsmasq(ctx context.Context, child *process.Child) (*process.Child, nameService, error) {
	limited, cancel := context.WithTimeout(ctx, dnsmasqLimit)
	defer cancel()
	names := withNames
	err := a.awaitPorts(limited, child, names)
	if errors.Is(err, errNamesTaken) {
		a.log.Warn("access point answers no names", "reason", complaint(child.LastOutput()))
		names = withoutNames
		spec, specErr := a.dnsmasqSpec(names)
		if specErr != nil {
			return nil, names, specErr
		}
		if child, _, err = a.runner.Ensure(limited, spec); err != nil {
			return nil, names, err
		}
		err = a.awaitPorts(limited, child, names)
	}
	if err != nil && ctx.Err() == nil {
		err = errors.Join(err, child.EndHung(ctx))
	}
	return child, names, err
}

// errNamesTaken is the error of a dnsmasq that could not have port 53.
var errNamesTaken = errors.New("another program has port 53")

// awaitPorts returns when dnsmasq has bound its ports and has answered a question,
// which shows that its start has succeeded. dnsmasq does not announce that, so
// awaitPorts checks every 20 ms.
func (a *AccessPoint) awaitPorts(ctx context.Context, child *process.Child, names nameService) error {
	again := time.NewTicker(lookInterval)
	defer again.Stop()
	own := a.config.Address.Addr()
	for {
		ports, err := listening(child.PID(), own)
		if ports.dhcp && (names == withoutNames || ports.dns && answers(ctx, own)) {
			return nil
		}
		if names == withNames && namesTaken(child.LastOutput()) {
			return errNamesTaken
		}
		select {
		case <-again.C:
		case <-child.Done():
			if names == withNames && namesTaken(child.LastOutput()) {
				return errNamesTaken
			}
			return explain(RoleDnsmasq, child)
		case <-ctx.Done():
			return fmt.Errorf("wait for dnsmasq to serve: %w", errors.Join(context.Cause(ctx), err))
		}
	}
}

// namesTaken reports whether dnsmasq has printed that it could not have port 53. If
// the address was there when dnsmasq started, dnsmasq then ends; otherwise it goes on
// and serves leases only.
func namesTaken(said []string) bool {
	return slices.ContainsFunc(said, func(line string) bool {
		return strings.Contains(line, "failed to create listening socket")
	})
}

// question asks for the address of "invalid", a name that never exists (RFC 6761
// 6.4), in the form of RFC 1035 4.1: id, flags, one question, no records; the name,
// type A, class IN. dnsmasq answers it itself at once, even if it asks other servers
// for other names (--domain-needed).
var question = []byte("nd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07invalid\x00\x00\x01\x00\x01")

func answers(ctx context.Context, own netip.Addr) bool {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return ask(ctx, own) == nil
}

// ask asks the name server on our own address, until ctx ends.
func ask(ctx context.Context, own netip.Addr) error {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, 53)))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write(question); err != nil {
		return err
	}
	reply := make([]byte, 512)
	n, err := conn.Read(reply)
	if err == nil && (n < 12 || !bytes.Equal(reply[:2], question[:2])) {
		err = errors.New("the answer is not one to our question")
	}
	return err
}

// ports are the ports that dnsmasq serves.
type ports struct {
	dhcp, dns bool
	unread    bool // requests for leases wait to be read
}

// listening finds the UDP sockets of a process on port 67 of any address and on port
// 53 of the given address.
func listening(pid int, addr netip.Addr) (ports, error) {
	own, err := socketInodes(pid)
	if err != nil {
		return ports{}, err
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
	if err != nil {
		return ports{}, err
	}
	var found ports
	for _, s := range parseUDP(table) {
		switch {
		case !own[s.inode]:
		case s.local.Port() == 67:
			found.dhcp, found.unread = true, found.unread || s.unread
		case s.local == netip.AddrPortFrom(addr, 53):
			found.dns = true
		}
	}
	return found, nil
}

// socketInodes reads the inodes of a process's sockets (proc_pid_fd(5)).
func socketInodes(pid int) (map[string]bool, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	inodes := make(map[string]bool)
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // the descriptor was closed meanwhile
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}

type udpSocket struct {
	local  netip.AddrPort
	inode  string
	unread bool
}

// parseUDP reads /proc/net/udp (proc_pid_net(5)): field 2 is the local address as
// hexadecimal number in this machine's byte order with the port, field 5 the sizes of
// what waits to be sent and to be read, field 10 the inode. Lines of another form,
// such as the heading, are skipped.
func parseUDP(table []byte) []udpSocket {
	var sockets []udpSocket
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			continue
		}
		addr, port, _ := strings.Cut(fields[1], ":")
		a, addrErr := strconv.ParseUint(addr, 16, 32)
		p, portErr := strconv.ParseUint(port, 16, 16)
		_, waiting, _ := strings.Cut(fields[4], ":")
		unread, waitErr := strconv.ParseUint(waiting, 16, 32)
		if addrErr != nil || portErr != nil || waitErr != nil {
			continue
		}
		var raw [4]byte
		binary.NativeEndian.PutUint32(raw[:], uint32(a))
		sockets = append(sockets, udpSocket{
			local: netip.AddrPortFrom(netip.AddrFrom4(raw), uint16(p)), inode: fields[9], unread: unread > 0,
		})
	}
	return sockets
}
