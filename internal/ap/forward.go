package ap

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/nftables"

	"github.com/netconnectd/netconnectd/internal/ownfile"
	"github.com/netconnectd/netconnectd/internal/sysctl"
)

// forwarding decides, by our packet filter table, what phones may reach: only this
// device, or also the network behind a wired interface. The table exists even when
// netconnectd forwards nothing, because other programs (containers, VPNs) may make
// the kernel forward packets.
//
// If phones may pass, keep switches on the kernel's forwarding for two interfaces,
// the access point and the wired one, by
// /proc/sys/net/ipv4/conf/<interface>/forwarding. The kernel forwards packets that
// arrive on an interface whose switch is on. Unlike net.ipv4.ip_forward, these two
// switches leave all other interfaces closed.
//
// A file in the runtime folder records the previous state of the switches, as long as
// there is anything to undo.
type forwarding struct {
	config Config
	log    *slog.Logger
	done   tableSpec // what was installed last
	dial   func() (*nftables.Conn, error)
}

func newForwarding(config Config, log *slog.Logger) *forwarding {
	return &forwarding{config: config, log: log, dial: dialTables}
}

// opened is an interface whose switch was off and which we turned on.
type opened struct {
	Name      string `json:"name"`
	Index     int    `json:"index"`       // distinguishes the interface from a later one of the same name
	AllWereOn bool   `json:"all_were_on"` // net.ipv4.ip_forward at that time
}

func (f *forwarding) recordFile() string {
	return filepath.Join(f.config.RuntimeDir, "forwarding.json")
}

// keep brings the table and the switches into the state that the configuration wants.
// It skips an interface that does not exist; a later call handles that interface.
func (f *forwarding) keep() error {
	all, err := readSwitch("all")
	if err != nil {
		return fmt.Errorf("read whether the kernel forwards: %w", err)
	}
	record, err := f.readRecord()
	if err != nil {
		return err
	}
	var ours []string
	if f.config.ForwardTo != "" {
		ours = []string{f.config.Interface, f.config.ForwardTo}
	}
	record, err = restoreSwitches(record, all, func(o opened) bool { return !slices.Contains(ours, o.Name) })
	if err != nil {
		return err
	}
	record, closed, err := closedOnes(record, ours, all)
	if err != nil {
		return err
	}
	if err := f.writeRecord(record); err != nil {
		return err
	}
	if err := f.keepTable(record, all); err != nil {
		return err
	}
	for _, name := range closed {
		if err := writeSwitch(name, true); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("let %s forward: %w", name, err)
		}
	}
	return nil
}

// keepTable installs our table if it is missing or differs.
func (f *forwarding) keepTable(record []opened, all bool) error {
	want := tableSpec{
		phones: f.config.Interface, address: f.config.Address, out: f.config.ForwardTo,
		// Our switch would also let traffic from the wired side reach other
		// interfaces. It is dropped, unless net.ipv4.ip_forward was already on.
		onlyPhones: f.config.ForwardTo != "" && !all && slices.ContainsFunc(record, func(o opened) bool { return o.Name == f.config.ForwardTo }),
	}
	there, err := f.tableExists()
	if err != nil || there && want == f.done {
		return err
	}
	if err := f.installTable(want); err != nil {
		return err
	}
	f.done = want
	return nil
}

// stop undoes everything that keep did, in this or an earlier run.
func (f *forwarding) stop() error {
	if _, err := os.Stat(f.recordFile()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	f.done = tableSpec{}
	record, readErr := f.readRecord() // the table is removed even if the record cannot be read
	all, allErr := readSwitch("all")
	_, restoreErr := restoreSwitches(record, all, func(opened) bool { return true })
	if err := errors.Join(allErr, restoreErr, f.removeTable()); err != nil {
		return errors.Join(readErr, err)
	}
	if err := os.Remove(f.recordFile()); err != nil && !errors.Is(err, os.ErrNotExist) { // set aside by readRecord
		return errors.Join(readErr, err)
	}
	return readErr
}

// closedOnes returns the interfaces whose switch is off, and the record with their
// present state added.
func closedOnes(record []opened, names []string, all bool) (noted []opened, closed []string, err error) {
	for _, name := range names {
		on, err := readSwitch(name)
		if errors.Is(err, os.ErrNotExist) || err == nil && on {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read whether %s forwards: %w", name, err)
		}
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			continue // the interface is gone meanwhile
		}
		record = slices.DeleteFunc(record, func(o opened) bool { return o.Name == name })
		record = append(record, opened{Name: name, Index: ifi.Index, AllWereOn: all})
		closed = append(closed, name)
	}
	return record, closed, nil
}

// restoreSwitches turns off the switches that we turned on and that which selects,
// and returns the others. If net.ipv4.ip_forward was turned on meanwhile, the
// switches stay on, as another program wants all interfaces to forward.
func restoreSwitches(record []opened, all bool, which func(opened) bool) (rest []opened, err error) {
	var errs []error
	for _, o := range record {
		ifi, gone := net.InterfaceByName(o.Name)
		switch {
		case !which(o):
			rest = append(rest, o)
		case gone != nil || ifi.Index != o.Index || all && !o.AllWereOn:
		default:
			if err := writeSwitch(o.Name, false); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, fmt.Errorf("let %s no longer forward: %w", o.Name, err))
			}
		}
	}
	return rest, errors.Join(errs...)
}

// maxForwarding is far above the size of the record: 40 bytes for each interface.
const maxForwarding = 4 << 20

func (f *forwarding) readRecord() ([]opened, error) {
	record, err := ownfile.ReadList(f.recordFile(), maxForwarding, opened.check)
	return record, ownfile.Usable(err, f.log, "read what forwarding was before")
}

func (o opened) check() error { return sysctl.CheckName(o.Name) }

// writeRecord also writes an empty record, which stands for a table to remove.
func (f *forwarding) writeRecord(record []opened) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write what forwarding was before: %w", err)
	}
	return ownfile.Write(f.recordFile(), data)
}

func readSwitch(name string) (on bool, err error) {
	text, err := sysctl.Read(sysctl.Path("ipv4", name, "forwarding"))
	return text == "1", err
}

func writeSwitch(name string, on bool) error {
	return sysctl.Write(sysctl.Path("ipv4", name, "forwarding"), string([]byte{'0' + bit(on)}))
}
