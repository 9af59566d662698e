package ap

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/sysctl"
)

func forwardingConfig(dir string) Config {
	c := testConfig(dir)
	c.ForwardTo = "eth0"
	return c
}

// foreign holds the rules of other programs in the packet filter. They must never
// change.
const foreign = `table inet firewall {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 22 accept
	}
}
table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "docker0" masquerade
	}
}
`

// wire creates eth0 with the address 192.0.2.1 and, at its other end, a machine at
// 192.0.2.2 that knows no other network. Nothing is forwarded yet.
func wire(t *testing.T) (lan *netnstest.Namespace) {
	t.Helper()
	lan = netnstest.Another(t)
	setSwitch(t, "all", "0")
	plug(t, lan)
	lan.Run("ip", "addr", "add", "192.0.2.2/24", "dev", "lan")
	lan.Run("ip", "link", "set", "lan", "up")
	t.Cleanup(func() { exec.Command("ip", "link", "del", "eth0").Run() })
	return lan
}

func plug(t *testing.T, lan *netnstest.Namespace) {
	t.Helper()
	netnstest.Run(t, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "lan", "netns", lan.String())
	netnstest.Run(t, "ip", "addr", "add", "192.0.2.1/24", "dev", "eth0")
	netnstest.Run(t, "ip", "link", "set", "eth0", "up")
}

// join sets the phone's address, with the access point as its router.
func join(t *testing.T, phone *netnstest.Namespace, address string) {
	t.Helper()
	phone.Run("ip", "addr", "replace", address+"/24", "dev", "phone")
	phone.Run("ip", "route", "replace", "default", "via", "10.250.250.1")
}

// pings reports whether the phone reaches the machine behind the cable. That machine
// has no route to the phone's own address.
func pings(phone *netnstest.Namespace) bool { return ping(phone, "192.0.2.2") }

func ping(from *netnstest.Namespace, to string) bool {
	return from.Command("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", to).Run() == nil
}

func setSwitch(t *testing.T, name, value string) {
	t.Helper()
	if err := os.WriteFile(sysctl.Path("ipv4", name, "forwarding"), []byte(value), 0o644); err != nil {
		t.Fatal(err)
	}
}

// switchesNow lists what forwards: net.ipv4.ip_forward and the interfaces.
func switchesNow(t *testing.T) string {
	t.Helper()
	var all []string
	for _, name := range []string{"all", "eth0", "wlan0"} {
		value := "-"
		if text, err := os.ReadFile(sysctl.Path("ipv4", name, "forwarding")); err == nil {
			value = strings.TrimSpace(string(text))
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(all, " ")
}

func ruleset(t *testing.T) string {
	t.Helper()
	return netnstest.Run(t, "nft", "list", "ruleset")
}

// others installs the foreign tables and checks at the end that they are unchanged.
func others(t *testing.T) (check func()) {
	t.Helper()
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(foreign)
	output(t, cmd)
	t.Cleanup(func() { netnstest.Run(t, "nft", "flush", "ruleset") })
	return func() {
		t.Helper()
		if diff := cmp.Diff(foreign, ruleset(t)); diff != "" {
			t.Errorf("packet filter (-want +got):\n%s", diff)
		}
	}
}

// ownRules returns the rules of our chains as nft(8) prints them.
func ownRules(t *testing.T) string {
	t.Helper()
	out := netnstest.Run(t, "nft", "list", "table", "inet", tableName)
	return strings.ReplaceAll(out, "\t", " ")
}
