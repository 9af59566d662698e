//go:build lab

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// simulator is the driver of network cards that exist in software only (netdevsim).
// Debian's kernel has neither that driver nor HSR.
const simulator = "/sys/bus/netdevsim"

func needsSimulator(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(simulator); err != nil {
		t.Skip("Debian's kernel has neither netdevsim nor HSR; the lab's own kernel has them")
	}
}

// TestStateOfHSR checks that a ring of two interfaces is shown as ip(8) shows it.
func TestStateOfHSR(t *testing.T) {
	needsSimulator(t)
	l := New(t, "State: an HSR ring")
	ns := namespace("ring")
	ns.create(t)
	t.Cleanup(func() { must(t, "", "ip", "netns", "delete", string(ns)) })
	must(t, ns, "ip", "-batch", writeFile(t, filepath.Join(runFolder, "ring"), `
		link add r1 type dummy
		link add r2 type dummy
		link add ring type hsr slave1 r1 slave2 r2 supervision 45 version 1
	`))
	l.Timeline.Step("ring compared", func() string {
		ours := parse[object](t, ns.readState(t))["ifaces"].(object)["ring"].(object)
		theirs := ns.ask(t, l, "ip", "-d", "-j", "link", "show", "ring")[0]["linkinfo"].(object)["info_data"].(object)
		hsr := ours["hsr"].(object)
		if hsr["port1"] != theirs["slave1"] || hsr["port2"] != theirs["slave2"] ||
			!strings.EqualFold(fmt.Sprint(hsr["supervision_addr"]), fmt.Sprint(theirs["supervision_addr"])) {
			t.Errorf("we show %v, ip shows %v", hsr, theirs)
		}
		return fmt.Sprintf("ip -d -j link: %v", theirs)
	})
}

// TestStateOfVirtualFunctions checks that virtual functions of a card (SR-IOV) are
// shown as ip(8) shows them, with their settings.
func TestStateOfVirtualFunctions(t *testing.T) {
	needsSimulator(t)
	l := New(t, "State: SR-IOV functions of a card")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(simulator, file), []byte(text), 0o200); err != nil {
			t.Fatal(err)
		}
	}
	write("new_device", "7 1")
	t.Cleanup(func() { write("del_device", "7") })
	write("devices/netdevsim7/sriov_numvfs", "3")
	cards, _ := filepath.Glob(simulator + "/devices/netdevsim7/net/*")
	if len(cards) != 1 {
		t.Fatalf("interfaces of the card: %v, want one", cards)
	}
	card := filepath.Base(cards[0])
	must(t, "", "ip", "-batch", writeFile(t, filepath.Join(runFolder, "functions"), strings.ReplaceAll(`
		link set CARD vf 0 mac 02:00:00:00:07:01
		link set CARD vf 1 vlan 100 qos 3
		link set CARD vf 1 spoofchk on
		link set CARD vf 2 max_tx_rate 200 min_tx_rate 50
		link set CARD vf 2 trust on
		link set CARD vf 2 state disable
	`, "CARD", card)))
	l.Timeline.Step("functions compared", func() string {
		ours := list(parse[object](t, must(t, "", "netconnectcli", "show", "full", "-j"))["ifaces"].(object)[card].(object)["sriov"].(object)["vfs"])
		theirs := list(namespace("").ask(t, l, "ip", "-d", "-j", "link", "show", card)[0]["vfinfo_list"])
		if len(ours) != 3 || len(theirs) != 3 {
			t.Fatalf("we show %d functions, ip shows %d, want 3", len(ours), len(theirs))
		}
		for i := range ours {
			compareFunction(t, ours[i], theirs[i])
		}
		return fmt.Sprintf("ip -d -j link: %d functions", len(theirs))
	})
}

func compareFunction(t *testing.T, ours, theirs object) {
	t.Helper()
	rate, _ := theirs["rate"].(object)
	vlan := object{"vlan": 0.0}
	if vlans := list(theirs["vlan_list"]); len(vlans) > 0 {
		vlan = vlans[0]
	}
	if vlan["vlan"] == nil { // ip leaves out a zero
		vlan = object{"vlan": 0.0}
	}
	rows := []struct {
		name         string
		ours, theirs any
	}{
		{"id", ours["id"], theirs["vf"]},
		{"mac", strings.ToLower(fmt.Sprint(ours["mac"])), fmt.Sprint(theirs["address"])},
		{"vlan", ours["vlan_id"], vlan["vlan"]},
		{"spoof check", ours["spoof_check"], theirs["spoofchk"]},
		{"trust", ours["trust"], theirs["trust"]},
		{"link state", ours["link_state"], theirs["link_state"]},
		{"least rate", ours["min_tx_rate"], rate["min_tx"]},
		{"highest rate", ours["max_tx_rate"], rate["max_tx"]},
	}
	for _, row := range rows {
		if row.ours != row.theirs {
			t.Errorf("function %v, %s: we show %v, ip shows %v", theirs["vf"], row.name, row.ours, row.theirs)
		}
	}
}
