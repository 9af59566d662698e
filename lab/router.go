package lab

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// routerConfig is what differs between two routers.
type routerConfig struct {
	name       string // also of its namespace
	radio      int
	SSID       string
	passphrase string
	channel    int    // in the 2.4 GHz band
	subnet     string // first three bytes of its /24; the router is .1
}

// Router is a Wi-Fi router with WPA2, DHCP, DNS and an address that answers
// pings: hostapd and dnsmasq.
type Router struct {
	routerConfig
	ns      namespace
	device  string // its radio's interface
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
	must(t, r.ns, "ip", "addr", "replace", r.Address()+"/24", "dev", r.device)
	return r
}

// moveRadio gives the namespace a radio of the simulation.
func moveRadio(t testing.TB, ns namespace, radio int) {
	t.Helper()
	ns.create(t)
	device := fmt.Sprintf("wlan%d", radio)
	if _, err := ns.run("ip", "link", "show", device); err == nil {
		return
	}
	must(t, "", "iw", "phy", fmt.Sprintf("phy%d", radio), "set", "netns", "name", string(ns))
}

// Address is the router's own, the gateway of its network.
func (r *Router) Address() string { return r.subnet + ".1" }

// Frequency of the router's channel, in MHz.
func (r *Router) Frequency() int { return frequency(r.channel) }

// frequency of a channel in the 2.4 GHz band, in MHz (channel 14 is no use here).
func frequency(channel int) int { return 2407 + 5*channel }

// Start switches the router on and returns when it serves.
func (r *Router) Start(t testing.TB) {
	t.Helper()
	must(t, r.ns, "ip", "link", "set", r.device, "up")
	r.hostapd = r.ns.start(t, r.log("hostapd"), "hostapd", "-t", r.writeHostapd(t))
	r.dnsmasq = r.ns.start(t, r.log("dnsmasq"), r.dnsmasqCommand()...)
	until(t, 10*time.Second, "router "+r.name+" serves", func() (string, bool) {
		if !r.hostapd.running() || !r.dnsmasq.running() {
			t.Fatalf("router %s: hostapd or dnsmasq ended, see %s", r.name, r.log("*"))
		}
		status, _ := r.ns.run("hostapd_cli", "-p", r.folder+"/hostapd", "-i", r.device, "status")
		enabled := strings.Contains(status, "state=ENABLED")
		listening := listensUDP(r.dnsmasq.cmd.Process.Pid, 67)
		return fmt.Sprintf("hostapd enabled: %v, port 67 bound: %v", enabled, listening), enabled && listening
	})
}

// DieSilently is a power cut: no deauthentication, beacons just stop. hostapd
// would say goodbye, so it is killed; the kernel, which beacons on without it,
// says nothing when the interface goes down.
func (r *Router) DieSilently(t testing.TB) {
	t.Helper()
	r.hostapd.kill()
	r.dnsmasq.kill()
	must(t, r.ns, "ip", "link", "set", r.device, "down")
}

// Stations are the MAC addresses of those that are on the router.
func (r *Router) Stations() ([]string, error) {
	return stations(r.ns, r.device)
}

// Leases says whether the address is one that the router gives away.
func (r *Router) Leases(address string) bool {
	return inRange(address, r.subnet+".100", r.subnet+".150")
}

func (r *Router) log(program string) string {
	return filepath.Join(r.lab.logs, r.name+"-"+program+".log")
}

func (r *Router) writeHostapd(t testing.TB) string {
	return writeFile(t, r.folder+"/hostapd.conf", fmt.Sprintf(`interface=%s
driver=nl80211
ctrl_interface=%s/hostapd
ssid=%s
hw_mode=g
channel=%d
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=%s
`, r.device, r.folder, r.SSID, r.channel, r.passphrase))
}

func (r *Router) dnsmasqCommand() []string {
	return dnsmasqCommand(r.device, r.Address(), r.subnet, filepath.Join(runFolder, r.name+".leases"))
}

// dnsmasqCommand is a home network's DHCP and DNS server. no-ping: it would
// take 3 s per lease to see whether the address is really free.
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
	r.hostapd.end()
	r.dnsmasq.end()
	_, _ = r.ns.run("ip", "link", "set", r.device, "down")
}
