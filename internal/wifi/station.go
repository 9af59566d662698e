package wifi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// Role is wpa_supplicant's among the children (process.Spec).
const Role = "wpa_supplicant"

const (
	// startLimit bounds the time from the start of wpa_supplicant until it
	// answers; it takes a tenth of a second or two.
	startLimit = 10 * time.Second

	// adoptLimit bounds the answer of one that runs already.
	adoptLimit = 3 * time.Second
)

// StationConfig says what a Station works with.
type StationConfig struct {
	Interface  string // of the radio, e.g. "wlan0"; it must exist
	Program    string // absolute path of wpa_supplicant
	Driver     string // wpa_supplicant's -D; "" is "nl80211"
	Country    string // ISO 3166-1 alpha-2 in capitals, e.g. "DE"; "": leave what the system has set
	RuntimeDir string // a folder of ours: configuration, control sockets, the key of marks
	StateDir   string // absolute; of the saved networks, which wpa_supplicant is not to see
	Runner     *process.Runner
	Log        *slog.Logger // nil discards
}

// Station is the radio as a member of somebody's network. Its methods are
// for one goroutine.
type Station struct {
	cfg     StationConfig
	session *session // nil: not connected to a wpa_supplicant
}

// NewStation starts nothing: Associate does.
func NewStation(cfg StationConfig) *Station {
	if cfg.Driver == "" {
		cfg.Driver = "nl80211"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Station{cfg: cfg}
}

// Same reports whether both work with the same.
func (s *Station) Same(other *Station) bool { return s.cfg == other.cfg }

// Associate joins a network and returns when the keys are in place; it has no
// address yet. It starts wpa_supplicant or adopts the one that runs, and keeps
// an association as it is that was made with the same network, passphrase and
// demands (cell, protected management frames). Any other is given up first. A
// network that cannot be joined is a *JoinError, and is not tried any further;
// every other error is a fault of ours or the end of ctx. The interface should
// be up.
func (s *Station) Associate(ctx context.Context, n Network) (Association, error) {
	if err := n.Check(); err != nil {
		return Association{}, err
	}
	key, err := markKey(filepath.Join(s.cfg.RuntimeDir, "station.key"))
	if err != nil {
		return Association{}, err
	}
	mark := n.mark(key)
	if n.EAP != nil {
		if n.EAP, err = n.EAP.copyFiles(ctx, s.certificateDir()); err != nil {
			return Association{}, err
		}
	}
	first := s.session == nil
	session, err := s.ensure(ctx)
	if err != nil {
		return Association{}, err
	}
	if a, ok := session.associated(ctx, mark); ok {
		s.cfg.Log.Info("association kept", "iface", s.cfg.Interface, "ssid", printable(n.SSID), "bssid", a.BSSID.String())
		a.Adopted = first
		return a, nil
	}
	return session.join(ctx, n, mark)
}

// Wait blocks while the association holds. It returns a *LostError when it is
// lost and did not come back within 2 s, and takes care that wpa_supplicant
// does not go on searching then. When ctx ends the association stays.
func (s *Station) Wait(ctx context.Context) error {
	session := s.session
	if session == nil {
		return &LostError{Reason: "there is none"}
	}
	err := session.watch(ctx)
	var lost *LostError
	switch {
	case errors.Is(err, errHung):
		s.cfg.Log.Warn("wpa_supplicant hangs, it is ended", "iface", s.cfg.Interface)
		return errors.Join(&LostError{Reason: errHung.Error()}, s.endHung(ctx))
	case errors.As(err, &lost):
		session.abandon(ctx)
	}
	return err
}

// End ends wpa_supplicant, and with it the association, also one that an
// earlier daemon left.
func (s *Station) End(ctx context.Context) error {
	s.replace(nil)
	if err := s.cfg.Runner.End(ctx, Role); err != nil {
		return fmt.Errorf("end the station: %w", err)
	}
	if err := os.RemoveAll(s.certificateDir()); err != nil {
		return fmt.Errorf("end the station: %w", err)
	}
	return nil
}

func (s *Station) endHung(ctx context.Context) error {
	s.replace(nil)
	if child, found := s.cfg.Runner.Find(Role); found {
		if err := child.EndHung(ctx); err != nil {
			return fmt.Errorf("end the station: %w", err)
		}
	}
	return s.End(ctx)
}

// replace closes the session that was.
func (s *Station) replace(with *session) {
	if s.session != nil {
		s.session.close()
	}
	s.session = with
}

// ensure returns a session with a wpa_supplicant that answers.
func (s *Station) ensure(ctx context.Context) (*session, error) {
	spec, err := s.prepare()
	if err != nil {
		return nil, err
	}
	child, adopted, err := s.cfg.Runner.Ensure(ctx, spec)
	if err != nil {
		return nil, err
	}
	if old := s.session; old != nil && old.child == child {
		if _, err := old.completed(ctx); err == nil {
			return old, nil
		}
		adopted = true // and to be replaced, if it does not answer again
	}
	s.replace(nil)
	ctrl, err := s.connect(ctx, child, adopted)
	if err != nil && adopted && ctx.Err() == nil {
		s.cfg.Log.Warn("adopted wpa_supplicant does not answer, it is replaced", "pid", child.PID(), "err", err)
		if err := child.EndHung(ctx); err != nil {
			return nil, err
		}
		if child, _, err = s.cfg.Runner.Ensure(ctx, spec); err != nil {
			return nil, err
		}
		ctrl, err = s.connect(ctx, child, false)
	}
	if err != nil {
		return nil, err
	}
	session := s.newSession(child, ctrl)
	s.replace(session)
	return session, nil
}

func (s *Station) connect(ctx context.Context, child *process.Child, adopted bool) (*wpactrl.Conn, error) {
	// Every wpa_supplicant that ends removes the folder, and the next one may
	// not have made it yet.
	if err := os.Mkdir(s.controlDir(), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("prepare wpa_supplicant: %w", err)
	}
	limit := startLimit
	if adopted {
		limit = adoptLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ctx, stop := process.WhileAlive(ctx, child)
	defer stop()
	ctrl, err := wpactrl.Await(ctx, s.socketPath(), s.cfg.RuntimeDir)
	if errors.Is(err, process.ErrEnded) { // the cause is rarely its last line
		return nil, fmt.Errorf("start wpa_supplicant: %w (%s)", err, strings.Join(child.LastOutput(), "; "))
	}
	return ctrl, err
}

func (s *Station) newSession(child child, ctrl *wpactrl.Conn) *session {
	return &session{
		child:      child,
		ctrl:       ctrl,
		socketPath: s.socketPath(),
		localDir:   s.cfg.RuntimeDir,
		strangers:  map[string][]string{},
		log:        s.cfg.Log.With("iface", s.cfg.Interface),
		cells: func(ctx context.Context, age time.Duration) ([]BSS, error) {
			return cached(ctx, s.cfg.Interface, age)
		},
	}
}

// certificateDir has copies of the files that credentials name.
func (s *Station) certificateDir() string { return filepath.Join(s.cfg.RuntimeDir, "certificates") }

func (s *Station) controlDir() string { return filepath.Join(s.cfg.RuntimeDir, "wpa") }

// socketPath: wpa_supplicant names the socket after the interface.
func (s *Station) socketPath() string { return filepath.Join(s.controlDir(), s.cfg.Interface) }

// prepare writes the configuration and describes the child. Networks come
// over the control socket, so no secret is in the file.
func (s *Station) prepare() (process.Spec, error) {
	path := filepath.Join(s.cfg.RuntimeDir, "wpa_supplicant.conf")
	text := s.renderConfig()
	if err := atomicfile.Write(path, text, 0o600); err != nil {
		return process.Spec{}, fmt.Errorf("prepare wpa_supplicant: %w", err)
	}
	// No -B: it would leave the Runner's record with a dead pid. No -d and no
	// -K: they would print keys.
	args := []string{"-i", s.cfg.Interface, "-c", path, "-D", s.cfg.Driver}
	hash := sha256.Sum256([]byte(strings.Join(append(args, s.cfg.Program, string(text)), "\x00")))
	return process.Spec{
		Role: Role,
		Path: s.cfg.Program,
		Args: args,
		Hash: hex.EncodeToString(hash[:]),
		Caps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW},
		// Networks come over the control socket.
		Confine: &process.Confinement{Hidden: s.cfg.StateDir, Own: []string{s.controlDir()}},
	}, nil
}

// renderConfig writes wpa_supplicant.conf(5) without any network.
func (s *Station) renderConfig() []byte {
	text := "ctrl_interface=" + s.controlDir() + "\n" +
		"p2p_disabled=1\n" + // or a P2P device would share the radio
		"sae_pwe=2\n" // both ways to derive SAE's element: some routers only know the newer one
	if s.cfg.Country != "" {
		text += "country=" + s.cfg.Country + "\n"
	}
	return []byte(text)
}

// markKey reads the key of Network.mark or makes one. It lives as long as the
// runtime folder, as do the associations that it marks.
func markKey(path string) ([]byte, error) {
	key, err := namedfile.ReadOwn(path, sha256.Size)
	if err == nil && len(key) == sha256.Size {
		return key, nil
	}
	key = make([]byte, sha256.Size)
	rand.Read(key) // never fails
	if err := atomicfile.Write(path, key, 0o600); err != nil {
		return nil, err
	}
	return key, nil
}

// child is what a session needs of *process.Child.
type child interface {
	Done() <-chan struct{}
	Err() error
}
