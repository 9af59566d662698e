package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Script is a shell script that a person could write in place of netconnectd: a
// station until its carrier is lost, then an access point. `make bench` compares the
// daemon with it.
type Script struct {
	*program
	folder string
}

const scriptText = `#!/bin/sh
# Usage: fallback INTERFACE ADDRESS FOLDER
interface=$1 address=$2
cd "$3" || exit 1
finish() {
	for file in *.pid; do
		read -r pid <"$file" && kill "$pid"
	done
	exit 0
}
trap finish TERM
rm -f *.pid events
mkfifo events
ip -o monitor link dev "$interface" >events &
echo $! >monitor.pid
exec 3<events
ip link set "$interface" up
wpa_supplicant -B -Dnl80211 -i "$interface" -c wpa.conf -P wpa.pid
udhcpc -b -i "$interface" -p udhcpc.pid -s "$PWD/udhcpc.script"
joined=
while read -r event <&3; do
	case $event in
	*NO-CARRIER*) [ -z "$joined" ] || break ;;
	*LOWER_UP*) joined=yes ;;
	esac
done
kill "$(cat udhcpc.pid)" "$(cat wpa.pid)"
rm -f udhcpc.pid wpa.pid
ip addr flush dev "$interface"
hostapd -B -P hostapd.pid hostapd.conf
ip addr add "$address/24" dev "$interface"
dnsmasq --conf-file=dnsmasq.conf --pid-file="$PWD/dnsmasq.pid"
while :; do
	read -r event <&3
done
`

// startScript starts the script in place of the daemon, with the same networks.
func (d *Device) startScript(t testing.TB, home *Router) *Script {
	t.Helper()
	folder := filepath.Join(runFolder, "script")
	writeFile(t, folder+"/wpa.conf", fmt.Sprintf("network={\n\tssid=%q\n\tpsk=%q\n\tscan_freq=%d\n}\n", home.SSID, home.passphrase, home.Frequency()))
	writeFile(t, folder+"/hostapd.conf", fmt.Sprintf(`interface=%s
driver=nl80211
ssid=%s
hw_mode=g
channel=%d
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=%s
`, radioDevice, apSSID, apChannel, apPassphrase))
	writeFile(t, folder+"/dnsmasq.conf", fmt.Sprintf(`interface=%s
except-interface=lo
bind-interfaces
dhcp-authoritative
dhcp-range=%s,%s,10m
dhcp-leasefile=%s/leases
address=/#/%s
`, radioDevice, apFirst, apLast, folder, apAddress))
	for name, text := range map[string]string{"fallback": scriptText, "udhcpc.script": udhcpcScript} {
		if err := os.Chmod(writeFile(t, folder+"/"+name, text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := &Script{folder: folder}
	s.program = namespace("").start(t, filepath.Join(d.lab.logs, "script.log"), folder+"/fallback", radioDevice, apAddress, folder)
	return s
}

// end ends the programs of the script, and leaves the radio as it was before.
func (s *Script) end(t testing.TB) {
	t.Helper()
	s.program.end()
	until(t, commandLimit, "the script's hostapd is gone", func() (string, bool) {
		air := radio(radioDevice)
		return fmt.Sprintf("%+v", air), air.Type == "managed"
	})
	must(t, "", "ip", "addr", "flush", "dev", radioDevice)
	must(t, "", "ip", "link", "set", radioDevice, "down")
}
