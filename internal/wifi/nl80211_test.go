package wifi

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"github.com/mdlayher/wifi"
	"golang.org/x/sys/unix"
)

// littleEndian skips the comparison with golden bytes on big-endian machines.
func littleEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the golden messages are little endian, as netlink is on most machines")
	}
}

func TestTriggerMessage(t *testing.T) {
	littleEndian(t)
	// Each attribute is length, type (0x8000: nested), value; types as in nl80211.h.
	wildcard := "0800 0300 05000000" + "0800 2d80 0400 0100"
	for _, row := range []struct {
		name string
		req  ScanRequest
		want string
	}{
		{"wildcard: an SSID of length zero", ScanRequest{}, wildcard},
		{"two frequencies", ScanRequest{Frequencies: []int{2412, 5180}}, wildcard +
			"1400 2c80 0800 0100 6c090000 0800 0200 3c140000"},
		{"as access point", ScanRequest{AP: true}, wildcard + "0800 9e00 04000000"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := encodeTrigger(5, row.req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(hex.EncodeToString(unhex(t, row.want)), hex.EncodeToString(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// cellMessage returns one message of a NL80211_CMD_GET_SCAN dump.
func cellMessage(t testing.TB, fill func(*netlink.AttributeEncoder)) []byte {
	t.Helper()
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.NL80211_ATTR_GENERATION, 7)
	ae.Uint32(unix.NL80211_ATTR_IFINDEX, 5)
	ae.Nested(unix.NL80211_ATTR_BSS, func(nae *netlink.AttributeEncoder) error {
		fill(nae)
		return nil
	})
	data, err := ae.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var bssid = net.HardwareAddr{2, 0, 0, 0, 1, 0}

func TestDecodeBSS(t *testing.T) {
	now := 100 * time.Second
	const protected = 0x0411 // ESS, privacy, short slot time
	for _, row := range []struct {
		name string
		fill func(*netlink.AttributeEncoder)
		want BSS
	}{
		{"as mac80211 tells it", func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.NL80211_BSS_BSSID, bssid)
			ae.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, append([]byte("\x00\x03A\xff\xfe"), rsn(2, 8)...))
			ae.Bytes(unix.NL80211_BSS_BEACON_IES, []byte("\x00\x00"))
			ae.Uint16(unix.NL80211_BSS_CAPABILITY, protected)
			ae.Uint32(unix.NL80211_BSS_FREQUENCY, 2437)
			ae.Int32(unix.NL80211_BSS_SIGNAL_MBM, -3050)
			ae.Uint32(unix.NL80211_BSS_SEEN_MS_AGO, 5000)
			ae.Uint64(unix.NL80211_BSS_LAST_SEEN_BOOTTIME, uint64(98*time.Second))
		}, BSS{SSID: []byte("A\xff\xfe"), BSSID: bssid, Frequency: 2437, Channel: 6, Signal: -30,
			Privacy: true, Security: WPA2WPA3, LastSeen: 2 * time.Second}},
		{"old driver: beacon only, signal in percent, no boot time", func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.NL80211_BSS_BSSID, bssid)
			ae.Bytes(unix.NL80211_BSS_BEACON_IES, []byte("\x00\x01x"))
			ae.Uint16(unix.NL80211_BSS_CAPABILITY, protected)
			ae.Uint8(unix.NL80211_BSS_SIGNAL_UNSPEC, 60)
			ae.Uint32(unix.NL80211_BSS_SEEN_MS_AGO, 5000)
		}, BSS{SSID: []byte("x"), BSSID: bssid, Signal: -70, Privacy: true, Security: WEP, LastSeen: 5 * time.Second}},
		{"heard in the future: clocks differ", func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.NL80211_BSS_BSSID, bssid)
			ae.Uint32(unix.NL80211_BSS_SEEN_MS_AGO, 40)
			ae.Uint64(unix.NL80211_BSS_LAST_SEEN_BOOTTIME, uint64(101*time.Second))
		}, BSS{BSSID: bssid, Security: Open, LastSeen: 40 * time.Millisecond}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := decodeBSS(cellMessage(t, row.fill), now)
			if !ok {
				t.Fatal("not decoded")
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeBSSRefusesBrokenMessages(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":            {},
		"no BSS":           {8, 0, 3, 0, 5, 0, 0, 0},
		"cut":              {200, 0, 3, 0, 5},
		"BSSID of 5 bytes": cellMessage(t, func(ae *netlink.AttributeEncoder) { ae.Bytes(unix.NL80211_BSS_BSSID, bssid[:5]) }),
		"frequency of 1 byte": cellMessage(t, func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.NL80211_BSS_BSSID, bssid)
			ae.Uint8(unix.NL80211_BSS_FREQUENCY, 1)
		}),
	} {
		if bss, ok := decodeBSS(data, time.Second); ok {
			t.Errorf("%s: decoded as %+v", name, bss)
		}
	}
}

func FuzzDecodeBSS(f *testing.F) {
	f.Add(cellMessage(f, func(ae *netlink.AttributeEncoder) {
		ae.Bytes(unix.NL80211_BSS_BSSID, bssid)
		ae.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, append([]byte("\x00\x04home"), rsn(2)...))
		ae.Int32(unix.NL80211_BSS_SIGNAL_MBM, -3000)
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bss, ok := decodeBSS(data, time.Second); ok && (len(bss.BSSID) != 6 || len(bss.SSID) > maxSSID) {
			t.Errorf("decoded %+v", bss)
		}
		decodeScanEnd(genetlink.Message{Header: genetlink.Header{Command: unix.NL80211_CMD_NEW_SCAN_RESULTS}, Data: data})
	})
}

func TestDecodeScanEnd(t *testing.T) {
	ours, err := encodeInterface(5)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		command uint8
		data    []byte
		want    string
	}{
		{"results", unix.NL80211_CMD_NEW_SCAN_RESULTS, ours, "{5 false} true"},
		{"aborted", unix.NL80211_CMD_SCAN_ABORTED, ours, "{5 true} true"},
		{"somebody triggered", unix.NL80211_CMD_TRIGGER_SCAN, ours, "{0 false} false"},
		{"no interface", unix.NL80211_CMD_NEW_SCAN_RESULTS, nil, "{0 false} false"},
	} {
		end, ok := decodeScanEnd(genetlink.Message{Header: genetlink.Header{Command: row.command}, Data: row.data})
		if got := fmt.Sprint(end, ok); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// TestCommands checks what the kernel is asked (0x300: dump), and what the commands
// make of its answers.
func TestCommands(t *testing.T) {
	refusal := error(nil)
	asked := ""
	kernel := func(greq genetlink.Message, nreq netlink.Message) ([]genetlink.Message, error) {
		asked = fmt.Sprintf("command %d, flags %v, %d bytes", greq.Header.Command, nreq.Header.Flags, len(greq.Data))
		cell := cellMessage(t, func(ae *netlink.AttributeEncoder) { ae.Bytes(unix.NL80211_BSS_BSSID, bssid) })
		if greq.Header.Command != unix.NL80211_CMD_GET_SCAN {
			cell = nil
		}
		return []genetlink.Message{{Data: cell}, {Data: []byte("broken")}}, refusal
	}
	n := &nl80211{commands: genltest.Dial(kernel)}
	defer n.Close()

	if err := n.trigger(5, ScanRequest{}); err != nil || asked != "command 33, flags request|acknowledge, 16 bytes" {
		t.Errorf("trigger: %v, %s", err, asked)
	}
	if err := n.abort(5); err != nil || asked != "command 114, flags request|acknowledge, 8 bytes" {
		t.Errorf("abort: %v, %s", err, asked)
	}
	cells, err := n.results(5)
	if err != nil || len(cells) != 1 || asked != "command 32, flags request|0x300, 8 bytes" {
		t.Errorf("results: %v, %v, %s", cells, err, asked)
	}
	refusal = genltest.Error(int(unix.EBUSY))
	if err := n.trigger(5, ScanRequest{}); !errors.Is(err, unix.EBUSY) {
		t.Errorf("trigger: %v, want EBUSY", err)
	}
}

// TestThousandNeighbours checks that a scan of 1,000 cells is read within
// milliseconds, and that 1,000 such scans leave nothing behind.
func TestThousandNeighbours(t *testing.T) {
	var messages []genetlink.Message
	for i := range 1000 {
		messages = append(messages, genetlink.Message{Data: cellMessage(t, func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.NL80211_BSS_BSSID, []byte{2, 0, 0, 0, byte(i >> 8), byte(i)})
			ae.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, append(fmt.Appendf([]byte{0, 8}, "net-%04d", i), rsn(2, 8)...))
			ae.Uint32(unix.NL80211_BSS_FREQUENCY, 2412)
		})})
	}
	n := &nl80211{commands: genltest.Dial(func(genetlink.Message, netlink.Message) ([]genetlink.Message, error) { return messages, nil })}
	defer n.Close()
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	scan := func() {
		if cells, err := n.results(5); err != nil || len(cells) != 1000 {
			t.Fatalf("%d cells, %v", len(cells), err)
		}
	}
	scan()
	before, start := memory(), time.Now()
	for range 1000 {
		scan()
	}
	each, grown := time.Since(start)/1000, int64(memory())-int64(before)
	t.Logf("%v for 1,000 cells; %d bytes more after 1,000 scans", each, grown)
	if each > 4*50*time.Millisecond || grown > 100_000 {
		t.Errorf("%v for 1,000 cells, want 50 ms at most; %d bytes more after 1,000 scans, want none", each, grown)
	}
}

func TestRadios(t *testing.T) {
	got := radios([]*wifi.Interface{
		{Index: 4, Name: "wlan1", PHY: 1, Type: wifi.InterfaceTypeAP, Frequency: 2412},
		{Index: 3, Name: "wlan0", PHY: 0, Type: wifi.InterfaceTypeStation, HardwareAddr: bssid},
		{PHY: 0, Type: wifi.InterfaceTypeP2PDevice},
	}, []*wifi.PHY{
		{Index: 0, SupportedIftypes: []wifi.InterfaceType{wifi.InterfaceTypeStation}},
		{Index: 1, SupportedIftypes: []wifi.InterfaceType{wifi.InterfaceTypeStation, wifi.InterfaceTypeAP}},
	})
	want := []Radio{
		{Name: "wlan0", Index: 3, MAC: bssid, PHY: 0, Type: "station", StationCapable: true},
		{Name: "wlan1", Index: 4, PHY: 1, Type: "access point", Frequency: 2412, StationCapable: true, APCapable: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBothAtOnce(t *testing.T) {
	limit := func(n int, types ...wifi.InterfaceType) wifi.InterfaceCombinationLimit {
		return wifi.InterfaceCombinationLimit{Max: n, InterfaceTypes: types}
	}
	const ap, station, monitor = wifi.InterfaceTypeAP, wifi.InterfaceTypeStation, wifi.InterfaceTypeMonitor
	for _, tt := range []struct {
		name  string
		combi []wifi.InterfaceCombination
		want  Both
	}{
		{"no combination", nil, NotBoth},
		{"a place for each", []wifi.InterfaceCombination{{Total: 2, NumChannels: 1, CombinationLimits: []wifi.InterfaceCombinationLimit{limit(1, station), limit(1, ap)}}}, SameChannel},
		{"two places for either", []wifi.InterfaceCombination{{Total: 2, NumChannels: 2, CombinationLimits: []wifi.InterfaceCombinationLimit{limit(2, station, ap)}}}, OtherChannel},
		{"one place for either", []wifi.InterfaceCombination{{Total: 2, NumChannels: 1, CombinationLimits: []wifi.InterfaceCombinationLimit{limit(1, station, ap), limit(1, monitor)}}}, NotBoth},
		{"places, and one interface in all", []wifi.InterfaceCombination{{Total: 1, NumChannels: 1, CombinationLimits: []wifi.InterfaceCombinationLimit{limit(1, station), limit(1, ap)}}}, NotBoth},
		{"the best counts", []wifi.InterfaceCombination{
			{Total: 2, NumChannels: 2, CombinationLimits: []wifi.InterfaceCombinationLimit{limit(1, station), limit(1, ap)}},
			{Total: 4, NumChannels: 1, CombinationLimits: []wifi.InterfaceCombinationLimit{limit(1, station), limit(1, ap)}},
		}, OtherChannel},
	} {
		if got := both(tt.combi); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestChannelOfRadio(t *testing.T) {
	r := Radio{Channels: []ChannelRights{{Frequency: 2412}, {Frequency: 2472, NoIR: true}, {Frequency: 5260, Radar: true}, {Frequency: 5955}}}
	for number, want := range map[int]ChannelRights{1: {Frequency: 2412}, 13: {Frequency: 2472, NoIR: true}, 52: {Frequency: 5260, Radar: true}} {
		if got, ok := r.Channel(number); !ok || got != want {
			t.Errorf("channel %d: %+v", number, got)
		}
	}
	if got, ok := r.Channel(36); ok {
		t.Errorf("channel 36: %+v", got)
	}
	r.Channels = r.Channels[3:]
	if got, ok := r.Channel(1); ok {
		t.Errorf("channel 1 of 6 GHz is taken for that of 2.4: %+v", got)
	}
}

// TestWithoutRadio runs against the machine's own kernel.
func TestWithoutRadio(t *testing.T) {
	if _, err := os.Stat("/sys/class/ieee80211"); err == nil {
		t.Skip("this kernel has cfg80211; the lab covers it")
	}
	list, err := Radios(t.Context())
	if len(list) != 0 || err != nil {
		t.Errorf("Radios = %v, %v, want none", list, err)
	}
}
