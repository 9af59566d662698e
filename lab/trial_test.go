//go:build lab

package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The addresses of the device on the switch, before and after a good change.
const (
	rightAddress = switchSubnet + ".7"
	otherAddress = switchSubnet + ".8"
)

// reachable declares the device's way out, with the address by which the switch reaches
// the device.
const reachable = `network:
  devices:
    - {name: br-wan, type: bridge, ports: [wan0], macaddr: "02:00:00:00:80:01"}
  interfaces:
    - {name: wan, device: br-wan, proto: static, ipaddr: 192.168.80.7/24, gateway: 192.168.80.1}
`

// cutOff has an address that the switch does not reach.
var cutOff = strings.ReplaceAll(reachable, switchSubnet, "10.9.9")

// trialLimit is how long a trial of these scenarios waits to be confirmed, and returnsWithin
// how long the device may take to be reachable again after that.
const (
	trialLimit    = 10 * time.Second
	returnsWithin = 2 * time.Second
)

// TestTrial cuts the device off from the network by a wrong address on trial. The device
// has to come back by itself at the trial's end, after a kill of the daemon, and after a reboot
// (see TestTrialAfterReboot).
func TestTrial(t *testing.T) {
	l := New(t, "A change that cuts the device off is taken back")
	network := l.newSwitch(t)
	l.Device.Configure(t, false)
	l.declare(t, reachable)
	l.Timeline.Step("netconnectd started, the switch reaches the device", func() string {
		l.Device.Start(t)
		return network.reaches(t, rightAddress, noticed)
	})
	l.Timeline.Step(fmt.Sprintf("a wrong address on trial for %v", trialLimit), func() string {
		l.declare(t, cutOff)
		began := time.Now()
		l.apply(t, network, trialLimit)
		network.reaches(t, rightAddress, trialLimit+returnsWithin-time.Since(began))
		return fmt.Sprintf("ping: back after %v", time.Since(began).Round(100*time.Millisecond))
	})
	l.Timeline.Step("the daemon says what it has done", func() string { return l.seeTakenBack(t) })
	l.Timeline.Step("a wrong address on trial, and the daemon is killed with -9", func() string {
		l.apply(t, network, time.Hour)
		old := l.Device.MainPID(t)
		l.Device.Kill(t)
		l.Device.awaitRestart(t, old)
		return network.reaches(t, rightAddress, noticed)
	})
	l.Timeline.Step("the new daemon says so, too", func() string { return l.seeTakenBack(t) })
	l.Timeline.Step("a right address is tried and confirmed, and stays after a kill", func() string {
		l.declare(t, strings.ReplaceAll(reachable, rightAddress, otherAddress))
		l.Device.must(t, member, "apply")
		l.Device.must(t, member, "confirm")
		old := l.Device.MainPID(t)
		l.Device.Kill(t)
		l.Device.awaitRestart(t, old)
		return network.reaches(t, otherAddress, noticed)
	})
	l.Timeline.Step("a wrong address on trial, and the device reboots", func() string {
		l.declare(t, cutOff)
		l.Device.must(t, member, "apply", "--confirm", "3600")
		return network.misses(t, otherAddress)
	})
	l.Device.KeepForReboot = true
}

// TestTrialAfterReboot runs in the next boot after TestTrial.
func TestTrialAfterReboot(t *testing.T) {
	l := New(t, "After the reboot the device is reachable again")
	network := l.newSwitch(t)
	l.Timeline.Step("the switch reaches the device", func() string {
		must(t, "", "systemctl", "start", "--no-block", "multi-user.target")
		return network.reaches(t, otherAddress, joining)
	})
	l.Timeline.Step("the daemon says why", func() string { return l.seeTakenBack(t) })
	l.Timeline.Step("reload takes the file without a trial", func() string {
		l.Device.must(t, member, "reload")
		return network.misses(t, otherAddress)
	})
}

// apply begins a trial that cuts the device off from the switch.
func (l *Lab) apply(t *testing.T, network namespace, limit time.Duration) {
	t.Helper()
	l.Device.must(t, member, "apply", "--confirm", fmt.Sprint(int(limit.Seconds())))
	network.misses(t, rightAddress)
	if reply := l.refused(t, member, "reload"); reply.Code != "on_trial" {
		t.Errorf("reload beside the trial: %+v", reply)
	}
}

// seeTakenBack checks that everybody can see that the file is not in force, and that the
// network is that of before.
func (l *Lab) seeTakenBack(t *testing.T) string {
	t.Helper()
	var said string
	until(t, noticed, "the status says that the configuration is not confirmed", func() (string, bool) {
		said = l.Device.Run(t, stranger, "status").Stdout
		return said, strings.Contains(strings.Join(strings.Fields(said), " "), "confirmed; the earlier configuration is in force")
	})
	until(t, noticed, "nothing is left to do", func() (string, bool) {
		left := l.Device.Run(t, stranger, "plan")
		return left.Stdout, left.Status == 0
	})
	return "netconnectcli status; netconnectcli plan: nothing"
}

// reaches waits until a ping from the namespace is answered.
func (n namespace) reaches(t *testing.T, address string, limit time.Duration) string {
	t.Helper()
	took := until(t, limit, "the switch reaches "+address, func() (string, bool) {
		answer, err := n.run("ping", "-n", "-c", "1", "-W", "1", address)
		return answer, err == nil
	})
	return fmt.Sprintf("ping: %s answers after %v", address, took.Round(time.Millisecond))
}

// misses checks that a ping from the namespace is not answered.
func (n namespace) misses(t *testing.T, address string) string {
	t.Helper()
	if answer, err := n.run("ping", "-n", "-c", "1", "-W", "1", address); err == nil {
		t.Errorf("%s still answers: %s", address, answer)
	}
	return "ping: " + address + " does not answer"
}
