package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// The addresses before and on a trial.
const (
	earlier = "192.0.2.1/24"
	onTrial = "198.51.100.2/24"
)

// tried is a device whose configuration is put on trial. Its network outlives the daemon.
type tried struct {
	t      *testing.T
	ns     *netnstest.Namespace
	dir    string
	socket string
	daemon *exec.Cmd
	log    bytes.Buffer
	files  int // inotify of the state folder
	kernel int // rtnetlink, of IPv4 addresses
}

func newTried(t *testing.T) *tried {
	d := &tried{t: t, ns: netnstest.Another(t), dir: t.TempDir()}
	d.socket = filepath.Join(d.dir, "s")
	d.ns.Run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	for _, name := range []string{"state", "hooks"} {
		if err := os.Mkdir(filepath.Join(d.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.write(earlier)
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("the daemon said\n%s", d.log.String())
		}
	})
	return d
}

func (d *tried) write(address string) {
	d.t.Helper()
	text := fmt.Sprintf("socket: %s\npaths: {runtime: %[2]s/run, hooks: %[2]s/hooks}\nnetwork: {interfaces: [{name: lan, device: v0, proto: static, ipaddr: %[3]s}]}\n",
		d.socket, d.dir, address)
	if err := os.WriteFile(filepath.Join(d.dir, "c.yaml"), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// start starts the daemon and waits until the kernel is as one of the two texts declares.
// It returns that text's address.
func (d *tried) start() (address string) {
	d.t.Helper()
	d.daemon = d.ns.Command("netconnectd", "-c", filepath.Join(d.dir, "c.yaml"))
	d.daemon.Env = append(os.Environ(), "NETCONNECTD_PATHS_STATE="+filepath.Join(d.dir, "state"))
	d.daemon.Stderr = &d.log
	if err := d.daemon.Start(); err != nil {
		d.t.Fatal(err)
	}
	var has []string
	var plan client.NetworkPlan
	var err error
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		plan = client.NetworkPlan{}
		err = d.invoke("plan", &plan)
		if has = d.addresses(); err == nil && len(plan.Changes)+len(plan.Problems) == 0 && len(has) == 1 {
			return has[0]
		}
		if time.Now().After(end) {
			d.t.Fatalf("v0 has %v, and there is still to do: %+v, %v", has, plan, err)
		}
	}
}

func (d *tried) addresses() (all []string) {
	d.t.Helper()
	for line := range strings.Lines(d.ns.Run("ip", "-o", "-4", "addr", "show", "v0")) {
		all = append(all, strings.Fields(line)[3])
	}
	return all
}

// kill ends the daemon as kill -9 does.
func (d *tried) kill() {
	if d.daemon != nil {
		_ = d.daemon.Process.Kill()
		_ = d.daemon.Wait()
		d.daemon = nil
	}
}

func (d *tried) invoke(method string, result any) error {
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, d.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Invoke(ctx, "network", method, nil, result)
}

// watch begins to look at the state folder and at the kernel's addresses.
func (d *tried) watch() {
	d.t.Helper()
	var err error
	if d.files, err = unix.InotifyInit1(unix.IN_CLOEXEC); err == nil {
		_, err = unix.InotifyAddWatch(d.files, filepath.Join(d.dir, "state"), unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_DELETE)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.ns.Do(func() (err error) {
		if d.kernel, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE); err == nil {
			err = unix.Bind(d.kernel, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_IPV4_IFADDR})
		}
		return err
	})
	for _, fd := range []int{d.files, d.kernel} {
		if err := unix.SetNonblock(fd, false); err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { unix.Close(fd) })
	}
}

// read returns the next events from a descriptor of watch.
func (d *tried) read(fd int) []byte {
	d.t.Helper()
	buf := make([]byte, 64<<10)
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20_000)
		if err == unix.EINTR {
			continue
		}
		n := 0
		if ready > 0 {
			n, err = unix.Read(fd, buf)
		}
		if err != nil || n == 0 {
			d.t.Fatalf("nothing happens within 20 s: %v", err)
		}
		return buf[:n]
	}
}

// A moment waits for what happens after a request was sent. reply is the connection.
type moment func(d *tried, reply net.Conn)

func atOnce(*tried, net.Conn) {}

// replied waits for the reply.
func replied(d *tried, reply net.Conn) {
	if _, err := client.NewFrameReader(reply, 1<<20).Read(); err != nil {
		d.t.Fatal(err)
	}
}

// file waits until a file whose name begins so was made, got its name, or was removed.
func file(event uint32, name string) moment {
	return func(d *tried, _ net.Conn) {
		for {
			// inotify(7): mask, cookie and the length of the name stand before the name.
			for rest := d.read(d.files); len(rest) >= unix.SizeofInotifyEvent; {
				size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(rest[12:]))
				if binary.NativeEndian.Uint32(rest[4:])&event != 0 && bytes.HasPrefix(rest[unix.SizeofInotifyEvent:size], []byte(name)) {
					return
				}
				rest = rest[size:]
			}
		}
	}
}

// address waits until the kernel has got, or lost, an address: RTM_NEWADDR or RTM_DELADDR.
func address(kind uint16) moment {
	return func(d *tried, _ net.Conn) {
		for events := d.read(d.kernel); binary.NativeEndian.Uint16(events[4:]) != kind; events = d.read(d.kernel) { // nlmsghdr
		}
	}
}

// TestKilledWithinATrial kills the daemon with -9 at every step of a trial, from the request to
// its reply. The file on the disk has the text on trial. The next daemon has to take either
// the earlier configuration or the tried one whole, and to say which.
func TestKilledWithinATrial(t *testing.T) {
	const record, kept = "tried-config.json", "kept-config.json"
	for _, row := range []struct {
		name   string
		method string
		when   moment
		want   string // "": either, as the kill may come before or after the step
	}{
		{"asked to apply", "apply", atOnce, ""},
		{"the record is being written", "apply", file(unix.IN_CREATE, "."+record), ""},
		{"the record is written", "apply", file(unix.IN_MOVED_TO, record), earlier},
		{"the kernel has the new address", "apply", address(unix.RTM_NEWADDR), earlier},
		{"the kernel has lost the old address", "apply", address(unix.RTM_DELADDR), earlier},
		{"applied", "apply", replied, earlier},
		{"asked to confirm", "confirm", atOnce, ""},
		{"the copy is being written", "confirm", file(unix.IN_CREATE, "."+kept), ""},
		{"the copy is written", "confirm", file(unix.IN_MOVED_TO, kept), onTrial},
		{"the record is removed", "confirm", file(unix.IN_DELETE, record), onTrial},
		{"confirmed", "confirm", replied, onTrial},
		{"asked to revert", "revert", atOnce, earlier},
		{"the kernel has the old address again", "revert", address(unix.RTM_NEWADDR), earlier},
		{"the kernel has lost the new address", "revert", address(unix.RTM_DELADDR), earlier},
		{"reverted", "revert", replied, earlier},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newTried(t)
			if has := d.start(); has != earlier {
				t.Fatalf("started with %s", has)
			}
			d.write(onTrial)
			if row.method != "apply" {
				if err := d.invoke("apply", nil); err != nil {
					t.Fatal(err)
				}
			}
			d.watch()
			row.when(d, d.send(row.method))
			d.kill()
			has := d.start()
			if row.want != "" && has != row.want {
				t.Errorf("the daemon starts with %s, want %s", has, row.want)
			}
			d.checkStatus(has)
		})
	}
}

// TestTrialIsTold checks that subscribers hear of the beginning and of the end of a trial.
func TestTrialIsTold(t *testing.T) {
	d := newTried(t)
	d.start()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, d.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	events, err := c.Subscribe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"apply", "revert"} {
		if err := d.invoke(method, nil); err != nil {
			t.Fatal(err)
		}
		for waits := method == "apply"; ; {
			e, err := events.Next(ctx)
			if err != nil {
				t.Fatalf("after %s: %v", method, err)
			}
			if e.Type == client.EventStatus && (e.Status.Trial != nil) == waits {
				break
			}
		}
	}
}

// send sends a request and does not wait for the reply.
func (d *tried) send(method string) net.Conn {
	d.t.Helper()
	c, err := net.Dial("unix", d.socket)
	if err == nil {
		d.t.Cleanup(func() { c.Close() })
		_, err = fmt.Fprintf(c, `{"call":{"object":"network","method":%q}}`+"\x00", method)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// checkStatus checks that the daemon says that the file is not in force if so it is.
func (d *tried) checkStatus(address string) {
	d.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := client.Dial(d.t.Context(), d.socket)
		if err != nil {
			d.t.Fatal(err)
		}
		status, err := c.Status(d.t.Context())
		c.Close()
		said := strings.Contains(fmt.Sprint(status.Problems), "is not confirmed; the earlier configuration is in force")
		if err == nil && status.Trial == nil && said == (address == earlier) {
			return
		}
		if time.Now().After(end) {
			d.t.Fatalf("%s is in force, and the status has %+v, trial %+v, %v", address, status.Problems, status.Trial, err)
		}
	}
}
