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

// Role is the name of wpa_supplicant among the children (process.Spec).
const Role = "wpa_supplicant"

const (
	// startLimit bounds the time from the start of wpa_supplicant until it
	// answers; it takes a tenth of a second or two.
	startLimit = 10 * time.Second

	// adoptLimit bounds how long a wpa_supplicant that runs already may take to
	// answer.
	adoptLimit = 3 * time.Second
)

// StationConfig holds the settings of a Station.
type StationConfig struct {
	Interface  string // the radio's name, e.g. "wlan0"; the interface must exist
	Program    string // absolute path of wpa_supplicant
	Driver     string // wpa_supplicant's -D; "" is "nl80211"
	Country    string // ISO 3166-1 alpha-2 in capitals, e.g. "DE"; "": the system's setting stays
	RuntimeDir string // a folder of ours for the configuration, control sockets and the key of marks
	StateDir   string // absolute path of the saved networks, which wpa_supplicant must not be able to read
	Runner     *process.Runner
	Log        *slog.Logger // nil discards the log
}

// Station is the radio as a member of another network. Its methods are for one
// goroutine.
type Station struct {
	cfg     StationConfig
	session *session // nil: not connected to a wpa_supplicant
}

// NewStation starts nothing; Associate starts wpa_supplicant.
func NewStation(cfg StationConfig) *Station {
	if cfg.Driver == "" {
		cfg.Driver = "nl80211"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Station{cfg: cfg}
}

// Same reports whether both stations have the same settings.
func (s *Station) Same(other *Station) bool { return s.cfg == other.cfg }

// Associate joins a network and returns when the keys are in place; the interface
// then has no address yet. Associate starts wpa_supplicant or adopts a running one.
// It keeps an existing association that was made with the same network, passphrase
// and demands (cell, protected management frames), and ends any other first. If the
// network cannot be joined, Associate returns a *JoinError and stops trying; every
// other error is a fault of ours or the end of ctx. The interface should be up.
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

// Wait blocks while the association holds. When the association is lost and does not
// come back within 2 s, Wait makes wpa_supplicant stop its search and returns a
// *LostError. When ctx ends, the association stays.
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

// End ends wpa_supplicant and with it the association, even one that an earlier
// daemon left.
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

// replace closes the current session and stores with in its place.
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
		adopted = true // and it is replaced if it stops answering again
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
	// Every wpa_supplicant that ends removes the folder, and the next one may not
	// have made it yet.
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
	if errors.Is(err, process.ErrEnded) { // the cause is rarely in its last line
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

// certificateDir returns the folder for copies of the files that credentials name.
func (s *Station) certificateDir() string { return filepath.Join(s.cfg.RuntimeDir, "certificates") }

func (s *Station) controlDir() string { return filepath.Join(s.cfg.RuntimeDir, "wpa") }

// socketPath returns the path of the control socket, which wpa_supplicant names after
// the interface.
func (s *Station) socketPath() string { return filepath.Join(s.controlDir(), s.cfg.Interface) }

// prepare writes the configuration and describes the child. Networks are sent over
// the control socket, so the file contains no secret.
func (s *Station) prepare() (process.Spec, error) {
	path := filepath.Join(s.cfg.RuntimeDir, "wpa_supplicant.conf")
	text := s.renderConfig()
	if err := atomicfile.Write(path, text, 0o600); err != nil {
		return process.Spec{}, fmt.Errorf("prepare wpa_supplicant: %w", err)
	}
	// The option -B is left out because it would leave a dead pid in the Runner's
	// record; -d and -K, because they would print keys.
	args := []string{"-i", s.cfg.Interface, "-c", path, "-D", s.cfg.Driver}
	hash := sha256.Sum256([]byte(strings.Join(append(args, s.cfg.Program, string(text)), "\x00")))
	return process.Spec{
		Role: Role,
		Path: s.cfg.Program,
		Args: args,
		Hash: hex.EncodeToString(hash[:]),
		Caps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW},
		// wpa_supplicant receives networks over the control socket, so it need not
		// see them.
		Confine: &process.Confinement{Hidden: s.cfg.StateDir, Own: []string{s.controlDir()}},
	}, nil
}

// renderConfig returns a wpa_supplicant.conf(5) without any network.
func (s *Station) renderConfig() []byte {
	text := "ctrl_interface=" + s.controlDir() + "\n" +
		"p2p_disabled=1\n" + // without this line a P2P device would share the radio
		"sae_pwe=2\n" // both ways to derive SAE's element, because some routers only know the newer one
	if s.cfg.Country != "" {
		text += "country=" + s.cfg.Country + "\n"
	}
	return []byte(text)
}

// markKey reads the key of Network.mark or creates one. The key lives as long as the
// runtime folder, and so do the associations that it marks.
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

// child is the part of *process.Child that a session needs.
type child interface {
	Done() <-chan struct{}
	Err() error
}
