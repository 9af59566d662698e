package ap

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRfkillEvent(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the golden events are little endian")
	}
	for _, row := range []struct {
		name  string
		bytes string // as struct rfkill_event of linux/rfkill.h
		event rfkillEvent
	}{
		{"a radio", "0300000001000000", rfkillEvent{index: 3, kind: 1}},
		{"blocked by software", "0300000001020100", rfkillEvent{index: 3, kind: 1, operation: rfkillChange, soft: true}},
		{"blocked by the device", "0001000001020001", rfkillEvent{index: 256, kind: 1, operation: rfkillChange, hard: true}},
	} {
		if got := hex.EncodeToString(row.event.encode()); got != row.bytes {
			t.Errorf("%s: encoded %s, want %s", row.name, got, row.bytes)
		}
		raw, err := hex.DecodeString(row.bytes)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{raw, append(raw, 7)} { // newer kernels have a ninth byte
			if got, ok := decodeRfkill(b); !ok || got != row.event {
				t.Errorf("%s: decoded %+v, %v", row.name, got, ok)
			}
		}
	}
	if _, ok := decodeRfkill(make([]byte, 7)); ok {
		t.Error("half an event was decoded")
	}
}

// rfkillKernel plays the kernel's side of /dev/rfkill: Bluetooth is switch 0,
// the radio of wlan0 switch 3.
type rfkillKernel struct {
	t          *testing.T
	soft, hard bool
	deafTo     string // "off", "on": the kernel does not confirm this command
	removed    bool   // the radio is removed instead of switched off
	file       *os.File
	done       chan struct{} // closed when the other side was closed
	got        []string
}

func (k *rfkillKernel) open() (rfkillFile, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	k.file = os.NewFile(uintptr(fds[1]), "kernel")
	k.t.Cleanup(func() { k.file.Close() })
	k.tell(rfkillEvent{index: 0, kind: 2})
	k.tell(rfkillEvent{index: 3, kind: 1, soft: k.soft, hard: k.hard})
	k.done = make(chan struct{})
	go k.play()
	return os.NewFile(uintptr(fds[0]), rfkillDevice), nil
}

func (k *rfkillKernel) tell(e rfkillEvent) {
	if _, err := k.file.Write(e.encode()); err != nil && !errors.Is(err, unix.EPIPE) { // the other side may have closed already
		k.t.Error(err)
	}
}

// play obeys until the other side is closed.
func (k *rfkillKernel) play() {
	defer close(k.done)
	buf := make([]byte, 64)
	for {
		n, err := k.file.Read(buf)
		if err != nil || n == 0 {
			return
		}
		e, _ := decodeRfkill(buf[:n])
		word := map[bool]string{true: "off", false: "on"}[e.soft]
		k.got = append(k.got, fmt.Sprintf("%d %d %d %s", e.index, e.kind, e.operation, word))
		switch {
		case k.deafTo == word:
		case k.removed:
			k.tell(rfkillEvent{index: 3, kind: 1, operation: rfkillDelete})
		default:
			k.tell(rfkillEvent{index: 0, kind: 2, operation: rfkillChange, soft: e.soft}) // a change of another switch
			k.tell(rfkillEvent{index: 3, kind: 1, operation: rfkillChange, soft: e.soft, hard: k.hard})
		}
	}
}

// fakeNet returns a folder with the radio wlan0 and the cable eth0.
func fakeNet(t *testing.T, soft, hard string) string {
	t.Helper()
	dir := t.TempDir()
	radio := filepath.Join(dir, "wlan0", "phy80211", "rfkill3")
	for _, d := range []string{radio, filepath.Join(dir, "eth0"), filepath.Join(dir, "wlan1", "phy80211")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"index": "3", "soft": soft, "hard": hard} {
		if err := os.WriteFile(filepath.Join(radio, name), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReset(t *testing.T) {
	const off, on = "3 1 2 off", "3 1 2 on"
	for _, row := range []struct {
		name   string
		kernel rfkillKernel
		got    []string
		want   string // part of the error
	}{
		{"off and on", rfkillKernel{}, []string{off, on}, ""},
		{"was off", rfkillKernel{soft: true}, []string{on}, ""},
		{"off by the device", rfkillKernel{hard: true}, []string{off, on},
			"reset the radio of wlan0: the radio is switched off by a switch or key of the device itself"},
		{"does not go off: left on", rfkillKernel{deafTo: "off"}, []string{off, on},
			"reset the radio of wlan0: switch it off: wait for the kernel's event: context deadline exceeded"},
		{"does not come back", rfkillKernel{deafTo: "on"}, []string{off, on},
			"reset the radio of wlan0: switch it on: wait for the kernel's event: context deadline exceeded"},
		{"removed", rfkillKernel{removed: true}, []string{off, on}, "reset the radio of wlan0: switch it off: the radio was removed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := &row.kernel
			k.t = t
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			s := switches{net: fakeNet(t, "0", "0"), open: k.open}
			err := s.reset(ctx, "wlan0")
			if (err == nil) != (row.want == "") || err != nil && !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
			if want := k.hard; errors.Is(err, ErrBlocked) != want {
				t.Errorf("%v is ErrBlocked: want %v", err, want)
			}
			<-k.done
			if got, want := fmt.Sprint(k.got), fmt.Sprint(row.got); got != want {
				t.Errorf("the kernel was told %s, want %s", got, want)
			}
		})
	}
}

func TestResetRefused(t *testing.T) {
	for _, row := range []struct{ name, ifname, want string }{
		{"no right", "wlan0", "reset the radio of wlan0: permission denied (install 60-netconnectd-rfkill.rules"},
		{"no such interface", "wlan9", "reset the radio of wlan9: stat "},
		{"a cable", "eth0", "reset the radio of eth0: it has no rfkill switch"},
		{"a radio without a switch", "wlan1", "reset the radio of wlan1: it has no rfkill switch"},
	} {
		s := switches{net: fakeNet(t, "0", "0"), open: func() (rfkillFile, error) { return nil, os.ErrPermission }}
		if err := s.reset(t.Context(), row.ifname); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", row.name, err, row.want)
		}
	}
}

func TestBlocked(t *testing.T) {
	for _, row := range []struct{ soft, hard, ifname, want string }{
		{"0", "0", "wlan0", "false false"},
		{"1", "0", "wlan0", "true false"},
		{"0", "1", "wlan0", "false true"},
		{"1", "1", "eth0", "false false"},
		{"1", "1", "wlan1", "false false"},
	} {
		soft, hard, err := switches{net: fakeNet(t, row.soft, row.hard)}.blocked(row.ifname)
		if got := fmt.Sprint(soft, hard); err != nil || got != row.want {
			t.Errorf("%s of soft %s, hard %s: %s, %v; want %s", row.ifname, row.soft, row.hard, got, err, row.want)
		}
	}
	if _, _, err := (switches{net: t.TempDir()}).blocked("wlan0"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no interface: %v", err)
	}
}

func TestHoldSaysThatTheRadioIsBlocked(t *testing.T) {
	real := kernelSwitches
	t.Cleanup(func() { kernelSwitches = real })
	for _, row := range []struct{ soft, hard, want string }{
		{"1", "0", "access point on wlan0: the radio is switched off by software (rfkill: soft blocked): turn it on by `rfkill unblock wlan`"},
		{"0", "1", "access point on wlan0: the radio is switched off by a switch or key of the device itself (rfkill: hard blocked)"},
		{"1", "1", "access point on wlan0: the radio is switched off by a switch or key of the device itself (rfkill: hard blocked)"},
	} {
		kernelSwitches = switches{net: fakeNet(t, row.soft, row.hard)}
		d := newDaemon(t, testConfig(runtimeDir(t)))
		err := d.ap.Hold(t.Context(), func() { t.Error("ready") })
		if !errors.Is(err, ErrBlocked) || err.Error() != row.want {
			t.Errorf("got  %v\nwant %s", err, row.want)
		}
	}
}
