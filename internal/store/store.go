// Package store keeps the Wi-Fi networks that have worked, and one candidate network
// that is being tried, across restarts and power loss.
package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/internal/address"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Network is a saved network.
type Network struct {
	wifi.Network             // its PMF is what a person set
	Priority     int         // higher first
	Addressing   *Addressing // nil: by DHCP and router advertisements
	LastSuccess  time.Time   // by the wall clock, to show to people; zero: never
	Failures     int         // failures in a row since this process started
	Origin       Origin      // the program that saved it
}

// Origin says which program saved a network, and so which program may change it.
type Origin string

// The origins of a saved network. All but the first are programs that use
// NetworkManager.
const (
	Ours           Origin = "" // a person, through netconnectd
	NetworkManager Origin = "networkmanager"
	Netplan        Origin = "netplan"
	CloudInit      Origin = "cloud-init"
)

// ErrNoCandidate means that there is no candidate to promote.
var ErrNoCandidate = errors.New("no candidate is stored")

// ErrExists means that a saved network has that SSID already.
var ErrExists = errors.New("network is saved already")

// ErrUnknown means that no saved network has that SSID.
var ErrUnknown = errors.New("network is not saved")

// touchEvery keeps a network that comes and goes from wearing out the flash: a newer
// last success is written to the file only if it is later by at least this much.
const touchEvery = 10 * time.Minute

// maxFile leaves room for ten thousand networks.
const maxFile = 16 << 20

// failuresThatCount failures in a row put a network behind the others.
const failuresThatCount = 3

// Store holds the networks in memory and in one file that only its owner can read.
// Every change is made in memory first: when writing fails, on a read-only root or a
// full disk, Store returns the error, and the change still counts until the process
// ends; the next change writes it too.
//
// Reads never wait, even while a change writes to the disk. The zero Store is empty
// and has no file.
type Store struct {
	path  string
	write func(path string, data []byte, perm fs.FileMode) error

	changing sync.Mutex // held by one change at a time
	current  atomic.Pointer[contents]
	unsaved  bool  // memory holds changes that the file does not
	refuse   error // why the file must not be replaced, or nil
}

// contents never change once they are published.
type contents struct {
	networks  []Network
	candidate *Network

	unread          []unread        // records that stay in the file until their network is saved anew or removed
	unreadCandidate json.RawMessage // stays until another candidate is set
}

// unread is a network's record that was not understood.
type unread struct {
	text json.RawMessage
	ssid []byte // nil: unknown
}

func (c *contents) index(ssid []byte) int {
	return slices.IndexFunc(c.networks, func(n Network) bool { return bytes.Equal(n.SSID, ssid) })
}

func (c *contents) find(ssid []byte) (Network, error) {
	i := c.index(ssid)
	if i < 0 {
		return Network{}, ErrUnknown
	}
	return c.networks[i], nil
}

// without returns a copy of the networks except one.
func (c *contents) without(ssid []byte) []Network {
	return slices.DeleteFunc(slices.Clone(c.networks), func(n Network) bool { return bytes.Equal(n.SSID, ssid) })
}

// Find returns the saved network of that SSID. The error is ErrUnknown.
func (s *Store) Find(ssid []byte) (Network, error) {
	n, err := s.now().find(ssid)
	return n.Clone(), err
}

func (s *Store) now() *contents {
	if c := s.current.Load(); c != nil {
		return c
	}
	return &contents{}
}

// Networks returns the saved networks, best first: by priority, then those that have
// not failed several times in a row, then the one that worked last.
func (s *Store) Networks() []Network {
	saved := s.now().networks
	networks := make([]Network, len(saved))
	for i, n := range saved {
		networks[i] = n.Clone()
	}
	sort.SliceStable(networks, func(i, j int) bool { return networks[i].Priority > networks[j].Priority })
	return networks
}

// Candidate returns the network that is to be tried, and reports whether there is
// one.
func (s *Store) Candidate() (Network, bool) {
	if c := s.now().candidate; c != nil {
		return c.Clone(), true
	}
	return Network{}, false
}

// SetCandidate stores n as the candidate, in place of an earlier one. The saved
// networks stay.
func (s *Store) SetCandidate(n Network) error {
	if err := n.storable(); err != nil {
		return fmt.Errorf("store candidate: %w", err)
	}
	n = n.Clone()
	return s.change(func(c contents) (contents, bool, error) {
		c.candidate, c.unreadCandidate = &n, nil
		return c, true, nil
	})
}

// storable returns an error if n would change on its way through the file.
func (n Network) storable() error {
	if len(n.SSID) == 0 || len(n.SSID) > 32 {
		return fmt.Errorf("SSID has %d bytes, not 1 to 32", len(n.SSID))
	}
	if n.BSSID != nil {
		if err := address.CheckCell(n.BSSID); err != nil {
			return fmt.Errorf("bssid %w", err)
		}
	}
	if n.Addressing != nil {
		if err := n.Addressing.Check(); err != nil {
			return fmt.Errorf("addressing: %w", err)
		}
	}
	secrets := []secret.Secret{n.PSK}
	if n.EAP != nil {
		secrets = append(secrets, n.EAP.Password, n.EAP.PrivateKeyPassword)
	}
	for _, s := range secrets {
		if !utf8.ValidString(s.Reveal()) {
			return errors.New("passphrase is not UTF-8") // JSON would change the bytes
		}
	}
	return nil
}

// Add saves a network that has not been tried, behind the others of its priority. The
// error is ErrExists if a network with its SSID is saved.
func (s *Store) Add(n Network) error {
	if err := n.storable(); err != nil {
		return fmt.Errorf("add network: %w", err)
	}
	n = n.Clone()
	return s.change(func(c contents) (contents, bool, error) {
		if c.index(n.SSID) >= 0 {
			return c, false, fmt.Errorf("add network %q: %w", n.SSID, ErrExists)
		}
		c.networks, c.unread = append(slices.Clone(c.networks), n), c.unreadWithout(n.SSID)
		return c, true, nil
	})
}

// Replace changes the saved network of n's SSID to n. The network keeps its place.
func (s *Store) Replace(n Network) error {
	if err := n.storable(); err != nil {
		return fmt.Errorf("change network: %w", err)
	}
	n = n.Clone()
	n.Failures = 0
	return s.change(func(c contents) (contents, bool, error) {
		i := c.index(n.SSID)
		if i < 0 {
			return c, false, fmt.Errorf("change network %q: %w", n.SSID, ErrUnknown)
		}
		c.networks = slices.Clone(c.networks)
		c.networks[i] = n
		return c, true, nil
	})
}

// Promote puts a candidate, which has just worked, before the saved networks. It
// replaces the saved network of the same SSID. If there is another candidate by now,
// that one stays the candidate. If there is none, a client has removed it, and n is
// not saved.
func (s *Store) Promote(n Network) error {
	n = n.Clone()
	return s.change(func(c contents) (contents, bool, error) {
		if c.candidate == nil {
			return c, false, fmt.Errorf("promote candidate: %w", ErrNoCandidate)
		}
		now := contents{networks: append([]Network{n}, c.without(n.SSID)...), candidate: c.candidate, unread: c.unreadWithout(n.SSID)}
		if reflect.DeepEqual(*c.candidate, n) {
			now.candidate = nil
		}
		return now, true, nil
	})
}

// Remove forgets the saved network of that SSID.
func (s *Store) Remove(ssid []byte) error {
	return s.change(func(c contents) (contents, bool, error) {
		left := c.unreadWithout(ssid)
		if _, err := c.find(ssid); err != nil && len(left) == len(c.unread) {
			return c, false, fmt.Errorf("remove network %q: %w", ssid, err)
		}
		c.networks, c.unread = c.without(ssid), left
		return c, true, nil
	})
}

// DropCandidate removes the candidate if it equals n.
func (s *Store) DropCandidate(n Network) error {
	return s.change(func(c contents) (contents, bool, error) {
		if c.candidate == nil || !reflect.DeepEqual(*c.candidate, n) {
			return c, false, nil
		}
		c.candidate = nil
		return c, true, nil
	})
}

// Worked records that the saved network with that SSID has worked. seen is the
// association (zero: unknown) and when a time of the wall clock. From now on the
// network is the best of its priority.
func (s *Store) Worked(ssid []byte, seen wifi.Association, when time.Time) error {
	return s.change(func(c contents) (contents, bool, error) {
		n, err := c.find(ssid)
		if err != nil {
			return c, false, fmt.Errorf("note the success of network %q: %w", ssid, err)
		}
		// The clock may have been set back, so differences in both directions count.
		worth := when.Sub(n.LastSuccess).Abs() >= touchEvery || !bytes.Equal(c.networks[0].SSID, ssid)
		if seen.Frequency != 0 && seen.Frequency != n.Frequency {
			n.Frequency, worth = seen.Frequency, true
		}
		if seen.TransitionOver && !n.TransitionOver {
			n.TransitionOver, worth = true, true
		}
		n.LastSuccess, n.Failures = when.UTC().Truncate(time.Second), 0
		c.networks = append([]Network{n}, c.without(ssid)...)
		return c, worth, nil
	})
}

// Failing reports whether n comes after the others of its priority because it failed.
func (n Network) Failing() bool { return n.Failures >= failuresThatCount }

// Failed records that the saved network with that SSID could not be joined, and that
// the network is the cause. After a few such failures in a row it comes after all
// others; one failure proves nothing about a network that has worked. The file
// receives the new order with its next change.
func (s *Store) Failed(ssid []byte) error {
	return s.change(func(c contents) (contents, bool, error) {
		n, err := c.find(ssid)
		if err != nil {
			return c, false, fmt.Errorf("note the failure of network %q: %w", ssid, err)
		}
		n.Failures++
		c.networks = slices.Clone(c.networks)
		if !n.Failing() {
			c.networks[c.index(ssid)] = n
		} else {
			c.networks = append(c.without(ssid), n)
		}
		return c, false, nil
	})
}

// Forget removes the saved networks and the candidate, and reports whether there were
// any.
func (s *Store) Forget() (had bool, err error) {
	err = s.change(func(c contents) (contents, bool, error) {
		had = len(c.networks) > 0 || c.candidate != nil || len(c.unread) > 0 || c.unreadCandidate != nil
		return contents{}, had, nil
	})
	return had, err
}

// change replaces the contents by what next returns. It writes the file if next
// returns worth, or if an earlier change is not in the file yet.
func (s *Store) change(next func(contents) (c contents, worth bool, err error)) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	c, worth, err := next(*s.now())
	if err != nil {
		return err
	}
	s.current.Store(&c)
	s.unsaved = s.unsaved || worth
	if !s.unsaved {
		return nil
	}
	if err := s.save(&c); err != nil {
		return fmt.Errorf("save networks: %w", err)
	}
	s.unsaved = false
	return nil
}

// Clone returns a copy that shares nothing with n.
func (n Network) Clone() Network {
	n.SSID, n.BSSID = bytes.Clone(n.SSID), bytes.Clone(n.BSSID)
	if n.EAP != nil {
		n.EAP = new(*n.EAP)
	}
	if n.Addressing != nil {
		n.Addressing = new(*n.Addressing)
		n.Addressing.DNS = slices.Clone(n.Addressing.DNS)
	}
	return n
}
