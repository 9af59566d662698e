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

// forwarding decides what passes between phones and others, by our packet filter
// table: nothing, or the network behind a wired interface. The table is there
// also when this device forwards nothing, because other programs (containers,
// VPNs) may have the kernel forward.
//
// Where phones may pass, forwarding has the kernel forward. The kernel forwards
// what arrives on an interface whose own switch, in
// /proc/sys/net/ipv4/conf/<interface>/forwarding, is on; so those of the two
// interfaces are enough, and others stay closed, as they would not with
// net.ipv4.ip_forward.
//
// What a switch was before is remembered in a file of the runtime folder, as
// long as there is anything to undo.
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
	Index     int    `json:"index"`       // of another interface of that name nothing is remembered
	AllWereOn bool   `json:"all_were_on"` // net.ipv4.ip_forward at that time
}

func (f *forwarding) recordFile() string {
	return filepath.Join(f.config.RuntimeDir, "forwarding.json")
}

// keep makes forwarding what the configuration wants, and does nothing if it
// is so already. An interface that is not there is for the next time.
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

// keepTable installs our table where it is missing or another.
func (f *forwarding) keepTable(record []opened, all bool) error {
	want := tableSpec{
		phones: f.config.Interface, address: f.config.Address, out: f.config.ForwardTo,
		// What our switch would let in from there to elsewhere, as long as
		// nobody else wants it.
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

// stop takes everything back that keep did, now or in an earlier run.
func (f *forwarding) stop() error {
	if _, err := os.Stat(f.recordFile()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	f.done = tableSpec{}
	record, readErr := f.readRecord() // one that the disk does not return must not keep the table
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

// closedOnes lists the interfaces whose switch is off, and notes them in the
// record as they are now.
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
			continue // gone meanwhile
		}
		record = slices.DeleteFunc(record, func(o opened) bool { return o.Name == name })
		record = append(record, opened{Name: name, Index: ifi.Index, AllWereOn: all})
		closed = append(closed, name)
	}
	return record, closed, nil
}

// restoreSwitches turns off again what we turned on, of those that are to be,
// and returns the others. Who has turned on net.ipv4.ip_forward meanwhile
// wants the switches of all interfaces on.
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

// maxForwarding is far above what the record has: 40 bytes of each interface.
const maxForwarding = 4 << 20

func (f *forwarding) readRecord() ([]opened, error) {
	record, err := ownfile.ReadList(f.recordFile(), maxForwarding, opened.check)
	return record, ownfile.Usable(err, f.log, "read what forwarding was before")
}

func (o opened) check() error { return sysctl.CheckName(o.Name) }

// writeRecord writes also an empty record: then there is our table to remove.
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
