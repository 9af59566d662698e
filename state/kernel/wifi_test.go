package kernel

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"github.com/mdlayher/wifi"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// The messages in this file are composed by hand after linux/nl80211.h.

type fillWifi = func(*netlink.AttributeEncoder)

func wifiMessage(t testing.TB, fill fillWifi) genetlink.Message {
	t.Helper()
	attributes := netlink.NewAttributeEncoder()
	fill(attributes)
	b, err := attributes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return genetlink.Message{Data: b}
}

func nest(ae *netlink.AttributeEncoder, number uint16, fill fillWifi) {
	ae.Nested(number, func(nae *netlink.AttributeEncoder) error {
		fill(nae)
		return nil
	})
}

// wlan returns interface 3 of a type; ssid and frequency are left out if they are
// zero.
func wlan(kind uint32, ssid string, frequency uint32) fillWifi {
	return func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.NL80211_ATTR_IFINDEX, 3)
		ae.String(unix.NL80211_ATTR_IFNAME, "wlan0")
		ae.Uint32(unix.NL80211_ATTR_IFTYPE, kind)
		ae.Bytes(unix.NL80211_ATTR_MAC, []byte{2, 0, 0, 0, 1, 0xab})
		if ssid != "" {
			ae.Bytes(unix.NL80211_ATTR_SSID, []byte(ssid))
		}
		if frequency != 0 {
			ae.Uint32(unix.NL80211_ATTR_WIPHY_FREQ, frequency)
		}
	}
}

// station returns what a station knows of its access point.
func station(fill fillWifi) fillWifi {
	return func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.NL80211_ATTR_IFINDEX, 3)
		ae.Bytes(unix.NL80211_ATTR_MAC, []byte{2, 0, 0, 0, 2, 0xcd})
		nest(ae, unix.NL80211_ATTR_STA_INFO, fill)
	}
}

func bitrate(per100k uint32, width uint16, mcs uint16) fillWifi {
	return func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.NL80211_RATE_INFO_BITRATE32, per100k)
		if width != 0 {
			ae.Flag(width, true)
		}
		if mcs != 0 {
			ae.Uint8(mcs, 7)
		}
	}
}

func flags(mask, set uint32) []byte {
	return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, mask), set)
}

// bss returns a cell of the table of scan results.
func bss(status *uint32, frequency uint32, elements string) fillWifi {
	return func(ae *netlink.AttributeEncoder) {
		nest(ae, unix.NL80211_ATTR_BSS, func(ae *netlink.AttributeEncoder) {
			if status != nil {
				ae.Uint32(unix.NL80211_BSS_STATUS, *status)
			}
			ae.Bytes(unix.NL80211_BSS_BSSID, []byte{2, 0, 0, 0, 3, 0xef})
			ae.Uint32(unix.NL80211_BSS_FREQUENCY, frequency)
			ae.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, []byte(elements))
			ae.Bytes(unix.NL80211_BSS_BEACON_IES, []byte("\x00\x06beacon"))
		})
	}
}

const (
	authorized = 1 << unix.NL80211_STA_FLAG_AUTHORIZED
	associated = uint32(unix.NL80211_BSS_STATUS_ASSOCIATED)
)

func TestReadWifiOver(t *testing.T) {
	nothing := func(*netlink.AttributeEncoder) {}
	for _, row := range []struct {
		name       string
		interfaces []fillWifi
		stations   []fillWifi
		cells      []fillWifi
		noStations bool // the driver does not report stations
		want       string
	}{
		{"no interfaces", nil, nil, nil, false, `{}`},
		{"station with a network", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "Küche", 5180)}, []fillWifi{station(func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.NL80211_STA_INFO_SIGNAL, 0xc4)
			nest(ae, unix.NL80211_STA_INFO_RX_BITRATE, bitrate(60, 0, 0))
			nest(ae, unix.NL80211_STA_INFO_TX_BITRATE, bitrate(24019, unix.NL80211_RATE_INFO_160_MHZ_WIDTH, unix.NL80211_RATE_INFO_HE_MCS))
			ae.Bytes(unix.NL80211_STA_INFO_STA_FLAGS, flags(0xff, authorized))
		})}, nil, false, `{"3":{"mode":"station","ssid":"Küche","ssid_hex":"4bc3bc636865","bssid":"02:00:00:00:02:cd","frequency":5180,"generation":6,` +
			`"signal":-60,"rx_bitrate":60,"rx_width":20,"tx_bitrate":24019,"tx_width":160}}`},
		{"passphrase not proven", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "home", 2412)}, []fillWifi{station(func(ae *netlink.AttributeEncoder) {
			ae.Bytes(unix.NL80211_STA_INFO_STA_FLAGS, flags(authorized, 0))
		})}, nil, false, `{"3":{"mode":"station","bssid":"02:00:00:00:02:cd","frequency":2412}}`},
		{"driver without flags, SSID not UTF-8", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, `A\`+"\xff", 2412)}, []fillWifi{station(nothing)}, nil, false,
			`{"3":{"mode":"station","ssid":"A\\\\\\xff","ssid_hex":"415cff","bssid":"02:00:00:00:02:cd","frequency":2412}}`},
		{"not associated, the last name is still there", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "home", 2412)}, nil, nil, false,
			`{"3":{"mode":"station","frequency":2412}}`},
		{"kernel that does not tell the name: from the cell", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "", 0)}, []fillWifi{station(nothing)}, []fillWifi{
			bss(nil, 2412, "\x00\x05other"), bss(new(associated), 2437, "\x01\x02ab\x00\x04home"),
		}, false, `{"3":{"mode":"station","ssid":"home","ssid_hex":"686f6d65","bssid":"02:00:00:00:02:cd","frequency":2437}}`},
		{"hidden in the answer, told by the beacon", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "", 0)}, []fillWifi{station(nothing)}, []fillWifi{
			bss(new(associated), 2437, "\x00\x04\x00\x00\x00\x00"),
		}, false, `{"3":{"mode":"station","ssid":"beacon","ssid_hex":"626561636f6e","bssid":"02:00:00:00:02:cd","frequency":2437}}`},
		{"access point", []fillWifi{wlan(unix.NL80211_IFTYPE_AP, "pi", 2412)}, nil, nil, false,
			`{"3":{"mode":"ap","ssid":"pi","ssid_hex":"7069","bssid":"02:00:00:00:01:ab","frequency":2412}}`},
		{"monitor, and a device without a link", []fillWifi{wlan(unix.NL80211_IFTYPE_MONITOR, "", 0), func(ae *netlink.AttributeEncoder) {
			ae.Uint32(unix.NL80211_ATTR_IFTYPE, unix.NL80211_IFTYPE_P2P_DEVICE)
		}}, nil, nil, false, `{"3":{"mode":"monitor"}}`},
		{"a mode that nobody knows", []fillWifi{wlan(99, "", 0)}, nil, nil, false, `{"3":{"mode":"99"}}`},
		{"driver that tells no stations", []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "home", 2412)}, nil, []fillWifi{
			bss(new(associated), 2437, "\x00\x05other"),
		}, true, `{"3":{"mode":"station","ssid":"home","ssid_hex":"686f6d65","bssid":"02:00:00:00:03:ef","frequency":2412}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			answers := map[uint8][]fillWifi{
				unix.NL80211_CMD_GET_INTERFACE: row.interfaces, unix.NL80211_CMD_GET_STATION: row.stations, unix.NL80211_CMD_GET_SCAN: row.cells,
			}
			conn := wifiKernel(t, func(command uint8) ([]fillWifi, error) {
				if command == unix.NL80211_CMD_GET_STATION && row.noStations {
					return nil, unix.EOPNOTSUPP
				}
				return answers[command], nil
			})
			got, err := readWifiOver(t.Context(), conn)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(got)
			if diff := cmp.Diff(row.want, string(text)); diff != "" {
				t.Error(diff)
			}
			again := map[int]*state.Wifi{}
			if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(got, again) {
				t.Errorf("does not come back from JSON: %v", err)
			}
		})
	}
}

// wifiKernel answers dumps about interface 3.
func wifiKernel(t *testing.T, answer func(command uint8) ([]fillWifi, error)) *genl.Conn {
	t.Helper()
	return wifiKernelUntil(t.Context(), t, answer)
}

func wifiKernelUntil(ctx context.Context, t *testing.T, answer func(command uint8) ([]fillWifi, error)) *genl.Conn {
	t.Helper()
	kernel := func(request genetlink.Message, _ netlink.Message) ([]genetlink.Message, error) {
		fills, err := answer(request.Header.Command)
		if err != nil {
			return nil, err
		}
		var replies []genetlink.Message
		for _, fill := range fills {
			replies = append(replies, wifiMessage(t, fill))
		}
		if len(replies) == 0 {
			// Without replies, the fake socket would send the request again.
			return nil, io.EOF
		}
		return replies, nil
	}
	conn, err := genl.Over(ctx, genltest.Dial(genltest.ServeFamily(genetlink.Family{ID: 0x20, Name: "nl80211", Version: 1}, kernel)), "nl80211")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// TestReadWifiRefusals checks that a value for which one interface's driver fails is
// missing there, and only there.
func TestReadWifiRefusals(t *testing.T) {
	const other = `,"4":{"mode":"ap","ssid":"pi","ssid_hex":"7069","bssid":"02:00:00:00:01:ac","frequency":2437}}`
	second := func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.NL80211_ATTR_IFINDEX, 4)
		ae.String(unix.NL80211_ATTR_IFNAME, "wlan1")
		ae.Uint32(unix.NL80211_ATTR_IFTYPE, unix.NL80211_IFTYPE_AP)
		ae.Bytes(unix.NL80211_ATTR_MAC, []byte{2, 0, 0, 0, 1, 0xac})
		ae.Bytes(unix.NL80211_ATTR_SSID, []byte("pi"))
		ae.Uint32(unix.NL80211_ATTR_WIPHY_FREQ, 2437)
	}
	const stations, cells = unix.NL80211_CMD_GET_STATION, unix.NL80211_CMD_GET_SCAN
	for _, row := range []struct {
		name    string
		ssid    string // the SSID that the kernel reports
		refused []uint8
		says    error
		want    string // without the text for the other interface
	}{
		{"interface gone", "home", []uint8{stations, cells}, unix.ENODEV, `{"3":{"mode":"station","frequency":2412}`},
		{"driver that tells no scan results", "", []uint8{cells}, unix.EOPNOTSUPP, `{"3":{"mode":"station","bssid":"02:00:00:00:02:cd","frequency":2412,"signal":-60}`},
		{"no scan results", "", []uint8{cells}, unix.ENODEV, `{"3":{"mode":"station","bssid":"02:00:00:00:02:cd","frequency":2412,"signal":-60}`},
		{"station broken, the name is that of the cell", "old", []uint8{stations}, unix.EBADE, `{"3":{"mode":"station","ssid":"home","ssid_hex":"686f6d65","bssid":"02:00:00:00:03:ef","frequency":2412}`},
		{"scan results broken", "", []uint8{cells}, unix.EIO, `{"3":{"mode":"station","bssid":"02:00:00:00:02:cd","frequency":2412,"signal":-60}`},
		{"both broken", "old", []uint8{stations, cells}, unix.ETIMEDOUT, `{"3":{"mode":"station","frequency":2412}`},
	} {
		conn := wifiKernel(t, func(command uint8) ([]fillWifi, error) {
			switch {
			case slices.Contains(row.refused, command):
				return nil, row.says
			case command == unix.NL80211_CMD_GET_INTERFACE:
				return []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, row.ssid, 2412), second}, nil
			case command == cells:
				return []fillWifi{bss(new(associated), 2437, "\x00\x04home")}, nil
			default:
				return []fillWifi{station(func(ae *netlink.AttributeEncoder) { ae.Uint8(unix.NL80211_STA_INFO_SIGNAL, 0xc4) })}, nil
			}
		})
		got, err := readWifiOver(t.Context(), conn)
		text, _ := json.Marshal(got)
		if diff := cmp.Diff(row.want+other, string(text)); diff != "" || err != nil {
			t.Errorf("%s: %v %s", row.name, err, diff)
		}
	}
}

// TestReadWifiFails checks that without the list of interfaces there is no result,
// and that no more requests are sent after the context has ended.
func TestReadWifiFails(t *testing.T) {
	refuse := func(which uint8, how func() error) *genl.Conn {
		return wifiKernel(t, func(command uint8) ([]fillWifi, error) {
			if command == which {
				return nil, how()
			}
			return []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "", 2412)}, nil
		})
	}
	_, err := readWifiOver(t.Context(), refuse(unix.NL80211_CMD_GET_INTERFACE, func() error { return unix.EIO }))
	if !errors.Is(err, unix.EIO) || !strings.HasPrefix(err.Error(), "interfaces: ") {
		t.Errorf("interfaces broken: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = readWifiOver(ctx, refuse(unix.NL80211_CMD_GET_STATION, func() error { cancel(); return unix.EIO }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended: %v", err)
	}
}

// TestReadWifiEnds has a driver that delays the kernel until the connection's own
// time is over. The result must be an error, and must not show the other interfaces
// without values.
func TestReadWifiEnds(t *testing.T) {
	second := func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.NL80211_ATTR_IFINDEX, 4)
		ae.String(unix.NL80211_ATTR_IFNAME, "wlan1")
		ae.Uint32(unix.NL80211_ATTR_IFTYPE, unix.NL80211_IFTYPE_STATION)
	}
	for name, holdsUp := range map[string]uint8{"station": unix.NL80211_CMD_GET_STATION, "scan results": unix.NL80211_CMD_GET_SCAN} {
		for _, end := range []error{context.DeadlineExceeded, context.Canceled} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			conn := wifiKernelUntil(ctx, t, func(command uint8) ([]fillWifi, error) {
				switch command {
				case unix.NL80211_CMD_GET_INTERFACE:
					return []fillWifi{wlan(unix.NL80211_IFTYPE_STATION, "", 2412), second}, nil
				case holdsUp:
					if errors.Is(end, context.Canceled) {
						cancel()
					}
					<-ctx.Done()
					return nil, os.ErrDeadlineExceeded
				}
				return []fillWifi{station(func(*netlink.AttributeEncoder) {})}, nil
			})
			got, err := readWifiOver(t.Context(), conn)
			if !errors.Is(err, end) || !strings.Contains(err.Error(), "wlan0") {
				text, _ := json.Marshal(got)
				t.Errorf("%s, %v: %s, %v", name, end, text, err)
			}
			cancel()
		}
	}
}

func TestGenerationAndWidth(t *testing.T) {
	for _, row := range []struct {
		name       string
		rate       wifi.RateInfo
		generation uint32
		want       string
	}{
		{"none", wifi.RateInfo{}, 0, "null null"},
		{"before HT", wifi.RateInfo{Bitrate: 54e6, ChannelWidth: wifi.ChannelWidth20NoHT}, 0, "540 20"},
		{"HT", wifi.RateInfo{Bitrate: 150e6, ChannelWidth: wifi.ChannelWidth40, Modulation: wifi.HTModulationInfo{}}, 4, "1500 40"},
		{"VHT", wifi.RateInfo{Bitrate: 866_700_000, ChannelWidth: wifi.ChannelWidth80, Modulation: wifi.VHTModulationInfo{}}, 5, "8667 80"},
		{"two halves", wifi.RateInfo{Bitrate: 1e9, ChannelWidth: wifi.ChannelWidth80P80, Modulation: wifi.VHTModulationInfo{}}, 5, "10000 160"},
		{"EHT", wifi.RateInfo{Bitrate: 2_000_000_000, ChannelWidth: wifi.ChannelWidth320, Modulation: wifi.EHTModulationInfo{}}, 7, "20000 320"},
		{"a width of the future", wifi.RateInfo{Bitrate: 1e9, ChannelWidth: 99}, 0, "10000 null"},
	} {
		bitrate, width := rate(row.rate)
		one, _ := json.Marshal(bitrate)
		two, _ := json.Marshal(width)
		if got := string(one) + " " + string(two); got != row.want || generation(row.rate) != row.generation {
			t.Errorf("%s: %s, generation %d", row.name, got, generation(row.rate))
		}
	}
}

// TestReadWifi runs against the machine's own kernel.
func TestReadWifi(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readWifi(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat("/sys/class/ieee80211"); err == nil {
		t.Skip("this kernel has cfg80211; the lab covers it")
	}
	if got, err := readWifi(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("%v, %v, want none", got, err)
	}
}

func FuzzWifi(f *testing.F) {
	f.Add(wifiMessage(f, bss(new(associated), 2437, "\x01\x02ab\x00\x04home")).Data, []byte("\x00\x04home"))
	f.Add(wifiMessage(f, station(func(ae *netlink.AttributeEncoder) {
		ae.Bytes(unix.NL80211_STA_INFO_STA_FLAGS, flags(1, 2))
	})).Data, []byte("\x00\x20"))
	f.Fuzz(func(t *testing.T, b, elements []byte) {
		var c cell
		var s stationFlags
		var ssid []byte
		_, _, _ = cellRows.Decode(&c, b), stationRows.Decode(&s, b), ssidRows.Decode(&ssid, b)
		for _, found := range [][]byte{ssid, ssidElement(elements), ssidElement(c.elements)} {
			var w wifiIface
			w.setSSID(found)
			text, err := json.Marshal(w.Wifi)
			if err != nil {
				t.Fatal(err)
			}
			var again state.Wifi
			if err := json.Unmarshal(text, &again); err != nil || again != w.Wifi {
				t.Errorf("does not come back from JSON: %v %s", err, text)
			}
		}
	})
}
