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
	"strings"

	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// setting is a value of an interface below /proc/sys/net
// (Documentation/networking/ip-sysctl.rst in the kernel's source).
type setting struct {
	family string // "ipv4" or "ipv6"
	name   string
	value  string
}

// careful lists what the interface of an access point has set: everybody in
// reach may send to it, and the device must not believe anybody there about
// routes.
//
// An IPv4 interface that does not forward accepts a redirect if either its own
// accept_redirects or that of conf/all is set, and conf/all is not ours to
// change. Our packet filter table therefore drops redirects as well, and with
// them shared_media and secure_redirects decide nothing. What conf/all may add
// to route_localnet is dropped there, too.
//
// Other settings stay as they are, for these reasons. accept_ra_defrtr,
// accept_ra_pinfo, accept_ra_rt_info_max_plen, accept_ra_mtu and
// accept_ra_from_local limit what accept_ra=0 forbids. forwarding is the
// business of type forwarding and of the packet filter. arp_ignore would hide
// the device's other addresses and protect none of them: a phone sends to them
// through the access point's address. arp_accept and accept_untracked_na change
// neighbours on the access point alone, where a phone can claim any address
// anyhow. send_redirects informs the sender of a packet about its own network.
var careful = []setting{
	{"ipv6", "accept_ra", "0"},            // default routes, routes and name servers of a phone
	{"ipv6", "autoconf", "0"},             // addresses of a phone's prefix
	{"ipv6", "accept_redirects", "0"},     // another way to a host
	{"ipv6", "accept_source_route", "-1"}, // routing headers: a phone chooses the way of a packet
	{"ipv6", "seg6_enabled", "0"},         // the same by segment routing
	{"ipv6", "rpl_seg_enabled", "0"},      // the same by RPL source routing
	{"ipv6", "proxy_ndp", "0"},            // answers for machines on other interfaces
	{"ipv4", "accept_redirects", "0"},     // another way to a host
	{"ipv4", "accept_source_route", "0"},  // a phone chooses the way of a packet
	{"ipv4", "rp_filter", "1"},            // packets that claim to come from a machine on another interface
	{"ipv4", "accept_local", "0"},         // packets that claim to come from this device
	{"ipv4", "route_localnet", "0"},       // packets to 127.0.0.1
	{"ipv4", "proxy_arp", "0"},            // answers for machines on other interfaces
	{"ipv4", "proxy_arp_pvlan", "0"},      // answers for other phones
}

// settings keeps the careful settings of the access point's interface, and
// remembers in a file of the runtime folder what was set before.
type settings struct {
	config Config
	log    *slog.Logger
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

func (c changed) file() string { return settingFile(c.Family, c.Interface, c.Name) }

func (s settings) recordFile() string { return filepath.Join(s.config.RuntimeDir, "settings.json") }

// keep sets what is not set, on the access point's interface, and restores
// interfaces that were the access point's before. Settings that the kernel does
// not have need nothing, and so does an interface that is not there.
func (s settings) keep() error {
	record, err := s.readRecord()
	if err != nil {
		return err
	}
	record, err = restoreSettings(record, func(c changed) bool { return c.Interface != s.config.Interface })
	if err != nil {
		return err
	}
	ifi, err := net.InterfaceByName(s.config.Interface)
	if err != nil {
		return nil //nolint:nilerr // an interface that comes later is set then
	}
	var due []changed
	var errs []error
	for _, want := range careful {
		c := changed{Interface: ifi.Name, Index: ifi.Index, Family: want.family, Name: want.name, Set: want.value}
		c.Was, err = readSetting(c.file())
		switch {
		case errors.Is(err, os.ErrNotExist) || err == nil && c.Was == c.Set:
		case err != nil:
			errs = append(errs, err)
		default:
			due = append(due, c)
		}
	}
	record = remember(record, due)
	if err := s.writeRecord(record); err != nil {
		return err
	}
	for _, c := range due {
		errs = append(errs, writeSetting(c.file(), c.Set))
	}
	return errors.Join(errs...)
}

// remember adds settings to the record. A setting that is there already was
// changed by another program meanwhile, whose value counts then.
func remember(record, due []changed) []changed {
	for _, c := range due {
		record = slices.DeleteFunc(record, func(old changed) bool { return old.file() == c.file() })
		record = append(record, c)
	}
	return record
}

// stop restores what keep has changed, now or in an earlier run.
func (s settings) stop() error {
	record, err := s.readRecord()
	if err != nil {
		return err
	}
	rest, err := restoreSettings(record, func(changed) bool { return true })
	if err != nil {
		return errors.Join(err, s.writeRecord(rest))
	}
	if err := os.Remove(s.recordFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// restoreSettings restores the settings that are to be, and returns those that
// are left. A setting that another program has changed meanwhile stays.
func restoreSettings(record []changed, which func(changed) bool) (rest []changed, err error) {
	var errs []error
	for _, c := range record {
		if !which(c) {
			rest = append(rest, c)
			continue
		}
		ifi, gone := net.InterfaceByName(c.Interface)
		now, readErr := readSetting(c.file())
		if gone != nil || ifi.Index != c.Index || readErr != nil || now != c.Set {
			continue
		}
		if err := writeSetting(c.file(), c.Was); err != nil && !errors.Is(err, os.ErrNotExist) {
			rest, errs = append(rest, c), append(errs, err)
		}
	}
	return rest, errors.Join(errs...)
}

// mostRecord is far more than the settings of every interface of a device take.
const mostRecord = 64 << 10

// readRecord returns what is understood of the record. What is not is set aside
// and said in the log: the access point, perhaps the only way to the device, does
// not wait for a person who mends a file.
func (s settings) readRecord() ([]changed, error) {
	record, err := ownfile.ReadList(s.recordFile(), mostRecord, changed.check)
	return record, usable(err, s.log, "read what the interface's settings were before")
}

// check refuses what this type does not write: a record names a file that is
// written to.
func (c changed) check() error {
	if !slices.ContainsFunc(careful, func(s setting) bool { return s.family == c.Family && s.name == c.Name }) {
		return errors.New("it is of no setting that is ever changed")
	}
	return namesInterface(c.Interface)
}

// namesInterface refuses what is no name of one folder (dev_valid_name, Linux).
func namesInterface(name string) error {
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return errors.New("it names no interface")
	}
	return nil
}

// usable says in the log what is damaged of a record, and returns what is in the
// way of a new one.
func usable(err error, log *slog.Logger, doing string) error {
	var damaged *ownfile.DamagedError
	var foreign *namedfile.OwnerError
	switch {
	case err == nil, errors.Is(err, os.ErrNotExist):
		return nil
	case errors.As(err, &damaged), errors.As(err, &foreign):
		log.Warn(doing, "err", err)
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (s settings) writeRecord(record []changed) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write what the interface's settings were before: %w", err)
	}
	return ownfile.Write(s.recordFile(), data)
}

// settingFile is that of an interface, or of all of them by the name "all".
// CAP_NET_ADMIN may write it.
func settingFile(family, iface, name string) string {
	return filepath.Join("/proc/sys/net", family, "conf", iface, name)
}

func readSetting(file string) (string, error) {
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

func writeSetting(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
