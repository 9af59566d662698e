package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

// crowdEnv makes this test binary a crowd on the socket that it names.
const crowdEnv = "SERVER_TEST_CROWD"

// crowdGroup is the group whose members may change the network in these tests.
const crowdGroup = 990

// account is a user of the machine, as the kernel reports the user of a peer.
type account struct {
	uid     uint32
	changes bool
}

// beCrowd opens as many connections as the first word of the standard input says, and
// sends the rest of the line on each of them. It prints what the first connection
// receives, and holds all connections, without reading, until the input ends.
func beCrowd(path string) {
	in := bufio.NewReader(os.Stdin)
	line, _ := in.ReadString('\n')
	var n int
	_, _ = fmt.Sscan(line, &n)
	_, request, _ := strings.Cut(strings.TrimSpace(line), " ")
	var first net.Conn
	for i := range n {
		nc, err := net.Dial("unix", path)
		if err == nil {
			_, err = io.WriteString(nc, request+"\x00")
		}
		if i == 0 {
			first = nc
		}
		if err != nil && !errors.Is(err, syscall.EPIPE) { // a refused connection may be closed already
			fmt.Println("WRONG", err)
		}
	}
	if n == 1 {
		reply, err := bufio.NewReader(first).ReadString(0)
		fmt.Printf("%.60q %v\n", reply, err)
	} else {
		fmt.Println("all there")
	}
	_, _ = io.Copy(io.Discard, in)
}

// crowd starts another process of that user, and returns its output.
func (r *running) crowd(t *testing.T, of account, connections int, request string) (told string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), crowdEnv+"="+r.path, "GOMAXPROCS=1", "GOCOVERDIR=")
	cmd.Dir, cmd.Stderr = "/", os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: of.uid, Gid: of.uid}}
	if of.changes {
		cmd.SysProcAttr.Credential.Groups = []uint32{crowdGroup}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	fmt.Fprintf(stdin, "%d %s\n", connections, request)
	told, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil || strings.Contains(told, "WRONG") {
		t.Fatalf("a crowd of user %d: %q, %v", of.uid, told, err)
	}
	return told
}

// crowded starts a server that every user of the machine can reach.
func crowded(t *testing.T, f *fake) *running {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be several users")
	}
	r := start(t, f, func(c *Config) {
		c.Rights = Rights{Group: DefaultGroup, LookupGroup: func(string) (uint32, error) { return crowdGroup, nil }}
	})
	folder := filepath.Dir(r.path)
	for path, mode := range map[string]os.FileMode{r.path: 0o666, folder: 0o711, filepath.Dir(folder): 0o711} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// TestCrowdLocksNobodyOut checks that users who may change the network are served
// whatever users without rights hold, and that root is served whatever the others
// hold.
func TestCrowdLocksNobodyOut(t *testing.T) {
	r := crowded(t, &fake{})
	const listen = `{"subscribe":{}}`
	for uid := range uint32(5) {
		r.crowd(t, account{uid: 4711 + uid}, 64, listen)
	}
	if n := r.connections(); n != 96 {
		t.Errorf("readers have %d places, want 96", n)
	}
	overloaded, result := fmt.Sprintf("%.60q", errorFrame(nil, errOverloaded)), fmt.Sprintf("%.60q", statusReply)
	if told := r.crowd(t, account{uid: 4720}, 1, `{"status":{}}`); !strings.HasPrefix(told, overloaded) {
		t.Errorf("one more reader got %s, want %s", told, overloaded)
	}
	if told := r.crowd(t, account{4721, true}, 1, `{"status":{}}`); !strings.HasPrefix(told, result) {
		t.Errorf("a changer got %s, want %s", told, result)
	}
	for uid := range uint32(3) {
		r.crowd(t, account{4730 + uid, true}, 64, listen)
	}
	if n := r.connections(); n != 112 {
		t.Errorf("readers and changers have %d places, want 112", n)
	}
	if got := r.talk(t, `{"reset":{}}`+"\x00", 99); got != resetFrame {
		t.Errorf("root got %q", got)
	}
}

// TestReadersEvictNoHigherRank checks that an idle connection of root stays, however
// many clients with fewer rights connect.
func TestReadersEvictNoHigherRank(t *testing.T) {
	r := crowded(t, &fake{})
	idle := r.idleConn(t)
	for uid := range uint32(5) {
		r.crowd(t, account{uid: 4711 + uid}, 40, `{"status":{}}`)
	}
	send(t, idle, `{"reset":{}}`+"\x00", 99)
	if got := readFrame(t, idle); got != resetFrame {
		t.Errorf("root got %q", got)
	}
}

// TestUnreadRepliesAreBounded lets clients ask for long replies that they never read.
// Each reply takes four times its size while it is made.
func TestUnreadRepliesAreBounded(t *testing.T) {
	most := uint64(64 << 20) // includes memory that the garbage collector has not freed yet
	if timetest.Beside {
		most *= 2
	}
	for _, tt := range []struct {
		name  string
		users []account
	}{
		{"readers", []account{{uid: 4711}, {uid: 4712}, {uid: 4713}}},
		{"changers", []account{{4714, true}, {4715, true}}},
		{"root", []account{{uid: 0}}},
	} {
		for command, size := range map[string]int{"show": 2 << 20, "history": 2 << 20, "list_wifi": 256 << 10} {
			t.Run(tt.name+" "+command, func(t *testing.T) {
				long := func(context.Context, Peer, Request) (any, error) { return strings.Repeat("x", size), nil }
				f := &fake{handle: long}
				r := crowded(t, f)
				before := usage().memory
				for _, u := range tt.users {
					r.crowd(t, u, 60/len(tt.users), `{"`+command+`":{}}`)
				}
				eventually(t, "requests are at work", func() bool { return len(f.requests()) > 0 })
				var stats runtime.MemStats
				for end := time.Now().Add(600 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
					if runtime.ReadMemStats(&stats); stats.HeapAlloc > before+most {
						t.Fatalf("%d MB are in use, want at most %d", (stats.HeapAlloc-before)>>20, most>>20)
					}
				}
			})
		}
	}
}

// TestRefusalsFillNoLog checks that a line which a peer can cause again and again is
// logged once a minute, with the number of repetitions.
func TestRefusalsFillNoLog(t *testing.T) {
	const times = 8600
	for _, tt := range []struct {
		name, request string
		peer          Peer
		handle        func(context.Context, Peer, Request) (any, error)
		lines         int
		counted       string
	}{
		{"what a user may not do", `{"reset":{}}`, Peer{UID: 4711}, nil, 2, "code=permission_denied"},
		{"the log of one who may", `{"reset":{}}`, Peer{}, nil, requestLines + 1, "command=reset"},
		{"a list that fails", `{"list_wifi":{}}`, Peer{UID: 4711}, func(context.Context, Peer, Request) (any, error) {
			return nil, &client.Error{Code: "busy", Message: "the radio is busy"}
		}, requestLines + 1, "code=busy"},
		{"a fault of ours", `{"list_networks":{}}`, Peer{UID: 4711}, func(context.Context, Peer, Request) (any, error) {
			return nil, errors.New("no such file")
		}, requestLines + 1, "level=ERROR"},
		{"bad frames", `{"reset":`, Peer{UID: 4711}, nil, 0, ""},
		{"unknown commands", `{"explode":{}}`, Peer{UID: 4711}, nil, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, &fake{handle: tt.handle}, func(c *Config) { c.Peer = peerIs(tt.peer) })
			nc := r.dial(t)
			nc.SetDeadline(time.Now().Add(time.Minute))
			go io.WriteString(nc, strings.Repeat(tt.request+"\x00", times))
			replies := client.NewFrameReader(nc, 1<<20)
			for i := range times {
				if _, err := replies.Read(); err != nil {
					t.Fatalf("reply %d: %v", i, err)
				}
			}
			r.stop()
			said := r.log.String()
			if n := strings.Count(said, "\n"); n != tt.lines {
				t.Errorf("%d lines in the log, want %d:\n%.1000s", n, tt.lines, said)
			}
			counted := fmt.Sprintf(" times=%d\n", times-tt.lines+1)
			if tt.lines > 0 && (!strings.HasSuffix(said, counted) || !strings.Contains(said, tt.counted)) {
				t.Errorf("the log ends with %q, want %q and %q", said[max(0, len(said)-300):], tt.counted, counted)
			}
		})
	}
}

// TestHostileFrames sends a hundred thousand frames that no proper client sends. Each
// gets a reply, and afterwards the server's state is unchanged.
func TestHostileFrames(t *testing.T) {
	frames, conns := 100_000, 8
	if timetest.Beside || testing.Short() {
		frames = 8_000
	}
	hostile := []string{
		"", "{", "[]", "null", `"status"`, "{}", `{"":{}}`, `{"status":null}`, `{"status":[]}`, `{"status":{},"reset":{}}`, `{"status":{},"id":{}}`,
		`{"explode":{}}`, `{"reset":{}}`, `{"stop_daemon":{}}`, `{"connect":{"ssid":"x"}}`, `{"config_wifi":{"ssid":"x","psk":"password"}}`,
		`{"list_wifi":{"force":"false"}}`, `{"connect":{"ssid_hex":"zz"}}`, `{"show":{"parts":["everything"]}}`, `{"show":{"ifaces":["` + strings.Repeat("x", 4000) + `"]}}`,
		`{"history":{"limit":-1}}`, `{"history":{"limit":1e99}}`, `{"subscribe":{"network":7}}`, `{"add_network":{"ssid":"x","no such":1}}`,
		"{\"\xff\":1}", `{"id":"` + strings.Repeat("i", 4000) + `","status":{}}`, `{"status":` + strings.Repeat("[", 1000), `{"status":{"a":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 42),
		strings.Repeat("x", client.MaxRequest+1), strings.Repeat(`{"a":1,`, 500),
	}
	r := start(t, &fake{}, func(c *Config) { c.Peer = peerIs(Peer{UID: 4711}) })
	r.talk(t, `{"status":{}}`+"\x00", 99)
	before, files := usage(), openFiles(t)
	ended := make(chan error, conns)
	for range conns {
		go func() { ended <- sendHostile(r.path, hostile, frames/conns) }()
	}
	for range conns {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	eventually(t, "everything is as it was", func() bool {
		now := usage()
		return r.connections() == 0 && now.goroutines <= before.goroutines && now.memory < before.memory+1<<20 && openFiles(t) <= files
	})
	if got := r.talk(t, `{"status":{}}`+"\x00", 99); got != statusReply {
		t.Errorf("the server answers %q", got)
	}
	r.stop()
	if n := len(r.log.String()); n > 64<<10 {
		t.Errorf("the log has %d bytes", n)
	}
}

// sendHostile sends the frames in turn on a connection, and reads the replies.
func sendHostile(path string, frames []string, n int) error {
	nc, err := net.DialTimeout("unix", path, 10*time.Second)
	if err != nil {
		return err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(2 * time.Minute))
	go func() {
		out := bufio.NewWriter(nc)
		for i := range n {
			// An empty frame consists of white space, and its NUL ends it.
			_, _ = out.WriteString(frames[i%len(frames)] + "\x00")
		}
		out.Flush()
	}()
	replies := client.NewFrameReader(nc, 1<<20)
	for i := range n {
		frame, err := replies.Read()
		if err != nil {
			return fmt.Errorf("reply %d to %.40q: %w", i, frames[i%len(frames)], err)
		}
		if !strings.HasPrefix(string(frame), `{"error":`) && !strings.HasPrefix(string(frame), `{"result":`) {
			return fmt.Errorf("reply %d to %.40q: %.100q", i, frames[i%len(frames)], frame)
		}
	}
	return nil
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
