package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/server"
)

// onFile lets an idle daemon have a configuration file with the text in force, and returns
// the path of the file.
func (d *daemon) onFile(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "netconnectd.yaml")
	args, environ := []string{"-c", file}, []string{"NETCONNECTD_PATHS_STATE=" + filepath.Join(dir, "state")}
	d.Load = func() (*config.Config, []config.Problem, error) { return config.Load(args, environ) }
	d.Parse = func(text []byte) (*config.Config, []config.Problem, error) { return config.Parse(args, environ, text) }
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := d.Load()
	if err != nil {
		t.Fatal(err)
	}
	d.cfg.Store(cfg)
	d.trial.Keep(cfg)
	return file
}

// declares reports whether the interface lan is declared with that address.
func (d *daemon) declares(address string) bool {
	i := d.cfg.Load().Network.Interfaces
	return len(i) == 1 && len(i[0].Addresses) == 1 && i[0].Addresses[0].Prefix.String() == address
}

// TestTakenBackBesideWhatHangs checks that the daemon goes back in time while neither the
// policy takes events nor the kernel's links are known, as with a D-Bus and a kernel that hang.
func TestTakenBackBesideWhatHangs(t *testing.T) {
	d := idle(t)
	const earlier, onTrial = "network: {interfaces: [{name: lan, device: v0, proto: static, ipaddr: 192.0.2.1/24}]}\n", "192.0.2.2/24"
	file := d.onFile(t, earlier)
	if err := os.WriteFile(file, []byte(strings.Replace(earlier, "192.0.2.1/24", onTrial, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	var peer sync.WaitGroup
	defer peer.Wait()
	defer leave()
	const limit = 3 * time.Second
	peer.Go(func() { _, _ = d.Handle(ctx, server.Peer{}, server.Apply{Confirm: limit}) }) // waits for the kernel
	await := func(what string, within time.Duration, is func() bool) {
		t.Helper()
		for end := time.Now().Add(within); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within %v", what, within)
			}
		}
	}
	await("on trial", 20*time.Second, func() bool { return d.Status().Trial != nil })
	if !d.declares(onTrial) {
		t.Error("on trial, and not in force")
	}
	until := d.Status().Trial.Until
	if time.Until(until) > limit {
		t.Errorf("the trial ends at %v, %v from now", until, time.Until(until))
	}
	await("taken back", time.Until(until)+2*time.Second, func() bool { return d.declares("192.0.2.1/24") })
	await("no trial waits", 20*time.Second, func() bool { return d.Status().Trial == nil })
	found := configProblems(d.configWrong(), d.cfg.Load())
	if len(found) != 1 || !strings.HasSuffix(found[0].Text, "not confirmed; the earlier configuration is in force") || !strings.Contains(found[0].Remedy, "netconnectcli apply") {
		t.Errorf("problems %+v", found)
	}
}

// TestPlanForHidesSecrets checks that nothing of a passphrase in a text that a client has
// sent stands in the reply or in the log, however the text is broken.
func TestPlanForHidesSecrets(t *testing.T) {
	const hidden = "correcthorse"
	d := idle(t)
	d.onFile(t, "")
	var mu sync.Mutex
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return said.Write(b)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	d.log = log
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.New(server.Config{Log: log, Handler: d}).Serve(ctx, listener) }()
	defer func() { stop(); <-ended }()
	for _, text := range []string{
		"ap: {psk: " + hidden + "\n", "ap:\n  psk:" + hidden + "\n", "ap: {psk: [" + hidden + "]}\n", "ap: {psk: {" + hidden + ": 1}}\n",
		"ap: {psk: &" + hidden + "}\n", "ap: {psk: *" + hidden + "}\n", "ap: {psk: !" + hidden + " x}\n", "ap: {psk: " + strings.Repeat(hidden, 9) + "}\n",
		"ap: {psk: \"" + hidden + "\\x07\"}\n", "psk=" + hidden + ": 1\n", hidden, "ap: {psk: @" + hidden + "}\n",
	} {
		c, err := client.Dial(ctx, socket)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := c.Do(ctx, "call", map[string]any{"object": "network", "method": "plan", "args": map[string]string{"config": text}})
		c.Close()
		var refused *client.Error
		if unknown := strings.HasPrefix(text, "psk="); !unknown && (!errors.As(err, &refused) || refused.Code != client.CodeBadConfig) { // a key that is not known is ignored
			t.Errorf("%q: %s, %v", text, frame, err)
		}
		if strings.Contains(string(frame), hidden) {
			t.Errorf("%q: the reply is %s", text, frame)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(said.String(), hidden) || !strings.Contains(said.String(), "network plan") {
		t.Errorf("the log is\n%s", said.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestPlanForChangesNothing checks that a plan for a text neither declares it nor keeps it.
func TestPlanForChangesNothing(t *testing.T) {
	d := idle(t)
	d.onFile(t, "")
	const text = "network: {interfaces: [{name: lan, device: absent0, proto: static, ipaddr: 192.0.2.1/24}]}"
	if _, err := d.planFor(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if n := len(d.declared.State().Interfaces()); n != 0 || !d.cfg.Load().Network.Equal(network.Spec{}) {
		t.Errorf("%d interfaces are declared", n)
	}
}
