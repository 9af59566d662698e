package link

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// Owned is what earlier runs of this boot have made for declarations. A start after a
// crash adopts what is still declared, and removes or restores the rest.
type Owned struct {
	Boot       string      `json:"boot_id"`              // random(4); the indexes of another boot mean nothing
	Links      []OwnedLink `json:"links"`                // in the order in which they became ours
	Neighbours bool        `json:"neighbours,omitempty"` // permanent neighbours were declared once
}

// OwnedLink is a link that was made for a declaration, or changed for one.
type OwnedLink struct {
	Name    string `json:"name"`
	Index   int32  `json:"ifindex,omitempty"` // 0: there was none yet
	Kind    string `json:"kind,omitempty"`
	Created bool   `json:"created,omitempty"`
	Making  string `json:"making,omitempty"` // kind of the link that was about to be made under this name

	// Was has the properties that we have changed with the values that come back when
	// they are declared no longer, e.g. "mtu": "1500".
	Was   map[string]string `json:"was,omitempty"`
	VLANs []uint16          `json:"vlans,omitempty"` // of a bridge or a port, that we have added
}

// The properties of OwnedLink.Was; those of a sysctl are sysctlProperty and the key.
const (
	propertyMTU         = "mtu"
	propertyQueue       = "txqueuelen"
	propertyMAC         = "mac"
	propertyPromiscuous = "promisc"
	propertyMulticast   = "multicast"
	propertyMaster      = "master"
	propertyUp          = "up"
	sysctlProperty      = "sysctl "
)

// linkFlags are the properties that are flags of a link (IFF_…, netdevice(7)).
var linkFlags = map[string]uint32{propertyPromiscuous: unix.IFF_PROMISC, propertyMulticast: unix.IFF_MULTICAST}

// sysctlOf returns the key of a property, or "" if the property is none of a sysctl.
func sysctlOf(property string) string {
	key, _ := strings.CutPrefix(property, sysctlProperty)
	if key == property {
		return ""
	}
	return key
}

// mostOwned is far more than 5,000 links take.
const mostOwned = 8 << 20

// adopt returns what is ours of a link of the name. An index is of one link for as long
// as the machine runs, so that another link of the name is none of ours, unless it is
// the one that was about to be made.
func (l OwnedLink) adopt(now *rtnl.Link) (OwnedLink, bool) {
	switch {
	case now.Index == l.Index && (now.Info.Kind == l.Kind || !l.Created):
		l.Making = ""
		return l, true
	case l.Making != "" && l.Making == now.Info.Kind && now.Index != l.Index:
		return OwnedLink{Name: l.Name, Index: now.Index, Kind: l.Making, Created: true}, true
	}
	return l, false
}

// readOwned returns what the file at path remembers of this boot. A damaged file is
// set aside, and nothing is ours then.
func readOwned(path, boot string, log *slog.Logger) (Owned, error) {
	var read Owned
	err := ownfile.ReadJSON(path, mostOwned, &read)
	if err := ownfile.Usable(err, log, "read which links are ours"); err != nil {
		return Owned{}, err
	}
	if err != nil || read.Boot != boot {
		return Owned{Boot: boot}, nil
	}
	var faults []error
	read.Links = slices.DeleteFunc(read.Links, func(l OwnedLink) bool {
		err := l.check()
		if err != nil {
			faults = append(faults, err)
		}
		return err != nil
	})
	if len(faults) > 0 {
		log.Warn("read which links are ours", "err", ownfile.Preserve(path, errors.Join(faults...)))
	}
	return read, nil
}

// check refuses what is never written: the file names links that are deleted and files
// that are written to.
func (l OwnedLink) check() error {
	if err := checkName(l.Name); err != nil {
		return err
	}
	for property := range l.Was {
		if key := sysctlOf(property); key != "" {
			if err := checkSysctl(l.Name, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o Owned) write(path string) error {
	data, err := json.Marshal(o)
	if err == nil {
		err = ownfile.Write(path, data)
	}
	if err != nil {
		return fmt.Errorf("remember which links are ours: %w", err)
	}
	return nil
}

// bootID returns the ID of this boot.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id") // random(4)
	if err != nil {
		return "", fmt.Errorf("read the ID of this boot: %w", err)
	}
	return string(bytes.TrimSpace(id)), nil
}

// ledger keeps what is ours while changes are made.
type ledger struct {
	boot       string
	neighbours bool
	links      []*OwnedLink
	byName     map[string]*OwnedLink
}

// newLedger begins with what earlier runs have left, as far as it is still there.
func newLedger(o Owned, have *Tables) *ledger {
	l := &ledger{boot: o.Boot, neighbours: o.Neighbours, byName: make(map[string]*OwnedLink, len(o.Links))}
	there := make(map[string]*rtnl.Link, len(have.Links))
	for i := range have.Links {
		there[have.Links[i].Name] = &have.Links[i]
	}
	for _, entry := range o.Links {
		now := there[entry.Name]
		if now == nil {
			continue
		}
		if ours, ok := entry.adopt(now); ok {
			ours.Was = maps.Clone(ours.Was)
			ours.VLANs = slices.Clone(ours.VLANs)
			l.add(&ours)
		}
	}
	return l
}

func (l *ledger) add(entry *OwnedLink) {
	l.links = append(l.links, entry)
	l.byName[entry.Name] = entry
}

// owned returns what is ours now.
func (l *ledger) owned() Owned {
	o := Owned{Boot: l.boot, Neighbours: l.neighbours}
	for _, entry := range l.links {
		if l.byName[entry.Name] == entry {
			o.Links = append(o.Links, *entry)
		}
	}
	return o
}

// intend notes what is about to be done, so that a run that is killed in between
// leaves nothing that the next one does not know.
func (l *ledger) intend(changes []Change, at indexes) {
	for _, c := range changes {
		l.neighbours = l.neighbours || c.isNeighbour()
		if !c.owns.declared || c.owns.removes {
			continue
		}
		entry := l.byName[c.Link]
		switch {
		case c.owns.creates:
			making := &OwnedLink{Name: c.Link, Created: true, Making: c.owns.kind}
			if entry != nil {
				making.Index, making.Kind = entry.Index, entry.Kind
			}
			entry = making
			l.add(entry)
		case entry == nil:
			entry = &OwnedLink{Name: c.Link, Index: int32(at[c.Link]), Kind: c.owns.kind}
			l.add(entry)
		}
		for property, value := range c.owns.was {
			entry.remember(property, value)
		}
		entry.VLANs = union(entry.VLANs, c.owns.vlans)
	}
}

// remember keeps the first value of a property.
func (l *OwnedLink) remember(property, value string) {
	if l.Was == nil {
		l.Was = map[string]string{}
	}
	if _, known := l.Was[property]; !known {
		l.Was[property] = value
	}
}

// settle notes what was done.
func (l *ledger) settle(c Change, at indexes) {
	entry := l.byName[c.Link]
	switch {
	case entry == nil, c.owns.replaced:
	case c.owns.removes:
		delete(l.byName, c.Link)
	case c.owns.creates:
		entry.Index, entry.Kind, entry.Making = int32(at[c.Link]), entry.Making, ""
	default:
		for _, property := range c.owns.restored {
			delete(entry.Was, property)
		}
		entry.VLANs = slices.DeleteFunc(entry.VLANs, func(v uint16) bool { return slices.Contains(c.owns.freed, v) })
	}
}

// forget drops a link that was not made, or that is ours no longer.
func (l *ledger) forget(name string) { delete(l.byName, name) }

func union(a, b []uint16) []uint16 {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
