package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

func TestRights(t *testing.T) {
	const gid = 990
	group := Rights{
		Group: DefaultGroup,
		LookupGroup: func(name string) (uint32, error) {
			if name != DefaultGroup {
				return 0, fmt.Errorf("looked up %q", name)
			}
			return gid, nil
		},
		LookupUser: func(uint32) (string, error) { return "pi", nil },
	}
	noGroup := group
	noGroup.LookupGroup = func(string) (uint32, error) { return 0, errors.New("no such group") }
	stranger, member := Peer{UID: 4711, Groups: []uint32{4711, 27}}, Peer{UID: 4711, Groups: []uint32{4711, gid}}
	own := Peer{UID: uint32(os.Geteuid())}

	denied := `{"error":"only members of the group netconnect may change the network: run sudo adduser pi netconnect, then log in again (a service: restart it)","code":"permission_denied"}` + "\x00"
	changes := []string{
		`{"config_wifi":{"ssid":"a"}}`, `{"start_wifi":{}}`, `{"connect":{"ssid":"Home"}}`, `{"remove_network":{"ssid":"Home"}}`, `{"adopt":{"ssid":"Home"}}`, `{"add_network":{"ssid":"Home"}}`, `{"set_network":{"ssid":"Home"}}`, `{"forget_wifi":{}}`, `{"reset":{}}`, `{"start_ap":{}}`, `{"stop_ap":{}}`, `{"reload":{}}`,
		`{"call":{"object":"network","method":"apply"}}`, `{"call":{"object":"network","method":"confirm"}}`, `{"call":{"object":"network","method":"revert"}}`,
		`{"call":{"object":"network","method":"extend","args":{"seconds":5}}}`, `{"call":{"object":"network","method":"plan","args":{"config":"network: {}"}}}`,
		`{"call":{"object":"network","method":"reload"}}`, `{"call":{"object":"network.interface.lan","method":"up"}}`,
		`{"call":{"object":"network.interface.lan","method":"down"}}`, `{"call":{"object":"network.interface","method":"down","args":{"interface":"lan"}}}`,
	}
	reads := []string{`{"status":{}}`, `{"list_wifi":{}}`, `{"list_networks":{}}`, `{"history":{}}`, `{"metrics":{}}`, `{"subscribe":{}}`,
		`{"call":{"object":"network","method":"plan"}}`, `{"call":{"object":"network","method":"plan","args":{"config":null}}}`, `{"call":{"object":"network.interface","method":"dump"}}`, `{"call":{"object":"network.interface.lan","method":"status"}}`}
	const forced = `{"list_wifi":{"force":true}}`
	rows := []struct {
		name    string
		rights  Rights
		peer    Peer
		ap      bool
		send    []string
		allowed bool
	}{
		{"root changes", group, Peer{UID: 0}, true, append(changes, forced), true},
		{"the daemon's user changes", group, own, true, append(changes, forced), true},
		{"a member changes", group, member, true, append(changes, forced), true},
		{"a stranger does not", group, stranger, true, append(changes, forced), false},
		{"a stranger reads", group, stranger, true, reads, true},
		{"a stranger may ask for force when it does no harm", group, stranger, false, []string{forced}, true},
		{"everyone changes", Rights{Everyone: true}, stranger, true, append(changes, forced), true},
		{"without the group nobody else changes", noGroup, member, true, changes, false},
		{"without the group its id is not 0", noGroup, Peer{UID: 4711, Groups: []uint32{0}}, true, changes, false},
		{"without the group root changes", noGroup, Peer{UID: 0}, true, changes, true},
		{"without the group everybody reads", noGroup, stranger, true, reads, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := &fake{status: client.Status{Connections: client.Connections{AP: row.ap}}}
			r := start(t, f, func(c *Config) {
				c.Rights = row.rights
				c.Peer = func(net.Conn) (Peer, error) { return row.peer, nil }
			})
			for _, request := range row.send {
				got := r.talk(t, request+"\x00", 1<<20)
				if row.allowed {
					mustContain(t, got, `{"result":`)
				} else if got != denied {
					t.Errorf("%s: got %q", request, got)
				}
			}
			if n := len(f.requests()); !row.allowed && n > 0 {
				t.Errorf("%d requests reached the handler", n)
			}
		})
	}
}

// TestForceOfAStrangerIsNotPassedOn checks that a reader's forced scan becomes a
// plain one, in case an access point starts just after the check.
func TestForceOfAStrangerIsNotPassedOn(t *testing.T) {
	f := &fake{}
	r := start(t, f, func(c *Config) {
		c.Peer = func(net.Conn) (Peer, error) { return Peer{UID: 4711}, nil }
	})
	r.talk(t, `{"list_wifi":{"force":true}}`+"\x00", 1<<20)
	if got := f.requests(); !reflect.DeepEqual(got, []Request{ListWifi{}}) {
		t.Errorf("got %#v", got)
	}
}

// TestOnlyRootStopsTheDaemon checks that a peer who may change the network still may
// not take it from everybody.
func TestOnlyRootStopsTheDaemon(t *testing.T) {
	rights := Rights{Everyone: true, Group: DefaultGroup, LookupGroup: func(string) (uint32, error) { return 990, nil }}
	for _, row := range []struct {
		peer    Peer
		allowed bool
	}{{Peer{UID: 0}, true}, {Peer{UID: uint32(os.Geteuid())}, true}, {Peer{UID: 4711, Groups: []uint32{990}}, false}} {
		f := &fake{}
		r := start(t, f, func(c *Config) {
			c.Rights = rights
			c.Peer = func(net.Conn) (Peer, error) { return row.peer, nil }
		})
		got := r.talk(t, `{"stop_daemon":{}}`+"\x00", 99)
		if row.allowed {
			mustContain(t, got, `{"result":"netconnectd stops"}`)
		} else if got != string(errorFrame(nil, errMayNotStop)) || len(f.requests()) > 0 {
			t.Errorf("%+v: got %q, %d requests reached the handler", row.peer, got, len(f.requests()))
		}
	}
}

// TestReplyOfAStopArrives has a Handler that shuts the server down, as stop_daemon
// does, before it returns.
func TestReplyOfAStopArrives(t *testing.T) {
	var r *running
	f := &fake{handle: func(context.Context, Peer, Request) (any, error) {
		go r.stop()
		eventually(t, "the server shuts down", func() bool {
			nc, err := net.Dial("unix", r.path)
			if err == nil {
				nc.Close()
			}
			return err != nil
		})
		return client.ResultStopping, nil
	}}
	r = start(t, f, nil)
	if got := r.talk(t, `{"stop_daemon":{}}`+"\x00", 99); got != `{"result":"netconnectd stops"}`+"\x00" {
		t.Errorf("got %q", got)
	}
}

func TestDenialWithoutGroup(t *testing.T) {
	if got := (Rights{}).denial(Peer{UID: 4711}).Message; got != "only root may change the network" {
		t.Errorf("got %q", got)
	}
}

func TestUnknownPeerReadsOnly(t *testing.T) {
	r := start(t, &fake{}, func(c *Config) {
		c.Peer = func(net.Conn) (Peer, error) { return Peer{}, errors.New("no such thing") }
	})
	if got := r.talk(t, `{"status":{}}`+"\x00", 1<<20); got != statusReply {
		t.Errorf("status: %q", got)
	}
	mustContain(t, r.talk(t, `{"reset":{}}`+"\x00", 1<<20), `"code":"permission_denied"`)
}

// dialEnv makes this test binary a client, for TestPeerOf.
const dialEnv = "NETCONNECTD_TEST_DIAL"

func init() {
	if path := os.Getenv(dialEnv); path != "" {
		nc, err := net.Dial("unix", path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		nc.Read(make([]byte, 1)) // returns when the other end closes
		os.Exit(0)
	}
}

// TestPeerOf asks the kernel about a process of another user with more groups than
// the first buffer holds.
func TestPeerOf(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to start a process of another user")
	}
	dir, err := os.MkdirTemp("/tmp", "peer") // other users cannot enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := dir + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	groups := make([]uint32, 100)
	for i := range groups {
		groups[i] = uint32(5000 + i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), dialEnv+"="+path)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4711, Gid: 4712, Groups: groups}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetDeadline(time.Now().Add(10 * time.Second))
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	peer, err := PeerOf(nc)
	nc.Close()
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	want := Peer{UID: 4711, PID: int32(cmd.Process.Pid), Groups: append(slices.Clone(groups), 4712)}
	if !reflect.DeepEqual(peer, want) {
		t.Errorf("got  %+v\nwant %+v", peer, want)
	}
}

// TestTheMachinesOwnNames uses the real /etc/group and /etc/passwd.
func TestTheMachinesOwnNames(t *testing.T) {
	if gid, err := groupID("root"); err != nil || gid != 0 {
		t.Errorf("groupID(root) = %d, %v", gid, err)
	}
	if _, err := groupID("no-such-group"); err == nil {
		t.Error("a group that does not exist has an id")
	}
	if name, err := userName(0); err != nil || name != "root" {
		t.Errorf("userName(0) = %q, %v", name, err)
	}
	if got := (Rights{Group: "x"}).userName(4242424); got != "USER" {
		t.Errorf("an unknown user is called %q", got)
	}
}
