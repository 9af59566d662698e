// Package lab plays the world around one device, with simulated radios and real
// programs: the user's router, a neighbour's router, a phone, an Ethernet cable. Its
// scenarios (build tag lab) run as root inside the machine that lab/run boots, where
// the device's netconnectd runs under systemd.
//
// Each party lives in a network namespace of its own. A scenario never waits for a
// fixed time: every wait asks a witness, which is a program that we did not write,
// and has a deadline.
package lab

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// These are the numbers of the simulated radios, as in phyN and wlanN. The first one
// stays in the root namespace, because it belongs to the device.
const (
	deviceRadio = iota
	homeRadio
	neighbourRadio
	phoneRadio
)

// Folders of the lab's machine.
const (
	runFolder = "/run/lab"     // sockets and configuration of the parties
	outFolder = "/run/lab/out" // shared with the host: logs that outlive the machine
)

// Lab is the world of one scenario.
type Lab struct {
	Home      *Router // the user's router
	Neighbour *Router // a neighbour's router
	Phone     *Phone
	Cable     *Cable
	Device    *Device
	Timeline  *Timeline

	logs string
}

// New prepares the world: every party exists, but none is active yet. The parties'
// output goes to a folder that is named after the test, and stays there.
func New(t testing.TB, title string) *Lab {
	t.Helper()
	l := &Lab{logs: makeLogFolder(t), Timeline: newTimeline(title)}
	l.Home = newRouter(t, l, routerConfig{
		name: "home", radio: homeRadio, SSID: "home", passphrase: "correct horse", channel: 1, subnet: "192.168.50",
	})
	l.Neighbour = newRouter(t, l, routerConfig{
		name: "neighbour", radio: neighbourRadio, SSID: "next door", passphrase: "none of yours", channel: 11, subnet: "192.168.60",
	})
	l.Phone = newPhone(t, l, "phone", phoneRadio)
	l.Cable = newCable(t, l)
	l.Device = newDevice(t, l)
	t.Cleanup(func() { l.close(t) })
	return l
}

// makeLogFolder creates a folder for one run of the scenario, even if it runs more
// than once.
func makeLogFolder(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(outFolder, t.Name())
	for again := 2; ; again++ {
		err := os.Mkdir(folder, 0o755)
		if err == nil {
			return folder
		}
		if !errors.Is(err, fs.ErrExist) {
			t.Fatalf("make the scenario's log folder: %v", err)
		}
		folder = filepath.Join(outFolder, fmt.Sprintf("%s-%d", t.Name(), again))
	}
}

// close ends the parties. If the scenario failed, close first records what they see.
// The journal is always kept.
func (l *Lab) close(t testing.TB) {
	if t.Failed() {
		l.record(t)
	}
	l.Device.close(t)
	l.write(t, "journal.log", "", "journalctl", "--boot", "--no-pager", "--output=short-monotonic",
		"-u", "netconnectd*", "-u", "systemd-networkd")
	l.Phone.close()
	l.Cable.close(t)
	l.Home.close()
	l.Neighbour.close()
}

// record saves what a person asks for first after a failure.
func (l *Lab) record(t testing.TB) {
	questions := []struct {
		file string
		ns   namespace
		argv []string
	}{
		{"kernel.log", "", []string{"dmesg"}},
		{"units.txt", "", []string{"systemctl", "--no-pager", "--full", "status", "netconnectd*"}},
		{"device-addresses.json", "", []string{"ip", "-d", "-j", "-p", "addr"}},
		{"device-routes.txt", "", []string{"ip", "route", "show", "table", "all"}},
		{"device-neighbours.txt", "", []string{"ip", "neigh"}},
		{"device-radio.txt", "", []string{"iw", "dev"}},
		{"device-status.json", "", []string{"timeout", "10", "netconnectcli", "--json", "status"}},
		{"processes.txt", "", []string{"busybox", "ps", "-o", "pid,ppid,user,vsz,args"}},
		{"runtime-folder.txt", "", []string{"find", "/run/netconnectd", "-printf", "%T+ %M %u %i %p\\n"}},
		{"home-radio.txt", "home", []string{"iw", "dev", l.Home.device, "station", "dump"}},
		{"home-addresses.txt", "home", []string{"ip", "addr"}},
		{"neighbour-radio.txt", "neighbour", []string{"iw", "dev", l.Neighbour.device, "station", "dump"}},
		{"phone-addresses.txt", "phone", []string{"ip", "addr"}},
		{"phone-radio.txt", "phone", []string{"iw", "dev", l.Phone.device, "link"}},
		{"cable-addresses.txt", "cable", []string{"ip", "addr"}},
		// This comes last, because the daemon writes all its goroutines to the
		// journal, and ends.
		{"quit.txt", "", []string{"systemctl", "kill", "--kill-whom=main", "--signal=SIGQUIT", daemonUnit}},
	}
	// If the folder does not outlive the run, only these lines are left. They are
	// read before all those goroutines follow them.
	said, _ := namespace("").run("journalctl", "--boot", "--no-pager", "--output=cat", "--lines=20", "-u", daemonUnit)
	place := filepath.Join(cmp.Or(os.Getenv("LAB_OUT"), outFolder), filepath.Base(l.logs))
	for _, q := range questions {
		l.write(t, q.file, q.ns, q.argv...)
	}
	t.Logf("the daemon's last lines:\n%swhat every party said and saw: %s", said, place)
}

// write saves a witness's answer among the scenario's logs.
func (l *Lab) write(t testing.TB, file string, ns namespace, argv ...string) {
	t.Helper()
	answer, err := ns.run(argv...)
	if err != nil {
		answer += fmt.Sprintf("\n%v\n", err)
	}
	if err := os.WriteFile(filepath.Join(l.logs, file), []byte(answer), 0o644); err != nil {
		t.Errorf("write down %s: %v", file, err)
	}
}
