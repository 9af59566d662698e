package wifi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// commandDeadline bounds one exchange with the kernel.
const commandDeadline = 5 * time.Second

// Multicast groups (nl80211.h).
const (
	scanEvents = unix.NL80211_MULTICAST_GROUP_SCAN // the ends of scans
	mlmeEvents = unix.NL80211_MULTICAST_GROUP_MLME // what is said between stations and access points
)

// nl80211 is a connection to the kernel's configuration of radios
// (include/uapi/linux/nl80211.h). Events have a socket of their own, so that no event
// is mistaken for a reply.
type nl80211 struct {
	commands *genetlink.Conn
	events   *genetlink.Conn // nil: not subscribed
	family   genetlink.Family
}

// dialNL80211 connects and subscribes to a group, "" for none.
func dialNL80211(group string) (*nl80211, error) {
	commands, err := genetlink.Dial(nil)
	if err != nil {
		return nil, fmt.Errorf("open nl80211: %w", err)
	}
	n := &nl80211{commands: commands}
	err = n.find()
	if err == nil && group != "" {
		err = n.subscribe(group)
	}
	if err != nil {
		n.Close()
		return nil, fmt.Errorf("open nl80211: %w", err)
	}
	return n, nil
}

func (n *nl80211) find() error {
	// The kernel then explains a refusal in a text; old kernels lack this option.
	_ = n.commands.SetOption(netlink.ExtendedAcknowledge, true)
	family, err := n.commands.GetFamily(unix.NL80211_GENL_NAME)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: this kernel has no cfg80211", ErrNotSupported)
	}
	n.family = family
	return err
}

func (n *nl80211) subscribe(name string) (err error) {
	groups := n.family.Groups
	group := slices.IndexFunc(groups, func(g genetlink.MulticastGroup) bool { return g.Name == name })
	if group < 0 {
		return fmt.Errorf("%w: nl80211 has no group %q", ErrNotSupported, name)
	}
	if n.events, err = genetlink.Dial(nil); err != nil {
		return err
	}
	return n.events.JoinGroup(groups[group].ID)
}

func (n *nl80211) Close() error {
	err := n.commands.Close()
	if n.events != nil {
		err = errors.Join(err, n.events.Close())
	}
	return err
}

// trigger starts a scan.
func (n *nl80211) trigger(ifindex int, req ScanRequest) error {
	data, err := encodeTrigger(ifindex, req)
	if err != nil {
		return err
	}
	return n.command(unix.NL80211_CMD_TRIGGER_SCAN, data)
}

// abort stops the running scan. The kernel then sends an event for its end, too.
func (n *nl80211) abort(ifindex int) error {
	data, err := encodeInterface(ifindex)
	if err != nil {
		return err
	}
	return n.command(unix.NL80211_CMD_ABORT_SCAN, data)
}

func (n *nl80211) command(cmd uint8, data []byte) error {
	n.commands.SetDeadline(time.Now().Add(commandDeadline))
	_, err := n.commands.Execute(n.message(cmd, data), n.family.ID, netlink.Request|netlink.Acknowledge)
	return err
}

func (n *nl80211) message(cmd uint8, data []byte) genetlink.Message {
	return genetlink.Message{
		Header: genetlink.Header{Command: cmd, Version: n.family.Version},
		Data:   data,
	}
}

// errInterrupted means that the table changed while the kernel dumped it.
var errInterrupted = errors.New("list changed while it was read")

// results reads the kernel's table of cells. LastSeen in it is relative to now.
func (n *nl80211) results(ifindex int) (found []BSS, err error) {
	for range 5 {
		if found, err = n.dump(ifindex); !errors.Is(err, errInterrupted) {
			break
		}
	}
	return found, err
}

func (n *nl80211) dump(ifindex int) ([]BSS, error) {
	data, err := encodeInterface(ifindex)
	if err != nil {
		return nil, err
	}
	n.commands.SetDeadline(time.Now().Add(commandDeadline))
	request, err := n.commands.Send(n.message(unix.NL80211_CMD_GET_SCAN, data), n.family.ID, netlink.Request|netlink.Dump)
	if err != nil {
		return nil, err
	}
	messages, raw, err := n.commands.Receive()
	if err != nil {
		return nil, err
	}
	if err := netlink.Validate(request, raw); err != nil {
		return nil, err
	}
	for _, m := range raw {
		if m.Header.Flags&netlink.DumpInterrupted != 0 {
			return nil, errInterrupted
		}
	}
	now := bootTime()
	var found []BSS
	for _, m := range messages {
		if bss, ok := decodeBSS(m.Data, now); ok {
			found = append(found, bss)
		}
	}
	return found, nil
}

// scanEnd is the end of a scan, ours or another program's.
type scanEnd struct {
	ifindex int
	aborted bool
}

// next waits for the end of a scan on any interface.
func (n *nl80211) next(ctx context.Context) (scanEnd, error) {
	for {
		messages, err := n.receive(ctx)
		if err != nil {
			return scanEnd{}, err
		}
		for _, m := range messages {
			if end, ok := decodeScanEnd(m); ok {
				return end, nil
			}
		}
	}
}

// receive waits for events until ctx ends.
func (n *nl80211) receive(ctx context.Context) ([]genetlink.Message, error) {
	n.events.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		n.events.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !cancel() {
			<-done // otherwise the deadline would end the next call
		}
	}()
	messages, _, err := n.events.Receive()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return messages, err
}

func encodeInterface(ifindex int) ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(ifindex))
	return ae.Encode()
}

// encodeTrigger asks for the wildcard SSID, which is an attribute of length zero, so
// that every cell answers. (One zero byte would ask for a network of that name, and
// no cell would answer.)
func encodeTrigger(ifindex int, req ScanRequest) ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(ifindex))
	ae.Nested(unix.NL80211_ATTR_SCAN_SSIDS, func(nae *netlink.AttributeEncoder) error {
		nae.Bytes(1, []byte{})
		return nil
	})
	if len(req.Frequencies) > 0 {
		ae.Nested(unix.NL80211_ATTR_SCAN_FREQUENCIES, func(nae *netlink.AttributeEncoder) error {
			for i, mhz := range req.Frequencies {
				nae.Uint32(uint16(i+1), uint32(mhz))
			}
			return nil
		})
	}
	if req.AP {
		ae.Uint32(unix.NL80211_ATTR_SCAN_FLAGS, unix.NL80211_SCAN_FLAG_AP)
	}
	return ae.Encode()
}

func decodeScanEnd(m genetlink.Message) (end scanEnd, ok bool) {
	switch m.Header.Command {
	case unix.NL80211_CMD_NEW_SCAN_RESULTS:
	case unix.NL80211_CMD_SCAN_ABORTED:
		end.aborted = true
	default:
		return end, false
	}
	ad, err := netlink.NewAttributeDecoder(m.Data)
	if err != nil {
		return end, false
	}
	for ad.Next() {
		if ad.Type() == unix.NL80211_ATTR_IFINDEX {
			end.ifindex = int(ad.Uint32())
		}
	}
	return end, ad.Err() == nil && end.ifindex != 0
}

// decodeBSS reads one message of the table; now is the time since boot.
func decodeBSS(data []byte, now time.Duration) (bss BSS, ok bool) {
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return bss, false
	}
	for ad.Next() {
		if ad.Type() == unix.NL80211_ATTR_BSS {
			ad.Nested(func(nad *netlink.AttributeDecoder) error {
				bss = decodeCell(nad, now)
				return nad.Err()
			})
		}
	}
	return bss, ad.Err() == nil && len(bss.BSSID) == 6
}

// decodeCell reads the nested attributes of enum nl80211_bss.
func decodeCell(ad *netlink.AttributeDecoder, now time.Duration) BSS {
	var bss BSS
	var answer, beacon []byte
	var seenAt time.Duration
	for ad.Next() {
		switch ad.Type() {
		case unix.NL80211_BSS_BSSID:
			bss.BSSID = net.HardwareAddr(ad.Bytes())
		case unix.NL80211_BSS_FREQUENCY:
			bss.Frequency = int(ad.Uint32())
		case unix.NL80211_BSS_SIGNAL_MBM: // 0.01 dBm
			bss.Signal = int(ad.Int32()) / 100
		case unix.NL80211_BSS_SIGNAL_UNSPEC: // 0 to 100, for drivers that cannot do dBm
			bss.Signal = int(ad.Uint8())/2 - 100
		case unix.NL80211_BSS_CAPABILITY:
			bss.Privacy = ad.Uint16()&(1<<4) != 0 // 802.11-2020, 9.4.1.4
		case unix.NL80211_BSS_INFORMATION_ELEMENTS:
			answer = ad.Bytes()
		case unix.NL80211_BSS_BEACON_IES:
			beacon = ad.Bytes()
		case unix.NL80211_BSS_SEEN_MS_AGO:
			bss.LastSeen = time.Duration(ad.Uint32()) * time.Millisecond
		case unix.NL80211_BSS_LAST_SEEN_BOOTTIME: // ns; preferred, because it is the time at which the frame came
			seenAt = time.Duration(ad.Uint64())
		}
	}
	if seenAt > 0 && seenAt <= now {
		bss.LastSeen = now - seenAt
	}
	if answer == nil {
		answer = beacon
	}
	e := parseElements(answer)
	bss.SSID, bss.Security, bss.Channel = e.ssid, e.security(bss.Privacy), Channel(bss.Frequency)
	bss.PMF, bss.FastOnly = e.rsn != nil && e.rsn.pmf, e.fastOnly()
	return bss
}

// bootTime returns the clock of NL80211_BSS_LAST_SEEN_BOOTTIME.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // never happens on Linux; ages then come from SEEN_MS_AGO
	}
	return time.Duration(ts.Nano())
}
