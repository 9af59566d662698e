package networkmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// maxNotes is far above the size of the notes: 60 bytes for each profile.
const maxNotes = 4 << 20

// note holds what we know of a profile and NetworkManager does not store.
type note struct {
	Frequency int `json:"frequency"` // MHz, where the network was when it last worked

	failures int // failures in a row since this process started
}

// notes are stored by UUID, in a file.
type notes struct {
	path string

	mu     sync.Mutex
	kept   map[string]note
	unread map[string]json.RawMessage // notes that were not understood, which stay in the file
}

// openNotes reads the file. Notes that are not understood are left out and stay in
// the file. A file that is damaged as a whole is set aside (ownfile); then there are
// no notes.
func openNotes(path string) (*notes, error) {
	n := &notes{path: path, kept: map[string]note{}, unread: map[string]json.RawMessage{}}
	var all map[string]json.RawMessage
	err := ownfile.ReadJSON(path, maxNotes, &all)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, fmt.Errorf("read notes on NetworkManager's profiles: %w", err)
	}
	var faults []error
	for uuid, text := range all {
		var of note
		if err := json.Unmarshal(text, &of); err != nil {
			n.unread[uuid] = text
			faults = append(faults, ownfile.Describe(err))
			continue
		}
		n.kept[uuid] = of
	}
	if len(faults) > 0 {
		return n, fmt.Errorf("read notes on NetworkManager's profiles in %s, where what is not understood stays as it is: %w", path, errors.Join(faults...))
	}
	return n, nil
}

func (n *notes) of(uuid string) note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[uuid]
}

// worked records a success at a frequency, 0 if it is unknown.
func (n *notes) worked(uuid string, mhz int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	had := n.kept[uuid]
	if mhz == 0 {
		mhz = had.Frequency
	}
	n.kept[uuid] = note{Frequency: mhz}
	if mhz == had.Frequency {
		return nil
	}
	return n.save()
}

func (n *notes) failed(uuid string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	had := n.kept[uuid]
	had.failures++
	n.kept[uuid] = had
}

// keep removes the notes on all other profiles.
func (n *notes) keep(profiles []Profile) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	there := map[string]bool{}
	for _, p := range profiles {
		there[p.UUID] = true
	}
	before := len(n.kept) + len(n.unread)
	maps.DeleteFunc(n.kept, func(uuid string, _ note) bool { return !there[uuid] })
	maps.DeleteFunc(n.unread, func(uuid string, _ json.RawMessage) bool { return !there[uuid] })
	if len(n.kept)+len(n.unread) == before {
		return nil
	}
	return n.save()
}

func (n *notes) save() error {
	all := map[string]any{}
	for uuid, text := range n.unread {
		all[uuid] = text
	}
	for uuid, of := range n.kept {
		all[uuid] = of
	}
	text, err := json.Marshal(all)
	if err == nil {
		err = atomicfile.Write(n.path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("save notes on NetworkManager's profiles: %w", err)
	}
	return nil
}
