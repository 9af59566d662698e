package docs

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// realDaemon runs netconnectd in a network namespace with one cable, and returns its
// socket.
func realDaemon(t *testing.T) (socket string) {
	t.Helper()
	buildPrograms(t)
	netnstest.Thread(t)
	for _, setting := range []string{
		"link set lo up", "link add eth0 type veth peer name far", "link set eth0 up", "link set far up",
		"address add 192.0.2.7/24 dev eth0", "route add default via 192.0.2.1",
	} {
		netnstest.Run(t, append([]string{"ip"}, strings.Fields(setting)...)...)
	}
	dir, err := os.MkdirTemp("/tmp", "d") // a short name, because the path of a socket has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	var log bytes.Buffer
	config := filepath.Join(dir, "netconnectd.yaml")
	if err := os.WriteFile(config, []byte(declaration), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("netconnectd", "--config", config, "--address", socket, "--interface-wired", "eth0", "--probe-kind", "none",
		"--path-runtime", filepath.Join(dir, "run"), "--path-state", filepath.Join(dir, "state"), "--path-hooks", filepath.Join(dir, "hooks"))
	daemon.Stderr = &log
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait()
		if t.Failed() {
			t.Logf("netconnectd said\n%s", log.String())
		}
	})
	if out, err := exec.Command("netconnectcli", "-a", socket, "wait-online", "--timeout", "30").CombinedOutput(); err != nil {
		t.Fatalf("wait-online: %v: %s", err, out)
	}
	return socket
}

// asked sends a request and returns the frames that follow.
func asked(t *testing.T, socket, request string, frames int) (got [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if _, err := c.Write([]byte(request + "\x00")); err != nil {
		t.Fatal(err)
	}
	reader := client.NewFrameReader(c, 16<<20)
	for range frames {
		text, err := reader.Read()
		if err != nil {
			t.Fatalf("%s: %v", request, err)
		}
		got = append(got, text)
	}
	return got
}

// declaration declares an interface that goes up and one whose device is not there.
const declaration = `
network:
  interfaces:
    - {name: lan, device: far, proto: static, ipaddr: 198.51.100.1/24, gateway: 198.51.100.254, metric: 9, dns: 198.51.100.53}
    - {name: wan, device: none0, proto: dhcp}
`

// requests are sent in this order. Those that change the radio fail, since there is
// none; such an error is a reply, too.
var requests = []struct{ command, parameters string }{
	{"status", `{}`}, {"add_network", `{"ssid":"Home","psk":"12345678","priority":3}`},
	{"add_network", `{"ssid_hex":"ff00","psk":"12345678","addressing":{"method":"static","address":"192.0.2.9/24","gateway":"192.0.2.1","dns":["192.0.2.1"]}}`},
	{"add_network", `{"ssid":"Work","eap":{"method":"peap","identity":"me","password":"secret","any_server":true}}`},
	{"set_network", `{"ssid":"Home","hidden":true}`}, {"set_network", `{"ssid":"nowhere","hidden":true}`},
	{"list_networks", `{}`}, {"status", `{}`}, {"list_wifi", `{}`}, {"config_wifi", `{"ssid":"x"}`}, {"start_wifi", `{}`},
	{"connect", `{"ssid":"Home"}`}, {"adopt", `{"ssid":"Home"}`}, {"remove_network", `{"ssid":"Home"}`}, {"start_ap", `{}`}, {"stop_ap", `{}`},
	{"metrics", `{}`}, {"reload", `{}`}, {"show", `{}`}, {"show", `{"iface":"none0"}`}, {"forget_wifi", `{}`}, {"reset", `{}`}, {"history", `{}`}, {"interfaces", `{}`},
	{"call", `{"object":"network.interface","method":"dump"}`}, {"call", `{"object":"network.interface.lan","method":"status"}`},
	{"call", `{"object":"network.interface.lan","method":"down"}`}, {"call", `{"object":"network.interface.nowhere","method":"up"}`},
	{"call", `{"object":"network","method":"plan"}`}, {"call", `{"object":"network","method":"reload"}`},
	{"call", `{"object":"network","method":"plan","args":{"config":"network: {}"}}`}, {"call", `{"object":"network","method":"plan","args":{"config":"network: {fly: 1}"}}`},
	{"call", `{"object":"network","method":"confirm"}`}, {"call", `{"object":"network","method":"apply","args":{"confirm":30}}`}, {"call", `{"object":"network","method":"apply"}`},
	{"status", `{}`}, {"call", `{"object":"network","method":"extend","args":{"seconds":40}}`}, {"call", `{"object":"network","method":"confirm"}`},
	{"call", `{"object":"network","method":"apply"}`}, {"call", `{"object":"network","method":"revert"}`}, {"call", `{"object":"network","method":"fly"}`},
	{"subscribe", `{"network":{"parts":["nothing"]}}`}, {"stop_daemon", `{}`},
}

// TestRealRepliesAreValid checks that the replies of the real netconnectd match the
// schema, and that every command is tried.
func TestRealRepliesAreValid(t *testing.T) {
	socket := realDaemon(t)
	tried := map[string]bool{}
	for _, r := range requests {
		if r.command == "stop_daemon" { // the last one
			events := asked(t, socket, `{"subscribe":{},"id":"x"}`, 2)
			validFrame(t, "reply_subscribe", events[0])
			validFrame(t, "event", events[1])
			changes := asked(t, socket, `{"subscribe":{"network":{}}}`, 2)
			validFrame(t, "change", changes[1])
			validFrame(t, "error", asked(t, socket, `{"fly":{},"id":7}`, 1)[0])
			validFrame(t, "error", asked(t, socket, `no JSON`, 1)[0])
		}
		tried[r.command] = true
		validFrame(t, "reply_"+r.command, asked(t, socket, `{"`+r.command+`":`+r.parameters+`,"id":7}`, 1)[0])
	}
	for _, command := range commandNames(t) {
		if !tried[command] {
			t.Errorf("%s is not tried", command)
		}
	}
}
