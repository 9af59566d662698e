// Package sysctl sets values of interfaces below /proc/sys/net for as long as we
// need them, and restores what was there before, also after a crash: a file of
// the runtime folder remembers it.
package sysctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// Setting is a value of an interface below /proc/sys/net
// (Documentation/networking/ip-sysctl.rst in the kernel's source).
type Setting struct {
	Family string // "ipv4" or "ipv6"
	Name   string // e.g. "accept_ra"
	Value  string // as the kernel shows it
}

// IPv4 is a setting of net.ipv4.conf.
func IPv4(name, value string) Setting { return Setting{"ipv4", name, value} }

// IPv6 is a setting of net.ipv6.conf.
func IPv6(name, value string) Setting { return Setting{"ipv6", name, value} }

// Keeper keeps settings of one interface at a time.
type Keeper struct {
	File string    // remembers what was set before; no two Keepers share one
	Own  []Setting // all that the Keeper may set; their values do not count
	Log  *slog.Logger
}

// changed is a setting that had another value before.
type changed struct {
	Interface string `json:"interface"`
	Index     int    `json:"index"` // another interface of that name is left alone
	Family    string `json:"family"`
	Name      string `json:"name"`
	Was       string `json:"was"`
	Set       string `json:"set"`
}

func (c changed) file() string { return Path(c.Family, c.Interface, c.Name) }

// Keep sets what is not set, on the interface, and restores interfaces that had
// these settings before. It returns the settings that the kernel does not have,
// which need nothing; neither does an interface that is not there.
func (k Keeper) Keep(iface string, want []Setting) (absent []Setting, err error) {
	record, err := k.readRecord()
	if err != nil {
		return nil, err
	}
	record, err = restore(record, func(c changed) bool { return c.Interface != iface })
	if err != nil {
		return nil, err
	}
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, nil //nolint:nilerr // an interface that comes later is set then
	}
	var due []changed
	var errs []error
	for _, w := range want {
		c := changed{Interface: ifi.Name, Index: ifi.Index, Family: w.Family, Name: w.Name, Set: w.Value}
		c.Was, err = Read(c.file())
		switch {
		case errors.Is(err, os.ErrNotExist):
			absent = append(absent, w)
		case err != nil:
			errs = append(errs, err)
		case c.Was != c.Set:
			due = append(due, c)
		}
	}
	if err := k.writeRecord(remember(record, due)); err != nil {
		return absent, err
	}
	for _, c := range due {
		errs = append(errs, Write(c.file(), c.Set))
	}
	return absent, errors.Join(errs...)
}

// remember adds settings to the record. Of one that is there already, and has the
// value that we have set, the record keeps what was before; else another program
// has changed the setting meanwhile, whose value counts then.
func remember(record, due []changed) []changed {
	for _, c := range due {
		i := slices.IndexFunc(record, func(old changed) bool { return old.file() == c.file() })
		if i >= 0 && record[i].Index == c.Index && record[i].Set == c.Was {
			c.Was = record[i].Was
		}
		record = slices.DeleteFunc(record, func(old changed) bool { return old.file() == c.file() })
		record = append(record, c)
	}
	return record
}

// Restore sets what was there before Keep, in this run or in an earlier one. A
// setting that another program has changed meanwhile stays.
func (k Keeper) Restore() error {
	record, err := k.readRecord()
	if err != nil {
		return err
	}
	rest, err := restore(record, func(changed) bool { return true })
	if err != nil {
		return errors.Join(err, k.writeRecord(rest))
	}
	if err := os.Remove(k.File); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// restore restores the settings that which chooses, and returns those that are
// left.
func restore(record []changed, which func(changed) bool) (rest []changed, err error) {
	var errs []error
	for _, c := range record {
		if !which(c) {
			rest = append(rest, c)
			continue
		}
		ifi, gone := net.InterfaceByName(c.Interface)
		now, readErr := Read(c.file())
		if gone != nil || ifi.Index != c.Index || readErr != nil || now != c.Set {
			continue
		}
		if err := Write(c.file(), c.Was); err != nil && !errors.Is(err, os.ErrNotExist) {
			rest, errs = append(rest, c), append(errs, err)
		}
	}
	return rest, errors.Join(errs...)
}

// mostRecord is far more than the settings of every interface of a device take.
const mostRecord = 64 << 10

// readRecord returns what is understood of the record. What is not is set aside
// and said in the log: the radio, perhaps the only way to the device, does not
// wait for a person who mends a file.
func (k Keeper) readRecord() ([]changed, error) {
	record, err := ownfile.ReadList(k.File, mostRecord, k.check)
	return record, ownfile.Usable(err, k.Log, "read what the interface's settings were before")
}

// check refuses what a Keeper does not write: a record names a file that is
// written to.
func (k Keeper) check(c changed) error {
	if !slices.ContainsFunc(k.Own, func(s Setting) bool { return s.Family == c.Family && s.Name == c.Name }) {
		return errors.New("it is of no setting that is ever changed")
	}
	return CheckName(c.Interface)
}

func (k Keeper) writeRecord(record []changed) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write what the interface's settings were before: %w", err)
	}
	return ownfile.Write(k.File, data)
}

// CheckName refuses what is no name of one folder (dev_valid_name, Linux).
func CheckName(iface string) error {
	if iface == "" || iface == "." || iface == ".." || strings.Contains(iface, "/") {
		return errors.New("it names no interface")
	}
	return nil
}

// Path is the file of a setting of an interface, or of all interfaces by the name
// "all". CAP_NET_ADMIN may write it.
func Path(family, iface, name string) string {
	return filepath.Join("/proc/sys/net", family, "conf", iface, name)
}

// File is the file of a key below /proc/sys/net, e.g. "ipv6/conf/br0/disable_ipv6". The
// caller has checked the key.
func File(key string) string { return filepath.Join("/proc/sys/net", key) }

// Read returns the value in the file of a setting.
func Read(file string) (string, error) {
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// Write sets the value in the file of a setting.
func Write(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
