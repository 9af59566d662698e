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
	answerLimit  = 200 * time.Millisecond // of an answer from this machine
)

// hostapdServes asks a running hostapd of the wanted configuration.
func (a *AccessPoint) hostapdServes(ctx context.Context, hash string) bool {
	child, found := a.runner.Find(RoleHostapd)
	if !found || child.Hash() != hash {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, adoptLimit)
	defer cancel()
	conn, err := wpactrl.Dial(ctx, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return false
	}
	defer conn.Close()
	enabled, err := isEnabled(ctx, conn)
	return err == nil && enabled
}

// awaitHostapd returns when hostapd sends beacons and the interface has its
// address. The events are those after it.
func (a *AccessPoint) awaitHostapd(ctx context.Context, child *process.Child) (*wpactrl.Events, error) {
	ctx, cancel := context.WithTimeout(ctx, hostapdLimit)
	defer cancel()
	alive, release := whileAlive(ctx, child)
	defer release()
	conn, err := wpactrl.Await(alive, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return nil, a.hostapdFailed(child, err)
	}
	defer conn.Close()
	// The socket appears when the interface is an access point's and up again.
	if err := a.links.Apply(alive, a.spec()); err != nil {
		return nil, a.hostapdFailed(child, explainLink(err))
	}
	events, err := wpactrl.Attach(alive, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return nil, a.hostapdFailed(child, err)
	}
	if err := awaitEnabled(alive, conn, events); err != nil {
		events.Close()
		return nil, a.hostapdFailed(child, err)
	}
	return events, nil
}

// spec is the interface of a serving access point.
func (a *AccessPoint) spec() link.Spec {
	return link.Spec{
		Name: a.config.Interface, Up: true,
		Addresses: []link.AddressSpec{{Prefix: a.config.Address}},
	}
}

// hostapdFailed prefers what hostapd said over what we noticed of it.
func (a *AccessPoint) hostapdFailed(child *process.Child, err error) error {
	select {
	case <-child.Done():
		return explain(RoleHostapd, child)
	default:
		return fmt.Errorf("wait for hostapd: %w", err)
	}
}

// awaitEnabled asks first and listens then, as events began before the asking.
func awaitEnabled(ctx context.Context, conn *wpactrl.Conn, events *wpactrl.Events) error {
	for {
		enabled, err := isEnabled(ctx, conn)
		if err != nil || enabled {
			return err
		}
		// Any event may be a change of state; DISABLED ones end the wait.
		event, err := events.Next(ctx)
		if err != nil {
			return err
		}
		if err := disabling(event); err != nil {
			return err
		}
	}
}

func isEnabled(ctx context.Context, conn *wpactrl.Conn) (bool, error) {
	reply, err := conn.Request(ctx, "STATUS")
	if err != nil {
		return false, err
	}
	return wpactrl.Fields(reply)["state"] == "ENABLED", nil
}

// awaitDisabled returns why hostapd's radio is off, or nil when ctx ends.
func awaitDisabled(ctx context.Context, events *wpactrl.Events) error {
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
	}
}

// disabling is an error if the event says that the access point is off.
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

// awaitDnsmasq returns when phones get leases, and names where that is
// possible. If another program has the port of DNS (Debian's dnsmasq.service,
// say), dnsmasq is started once more for leases alone: they are what makes the
// device reachable.
func (a *AccessPoint) awaitDnsmasq(ctx context.Context, child *process.Child) (*process.Child, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsmasqLimit)
	defer cancel()
	err := a.awaitPorts(ctx, child, withNames)
	if !errors.Is(err, errNamesTaken) {
		return child, err
	}
	a.log.Warn("access point answers no names", "reason", complaint(child.LastOutput()))
	spec, err := a.dnsmasqSpec(withoutNames)
	if err != nil {
		return nil, err
	}
	if child, _, err = a.runner.Ensure(ctx, spec); err != nil {
		return nil, err
	}
	return child, a.awaitPorts(ctx, child, withoutNames)
}

// errNamesTaken says that dnsmasq could not have port 53.
var errNamesTaken = errors.New("another program has port 53")

// awaitPorts returns when dnsmasq has bound its ports and is past all that it
// may die of at its start, which an answer shows. Nothing announces that, so
// it looks every 20 ms.
func (a *AccessPoint) awaitPorts(ctx context.Context, child *process.Child, names nameService) error {
	again := time.NewTicker(lookInterval)
	defer again.Stop()
	own := a.config.Address.Addr()
	for {
		ports, err := listening(child.PID(), own)
		if ports.dhcp && (names == withoutNames || ports.dns && answers(own)) {
			return nil
		}
		if names == withNames && saidNamesTaken(child) {
			return errNamesTaken
		}
		select {
		case <-again.C:
		case <-child.Done():
			if names == withNames && saidNamesTaken(child) {
				return errNamesTaken
			}
			return explain(RoleDnsmasq, child)
		case <-ctx.Done():
			return fmt.Errorf("wait for dnsmasq to serve: %w", errors.Join(context.Cause(ctx), err))
		}
	}
}

// saidNamesTaken looks for dnsmasq's words. If the address was there when it
// started it has ended with them, else it lives and gives leases only.
func saidNamesTaken(child *process.Child) bool {
	return slices.ContainsFunc(child.LastOutput(), func(line string) bool {
		return strings.Contains(line, "failed to create listening socket")
	})
}

// question asks for the root's address (RFC 1035 4.1): id, flags, one question,
// no records; the empty name, type A, class IN. dnsmasq refuses it at once.
var question = []byte{'n', 'd', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}

// answers asks the name server on our own address.
func answers(own netip.Addr) bool {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, 53)))
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(answerLimit)) != nil {
		return false
	}
	if _, err := conn.Write(question); err != nil {
		return false
	}
	reply := make([]byte, 512)
	n, err := conn.Read(reply)
	return err == nil && n >= 12 && bytes.Equal(reply[:2], question[:2])
}

// whileAlive derives a context that ends with the child; its cause is how.
func whileAlive(ctx context.Context, child *process.Child) (alive context.Context, release func()) {
	alive, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-child.Done():
			cancel(child.Err())
		case <-alive.Done():
		}
	}()
	return alive, func() { cancel(nil); <-watched }
}

// ports are those that dnsmasq serves.
type ports struct{ dhcp, dns bool }

// listening looks for the UDP sockets of a process on port 67 of any address
// and on port 53 of the given one.
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
			found.dhcp = true
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
			continue // closed meanwhile
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}

type udpSocket struct {
	local netip.AddrPort
	inode string
}

// parseUDP reads /proc/net/udp (proc_pid_net(5)): field 2 is the local address
// as hexadecimal number in this machine's byte order with the port, field 10
// the inode. Lines of another form, such as the heading, are skipped.
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
		if addrErr != nil || portErr != nil {
			continue
		}
		var raw [4]byte
		binary.NativeEndian.PutUint32(raw[:], uint32(a))
		sockets = append(sockets, udpSocket{netip.AddrPortFrom(netip.AddrFrom4(raw), uint16(p)), fields[9]})
	}
	return sockets
}
