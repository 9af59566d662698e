package declared

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// TestOtherInterfacesNoticeNothing changes one interface again and again while a TCP
// session goes over another one: the session loses no byte, and ip monitor shows nothing
// of the other interface.
func TestOtherInterfacesNoticeNothing(t *testing.T) {
	d := newDevice(t)
	far := netnstest.Another(t)
	for _, name := range []string{"lan1", "lan2"} {
		netnstest.Run(t, "ip", "link", "add", name, "type", "veth", "peer", "name", "far-"+name, "netns", far.String())
		t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", name) })
		netnstest.Run(t, "ip", "link", "set", name, "addrgenmode", "none")
		far.Run("ip", "link", "set", "far-"+name, "up")
	}
	far.Run("ip", "addr", "add", "192.0.2.2/24", "dev", "far-lan1")
	lan1 := section("interface", "lan1", "device: lan1", "proto: static", "ipaddr: 192.0.2.1/24")
	lan2 := func(address string) {
		d.declare(lan1, section("interface", "lan2", "device: lan2", "proto: static", "ipaddr: "+address))
		d.await("lan2", true, "lan2", address)
	}
	lan2("198.51.100.1/24")
	d.await("lan1", true, "lan1", "192.0.2.1/24")
	session := openSession(t, far)
	awaitSoon(t, "the kernel to find the carrier of lan1, which it does a second late", func() bool {
		return strings.Contains(netnstest.Run(t, "ip", "link", "show", "lan1"), "state UP")
	})

	var said bytes.Buffer
	monitor := exec.Command("ip", "-o", "monitor", "link", "address", "route")
	monitor.Stdout = &said
	if err := monitor.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		lan2(fmt.Sprintf("198.51.100.%d/24", 2+i))
		lan2(fmt.Sprintf("203.0.113.%d/24", 2+i))
	}
	_ = monitor.Process.Kill()
	_ = monitor.Wait()
	if sent, received := session(); sent != received || sent < 1<<20 {
		t.Errorf("%d bytes sent, %d received", sent, received)
	}
	if strings.Contains(said.String(), "lan1") || !strings.Contains(said.String(), "lan2") {
		t.Errorf("ip monitor:\n%s", said.String())
	}
}

// openSession opens a TCP session to the far side of lan1, over which bytes flow until
// the function that it returns ends the session and returns how many were sent and have
// arrived.
func openSession(t *testing.T, far *netnstest.Namespace) (end func() (sent, received int64)) {
	t.Helper()
	var server net.Listener
	var failed error
	far.Do(func() error {
		server, failed = net.Listen("tcp", "192.0.2.2:0")
		return failed
	})
	if failed != nil {
		t.Fatal(failed)
	}
	t.Cleanup(func() { _ = server.Close() })
	client, err := net.DialTimeout("tcp", server.Addr().String(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var sent, received int64
	var group errgroup.Group
	stop := make(chan struct{})
	group.Go(func() error {
		peer, err := server.Accept()
		if err != nil {
			return err
		}
		defer peer.Close()
		received, err = io.Copy(io.Discard, peer)
		return err
	})
	group.Go(func() error {
		defer client.Close()
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			n, err := client.Write(make([]byte, 4096))
			if sent += int64(n); err != nil {
				return err
			}
		}
	})
	return func() (int64, int64) {
		close(stop)
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		return sent, received
	}
}
