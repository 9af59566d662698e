//go:build lab

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

const welcome = `
You are root on a device with netconnectd, on simulated radios. Try:

  netconnectcli status                 systemctl status netconnectd
  netconnectcli list_wifi              journalctl -fu netconnectd
  netconnectcli configure_wifi %[1]s '%[2]s' && netconnectcli select_wifi
  ip netns exec phone iw dev %[3]s scan freq %[4]d
  ip -n home link set %[5]s down       the router's radio falls silent

The router %[1]q is in the network namespace home, the phone in phone.
exit ends the machine.

`

// TestShell is not a test but a person's shell, with the daemon running and a router
// on the air.
func TestShell(t *testing.T) {
	l := New(t, "A shell in the lab")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.Device.Start(t)
	fmt.Printf(welcome, l.Home.SSID, l.Home.passphrase, l.Phone.device, frequency(apChannel), l.Home.device)
	shell := exec.Command("/bin/bash", "--login")
	shell.Dir = "/root"
	shell.Env = append(os.Environ(), "HOME=/root")
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = shell.Run() // the status with which a person leaves the shell has no meaning
}
