package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// host is what postinst finds on a machine; its programs only write down how they
// are called.
type host struct {
	active, enabled string // units, separated by spaces
	policy          string // exit status of policy-rc.d; empty: there is none
}

// postinst runs the script on a host, in a /run of its own, and returns what it
// has called.
func (h host) postinst(t *testing.T, args ...string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a mount namespace needs root")
	}
	bin := t.TempDir()
	diary := filepath.Join(bin, "diary")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho \"${0##*/} $*\" >>"+diary+"\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"systemd-sysusers", "dpkg-statoverride", "chown", "chmod", "install", "deb-systemd-helper", "udevadm", "deb-systemd-invoke"} {
		write(name, "exit 0\n")
	}
	write("systemctl", `verb= list=
for word; do case $word in
	is-active) verb=y list=" `+h.active+` " ;;
	is-enabled) verb=y list=" `+h.enabled+` " ;;
	*.service | *.socket) case $list in *" $word "*) exit 0 ;; esac ;;
esac; done
[ -z "$verb" ]
`)
	if h.policy != "" {
		write("policy-rc.d", "exit "+h.policy+"\n")
	}
	script, err := filepath.Abs("scripts/postinst")
	if err != nil {
		t.Fatal(err)
	}
	inside := "mount -t tmpfs none /run && mkdir -p /run/systemd/system && PATH=" + bin + " exec /bin/sh " + script + ` "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "/bin/sh", "-c", inside, "postinst"}, args...)...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	calls, err := os.ReadFile(diary)
	if err != nil {
		t.Fatal(err)
	}
	return string(calls)
}

// Debian's hostapd is stopped for the radio that our daemon is about to take, and
// never else.
func TestHostapdIsStoppedOnce(t *testing.T) {
	const ours = "netconnectd.service"
	for _, row := range []struct {
		name string
		host host
		args []string
		stop bool
	}{
		{"first installation", host{"hostapd.service", ours, ""}, []string{"configure", ""}, true},
		{"first installation, and a policy that allows it", host{"hostapd.service", ours, "104"}, []string{"configure", ""}, true},
		{"first installation without hostapd", host{"", ours, ""}, []string{"configure", ""}, false},
		{"first installation, and a preset that disables us", host{"hostapd.service", "", ""}, []string{"configure", ""}, false},
		{"first installation, and a policy that forbids it", host{"hostapd.service", ours, "101"}, []string{"configure", ""}, false},
		{"upgrade of one that is disabled", host{"hostapd.service", "", ""}, []string{"configure", "1.0"}, false},
		{"upgrade of one that is stopped", host{"hostapd.service", ours, ""}, []string{"configure", "1.0"}, false},
		{"upgrade of one that runs", host{"hostapd.service " + ours, ours, ""}, []string{"configure", "1.0"}, false},
		{"a removal that failed", host{"hostapd.service", ours, ""}, []string{"abort-remove"}, false},
		{"an upgrade that failed", host{"hostapd.service", ours, ""}, []string{"abort-upgrade", "1.0"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			calls := row.host.postinst(t, row.args...)
			if stop := strings.Contains(calls, "deb-systemd-invoke stop hostapd.service"); stop != row.stop {
				t.Errorf("hostapd is stopped: %v\n%s", stop, calls)
			}
		})
	}
}
