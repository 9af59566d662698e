package ap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	rfkillDevice = "/dev/rfkill"
	rfkillLimit  = 5 * time.Second // bounds a reset; cards with a firmware take up to 1 s to come back
	rfkillRemedy = "install 60-netconnectd-rfkill.rules in /usr/lib/udev/rules.d, then `udevadm trigger /dev/rfkill`"
)

// The operations of an rfkillEvent that matter here (linux/rfkill.h).
const (
	rfkillAdd    = 0 // a switch exists; sent for each switch when the device is opened
	rfkillDelete = 1
	rfkillChange = 2 // a switch changes; both an event and a command
)

// ErrBlocked is part of Hold's error when the radio is switched off.
var ErrBlocked = errors.New("the radio is switched off")

// Blocked reports whether a radio is switched off: by software (soft), or by a switch
// of the device that no software can change (hard). A radio without a switch is never
// blocked.
func Blocked(ifname string) (soft, hard bool, err error) { return kernelSwitches.blocked(ifname) }

// Reset switches one radio off and on again, which revives some cards that have
// stopped answering. It leaves the radio switched on, even if software had switched
// it off before. It needs write access to /dev/rfkill, which the package's udev rule
// grants.
func Reset(ctx context.Context, ifname string) error { return kernelSwitches.reset(ctx, ifname) }

// blockedError returns nil unless the radio is known to be blocked.
func blockedError(ifname string) error {
	switch soft, hard, err := Blocked(ifname); {
	case err != nil:
		return nil // a later step reports a missing interface better
	case hard:
		return fmt.Errorf("%w by a switch or key of the device itself (rfkill: hard blocked)", ErrBlocked)
	case soft:
		return fmt.Errorf("%w by software (rfkill: soft blocked): turn it on by `rfkill unblock wlan`", ErrBlocked)
	}
	return nil
}

// switches are the kernel's rfkill switches.
type switches struct {
	net  string // the folder with the interfaces
	open func() (rfkillFile, error)
}

// rfkillFile is /dev/rfkill: each read and each write is one event.
type rfkillFile interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
}

var kernelSwitches = switches{
	net: "/sys/class/net",
	open: func() (rfkillFile, error) {
		// Non-blocking, so that reads have deadlines.
		return os.OpenFile(rfkillDevice, os.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	},
}

// folder returns the folder of the switch of an interface's radio, a child of the
// radio's phy; "" if the radio has none.
func (s switches) folder(ifname string) (string, error) {
	dir := filepath.Join(s.net, ifname)
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	phy := filepath.Join(dir, "phy80211")
	entries, err := os.ReadDir(phy)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "rfkill") {
			return filepath.Join(phy, entry.Name()), nil
		}
	}
	return "", nil
}

func (s switches) blocked(ifname string) (soft, hard bool, err error) {
	dir, err := s.folder(ifname)
	if err == nil && dir != "" {
		var softs, hards int
		softs, err = readNumber(filepath.Join(dir, "soft"))
		if err == nil {
			hards, err = readNumber(filepath.Join(dir, "hard"))
		}
		soft, hard = softs != 0, hards != 0
	}
	if err != nil {
		return false, false, fmt.Errorf("read whether the radio of %s is blocked: %w", ifname, err)
	}
	return soft, hard, nil
}

func readNumber(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

func (s switches) reset(ctx context.Context, ifname string) error {
	ctx, cancel := context.WithTimeout(ctx, rfkillLimit)
	defer cancel()
	if err := s.blockAndUnblock(ctx, ifname); err != nil {
		return fmt.Errorf("reset the radio of %s: %w", ifname, err)
	}
	return nil
}

func (s switches) blockAndUnblock(ctx context.Context, ifname string) error {
	dir, err := s.folder(ifname)
	if err != nil {
		return err
	}
	if dir == "" {
		return errors.New("it has no rfkill switch")
	}
	index, err := readNumber(filepath.Join(dir, "index"))
	if err != nil {
		return err
	}
	file, err := s.open()
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w (%s)", err, rfkillRemedy)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	one := radioSwitch{file: file, index: uint32(index)}
	now, err := one.await(ctx, func(rfkillEvent) bool { return true })
	if err != nil {
		return err
	}
	return one.toggle(ctx, now)
}

// radioSwitch is one of the switches in the file.
type radioSwitch struct {
	file  rfkillFile
	index uint32
}

// toggle switches the radio off, unless it is off already, and then, even after an
// error, tries to switch it on.
func (r radioSwitch) toggle(ctx context.Context, now rfkillEvent) error {
	var offErr error
	if !now.soft {
		if now, offErr = r.set(ctx, now, true); offErr != nil {
			offErr = fmt.Errorf("switch it off: %w", offErr)
		}
	}
	now, err := r.set(ctx, now, false)
	switch {
	case err != nil:
		return errors.Join(offErr, fmt.Errorf("switch it on: %w", err))
	case now.hard:
		return errors.Join(offErr, fmt.Errorf("%w by a switch or key of the device itself", ErrBlocked))
	}
	return offErr
}

// set writes the state and waits until the kernel confirms it. It returns the
// previous state if that fails.
func (r radioSwitch) set(ctx context.Context, now rfkillEvent, soft bool) (rfkillEvent, error) {
	command := rfkillEvent{index: r.index, kind: now.kind, operation: rfkillChange, soft: soft}
	if _, err := r.file.Write(command.encode()); err != nil {
		return now, err
	}
	then, err := r.await(ctx, func(e rfkillEvent) bool { return e.soft == soft })
	if err != nil {
		return now, err
	}
	return then, nil
}

// await reads until an event of this switch fits.
func (r radioSwitch) await(ctx context.Context, fits func(rfkillEvent) bool) (rfkillEvent, error) {
	if err := r.file.SetReadDeadline(time.Time{}); err != nil {
		return rfkillEvent{}, err
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = r.file.SetReadDeadline(time.Unix(1, 0)) // setting a deadline worked a moment ago
	})
	defer func() {
		if !stop() {
			<-done
		}
	}()
	buf := make([]byte, rfkillEventSize)
	for {
		n, err := r.file.Read(buf)
		if ctx.Err() != nil {
			return rfkillEvent{}, fmt.Errorf("wait for the kernel's event: %w", context.Cause(ctx))
		}
		if err != nil {
			return rfkillEvent{}, err
		}
		event, ok := decodeRfkill(buf[:n])
		switch {
		case !ok || event.index != r.index:
		case event.operation == rfkillDelete:
			return rfkillEvent{}, errors.New("the radio was removed")
		case fits(event):
			return event, nil
		}
	}
}

// rfkillEvent is struct rfkill_event (linux/rfkill.h).
type rfkillEvent struct {
	index      uint32
	kind       uint8 // 1: WLAN, 2: Bluetooth, …
	operation  uint8
	soft, hard bool // blocked by software; blocked by the device
}

// rfkillEventSize is the size of the struct's first version. The kernel cuts a later
// version to the size that was asked for.
const rfkillEventSize = 8

func (e rfkillEvent) encode() []byte {
	b := binary.NativeEndian.AppendUint32(nil, e.index)
	return append(b, e.kind, e.operation, bit(e.soft), bit(e.hard))
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

func decodeRfkill(b []byte) (e rfkillEvent, ok bool) {
	if len(b) < rfkillEventSize {
		return e, false
	}
	return rfkillEvent{
		index: binary.NativeEndian.Uint32(b), kind: b[4], operation: b[5], soft: b[6] != 0, hard: b[7] != 0,
	}, true
}
