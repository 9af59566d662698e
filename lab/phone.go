package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Phone is a person's phone: it scans, joins with a passphrase, asks for a lease,
// pings. It consists of wpa_supplicant, udhcpc, ping and iw.
type Phone struct {
	ns         namespace
	device     string
	folder     string
	lab        *Lab
	supplicant *program
}

func newPhone(t testing.TB, l *Lab, ns namespace, radio int) *Phone {
	t.Helper()
	p := &Phone{ns: ns, device: fmt.Sprintf("wlan%d", radio), folder: filepath.Join(runFolder, string(ns)), lab: l}
	moveRadio(t, p.ns, radio)
	must(t, p.ns, "ip", "link", "set", p.device, "up")
	return p
}

// Sees scans one frequency (MHz), which takes 0.3 s in the lab, and reports whether
// the network sends beacons there now. `iw scan` sometimes misses the end of its own
// scan and then waits for ever, hence the limit.
func (p *Phone) Sees(ssid string, mhz int) bool {
	found, _ := p.ns.runFor(2*time.Second, "iw", "dev", p.device, "scan", "freq", fmt.Sprint(mhz), "flush")
	return hasLine(found, "SSID: "+ssid)
}

// Join associates with a network that the phone has seen. Without a passphrase, the
// network must be open.
func (p *Phone) Join(t testing.TB, ssid, passphrase string, mhz int, limit time.Duration) {
	t.Helper()
	p.Leave()
	key := "key_mgmt=NONE"
	if passphrase != "" {
		key = fmt.Sprintf("psk=%q", passphrase)
	}
	config := writeFile(t, p.folder+"/wpa.conf", fmt.Sprintf(`ctrl_interface=%s/wpa
network={
	ssid="%s"
	%s
	scan_freq=%d
}
`, p.folder, ssid, key, mhz))
	p.supplicant = p.ns.start(t, p.log("wpa_supplicant"), "wpa_supplicant", "-t", "-Dnl80211", "-i", p.device, "-c", config)
	until(t, limit, "the phone joins "+ssid, func() (string, bool) {
		state := p.state()
		return "wpa_state=" + state, state == "COMPLETED"
	})
}

// state returns wpa_supplicant's state, such as COMPLETED.
func (p *Phone) state() string {
	status, _ := p.ns.run("wpa_cli", "-p", p.folder+"/wpa", "-i", p.device, "status")
	for line := range strings.Lines(status) {
		if state, ok := strings.CutPrefix(strings.TrimSpace(line), "wpa_state="); ok {
			return state
		}
	}
	return "none"
}

// udhcpcScript configures the phone with its lease and records the lease.
const udhcpcScript = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
echo "$ip" >$(dirname "$0")/lease
`

// Lease asks for a lease and returns its address.
func (p *Phone) Lease(t testing.TB) string {
	t.Helper()
	note := p.folder + "/lease"
	_ = os.Remove(note)
	script := writeFile(t, p.folder+"/udhcpc.script", udhcpcScript)
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	ask := []string{"udhcpc", "-i", p.device, "-f", "-n", "-q", "-t", "8", "-T", "1", "-s", script}
	if _, err := p.ns.runFor(15*time.Second, ask...); err != nil {
		t.Fatalf("the phone gets no lease: %v", err)
	}
	address, err := os.ReadFile(note)
	if err != nil {
		t.Fatalf("the phone gets no lease: %v", err)
	}
	return strings.TrimSpace(string(address))
}

// Reaches reports whether the address answers a ping within a second.
func (p *Phone) Reaches(address string) bool {
	_, err := p.ns.run("ping", "-n", "-c", "1", "-W", "1", address)
	return err == nil
}

// Connected reports whether the phone is still on the network it joined.
func (p *Phone) Connected() bool { return p.state() == "COMPLETED" }

// Leave disconnects the phone from the network.
func (p *Phone) Leave() {
	p.supplicant.end()
	p.supplicant = nil
	_, _ = p.ns.run("ip", "addr", "flush", "dev", p.device)
	_, _ = p.ns.run("ip", "link", "set", p.device, "up")
}

func (p *Phone) log(program string) string {
	return filepath.Join(p.lab.logs, string(p.ns)+"-"+program+".log")
}

func (p *Phone) close() { p.Leave() }
