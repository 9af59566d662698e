package probe

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// zone holds the records that the name server at the router answers from.
var zone = map[string][]netip.Addr{
	"v4.test.":         addrs("192.168.78.1"),
	"v6.test.":         addrs("2001:db8::1"),
	"far.test.":        addrs("198.51.100.1", "2001:db8:ff::1"),
	"half-dead.test.":  addrs("2001:db8::77", "192.168.78.1"),
	"dead-first.test.": addrs("192.168.78.77", "192.168.78.1"),
	"no-aaaa.test.":    addrs("192.168.78.1"),
	"late.test.":       addrs("192.168.78.1"),
	"noise.test.":      addrs("192.168.78.1"),
	"echo.test.":       addrs("192.168.78.1"),
	"other.test.":      addrs("192.168.78.1"),
	"cut.test.":        addrs("192.168.78.1"),
	"empty.test.":      nil,
	"servfail.test.":   nil,
	"silent.test.":     nil,
}

// serveDNS starts a name server at each address of the router, so that each
// answers as itself.
func (r *router) serveDNS() {
	r.t.Helper()
	r.Do(func() error {
		lan, err := net.InterfaceByName("lan")
		if err != nil {
			return err
		}
		for _, addr := range addrs("192.168.78.1", "198.51.100.1", "2001:db8::1", "2001:db8:ff::1", "fe80::1") {
			if addr.IsLinkLocalUnicast() {
				addr = addr.WithZone(strconv.Itoa(lan.Index))
			}
			serveDNS(r.t, netip.AddrPortFrom(addr, dnsPort))
		}
		return nil
	})
}

// serveDNS starts a name server in the network namespace of its caller.
func serveDNS(t *testing.T, address netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenPacket("udp", address.String())
	if err != nil {
		t.Error(err)
		return
	}
	var done sync.WaitGroup
	done.Go(func() {
		seen := map[string]int{}
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if err := q.Unpack(buf[:n]); err != nil || len(q.Questions) != 1 || !q.RecursionDesired {
				t.Errorf("a bad question: %v %v", q, err)
				continue
			}
			key := q.Questions[0].GoString() + from.String()
			seen[key]++
			for _, answer := range answersTo(q, seen[key]) {
				conn.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		done.Wait()
	})
}

// answersTo returns the datagrams that answer the nth arrival of a question.
func answersTo(q dnsmessage.Message, nth int) [][]byte {
	asked := q.Questions[0]
	name := asked.Name.String()
	known, ok := zone[name]
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true}, Questions: q.Questions}
	if !ok {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, addr := range known {
		h := dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET}
		switch {
		case addr.Is4() && asked.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && asked.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	pack := func(m dnsmessage.Message) []byte {
		packed, err := m.Pack()
		if err != nil {
			panic(err)
		}
		return packed
	}
	switch name {
	case "silent.test.":
		return nil
	case "no-aaaa.test.":
		if asked.Type == dnsmessage.TypeAAAA {
			return nil
		}
	case "late.test.":
		if nth == 1 {
			return nil
		}
	case "servfail.test.":
		m.RCode = dnsmessage.RCodeServerFailure
	case "noise.test.":
		stranger, query := m, m
		stranger.ID++
		stranger.RCode = dnsmessage.RCodeNameError
		query.Response = false
		return [][]byte{{1, 2, 3}, {}, pack(stranger), pack(query), pack(m)}
	case "echo.test.":
		m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("ECHO.Test."), Type: asked.Type, Class: asked.Class}}
	case "other.test.":
		m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("another.test."), Type: asked.Type, Class: asked.Class}}
	case "cut.test.":
		if packed := pack(m); len(m.Answers) > 0 {
			return [][]byte{packed[:len(packed)-2]}
		}
	}
	return [][]byte{pack(m)}
}

func TestDNS(t *testing.T) {
	r := newRouter(t)
	r.serveDNS()
	startDnsmasq(r, "192.168.78.53")
	r.inside("ip addr add 192.168.78.55/24 dev lan")
	ask := func(name string, servers ...string) Config {
		if servers == nil {
			servers = []string{"192.168.78.1"}
		}
		return Config{Kind: KindDNS, Name: name, Servers: addrs(servers...)}
	}
	const silence, end = 2900 * time.Millisecond, 3500 * time.Millisecond
	check(t, "192.168.78.1", []row{
		{name: "an address", cfg: ask("v4.test")},
		{name: "an address, the name ends with a dot", cfg: ask("v4.test.")},
		{name: "an IPv6 address", cfg: ask("v6.test")},
		{name: "the server has an IPv6 address", cfg: ask("v4.test", "2001:db8::1")},
		{name: "the server has a link-local address", cfg: ask("v4.test", "fe80::1")},
		{name: "the second server answers, the first is silent", cfg: ask("v4.test", "192.168.78.77", "192.168.78.1")},
		{name: "the second server answers, this machine does not count", cfg: ask("v4.test", "127.0.0.1", "192.168.78.1")},
		{name: "the first question is lost", cfg: ask("late.test"), least: 900 * time.Millisecond, most: 1500 * time.Millisecond},
		{name: "others send as well", cfg: ask("noise.test")},
		{name: "the server changes the case of the name", cfg: ask("echo.test")},
		{name: "dnsmasq: an address", cfg: ask("v4.test", "192.168.78.53")},
		{name: "dnsmasq: an IPv6 address", cfg: ask("v6.test", "192.168.78.53")},
		{name: "dnsmasq: an alias", cfg: ask("alias.test", "192.168.78.53")},
		{name: "dnsmasq: no such name", cfg: ask("nx.test", "192.168.78.53"), err: "A from 192.168.78.53: no such name"},
		{name: "dnsmasq: refuses what it does not know", cfg: ask("v4.example", "192.168.78.53"), err: "server says Refused"},
		{name: "no such name", cfg: ask("nx.test"), err: "resolve nx.test on wan0: A from 192.168.78.1: no such name; AAAA from 192.168.78.1: no such name"},
		{name: "no address", cfg: ask("empty.test"), err: "name has no address"},
		{name: "the server fails", cfg: ask("servfail.test"), err: "server says ServerFailure"},
		{name: "answer to another question", cfg: ask("other.test"), err: "to another question"},
		{name: "answer that is cut off", cfg: ask("cut.test"), err: "read answer"},
		{name: "silence", cfg: ask("silent.test"), err: "no reply", least: silence, most: end},
		{name: "nobody has the address of the server", cfg: ask("v4.test", "192.168.78.77"), err: "192.168.78.77", most: end},
		{name: "nobody listens", cfg: ask("v4.test", "192.168.78.55"), err: "connection refused"},
		{name: "only this machine", cfg: ask("v4.test", "127.0.0.53", "::1"), err: "no name server is known but this machine itself"},
		{name: "no name", cfg: ask(strings.Repeat("a", 70) + ".test"), err: "resolve"},
	})
}

// startDnsmasq adds an address to the router, and runs dnsmasq there, which is not
// our own code.
func startDnsmasq(r *router, address string) {
	r.t.Helper()
	r.inside("ip addr add " + address + "/24 dev lan")
	cmd := r.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
		"--pid-file=", "--user=root", "--no-resolv", "--no-hosts", "--listen-address="+address, "--bind-interfaces", "--local=/test/",
		"--host-record=v4.test,192.168.78.1", "--host-record=v6.test,2001:db8::1", "--cname=alias.test,v4.test", "--log-facility=-")
	var output bytes.Buffer
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	cfg := Config{Kind: KindDNS, Name: "v4.test", Servers: addrs(address)}
	for deadline := time.Now().Add(5 * time.Second); ; {
		_, err := Check(r.t.Context(), cfg, "wan0", netip.Addr{})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("dnsmasq does not answer: %v: %s", err, &output)
		}
	}
}

func TestNameServers(t *testing.T) {
	const stub = "nameserver 127.0.0.53\noptions edns0 trust-ad\n"
	for _, row := range []struct {
		name     string
		files    []string
		expected []netip.Addr
	}{
		{"two", []string{"# mine\nsearch example\nnameserver 192.0.2.1\n\tnameserver\t2001:db8::1 # home\nnameserver\nnameserver x\n"}, addrs("192.0.2.1", "2001:db8::1")},
		{"with a zone", []string{"nameserver fe80::1%wlan0"}, addrs("fe80::1%wlan0")},
		{"only the first file counts", []string{"nameserver 192.0.2.1\n", "nameserver 192.0.2.2\n"}, addrs("192.0.2.1")},
		{"a stub, and what it asks", []string{stub, "nameserver 192.0.2.2\n"}, addrs("192.0.2.2")},
		{"a stub, and nothing behind it", []string{stub, ""}, addrs("127.0.0.53")},
		{"a cache on this machine, and the one behind it", []string{"nameserver 127.0.0.1\nnameserver 192.0.2.1\n"}, addrs("192.0.2.1")},
		{"no address at all", []string{"nameserver 0.0.0.0\n"}, nil},
		{"no file", nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			files := []string{filepath.Join(t.TempDir(), "absent")}
			for _, text := range row.files {
				file := filepath.Join(t.TempDir(), "resolv.conf")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				files = append(files, file)
			}
			if got := nameServers(files); !slices.Equal(got, row.expected) {
				t.Errorf("got %v, want %v", got, row.expected)
			}
		})
	}
}
