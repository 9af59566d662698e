package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/namedfile"
)

const (
	dnsPort = 53
	// repeat is how long to wait for an answer before a question is sent again.
	repeat = time.Second
	// headStart is how long one family of addresses, or one address, is tried alone
	// before the next is tried as well (RFC 8305, section 8).
	headStart = 250 * time.Millisecond
	// maxReply is the largest reply. Without EDNS, which old routers do not know, a
	// message has at most 512 bytes (RFC 1035, section 4.2.1), but some servers send
	// more.
	maxReply = 1500
)

var errNoAddress = errors.New("name has no address")

// resolvConf are the files that name the servers, in order. The second file names the
// servers of systemd-resolved if the first names only its stub.
var resolvConf = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}

// maxResolvConf is far above any such file.
const maxResolvConf = 1 << 20

// nameServers returns the servers of the first file that names any on other machines.
// If no file does, it returns the servers on this machine.
func nameServers(files []string) []netip.Addr {
	var local []netip.Addr
	for _, file := range files {
		text, _ := namedfile.Read(context.Background(), file, maxResolvConf) // a missing file counts as empty
		var remote []netip.Addr
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != "nameserver" {
				continue
			}
			addr, err := netip.ParseAddr(fields[1])
			switch {
			case err != nil || addr.IsUnspecified():
			case addr.Unmap().IsLoopback():
				local = append(local, addr)
			default:
				remote = append(remote, addr)
			}
		}
		if len(remote) > 0 {
			return remote
		}
	}
	return local
}

func (cfg Config) servers() []netip.Addr {
	if len(cfg.Servers) > 0 {
		return cfg.Servers
	}
	return nameServers(resolvConf)
}

// resolve returns nil as soon as a server has an address for the name. The address
// itself is not judged, as the address of a portal looks like any other.
func resolve(ctx context.Context, ifname string, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// A server on this machine answers from its cache, or over another interface.
	servers := slices.DeleteFunc(slices.Clone(cfg.servers()), func(s netip.Addr) bool { return s.Unmap().IsLoopback() })
	if len(servers) == 0 {
		return fmt.Errorf("resolve %s on %s: no name server is known but this machine itself", cfg.Name, ifname)
	}
	types := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	_, err := race(ctx, headStart, types, func(ctx context.Context, t dnsmessage.Type) ([]netip.Addr, error) {
		return lookup(ctx, ifname, servers, cfg.Name, t)
	}, nil)
	if err != nil {
		return fmt.Errorf("resolve %s on %s: %w", cfg.Name, ifname, err)
	}
	return nil
}

// lookup asks all servers and returns the addresses of the first answer.
func lookup(ctx context.Context, ifname string, servers []netip.Addr, name string, t dnsmessage.Type) ([]netip.Addr, error) {
	return race(ctx, 0, servers, func(ctx context.Context, server netip.Addr) ([]netip.Addr, error) {
		addrs, err := ask(ctx, ifname, server, name, t)
		if err != nil {
			return nil, fmt.Errorf("%s from %v: %w", strings.TrimPrefix(t.String(), "Type"), server, plain(err))
		}
		return addrs, nil
	}, nil)
}

// ask puts one question to one server, by UDP, until ctx ends.
func ask(ctx context.Context, ifname string, server netip.Addr, name string, t dnsmessage.Type) ([]netip.Addr, error) {
	q, err := newQuestion(name, t)
	if err != nil {
		return nil, err
	}
	if server.Unmap().IsLoopback() {
		ifname = "" // a server on this machine is reached only over lo
	}
	conn, err := dial(ctx, ifname, "udp", netip.AddrPortFrom(server, dnsPort))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })
	defer stop()
	for {
		if _, err := conn.Write(q.packed); err != nil {
			return nil, err
		}
		conn.SetReadDeadline(time.Now().Add(repeat))
		if err := ctx.Err(); err != nil { // checked after the deadline is set, so that the end of ctx is not missed
			return nil, err
		}
		addrs, err := q.await(conn)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return addrs, err
		}
	}
}

// question is a question to a name server.
type question struct {
	id uint16
	dnsmessage.Question
	packed []byte
}

func newQuestion(name string, t dnsmessage.Type) (question, error) {
	full, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
	if err != nil {
		return question{}, err
	}
	q := question{id: uint16(rand.Uint32()), Question: dnsmessage.Question{Name: full, Type: t, Class: dnsmessage.ClassINET}}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.id, RecursionDesired: true},
		Questions: []dnsmessage.Question{q.Question},
	}
	q.packed, err = m.Pack()
	return q, err
}

// await reads until the answer to the question has come, or until the deadline of
// conn.
func (q question) await(conn net.Conn) ([]netip.Addr, error) {
	reply := make([]byte, maxReply)
	for {
		n, err := conn.Read(reply)
		if err != nil {
			return nil, err
		}
		var p dnsmessage.Parser
		h, err := p.Start(reply[:n])
		if err == nil && h.Response && h.ID == q.id {
			return q.addresses(h, &p)
		}
	}
}

// addresses returns the addresses in the answer. It skips CNAMEs.
func (q question) addresses(h dnsmessage.Header, p *dnsmessage.Parser) ([]netip.Addr, error) {
	switch h.RCode {
	case dnsmessage.RCodeSuccess:
	case dnsmessage.RCodeNameError:
		return nil, errors.New("no such name")
	default:
		return nil, fmt.Errorf("server says %s", strings.TrimPrefix(h.RCode.String(), "RCode"))
	}
	asked, err := p.Question()
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if !strings.EqualFold(asked.Name.String(), q.Name.String()) || asked.Type != q.Type || asked.Class != q.Class {
		return nil, errors.New("read answer: to another question")
	}
	if err := p.SkipAllQuestions(); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	records, err := p.AllAnswers()
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	var addrs []netip.Addr
	for _, r := range records {
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			addrs = append(addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			addrs = append(addrs, netip.AddrFrom16(body.AAAA))
		}
	}
	if len(addrs) == 0 {
		return nil, errNoAddress
	}
	return addrs, nil
}

// dial opens a socket that sends and receives over the interface only; "" means any
// interface. A zone of the address is ignored.
func dial(ctx context.Context, ifname, network string, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1}
	if ifname != "" {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			var err error
			if ctlErr := c.Control(func(fd uintptr) {
				err = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, ifname)
			}); ctlErr != nil {
				return ctlErr
			}
			return os.NewSyscallError("bind to "+ifname, err)
		}
	}
	to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	return d.DialContext(ctx, network, to.String())
}
