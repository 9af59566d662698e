package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
)

// originalReplies are the answers of the original netconnectd, byte for byte: its
// fields and texts, and no others.
var originalReplies = map[string]string{
	"status": `{"result":{"link":true,"devs":["eth0","wlan0"],"connections":{"wifi":true,"ap":false,"wired":true},` +
		`"wifi":{"current_ssid":"Home","current_address":"AA:BB:CC:DD:EE:FF","valid_config":true,"present":true}}}`,
	"list_wifi": `{"result":[{"ssid":"Far\u001b[2J","channel":11,"address":"AA:BB:CC:DD:EE:01","encrypted":false,"signal":null},` +
		`{"ssid":"Home","channel":1,"address":"AA:BB:CC:DD:EE:FF","encrypted":true,"signal":-40}]}`,
	"start_wifi":  `{"error":"could not connect"}`,
	"forget_wifi": `{"result":"forgot configured wifi"}`,
	"start_ap":    `{"result":"started ap"}`,
	"":            `{"error":"unknown message"}`,
}

// apStatus is the original's status while it is an access point and knows no network.
const apStatus = `{"result":{"link":false,"devs":[],"connections":{"wifi":false,"ap":true,"wired":false},` +
	`"wifi":{"current_ssid":null,"current_address":null,"valid_config":false,"present":true}}}`

// original plays an original daemon, which answers one request on a connection and
// closes the connection when the next request comes.
func original(t *testing.T, replies map[string]string) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for last := net.Conn(nil); ; {
			c, err := l.Accept()
			if last != nil {
				last.Close()
			}
			if err != nil {
				return
			}
			last = c
			request, err := client.NewFrameReader(c, 1<<10).Read()
			if err != nil {
				continue
			}
			reply := replies[""]
			for command, text := range replies {
				if command != "" && strings.HasPrefix(string(request), `{"`+command+`":`) {
					reply = text
				}
			}
			c.Write([]byte(reply + "\x00"))
		}
	}()
	return socket
}

// answered returns the output of one command line, and its exit status.
func answered(t *testing.T, socket string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", append([]string{"-a", socket}, args...)...)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	_ = cmd.Run() // the test checks its status
	return out.String() + said.String()
}

// TestOriginal checks that the answers of an original daemon are shown, and that
// missing features are reported as missing.
func TestOriginal(t *testing.T) {
	other := map[string]string{"status": apStatus, "": originalReplies[""]}
	for _, row := range []struct {
		replies map[string]string
		command string
		want    string
	}{
		{originalReplies, "status", `Uplink        online by eth0
Access point  off
Wi-Fi         "Home", cell AA:BB:CC:DD:EE:FF
Saved         a network
Version       not told, as by an original netconnectd

UPLINK  STATE  GATEWAY  LAST PROBE
eth0    works  -        -
wlan0   works  -        -
`},
		{other, "status", `Uplink        lost
Access point  up
Wi-Fi         not connected
Saved         none
Version       not told, as by an original netconnectd
`},
		{originalReplies, "list_wifi", `SSID        SIGNAL   CHANNEL  SECURITY   ADDRESS            KNOWN
Home        -40 dBm  1        encrypted  AA:BB:CC:DD:EE:FF  -
Far\x1b[2J  ?        11       open       AA:BB:CC:DD:EE:01  -
`},
		{originalReplies, "version", "netconnectcli devel\nnetconnectd not told, as by an original netconnectd\n"},
		{originalReplies, "select_wifi", "netconnectcli: could not connect\n"},
		{originalReplies, "forget_wifi", "forgot configured wifi\n"},
		{originalReplies, "start_ap", "started ap\n"},
		{originalReplies, "history", "netconnectcli: unknown message: this netconnectd does not know history; it is an older one, or the original (netconnectcli version)\n"},
		{originalReplies, "events", "netconnectcli: unknown message: this netconnectd does not know events; it is an older one, or the original (netconnectcli version)\n"},
		{originalReplies, "connect Home", "netconnectcli: unknown message: this netconnectd does not know connect; it is an older one, or the original (netconnectcli version)\n"},
		{originalReplies, "--json status", originalReplies["status"] + "\n"},
		{originalReplies, "wait-online", "online by eth0\n"},
		{other, "wait-online --any", "access point up\n"},
	} {
		t.Run(row.command, func(t *testing.T) {
			if diff := cmp.Diff(row.want, answered(t, original(t, row.replies), strings.Fields(row.command)...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestOriginalIsAsked checks that a person is asked for confirmation although an
// original daemon does not report which network is forgotten.
func TestOriginalIsAsked(t *testing.T) {
	term := onTerminal(t, &device{}, "reset")
	term.cmd.Args[2] = original(t, originalReplies) // replaces the device's socket
	term.start(t)
	term.readUntil(t, "Forget it? [y/N] ")
	if _, err := term.keys.WriteString("n\r"); err != nil {
		t.Fatal(err)
	}
	if err := term.cmd.Wait(); err == nil {
		t.Error("it forgets without a yes")
	}
}
