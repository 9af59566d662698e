package networkmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// maxNotes is far above what the notes have: 60 bytes of each profile.
const maxNotes = 4 << 20

// note is what we know of a profile and NetworkManager does not keep.
type note struct {
	Frequency int `json:"frequency"` // MHz, where the network was when it last worked

	failures int // in a row, since this process started
}

// notes are kept by UUID, in a file.
type notes struct {
	path string

	mu   sync.Mutex
	kept map[string]note
}

// openNotes reads the file; without it, or with one that cannot be read, there
// are no notes yet.
func openNotes(path string) (*notes, error) {
	n := &notes{path: path}
	text, err := namedfile.ReadOwn(path, maxNotes)
	if err == nil {
		err = json.Unmarshal(text, &n.kept)
	}
	if n.kept == nil || err != nil {
		n.kept = map[string]note{}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return n, fmt.Errorf("read notes on NetworkManager's profiles: %w", err)
	}
	return n, nil
}

func (n *notes) of(uuid string) note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[uuid]
}

// worked notes a success at a frequency, 0 if that is not known.
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

// keep forgets the notes on all other profiles.
func (n *notes) keep(profiles []Profile) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	there := map[string]bool{}
	for _, p := range profiles {
		there[p.UUID] = true
	}
	before := len(n.kept)
	maps.DeleteFunc(n.kept, func(uuid string, _ note) bool { return !there[uuid] })
	if len(n.kept) == before {
		return nil
	}
	return n.save()
}

func (n *notes) save() error {
	text, err := json.Marshal(n.kept)
	if err == nil {
		err = atomicfile.Write(n.path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("save notes on NetworkManager's profiles: %w", err)
	}
	return nil
}
