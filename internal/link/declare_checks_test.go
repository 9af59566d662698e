package link

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/sysctl"
	"github.com/netconnectd/netconnectd/state"
)

// watcher is ip(8) that watches the namespace of the test.
type watcher struct {
	t     *testing.T
	lines *lines
	marks int
}

// watching starts ip monitor, and returns when it hears.
func (d declaring) watching() *watcher {
	d.t.Helper()
	cmd := exec.CommandContext(testContext(d.t), "ip", "-o", "monitor", "link", "address", "route", "rule")
	w := &watcher{t: d.t, lines: &lines{seen: make(chan string, 1000)}}
	cmd.Stdout = w.lines
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	w.lines.touchUntilHeard(d.t, func(try string) { ip(d.t, "addr", "replace", try, "dev", "lo") })
	w.seen()
	return w
}

// seen returns what was heard since the last call.
func (w *watcher) seen() (heard []string) {
	w.t.Helper()
	w.marks++
	mark := fmt.Sprintf("127.9.0.%d", w.marks)
	ip(w.t, "addr", "add", mark+"/32", "dev", "lo")
	for line := range w.lines.until(w.t, mark) {
		if !strings.Contains(line, ": lo ") && !strings.Contains(line, "dev lo ") {
			heard = append(heard, strings.TrimSpace(line))
		}
	}
	return heard
}

// settled waits until the kernel has found carriers, and has checked addresses.
func (d declaring) settled(names ...string) {
	d.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		waits := ""
		for _, name := range names {
			if l := ipJSON[[]ipLink](d.t, "addr", "show", "dev", name)[0]; l.State != "UP" {
				waits = name + " is " + l.State
			}
		}
		if tentative := ip(d.t, "-6", "addr", "show", "tentative"); tentative != "" {
			waits = tentative
		}
		if waits == "" {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("not settled: %s", waits)
		}
		time.Sleep(20 * time.Millisecond) // between two questions
	}
}

// lan is a veth whose other end is up, with one address, a gateway and a second
// address in another subnet.
func lan(address string) Desired {
	return Desired{Links: []LinkSpec{
		{Name: "lan0", Path: "network.interfaces[0]", Up: up(), Addresses: want(address, "198.51.100.1/24", "fd07::7/64"),
			Routes: []RouteSpec{through("0.0.0.0/0", "192.0.2.254", 600)}},
		{Name: "lan1", Path: "network.interfaces[1]", Up: up(), Addresses: want("203.0.113.1/24")},
	}}
}

func (d declaring) cables() {
	d.t.Helper()
	ipAll(d.t, `
		link add lan0 type veth peer name far0
		link add lan1 type veth peer name far1
		link set far0 up
		link set far1 up`)
}

// TestNothingToDo: a declaration that is applied already sends nothing.
func TestNothingToDo(t *testing.T) {
	d := declareHere(t)
	d.cables()
	d.apply(lan("192.0.2.1/24"))
	d.settled("lan0", "lan1")
	w := d.watching()
	before, err := os.Stat(d.File)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if done := d.apply(lan("192.0.2.1/24")); len(done) > 0 {
			t.Fatalf("done: %v", done)
		}
	}
	if heard := w.seen(); len(heard) > 0 {
		t.Errorf("heard:\n%s", strings.Join(heard, "\n"))
	}
	if after, err := os.Stat(d.File); err != nil || !os.SameFile(before, after) || before.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, and was %v; %v", after, before, err)
	}
}

// TestChangedAddress: another address of the same subnet is two writes, after which the
// link has the second address, the route through a gateway and the route of somebody
// else, without an instant in which it had no address of the subnet. Other links hear
// nothing.
func TestChangedAddress(t *testing.T) {
	d := declareHere(t)
	d.cables()
	d.apply(lan("192.0.2.1/24"))
	ipAll(t, `route add 10.66.0.0/16 via 192.0.2.66 dev lan0
		addr add 192.0.2.77/24 dev lan0`)
	d.settled("lan0", "lan1")
	w := d.watching()
	flags := ip(t, "-o", "link", "show", "lan0")
	last := "192.0.2.1/24"
	for round, next := range []string{"192.0.2.9/24", "192.0.2.1/24", "192.0.2.9/24"} {
		done := d.apply(lan(next))
		wantDone := []string{"lan0: add address " + next, "lan0: remove address " + last}
		if round == 0 {
			wantDone = slices.Insert(wantDone, 0, "lan0: set ipv4/conf/lan0/promote_secondaries 1 (in place)")
		}
		if !slices.Equal(done, wantDone) {
			t.Errorf("done %q, want %q", done, wantDone)
		}
		writes, has := 0, 1
		for _, line := range w.seen() {
			address, deleted := strings.Contains(line, " inet "), strings.HasPrefix(line, "Deleted")
			switch {
			case !strings.Contains(line, "lan0"), strings.Contains(line, "198.51.100."), deleted && !address && !strings.Contains(line, "proto kernel"):
				t.Errorf("heard: %s", line)
			case address && strings.Contains(line, "192.0.2.77"): // it may lead the subnet now
			case address && deleted:
				writes, has = writes+1, has-1
			case address:
				writes, has = writes+1, has+1
			}
			if has < 1 {
				t.Errorf("without an address at: %s", line)
			}
		}
		if writes != 2 {
			t.Errorf("%d writes", writes)
		}
		last = next
	}
	if now := ip(t, "-o", "link", "show", "lan0"); now != flags {
		t.Errorf("the link was\n%s and is\n%s", flags, now)
	}
	if got := fmt.Sprint(addressesOf(t, "lan0"), routesOf(t, "lan0", "78"), routesOf(t, "lan0", "boot")); got !=
		"[192.0.2.77/24 192.0.2.9/24 198.51.100.1/24 fd07::7/64] [default via 192.0.2.254 metric 600] [10.66.0.0/16 via 192.0.2.66]" {
		t.Error(got)
	}
	ip(t, "addr", "del", "192.0.2.77/24", "dev", "lan0")
	d.apply(Desired{})
	if value, err := sysctl.Read(sysctl.File("ipv4/conf/lan0/promote_secondaries")); err != nil || value != "0" {
		t.Errorf("promote_secondaries is %s, %v", value, err)
	}
}

// TestOptionsComeBack: MTU, queue, promiscuous mode, multicast, MAC and sysctls of a link that
// exists by itself change in place, and come back when they are declared no longer.
func TestOptionsComeBack(t *testing.T) {
	d := declareHere(t)
	d.cables()
	ip(t, "link", "set", "lan0", "txqueuelen", "50", "up")
	d.settled("lan0")
	before := ip(t, "-d", "-o", "link", "show", "lan0")
	full := LinkSpec{Name: "lan0", Path: "network.devices[0]", MTU: new(uint32(1400)), TxQueueLength: new(uint32(0)), Promiscuous: new(true), Multicast: new(false),
		MAC: net.HardwareAddr{2, 0, 0, 0, 0, 7}, Master: new(""), Sysctls: map[string]string{"ipv6/conf/lan0/mtu": "1300"}}
	w := d.watching()
	d.apply(Desired{Links: []LinkSpec{full}})
	if now := ip(t, "-d", "-o", "link", "show", "lan0"); !containsAll(now, "mtu 1400", "PROMISC", "02:00:00:00:00:07") || strings.Contains(now, "qlen") || strings.Contains(now, "MULTICAST") {
		t.Error(now)
	}
	for _, line := range w.seen() {
		if strings.HasPrefix(line, "Deleted") && strings.Contains(line, "link/") || strings.Contains(line, "state DOWN") {
			t.Errorf("heard: %s", line)
		}
	}
	done := d.apply(Desired{Links: []LinkSpec{{Name: "lan0", Path: "network.devices[0]"}}})
	if now := ip(t, "-d", "-o", "link", "show", "lan0"); now != before {
		t.Errorf("after %v it is\n%s, and was\n%s", done, now, before)
	}
	d.apply(Desired{Links: []LinkSpec{full}})
	done = d.apply(Desired{})
	if now := ip(t, "-d", "-o", "link", "show", "lan0"); now != before {
		t.Errorf("after %v it is\n%s, and was\n%s", done, now, before)
	}
	if done := d.apply(Desired{}); len(done) > 0 {
		t.Errorf("nothing is declared, and done: %v", done)
	}
}

func containsAll(text string, all ...string) bool {
	return !slices.ContainsFunc(all, func(part string) bool { return !strings.Contains(text, part) })
}

func bridgeOf(ports ...string) Desired {
	out := Desired{Links: []LinkSpec{{Name: "br0", Path: "network.devices[0]", Kind: "bridge", MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Up: up(), Addresses: want("10.1.0.1/24")}}}
	for _, port := range ports {
		out.Links = append(out.Links, LinkSpec{Name: port, Path: "network.devices[1]", Master: new("br0"), Up: up()})
	}
	return out
}

// TestBridgeMembers: a port for another is one release and one enslavement. The port
// that stays, that of others, and the bridge hear nothing.
func TestBridgeMembers(t *testing.T) {
	d := declareHere(t)
	for _, end := range []string{"p0", "p1", "p2", "foreign"} {
		ip(t, "link", "add", end, "type", "veth", "peer", "name", end+"-far")
		ip(t, "link", "set", end+"-far", "up")
	}
	d.apply(bridgeOf("p0", "p1"))
	ipAll(t, "link set foreign master br0\nlink set foreign up\nlink set p2 up")
	d.settled("br0", "p0", "p1", "foreign")
	before := ip(t, "-o", "link", "show", "br0")
	w := d.watching()
	if done := strings.Join(d.apply(bridgeOf("p0", "p2")), ", "); done != "p2: set master br0 (in place), p1: restore no master, p1: set down (restart), p1: leave to others" {
		t.Error(done)
	}
	for _, line := range w.seen() {
		if strings.Contains(line, "p0@") || strings.Contains(line, "foreign@") || strings.Contains(line, "Deleted") && strings.Contains(line, "br0") && !strings.Contains(line, "p1") {
			t.Errorf("heard: %s", line)
		}
	}
	if now := ip(t, "-o", "link", "show", "br0"); now != before {
		t.Errorf("the bridge was\n%s and is\n%s", before, now)
	}
	if got := portsOf(t, "br0"); got != "foreign p0 p2" {
		t.Error(got)
	}
}

func portsOf(t *testing.T, bridge string) string {
	t.Helper()
	var out []string
	for _, l := range ipJSON[[]ipLink](t, "link", "show", "master", bridge) {
		out = append(out, l.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestForeignThingsStay: what others have added to our links survives 100 applications,
// also of declarations that change.
func TestForeignThingsStay(t *testing.T) {
	d := declareHere(t)
	ipAll(t, `link add p0 type veth peer name q0
		link add foreign type veth peer name far
		link add wan type veth peer name isp
		link set isp up
		link set q0 up`)
	declared := func(round int) Desired {
		out := bridgeOf("p0")
		out.Links[0].Data = &rtnl.Bridge{Bridge: state.Bridge{Priority: new(uint16(round * 8))}}
		out.Links[0].Addresses = want(fmt.Sprintf("10.1.0.%d/24", 1+round%3))
		out.Links = append(out.Links, LinkSpec{Name: "wan", Path: "network.interfaces[2]", Up: up(), MTU: new(uint32(1400 + round%2)), Addresses: want("192.0.2.1/24"),
			Routes: []RouteSpec{through("0.0.0.0/0", "192.0.2.254", uint32(round%2))}})
		out.Rules = []RuleSpec{{Rule: rtnl.Rule{Priority: uint32(1000 + round%2), Table: 100}}}
		return out
	}
	d.apply(declared(0))
	ipAll(t, `link set foreign master br0
		addr add 10.1.0.99/24 dev br0
		addr add 10.98.0.1/16 dev wan
		addr add fd98::1/64 dev wan nodad
		route add 10.97.0.0/16 via 192.0.2.97 dev wan
		route add fd97::/48 via fd98::97 dev wan
		route add 10.96.0.0/16 dev br0 table 100
		rule add priority 999 table 100
		neigh add 192.0.2.55 lladdr 02:00:00:00:00:55 dev wan`)
	if err := sysctl.Write(sysctl.File("ipv4/conf/wan/forwarding"), "1"); err != nil {
		t.Fatal(err)
	}
	foreign := func() string {
		return strings.Join(slices.Concat([]string{portsOf(t, "br0")}, addressesOf(t, "wan"), routesOf(t, "wan", "boot"),
			strings.Fields(ip(t, "route", "show", "table", "100")), strings.Fields(ip(t, "rule", "show", "priority", "999")),
			strings.Fields(ip(t, "neigh", "show", "dev", "wan", "nud", "permanent"))), " ")
	}
	before := foreign()
	for round := range 100 {
		d.apply(declared(round))
		if !slices.Contains(addressesOf(t, "br0"), "10.1.0.99/24") {
			t.Fatalf("round %d: the bridge has %v", round, addressesOf(t, "br0"))
		}
	}
	if now := foreign(); now != before {
		t.Errorf("before %s\nafter  %s", before, now)
	}
	if value, err := sysctl.Read(sysctl.File("ipv4/conf/wan/forwarding")); err != nil || value != "1" {
		t.Errorf("forwarding is %s, %v", value, err)
	}
}

// TestRules: a rule that differs is one message away, and the others hear nothing.
func TestRules(t *testing.T) {
	d := declareHere(t)
	rules := func(tos uint8) Desired {
		four := func(r rtnl.Rule) RuleSpec { return RuleSpec{Path: "network.rules[0]", Rule: r} }
		return Desired{Rules: []RuleSpec{
			four(rtnl.Rule{Priority: 999, TOS: tos, InName: "lo", OutName: "lan0", Table: 100}),
			four(rtnl.Rule{Priority: 1001, Action: unix.FR_ACT_GOTO, Goto: 1010}),
			four(rtnl.Rule{Priority: 1002, Table: unix.RT_TABLE_MAIN, SuppressPrefixLength: new(uint32(0))}),
			four(rtnl.Rule{Priority: 1003, Table: 100, UIDs: &rtnl.IDs{First: 1000, Last: 2000}, Flags: unix.FIB_RULE_INVERT}),
			four(rtnl.Rule{Priority: 1004, Table: 100, IPProtocol: 6, SourcePorts: &rtnl.Ports{First: 1, Last: 9}, DestPorts: &rtnl.Ports{First: 22, Last: 22}}),
			four(rtnl.Rule{Priority: 1005, Table: 100, Mark: new(uint32(7)), MarkMask: new(uint32(0xff))}),
			four(rtnl.Rule{Priority: 1006, Table: 100, Mark: new(uint32(7))}),
			four(rtnl.Rule{Priority: 1007, Table: 4000, Source: addr("10.1.0.0"), SourceLength: 16, Destination: addr("10.2.0.0"), DestinationLength: 16}),
			four(rtnl.Rule{Priority: 1008, Table: 100, Source: addr("fd00::"), SourceLength: 8}),
			four(rtnl.Rule{Priority: 1009, Action: unix.FR_ACT_PROHIBIT, Mark: new(uint32(9))}),
			four(rtnl.Rule{Table: 200}),
		}}
	}
	d.apply(rules(0x10))
	if got := ip(t, "rule"); !containsAll(got, "999:	from all tos 0x10 iif lo oif lan0 [detached] lookup 100", "goto 1010", "suppress_prefixlength 0",
		"not from all uidrange 1000-2000", "ipproto tcp sport 1-9 dport 22", "fwmark 0x7/0xff lookup", "fwmark 0x7 lookup", "from 10.1.0.0/16 to 10.2.0.0/16 lookup 4000", "fwmark 0x9 prohibit") {
		t.Error(got)
	}
	ip(t, "rule", "add", "priority", "500", "table", "100")
	w := d.watching()
	d.apply(rules(0x08))
	if heard := w.seen(); len(heard) != 2 || !strings.Contains(heard[0], "999:") || !strings.HasPrefix(heard[1], "Deleted 999:") {
		t.Errorf("heard:\n%s", strings.Join(heard, "\n"))
	}
	d.apply(Desired{})
	if got := ip(t, "rule"); strings.Count(got, "\n") != 4 || !strings.Contains(got, "500:") {
		t.Errorf("left:\n%s", got)
	}
}
