package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// routerConfig holds the settings that differ between routers.
type routerConfig struct {
	name       string // the router's name, also that of its namespace
	radio      int
	SSID       string
	passphrase string
	channel    int    // a channel of the 2.4 GHz band
	subnet     string // first three bytes of its /24; the router's address ends in .1

	security security // "": WPA2
	hidden   bool     // its beacons do not contain the SSID
}

// Router is a Wi-Fi router with DHCP, DNS and an address that answers pings. It
// consists of hostapd and dnsmasq.
type Router struct {
	routerConfig
	ns      namespace
	device  string // the interface of its radio
	folder  string
	lab     *Lab
	hostapd *program
	dnsmasq *program
}

func newRouter(t testing.TB, l *Lab, c routerConfig) *Router {
	t.Helper()
	r := &Router{
		routerConfig: c,
		ns:           namespace(c.name),
		device:       fmt.Sprintf("wlan%d", c.radio),
		folder:       filepath.Join(runFolder, c.name),
		lab:          l,
	}
	moveRadio(t, r.ns, c.radio)
	must(t, r.ns, "ip", "addr", "flush", "dev", r.device)
	must(t, r.ns, "ip", "addr", "add", r.Address()+"/24", "dev", r.device)
	return r
}

// moveRadio moves a simulated radio to the namespace.
func moveRadio(t testing.TB, ns namespace, radio int) {
	t.Helper()
	ns.create(t)
	device := fmt.Sprintf("wlan%d", radio)
	if _, err := ns.run("ip", "link", "show", device); err == nil {
		return
	}
	must(t, "", "iw", "phy", fmt.Sprintf("phy%d", radio), "set", "netns", "name", string(ns))
}

// Address returns the router's own address, the gateway of its network.
func (r *Router) Address() string { return r.subnet + ".1" }

// Frequency returns the frequency of the router's channel, in MHz.
func (r *Router) Frequency() int { return frequency(r.channel) }

// frequency returns the frequency of a channel in the 2.4 GHz band, in MHz, except
// for channel 14, which the lab does not use.
func frequency(channel int) int { return 2407 + 5*channel }

// Start switches the router on and returns when it serves.
func (r *Router) Start(t testing.TB) {
	t.Helper()
	must(t, r.ns, "ip", "link", "set", r.device, "up")
	r.dnsmasq = r.ns.start(t, r.log("dnsmasq"), r.dnsmasqCommand()...)
	r.startRadio(t)
	until(t, 10*time.Second, "router "+r.name+" serves leases", func() (string, bool) {
		if !r.dnsmasq.running() {
			t.Fatalf("router %s: dnsmasq ended, see %s", r.name, r.log("dnsmasq"))
		}
		return "port 67 not bound", listensUDP(r.dnsmasq.cmd.Process.Pid, 67)
	})
}

// StartWith switches the router on with the given DHCP server in place of its own.
func (r *Router) StartWith(t testing.TB, server *DHCPServer) {
	t.Helper()
	must(t, r.ns, "ip", "link", "set", r.device, "up")
	server.start(t, r)
	r.startRadio(t)
}

// These are the addresses of a router that has IPv6 alone (RFC 3849).
const (
	ipv6Prefix = "2001:db8:50::"
	ipv6Router = ipv6Prefix + "1"
)

// StartIPv6 switches the router on with IPv6 alone: it advertises a prefix, itself as
// router, and itself as name server, and no server assigns addresses.
func (r *Router) StartIPv6(t testing.TB) {
	t.Helper()
	must(t, r.ns, "ip", "link", "set", r.device, "up")
	must(t, r.ns, "ip", "addr", "flush", "dev", r.device, "scope", "global")
	must(t, r.ns, "ip", "addr", "add", ipv6Router+"/64", "dev", r.device, "nodad")
	r.dnsmasq = r.ns.start(t, r.log("dnsmasq"),
		"dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file=", "--user=root",
		"--port=0", "--interface="+r.device, "--enable-ra", "--dhcp-range="+ipv6Prefix+",ra-only", "--ra-param="+r.device+",4",
		"--dhcp-option=option6:dns-server,["+ipv6Router+"]")
	r.startRadio(t)
}

func (r *Router) startRadio(t testing.TB) {
	t.Helper()
	// A real router has a processor of its own. Here hostapd would wait for the
	// device's processor: if an answer takes 200 ms, as the one with OWE's key may,
	// the station asks again, and hostapd creates another key.
	r.hostapd = r.ns.start(t, r.log("hostapd"), "nice", "-n", "-20", "hostapd", "-t", r.writeHostapd(t))
	until(t, 10*time.Second, "router "+r.name+" is on the air", func() (string, bool) {
		if !r.hostapd.running() {
			t.Fatalf("router %s: hostapd ended, see %s", r.name, r.log("hostapd"))
		}
		status, _ := r.ns.run("hostapd_cli", "-p", r.folder+"/hostapd", "-i", r.device, "status")
		return status, strings.Contains(status, "state=ENABLED")
	})
}

// Renumber moves the router, which must be off, to another subnet.
func (r *Router) Renumber(t testing.TB, subnet string) {
	t.Helper()
	r.subnet = subnet
	must(t, r.ns, "ip", "addr", "flush", "dev", r.device)
	must(t, r.ns, "ip", "addr", "add", r.Address()+"/24", "dev", r.device)
	_ = os.Remove(r.leaseFile())
}

// FallSilent makes the router's address answer neither pings nor ARP. Its radio and
// its DHCP server go on, as in a router whose software has failed.
func (r *Router) FallSilent(t testing.TB) {
	t.Helper()
	r.filter(t, "icmp type echo-request drop", "drop")
}

// Lose makes the router lose the given percentage of the packets that it receives.
func (r *Router) Lose(t testing.TB, percent int) {
	t.Helper()
	rule := fmt.Sprintf("numgen random mod 100 < %d drop", percent)
	r.filter(t, rule, rule)
}

// filter drops packets for the router's address, by nftables rules.
func (r *Router) filter(t testing.TB, ip, arp string) {
	t.Helper()
	for family, rule := range map[string]string{"ip": ip, "arp": arp} {
		must(t, r.ns, "nft", fmt.Sprintf(
			"table %[1]s lab { chain in { type filter hook input priority 0; %[2]s; }; }", family, rule))
	}
}

// Recover ends FallSilent and Lose.
func (r *Router) Recover(t testing.TB) {
	t.Helper()
	must(t, r.ns, "nft", "flush", "ruleset")
}

// DieSilently is a power cut: there is no deauthentication, and beacons just stop.
// hostapd would deauthenticate stations, so it is killed. The kernel sends beacons
// without hostapd, and sends no farewell when the interface is taken down.
func (r *Router) DieSilently(t testing.TB) {
	t.Helper()
	r.hostapd.kill()
	r.dnsmasq.kill()
	must(t, r.ns, "ip", "link", "set", r.device, "down")
}

// Stations returns the MAC addresses of the stations on the router.
func (r *Router) Stations() ([]string, error) {
	return stations(r.ns, r.device)
}

// Leases reports whether the address belongs to the range that the router leases.
func (r *Router) Leases(address string) bool {
	return inRange(address, r.subnet+".100", r.subnet+".150")
}

func (r *Router) log(program string) string {
	return filepath.Join(r.lab.logs, r.name+"-"+program+".log")
}

func (r *Router) writeHostapd(t testing.TB) string {
	hidden := 0
	if r.hidden {
		hidden = 1
	}
	return writeFile(t, r.folder+"/hostapd.conf", fmt.Sprintf(`interface=%s
driver=nl80211
ctrl_interface=%s/hostapd
ssid2=%x
ignore_broadcast_ssid=%d
hw_mode=g
channel=%d
%s`, r.device, r.folder, r.SSID, hidden, r.channel, r.securityConfig(t)))
}

func (r *Router) dnsmasqCommand() []string {
	return dnsmasqCommand(r.device, r.Address(), r.subnet, r.leaseFile())
}

// dnsmasqCommand returns the command of a home network's DHCP and DNS server. It has
// no-ping, because it would take 3 s per lease to check whether the address is free.
func dnsmasqCommand(device, address, subnet, leases string) []string {
	return []string{
		"dnsmasq", "--keep-in-foreground", "--log-facility=-", "--log-dhcp", "--conf-file=/dev/null",
		"--pid-file=", "--user=root", "--no-hosts", "--no-resolv", "--no-ping", "--dhcp-authoritative",
		"--interface=" + device, "--except-interface=lo", "--bind-interfaces",
		"--address=/router.lab/" + address, "--dhcp-leasefile=" + leases,
		fmt.Sprintf("--dhcp-range=%s.100,%s.150,10m", subnet, subnet),
		"--dhcp-option=option:router," + address, "--dhcp-option=option:dns-server," + address,
	}
}

func (r *Router) close() {
	_, _ = r.ns.run("nft", "flush", "ruleset")
	r.hostapd.end()
	r.dnsmasq.end()
	_, _ = r.ns.run("ip", "link", "set", r.device, "down")
}
