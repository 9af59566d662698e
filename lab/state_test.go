//go:build lab

package lab

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// settled is much longer than the timeouts of LACP, which are 3 s each at its fast
// rate.
const settled = 60 * time.Second

// TestStateOfDebiansKinds compares our output for kinds of links that few kernels
// have, key by key, with the programs of iproute2 and WireGuard.
func TestStateOfDebiansKinds(t *testing.T) {
	if _, err := os.Stat(simulator); err == nil {
		t.Skip("needs the kinds and options of Debian's kernel: make test-stock; the lab's own is newer and has fewer")
	}
	l := New(t, "State: the kinds of links that Debian's kernel has")
	ns := namespace("kinds")
	l.Timeline.Step("links of all kinds, routes, rules", func() string {
		ns.makeKinds(t)
		return "ip, bridge, wg"
	})
	// Two ports that receive nothing pass through states of LACP until they settle.
	until(t, settled, "LACP has given up on a partner", func() (string, bool) {
		ports := must(t, ns, "ip", "-d", "-j", "link", "show", "master", "lacp")
		return ports, strings.Count(ports, `"defaulted"`) == 2 && !strings.Contains(ports, `"expired"`)
	})
	var text string
	var ours object
	l.Timeline.Step("state read", func() string {
		text = ns.readState(t)
		ours = parse[object](t, text)
		if err := os.WriteFile(filepath.Join(l.logs, "state.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d interfaces, %d routes, %d rules", len(ours["ifaces"].(object)), len(list(ours["routes"])), len(list(ours["rules"])))
	})
	l.Timeline.Step("every key of every kind compared", func() string {
		ns.compareLinks(t, l, ours["ifaces"].(object))
		return "ip -d -j link"
	})
	ns.compareVLANs(t, l, ours["ifaces"].(object))
	ns.compareWireGuard(t, ours["ifaces"].(object)["wg0"].(object))
	ns.compareNexthops(t, l, list(ours["nexthops"]))
	ns.compareRules(t, list(ours["rules"]))
	ns.compareRoutes(t, l, list(ours["routes"]))
	seeNoKeys(t, text)
}

// makeKinds creates the namespace and its links. They vanish at the end of the
// scenario.
func (n namespace) makeKinds(t *testing.T) {
	t.Helper()
	// Otherwise each kind of tunnel creates a link of its own, which stays in the
	// root namespace when this namespace vanishes.
	const fallback = "/proc/sys/net/core/fb_tunnels_only_for_init_net"
	before, err := os.ReadFile(fallback)
	if err == nil {
		err = os.WriteFile(fallback, []byte("2"), 0o644)
	}
	if err != nil {
		t.Fatalf("no fallback tunnels: %v", err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(fallback, before, 0o644); err != nil {
			t.Errorf("fallback tunnels again: %v", err)
		}
	})
	must(t, "", "modprobe", "--all", "fou", "fou6")
	n.create(t)
	t.Cleanup(func() { must(t, "", "ip", "netns", "delete", string(n)) })
	must(t, n, "ip", "-batch", writeFile(t, filepath.Join(runFolder, "kinds"), kindsToMake))
	must(t, n, "ip", "-6", "rule", "add", "from", "fd00::/8", "fwmark", "0x10/0xff", "lookup", "77", "priority", "1800")
	must(t, n, "bridge", "-batch", writeFile(t, filepath.Join(runFolder, "vlans"), vlansToMake))
	private := writeFile(t, filepath.Join(runFolder, "wg0.key"), wireguardPrivateKey+"\n")
	shared := writeFile(t, filepath.Join(runFolder, "wg0.psk"), wireguardSharedKey+"\n")
	must(t, n, append([]string{
		"wg", "set", "wg0", "listen-port", "51820", "fwmark", "0x10", "private-key", private,
		"peer", wireguardPeerKey, "preshared-key", shared,
	}, strings.Fields(wireguardPeer)...)...)
}

// readState returns the output of the device's own program about the namespace.
func (n namespace) readState(t *testing.T) string {
	t.Helper()
	return must(t, "", "netconnectcli", "show", "full", "-j", "--netns", string(n))
}

// ask returns a witness's answer, which also goes to the scenario's logs.
func (n namespace) ask(t *testing.T, l *Lab, argv ...string) []object {
	t.Helper()
	text := must(t, n, argv...)
	if err := os.WriteFile(filepath.Join(l.logs, strings.Join(argv, "_")+".json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return parse[[]object](t, text)
}

func (n namespace) compareLinks(t *testing.T, l *Lab, ours object) {
	t.Helper()
	theirs := n.ask(t, l, "ip", "-d", "-j", "link")
	c := comparison{t, map[string]bool{}}
	seen, kinds := 0, map[string]bool{}
	for _, link := range theirs {
		name := link["ifname"].(string)
		iface, ok := ours[name].(object)
		if !ok {
			t.Errorf("ip shows %s", name)
			continue
		}
		seen++
		kinds[c.compareLink(name, link, iface)] = true
	}
	if seen != len(ours) {
		t.Errorf("we have %d interfaces, ip shows %d", len(ours), len(theirs))
	}
	for kind, s := range shapes {
		if !kinds[kind] {
			t.Errorf("there was no %s to compare", kind)
		}
		if keys := c.unused(s); keys != nil {
			t.Errorf("ip has shown no %s of a %s", keys, kind)
		}
	}
}

// compareLink compares a link and returns its kind. Most of the values that every
// link has are compared in internal/link/rtnl.
func (t comparison) compareLink(name string, theirs, ours object) (kind string) {
	t.Helper()
	info, _ := theirs["linkinfo"].(object)
	kind, _ = info["info_kind"].(string)
	s, known := shapes[kind]
	if kind != "" && !known {
		t.Errorf("%s: kind %s is in no table", name, kind)
	}
	t.compareBlock(name, shape{rows: linkRows, rest: elsewhere}, theirs, ours)
	if kind != "" {
		if !fits(s.word, ours["iface_type"]) {
			t.Errorf("%s: iface_type is %v, ip shows %s", name, ours["iface_type"], kind)
		}
		data, _ := info["info_data"].(object)
		t.compareBlock(name, s, data, block(ours, s.block))
		if below, ok := theirs["link"]; ok && s.block != "" && at(block(ours, s.block), "base_iface") != below {
			t.Errorf("%s: base_iface is %v, ip shows link %v", name, at(block(ours, s.block), "base_iface"), below)
		}
	}
	if portKind, ok := info["info_slave_kind"].(string); ok {
		p, known := portShapes[portKind]
		if !known {
			t.Errorf("%s: kind of port %s is in no table", name, portKind)
		}
		data, _ := info["info_slave_data"].(object)
		t.compareBlock(name, p, data, block(ours, p.block))
	}
	return kind
}

var linkRows = []row{
	{key: "ifindex", path: "index"},
	{key: "ifname", path: "name"},
	{key: "mtu", path: "mtu"},
	{key: "operstate", path: "state", as: words("UP", "up", "DOWN", "down", "UNKNOWN", "unknown", "LOWERLAYERDOWN", "lower_layer_down")},
	{key: "master", path: "controller"},
}

func block(iface object, name string) object {
	b, _ := iface[name].(object)
	return b
}

func list(v any) []object {
	var out []object
	all, _ := v.([]any)
	for _, one := range all {
		out = append(out, one.(object))
	}
	return out
}

func (n namespace) compareVLANs(t *testing.T, l *Lab, ours object) {
	t.Helper()
	theirs := n.ask(t, l, "bridge", "-d", "-j", "vlan")
	if len(theirs) < 4 {
		t.Errorf("bridge shows VLANs of %d links only", len(theirs))
	}
	for _, link := range theirs {
		name := link["ifname"].(string)
		iface := ours[name].(object)
		vlans := list(iface["bridge_vlan"])
		if port := block(iface, "bridge_port"); port != nil {
			vlans = list(port["vlans"])
		}
		var want, got []string
		for _, vlan := range list(link["vlans"]) {
			flags := fmt.Sprint(vlan["flags"])
			last := vlan["vlanEnd"]
			if last == nil {
				last = vlan["vlan"]
			}
			want = append(want, fmt.Sprint(vlan["vlan"], last, strings.Contains(flags, "PVID"), strings.Contains(flags, "Untagged")))
		}
		for _, vlan := range vlans {
			first, last := vlan["vid"], vlan["vid"]
			if several, ok := vlan["vid_range"].([]any); ok {
				first, last = several[0], several[1]
			}
			got = append(got, fmt.Sprint(first, last, vlan["is_pvid"], vlan["is_egress_untagged"]))
		}
		compareSets(t, "VLANs of "+name, want, got)
	}
}

func (n namespace) compareWireGuard(t *testing.T, ours object) {
	t.Helper()
	fields := strings.Fields(strings.Split(must(t, n, "wg", "show", "wg0", "dump"), "\n")[1])
	device := block(ours, "wireguard")
	peers := list(device["peers"])
	if device["listen_port"] != 51820.0 || device["fwmark"] != 16.0 || len(peers) != 1 {
		t.Fatalf("wg0 is %v", device)
	}
	var allowed []string
	for _, one := range peers[0]["allowed_ips"].([]any) {
		allowed = append(allowed, one.(string))
	}
	got := []string{
		fmt.Sprint(peers[0]["endpoint"]), strings.Join(allowed, ","), fmt.Sprint(peers[0]["persistent_keepalive"]),
		fmt.Sprint(peers[0]["rx_bytes"]), fmt.Sprint(peers[0]["tx_bytes"]), fmt.Sprint(peers[0]["last_handshake"] == nil),
	}
	want := []string{fields[2], fields[3], fields[7], fields[5], fields[6], fmt.Sprint(fields[4] == "0")}
	slices.Sort(allowed)
	if !slices.Equal(got, want) {
		t.Errorf("the peer of wg0 is %q, wg shows %q", got, want)
	}
}

// seeNoKeys checks that neither WireGuard's nor MACsec's keys appear, in any form in
// which bytes can be written.
func seeNoKeys(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{macsecKey, wireguardPrivateKey, wireguardSharedKey} {
		raw, err := hex.DecodeString(secret)
		if err != nil {
			if raw, err = base64.StdEncoding.DecodeString(secret); err != nil {
				t.Fatal(err)
			}
		}
		for _, form := range []string{
			hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
			strings.Trim(fmt.Sprint(raw), "[]"), strings.ReplaceAll(strings.Trim(fmt.Sprint(raw), "[]"), " ", ","), string(raw),
		} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
				t.Error("a key stands in the state")
			}
		}
	}
}
