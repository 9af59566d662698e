package ap

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// After a hang, the access point promises to serve again within 15 s. A dnsmasq that
// answers no names is watched for two beats.
const (
	noticeLimit = 2*beat + time.Second
	againLimit  = 15 * time.Second
)

func TestHungChildIsReplaced(t *testing.T) {
	for _, row := range []struct{ name, role string }{
		{"hostapd", RoleHostapd},
		{"dnsmasq", RoleDnsmasq},
		{"dnsmasq that answers no names", RoleDnsmasq},
	} {
		inTime(t, row.name, func(t *testing.T) error {
			phone := cable(t)
			if strings.HasSuffix(row.name, "no names") {
				occupy(t, "0.0.0.0:53")
			}
			d := newDaemon(t, testConfig(runtimeDir(t)))
			failed := make(chan string, 10)
			d.runner.Failed = func(role string) { failed <- role }
			h := d.start()
			hostapd, dnsmasq := d.pids()
			victim := map[string]int{RoleHostapd: hostapd, RoleDnsmasq: dnsmasq}[row.role]
			if err := unix.Kill(victim, unix.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			asking := phone.Command("udhcpc", "-i", "phone", "-f", "-n", "-q", "-t", "20", "-T", "1", "-s", "/bin/true")
			if err := asking.Start(); err != nil {
				t.Fatal(err)
			}
			defer asking.Wait()
			err := h.result(hangLimit)
			noticed := time.Since(begin)
			if err == nil || !strings.Contains(err.Error(), "access point on wlan0: "+row.role+" (pid ") || !strings.Contains(err.Error(), ") hangs: ") {
				t.Fatalf("got %v, want one that names %s", err, row.role)
			}
			t.Logf("noticed after %v: %v", noticed, err)
			if !gone(victim) {
				t.Errorf("the hung %s is still there", row.role)
			}
			var told []string
			for len(failed) > 0 {
				told = append(told, <-failed)
			}
			if !slices.Equal(told, []string{row.role}) {
				t.Errorf("told that %q failed, want %s", told, row.role)
			}
			d.start()
			took := time.Since(begin)
			t.Logf("serving again after %v", took)
			hostapd2, dnsmasq2 := d.pids()
			if (hostapd2 == hostapd) != (row.role != RoleHostapd) || (dnsmasq2 == dnsmasq) != (row.role != RoleDnsmasq) {
				t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want only %s anew", hostapd, hostapd2, dnsmasq, dnsmasq2, row.role)
			}
			if got := askLease(t, phone); got["ip"] == "" {
				t.Error("no lease afterwards")
			}
			return errors.Join(within(noticeLimit, "noticed", noticed), within(againLimit, "serving again", took))
		})
	}
}

func gone(pid int) bool { return errors.Is(unix.Kill(pid, 0), unix.ESRCH) || zombie(pid) }

func TestHungDnsmasqIsNotAdoptedTwice(t *testing.T) {
	cable(t)
	d := newDaemon(t, testConfig(runtimeDir(t)))
	h := d.start()
	_, dnsmasq := d.pids()
	h.leave()
	if err := unix.Kill(dnsmasq, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := d.ap.Hold(t.Context(), func() { t.Error("ready") }); err == nil || !strings.Contains(err.Error(), "dnsmasq") {
		t.Fatalf("got %v", err)
	}
	d.start()
	if _, m2 := d.pids(); m2 == dnsmasq || time.Since(begin) > againLimit {
		t.Errorf("dnsmasq %d then %d after %v", dnsmasq, m2, time.Since(begin))
	}
}

func TestAddressIsKept(t *testing.T) {
	const ours, foreign = "10.250.250.1/24", "169.254.7.7/16"
	for _, row := range []struct {
		name     string
		has      []string
		cable    bool
		taken    bool // another program has taken the radio
		was, put bool
		err      string
	}{
		{name: "it is there", cable: true, has: []string{ours}, was: true},
		{name: "and another one, which is not ours to remove", cable: true, has: []string{ours, foreign}, was: true},
		{name: "it was taken away", cable: true, has: []string{foreign}, put: true},
		{name: "the radio too", cable: true, has: []string{foreign}, taken: true, err: "another program has taken the radio"},
		{name: "the interface is gone", was: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			netnstest.Need(t)
			if row.cable {
				cable(t)
			}
			for _, address := range row.has {
				netnstest.Run(t, "ip", "addr", "add", address, "dev", "wlan0")
			}
			links := &recordingLinks{}
			a := New(testConfig(runtimeDir(t)), nil, links, slog.New(slog.DiscardHandler))
			a.IsOne = func(context.Context) bool { return !row.taken }
			was, err := a.keepAddress(t.Context())
			if was != row.was || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Errorf("it was there: %v, %v", was, err)
			}
			if len(links.wanted) > 0 != row.put || row.put && !slices.Equal(addresses(t), []string{ours}) {
				t.Errorf("the interface was changed in this way: %+v", links.wanted)
			}
		})
	}
}

// TestAddressComesBack checks that the same hostapd and dnsmasq serve phones again.
func TestAddressComesBack(t *testing.T) {
	for name, named := range map[string]bool{"with names": true, "without names": false} {
		t.Run(name, func(t *testing.T) {
			phone := cable(t)
			if !named {
				occupy(t, "0.0.0.0:53")
			}
			d := newDaemon(t, testConfig(runtimeDir(t)))
			h := d.start()
			hostapd, dnsmasq := d.pids()
			netnstest.Run(t, "ip", "addr", "del", "10.250.250.1/24", "dev", "wlan0")
			eventually(t, 5*time.Second, "dnsmasq has noticed", func() bool {
				ports, _ := listening(dnsmasq, d.ap.config.Address.Addr())
				return !ports.dns
			})
			signal(t, dnsmasq, unix.SIGSTOP) // plays a busy machine
			eventually(t, 2*beat, "the address is back", func() bool { return len(addresses(t)) > 0 })
			time.Sleep(100 * time.Millisecond)
			signal(t, dnsmasq, unix.SIGCONT)
			eventually(t, 5*time.Second, "names are answered", func() bool { return !named || answers(t.Context(), d.ap.config.Address.Addr()) })
			if got := askLease(t, phone); got["ip"] == "" {
				t.Error("no lease afterwards")
			}
			if named {
				time.Sleep(beat) // by this time dnsmasq was asked again
			}
			if len(h.err) > 0 {
				t.Errorf("Hold ended: %v", <-h.err)
			}
			if h2, m2 := d.pids(); h2 != hostapd || m2 != dnsmasq {
				t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want the same", hostapd, h2, dnsmasq, m2)
			}
			if n := strings.Count(d.logged.String(), "is put back"); n != 1 {
				t.Errorf("said %d times:\n%s", n, d.logged)
			}
		})
	}
}

func signal(t *testing.T, pid int, signal unix.Signal) {
	t.Helper()
	if err := unix.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}

// The list of phones is reported when serving starts and when a phone comes or goes,
// long before the next beat.
func TestClientsAreToldWhenTheyMove(t *testing.T) {
	for _, event := range []string{"<3>AP-STA-CONNECTED 02:00:00:00:01:00", "<3>AP-STA-DISCONNECTED 02:00:00:00:01:00"} {
		t.Run(event[3:], func(t *testing.T) {
			c := testConfig(runtimeDir(t))
			fakeHostapd(t, c, map[string]string{"ATTACH": "OK\n", "STA-FIRST": phoneA}, event)
			events, err := wpactrl.Attach(t.Context(), c.hostapdSocket(), c.RuntimeDir)
			if err != nil {
				t.Fatal(err)
			}
			defer events.Close()
			ctx, cancel := context.WithTimeout(t.Context(), beat/2)
			defer cancel()
			moved := make(chan struct{}, 1)
			if err := awaitDisabled(ctx, events, moved); err != nil {
				t.Fatal(err)
			}
			if len(moved) != 1 {
				t.Error("the event is not told")
			}
		})
	}
	t.Run("heartbeat", func(t *testing.T) {
		c := testConfig(runtimeDir(t))
		fakeHostapd(t, c, map[string]string{"STA-FIRST": phoneA, "STATUS": statusOn11})
		a := New(c, nil, kernelLinks{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), beat/2)
		defer cancel()
		moved, told := make(chan struct{}, 1), 0
		var cell Cell
		a.OnAir = func(c Cell) { cell = c }
		a.Clients = func(_ context.Context, clients []Client) {
			if told++; len(clients) != 1 || cell.Channel != 11 {
				t.Errorf("told of %v on %+v, want one on channel 11", clients, cell)
			}
			if told == 1 {
				moved <- struct{}{}
			}
		}
		if f := a.heartbeat(ctx, children{}, moved); f.err != nil {
			t.Error(f.err)
		}
		if told != 2 {
			t.Errorf("told %d times, want at the begin and when somebody moved", told)
		}
	})
}

func TestInsisting(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	silent := errors.New("silent")
	for _, row := range []struct {
		name    string
		ctx     context.Context
		answers []error
		hangs   bool
	}{
		{"answers", t.Context(), []error{nil}, false},
		{"answers the second time", t.Context(), []error{silent, nil}, false},
		{"never answers", t.Context(), []error{silent, silent}, true},
		{"nobody wants to know any more", over, []error{silent}, false},
	} {
		asked := 0
		err := insisting(func(context.Context) error { asked++; return row.answers[asked-1] })(row.ctx)
		if (err != nil) != row.hangs || asked != len(row.answers) {
			t.Errorf("%s: %v after %d questions", row.name, err, asked)
		}
	}
}

// A name that other servers do not answer must not be taken for a hang.
func TestPulseNeedsNoOtherServer(t *testing.T) {
	phone := cable(t)
	lan := wire(t)
	c := forwardingConfig(runtimeDir(t))
	file := filepath.Join(c.RuntimeDir, "conf")
	resolv := filepath.Join(c.RuntimeDir, "resolv.conf")
	for name, text := range map[string]string{
		file:   string(renderDnsmasq(c, withNames)) + "resolv-file=" + resolv + "\n",
		resolv: "nameserver 192.0.2.2\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	netnstest.Run(t, "ip", "addr", "add", "10.250.250.1/24", "dev", "wlan0")
	netnstest.Run(t, "ip", "link", "set", "wlan0", "up")
	background(t, exec.Command(c.Dnsmasq, "--conf-file="+file))
	eventually(t, 5*time.Second, "our own question is answered", func() bool { return answers(t.Context(), c.Address.Addr()) })
	join(t, phone, "10.250.250.9")
	lookup := func() bool {
		return phone.Command("timeout", "2", "busybox", "nslookup", "-type=a", "example.org", "10.250.250.1").Run() == nil
	}
	lan.Run("nft", "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; policy drop; }")
	if lookup() {
		t.Error("the other server was not asked")
	}
	if !answers(t.Context(), c.Address.Addr()) {
		t.Error("our own question waits for the other server")
	}
	lan.Run("nft", "delete table ip deaf")
	background(t, lan.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--address=/example.org/192.0.2.80"))
	eventually(t, 5*time.Second, "a phone gets an answer of the other server", lookup)
}

// background runs a program until the end of the test.
func background(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

func eventually(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
