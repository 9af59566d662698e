package wifi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// program plays wpa_supplicant: it answers commands and, when a network is selected,
// sends the events of a trace.
type program struct {
	conn  *net.UnixConn
	local string

	mu       sync.Mutex
	commands []string // only those that change something
	monitors map[string]*net.UnixAddr
	onSelect func(cmd string) (trace string)
	state    string
	mark     string
	radio    string // the answer to GET_CAPABILITY
}

// lifetime plays the part of *process.Child that a session needs.
type lifetime struct{ done chan struct{} }

func (l lifetime) Done() <-chan struct{} { return l.done }

func (l lifetime) Err() error { return errors.New("signal: killed") }

func newProgram(t *testing.T) (*program, *session, lifetime) {
	t.Helper()
	p := &program{local: t.TempDir(), monitors: map[string]*net.UnixAddr{}, state: "DISCONNECTED"}
	path := filepath.Join(p.local, "wlan0")
	var err error
	if p.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(p.serve)
	ctrl, err := wpactrl.Dial(t.Context(), path, p.local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctrl.Close()
		p.conn.Close()
		serving.Wait()
	})
	life := lifetime{make(chan struct{})}
	return p, &session{
		child: life, ctrl: ctrl, socketPath: path, localDir: p.local,
		log:       slog.New(slog.DiscardHandler),
		strangers: map[string][]string{},
		cells:     func(context.Context, time.Duration) ([]BSS, error) { return nil, nil },
	}, life
}

// script sets the events that follow the selection of a network.
func (p *program) script(onSelect func(cmd string) (trace string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onSelect = onSelect
}

// become sets the answer to STATUS.
func (p *program) become(state, mark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.mark = state, mark
}

func (p *program) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := p.conn.ReadFromUnix(buf)
		if err != nil {
			return
		}
		cmd := string(buf[:n])
		p.mu.Lock()
		reply := p.answer(cmd, from)
		p.conn.WriteToUnix([]byte(reply), from)
		if strings.HasPrefix(cmd, "SELECT_NETWORK") && p.onSelect != nil {
			trace := p.onSelect(cmd)
			if !strings.Contains(cmd, "freq=") && strings.Contains(trace, "CTRL-EVENT-SCAN-RESULTS") {
				time.Sleep(quickestScan) // the time that a radio takes for all channels
			}
			p.send(trace)
		}
		p.mu.Unlock()
	}
}

func (p *program) answer(cmd string, from *net.UnixAddr) string {
	verb, rest, _ := strings.Cut(cmd, " ")
	switch verb {
	case "PING":
		return "PONG\n"
	case "GET_CAPABILITY":
		return cmp.Or(p.radio, "WPA-PSK SAE AES-128-CMAC") + "\n"
	case "ATTACH":
		p.monitors[from.Name] = from
		return "OK\n"
	case "DETACH":
		delete(p.monitors, from.Name)
		return "OK\n"
	case "STATUS":
		return "bssid=02:00:00:00:01:00\nfreq=2412\nssid=h\\x00me\nid=0\nid_str=" + p.mark + "\nwpa_state=" + p.state + "\n"
	case "SIGNAL_POLL":
		return "RSSI=-42\nLINKSPEED=54\n"
	case "SET_NETWORK":
		if _, value, ok := strings.Cut(rest, "id_str "); ok {
			p.mark = strings.Trim(value, `"`)
		}
	case "REMOVE_NETWORK":
		p.state = "DISCONNECTED"
	}
	p.commands = append(p.commands, cmd)
	if verb == "ADD_NETWORK" {
		return "0\n"
	}
	return "OK\n"
}

// send sends the events of a trace. The caller holds the lock.
func (p *program) send(trace string) {
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "CTRL-EVENT-CONNECTED"):
			p.state = "COMPLETED"
		case strings.HasPrefix(line, "CTRL-EVENT-DISCONNECTED"):
			p.state = "DISCONNECTED"
		}
		for _, monitor := range p.monitors {
			p.conn.WriteToUnix([]byte("<3>"+line), monitor)
		}
	}
}

func (p *program) say(trace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(trace)
}

func (p *program) did() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.commands, "\n")
}

// attached waits until a client listens to events.
func (p *program) attached(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		n := len(p.monitors)
		p.mu.Unlock()
		if n > 0 {
			return
		}
	}
	t.Fatal("nobody attached")
}
