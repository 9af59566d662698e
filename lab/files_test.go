//go:build lab

package lab

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// fewFiles is how many files the daemon may have open in TestFilesRunOut: it
// needs about 30 with an access point.
const fewFiles = 60

// TestFilesRunOut checks that a user who exhausts the daemon's open files disconnects
// no phone from the access point, and leaves no lasting effect.
func TestFilesRunOut(t *testing.T) {
	l := New(t, "The daemon may open no more files")
	folder := "/run/systemd/system/" + daemonUnit + ".d"
	must(t, "", "mkdir", "-p", folder)
	writeFile(t, folder+"/files.conf", fmt.Sprintf("[Service]\nLimitNOFILE=%d\n", fewFiles))
	must(t, "", "systemctl", "daemon-reload")
	t.Cleanup(func() {
		must(t, "", "rm", "-r", folder)
		must(t, "", "systemctl", "daemon-reload")
	})
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
	cursor := journalCursor(t)
	var open []net.Conn
	l.Timeline.Step("clients take every file", func() string {
		for range 2 * fewFiles {
			c, err := net.Dial("unix", "/run/netconnectd.sock")
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, c)
		}
		until(t, noticed, "the journal says so", func() (string, bool) {
			said := must(t, "", "journalctl", "--no-pager", "--output=cat", "--after-cursor="+cursor, "-u", daemonUnit)
			return "nothing", strings.Contains(said, "too many open files")
		})
		return "journal: too many open files"
	})
	l.Timeline.Step("the phone is still served", func() string {
		if !l.Phone.Reaches(apAddress) {
			t.Error("the device does not answer the phone")
		}
		return "ping"
	})
	l.Timeline.Step("clients go, the daemon answers", func() string {
		for _, c := range open {
			c.Close()
		}
		until(t, noticed, "status says ap", func() (string, bool) {
			r := l.Device.Run(t, stranger, "status")
			return r.Stderr, r.Status == 0
		})
		return "netconnectcli status"
	})
	l.seeAccessPoint(t, noticed)
}
