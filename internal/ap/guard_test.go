package ap

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// A guard protects by two means; a row of a test may use only one of them.
var (
	nothing      = func(guard) error { return nil }
	whole        = guard.keep
	onlySettings = func(g guard) error { return g.settings.keep() }
	onlyTable    = func(g guard) error { return g.forwarding.keep() }
)

// guarded runs keep on a guard, and stops the guard at the end.
func guarded(t *testing.T, c Config, keep func(guard) error) {
	t.Helper()
	g := newGuard(c, slog.New(slog.DiscardHandler))
	if err := keep(g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.stop(); err != nil {
			t.Error(err)
		}
	})
}

// setSetting writes a setting below /proc/sys/net of the device.
func setSetting(t *testing.T, path, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/"+path, []byte(value), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sendRaw sends a packet from the phone's interface through a raw socket. The kernel
// fills in the IP header and the checksum of ICMPv6.
func sendRaw(t *testing.T, phone *netnstest.Namespace, family, protocol int, to unix.Sockaddr, packet []byte) {
	t.Helper()
	eventually(t, 5*time.Second, "the phone can send", func() bool {
		var sent error
		phone.Do(func() error {
			fd, err := unix.Socket(family, unix.SOCK_RAW, protocol)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			if family == unix.AF_INET6 { // RFC 4861 6.1.2: the hop limit shows that no router has forwarded the packet
				err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255)
			}
			sent = unix.Sendto(fd, packet, 0, to) // the kernel refuses while the phone's own address is tentative
			return err
		})
		return sent == nil
	})
}

// advertise lets the phone announce itself to all nodes as a router (RFC 4861 4.2)
// for 1800 s, with a prefix for addresses (4.6.2).
func advertise(t *testing.T, phone *netnstest.Namespace) {
	t.Helper()
	var ifindex int
	phone.Do(func() error {
		ifi, err := net.InterfaceByName("phone")
		if err == nil {
			ifindex = ifi.Index
		}
		return err
	})
	packet := []byte{134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0}
	packet = append(packet, 3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0, 0)
	packet = append(packet, netip.MustParseAddr("fd66::").AsSlice()...)
	allNodes := &unix.SockaddrInet6{ZoneId: uint32(ifindex), Addr: netip.MustParseAddr("ff02::1").As16()}
	sendRaw(t, phone, unix.AF_INET6, unix.IPPROTO_ICMPV6, allNodes, packet)
}

// learned returns what the device has learned from the announcement.
func learned(t *testing.T) string {
	t.Helper()
	return netnstest.Run(t, "ip", "-6", "route", "show", "default") + netnstest.Run(t, "ip", "-6", "address", "show", "to", "fd66::/64")
}

// TestPhoneIsNoRouter checks that a phone's router advertisement gives the device
// neither a default route nor an address. The device has processed the advertisement
// when it answers the phone's next packet.
func TestPhoneIsNoRouter(t *testing.T) {
	for _, row := range []struct {
		name     string
		keep     func(guard) error
		believed bool
	}{
		{name: "without a guard it does", keep: nothing, believed: true},
		{name: "with the interface's settings alone", keep: onlySettings},
		{name: "with the packet filter alone", keep: onlyTable},
		{name: "with both", keep: whole},
	} {
		t.Run(row.name, func(t *testing.T) {
			phone := cable(t)
			netnstest.Run(t, "ip", "address", "add", "10.250.250.1/24", "dev", "wlan0")
			netnstest.Run(t, "ip", "link", "set", "wlan0", "up")
			phone.Run("ip", "address", "add", "10.250.250.100/24", "dev", "phone")
			guarded(t, testConfig(runtimeDir(t)), row.keep)
			advertise(t, phone)
			if !ping(phone, "10.250.250.1") {
				t.Fatal("the device does not answer")
			}
			got := learned(t)
			if believed := strings.Contains(got, "default via fe80:") && strings.Contains(got, "fd66:"); believed != row.believed || !believed && got != "" {
				t.Errorf("the device has learned:\n%s", got)
			}
		})
	}
}

// TestPhoneShowsNoOtherWay checks that the device keeps sending to 198.51.100.1
// through 10.250.250.100 when that host redirects it to 10.250.250.101.
func TestPhoneShowsNoOtherWay(t *testing.T) {
	for _, row := range []struct {
		name       string
		keep       func(guard) error
		forwarding string // the forwarding setting of wlan0, see careful
		believed   bool
	}{
		{name: "without a guard it does not", keep: nothing, forwarding: "0", believed: true},
		{name: "which the interface's settings do not change", keep: onlySettings, forwarding: "0", believed: true},
		{name: "but they do on one that forwards", keep: onlySettings, forwarding: "1"},
		{name: "nor with both", keep: whole, forwarding: "0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			phone := cable(t)
			setSwitch(t, "all", "0")
			setSetting(t, "ipv4/conf/all/accept_redirects", "1")
			netnstest.Run(t, "ip", "address", "add", "10.250.250.1/24", "dev", "wlan0")
			netnstest.Run(t, "ip", "link", "set", "wlan0", "up")
			netnstest.Run(t, "ip", "route", "add", "198.51.100.0/24", "via", "10.250.250.100")
			for _, address := range []string{"10.250.250.100/24", "10.250.250.101/24"} {
				phone.Run("ip", "address", "add", address, "dev", "phone")
			}
			setSwitch(t, "wlan0", row.forwarding)
			guarded(t, testConfig(runtimeDir(t)), row.keep)
			netnstest.Run(t, "ping", "-n", "-c", "1", "-W", "2", "10.250.250.101") // the kernel accepts a redirect only to a neighbour that answers
			sendRaw(t, phone, unix.AF_INET, unix.IPPROTO_ICMP, &unix.SockaddrInet4{Addr: [4]byte{10, 250, 250, 1}}, redirect("10.250.250.1", "198.51.100.1", "10.250.250.101"))
			if !ping(phone, "10.250.250.1") {
				t.Fatal("the device does not answer")
			}
			way := netnstest.Run(t, "ip", "route", "get", "198.51.100.1")
			if believed := strings.Contains(way, "via 10.250.250.101"); believed != row.believed {
				t.Errorf("the device sends %s", way)
			}
		})
	}
}

// redirect returns an ICMP message (RFC 792) about the answer to a ping: about other
// packets, the kernel would ask the socket that sent them.
func redirect(from, to, better string) []byte {
	packet := append([]byte{5, 1, 0, 0}, netip.MustParseAddr(better).AsSlice()...)
	packet = append(packet, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, unix.IPPROTO_ICMP, 0, 0)
	packet = append(packet, netip.MustParseAddr(from).AsSlice()...)
	packet = append(packet, netip.MustParseAddr(to).AsSlice()...)
	packet = append(packet, 0, 0, 0xff, 0xff, 0, 0, 0, 0)
	sum := uint32(0)
	for i := 0; i < len(packet); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(packet[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(packet[2:], ^uint16(sum>>16+sum))
	return packet
}

// behind creates docker0 with a container at 172.17.0.2 and fd17::2 whose router is
// the device, as Docker does, and turns on forwarding for the whole device.
func behind(t *testing.T) (container *netnstest.Namespace) {
	t.Helper()
	container = netnstest.Another(t)
	netnstest.Run(t, "ip", "link", "add", "docker0", "type", "veth", "peer", "name", "inner", "netns", container.String())
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "docker0") })
	netnstest.Lines(t, `
		ip address add 172.17.0.1/16 dev docker0
		ip address add fd17::1/64 dev docker0 nodad
		ip link set docker0 up`)
	for _, words := range []string{
		"ip address add 172.17.0.2/16 dev inner", "ip address add fd17::2/64 dev inner nodad", "ip link set inner up",
		"ip route add default via 172.17.0.1", "ip -6 route add default via fd17::1",
	} {
		container.Run(strings.Fields(words)...)
	}
	setSwitch(t, "all", "1")
	setSetting(t, "ipv6/conf/all/forwarding", "1")
	t.Cleanup(func() {
		setSwitch(t, "all", "0")
		setSetting(t, "ipv6/conf/all/forwarding", "0")
	})
	return container
}

// TestPhonePassesNobody checks that without forwarding_to_wired phones reach only
// this device, even where other programs turn forwarding on.
func TestPhonePassesNobody(t *testing.T) {
	phone := cable(t)
	container := behind(t)
	lan := wire(t)
	setSwitch(t, "all", "1") // wire has switched forwarding off
	lan.Run("ip", "route", "add", "default", "via", "192.0.2.1")
	netnstest.Lines(t, `
		ip address add 10.250.250.1/24 dev wlan0
		ip address add fd10::1/64 dev wlan0 nodad
		ip link set wlan0 up`)
	join(t, phone, "10.250.250.100")
	phone.Run("ip", "address", "add", "fd10::100/64", "dev", "phone", "nodad")
	phone.Run("ip", "-6", "route", "add", "default", "via", "fd10::1")
	eventually(t, 10*time.Second, "all addresses are in use", func() bool {
		show := []string{"ip", "-6", "address", "show", "tentative"}
		return netnstest.Run(t, show...)+phone.Run(show...)+container.Run(show...) == ""
	})
	ways := []struct {
		name string
		from *netnstest.Namespace
		to   string
	}{
		{"to a container", phone, "172.17.0.2"},
		{"to a container by IPv6", phone, "fd17::2"},
		{"to the wired network", phone, "192.0.2.2"},
		{"from a container", container, "10.250.250.100"},
		{"from a container by IPv6", container, "fd10::100"},
		{"from the wired network", lan, "10.250.250.100"},
	}
	for _, row := range []struct {
		name string
		keep func(guard) error
		open bool
	}{{"without a guard", nothing, true}, {"with it", whole, false}} {
		t.Run(row.name, func(t *testing.T) {
			guarded(t, testConfig(runtimeDir(t)), row.keep)
			for _, way := range ways {
				if open := ping(way.from, way.to); open != row.open {
					t.Errorf("%s is open: %v", way.name, open)
				}
			}
			if !ping(phone, "10.250.250.1") || !ping(phone, "fd10::1") || !ping(container, "192.0.2.2") {
				t.Error("what has nothing to do with it is closed")
			}
		})
	}
}

// TestPublishedPorts checks that a container's port which is published on the access
// point's address counts as this device's service, and on any other address does not.
func TestPublishedPorts(t *testing.T) {
	phone := cable(t)
	behind(t)
	netnstest.Lines(t, `
		ip address add 10.250.250.1/24 dev wlan0
		ip link set wlan0 up
		nft add table ip docker
		nft add chain ip docker prerouting { type nat hook prerouting priority dstnat; }
		nft add rule ip docker prerouting ip daddr { 10.250.250.1, 10.96.0.1 } icmp type echo-request dnat to 172.17.0.2`)
	t.Cleanup(func() { netnstest.Run(t, "nft", "delete", "table", "ip", "docker") })
	join(t, phone, "10.250.250.100")
	setSetting(t, "ipv4/icmp_echo_ignore_all", "1") // so that only the container can answer
	t.Cleanup(func() { setSetting(t, "ipv4/icmp_echo_ignore_all", "0") })
	guarded(t, testConfig(runtimeDir(t)), whole)
	if !ping(phone, "10.250.250.1") {
		t.Error("a published port is closed")
	}
	if ping(phone, "10.96.0.1") || ping(phone, "172.17.0.2") {
		t.Error("what is published elsewhere is open")
	}
}

// TestPhonesApart checks that where hostapd isolates phones, the path through the
// device is closed as well. A bridge with isolated ports stands for the radio.
func TestPhonesApart(t *testing.T) {
	for _, row := range []struct {
		name string
		keep func(guard) error
		open bool
	}{{"without a guard", nothing, true}, {"with it", whole, false}} {
		t.Run(row.name, func(t *testing.T) {
			air := cable(t)
			air.Run("ip", "link", "add", "air", "type", "bridge")
			air.Run("ip", "link", "set", "air", "up")
			air.Run("ip", "link", "set", "phone", "master", "air")
			netnstest.Run(t, "ip", "address", "add", "10.250.250.1/24", "dev", "wlan0")
			netnstest.Run(t, "ip", "link", "set", "wlan0", "up")
			setSwitch(t, "all", "1")
			t.Cleanup(func() { setSwitch(t, "all", "0") })
			phones := []*netnstest.Namespace{netnstest.Another(t), netnstest.Another(t)}
			for i, phone := range phones {
				port := fmt.Sprintf("port%d", i)
				air.Run("ip", "link", "add", port, "type", "veth", "peer", "name", "phone", "netns", phone.String())
				air.Run("ip", "link", "set", port, "master", "air", "up")
				air.Run("ip", "link", "set", port, "type", "bridge_slave", "isolated", "on")
				phone.Run("ip", "address", "add", fmt.Sprintf("10.250.250.10%d/24", i), "dev", "phone")
				phone.Run("ip", "link", "set", "phone", "up")
				phone.Run("ip", "route", "add", fmt.Sprintf("10.250.250.10%d/32", 1-i), "via", "10.250.250.1")
			}
			guarded(t, testConfig(runtimeDir(t)), row.keep)
			if open := ping(phones[0], "10.250.250.101"); open != row.open {
				t.Errorf("a phone reaches another: %v", open)
			}
			if !ping(phones[0], "10.250.250.1") {
				t.Error("a phone does not reach the device")
			}
		})
	}
}

// watchfulHostapd records the state of the guard just before hostapd starts and just
// after it has ended, in a folder that it may write to.
const watchfulHostapd = `#!/bin/sh
look() { { cat /proc/sys/net/ipv6/conf/wlan0/accept_ra; /usr/sbin/nft -j list table inet netconnectd; } >"%s/hostapd/$1" 2>&1; }
look before
/usr/sbin/hostapd "$@" &
trap 'kill $!; wait $!; look after; exit 0' TERM
wait $!
`

// TestGuardStandsAroundTheAccessPoint checks that the guard is in place before the
// first beacon and after the last, that the next daemon finds it, and that it leaves
// nothing behind.
func TestGuardStandsAroundTheAccessPoint(t *testing.T) {
	phone := cable(t)
	dir := runtimeDir(t)
	c := testConfig(dir)
	c.Hostapd = filepath.Join(dir, "watchful")
	if err := os.WriteFile(c.Hostapd, fmt.Appendf(nil, watchfulHostapd, dir), 0o755); err != nil {
		t.Fatal(err)
	}
	onlyOthers := others(t)
	before := settingsNow(t)
	first := newDaemon(t, c)
	told := make(chan error, 8)
	first.ap.Unguarded = func(err error) { told <- err }
	serving := first.start()
	select {
	case err := <-told:
		if err != nil {
			t.Errorf("the first that is told: %v", err)
		}
	default:
		t.Error("it serves, and nothing was told")
	}
	serving.leave()
	advertise(t, phone)
	netnstest.Run(t, "ip", "-6", "route", "show", "default")
	second := newDaemon(t, c)
	second.start().leave()
	netnstest.Run(t, "nft", "-j", "list", "table", "inet", tableName)
	if got := learned(t); got != "" {
		t.Errorf("the device has learned:\n%s", got)
	}
	if err := second.ap.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"before", "after"} {
		text, err := os.ReadFile(filepath.Join(dir, "hostapd", when))
		if err != nil || !strings.HasPrefix(string(text), "0\n") || !strings.Contains(string(text), `"forward"`) {
			t.Errorf("%s hostapd: %s, %v", when, text, err)
		}
	}
	onlyOthers()
	if after := settingsNow(t); after != before {
		t.Errorf("settings before:\n%s\nafter:\n%s", before, after)
	}
	for _, name := range []string{"settings.json", "forwarding.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
}
