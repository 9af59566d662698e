package kernel

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/wifi"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	ssidtext "github.com/netconnectd/netconnectd/internal/ssid"
	"github.com/netconnectd/netconnectd/state"
)

// wifiModes holds the names of NL80211_IFTYPE_….
var wifiModes = []string{
	"unspecified", "adhoc", "station", "ap", "ap_vlan", "wds", "monitor",
	"mesh_point", "p2p_client", "p2p_go", "p2p_device", "ocb", "nan",
}

const (
	modeStation = "station"
	modeAP      = "ap"
)

func wifiMode(t wifi.InterfaceType) string {
	if t >= 0 && int(t) < len(wifiModes) {
		return wifiModes[t]
	}
	return strconv.Itoa(int(t))
}

// wifiIface is an interface whose Wi-Fi side is being read.
type wifiIface struct{ state.Wifi }

// readWifi returns the Wi-Fi interfaces of the calling thread's network namespace, by
// index. It needs no privileges. A kernel without nl80211 has none.
func readWifi(ctx context.Context) (map[int]*state.Wifi, error) {
	conn, err := genl.Dial(ctx, unix.NL80211_GENL_NAME)
	if errors.Is(err, genl.ErrNoFamily) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Wi-Fi: %w", err)
	}
	defer conn.Close()
	found, err := readWifiOver(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read Wi-Fi: %w", err)
	}
	return found, nil
}

func readWifiOver(ctx context.Context, conn *genl.Conn) (map[int]*state.Wifi, error) {
	replies, err := conn.Dump(unix.NL80211_CMD_GET_INTERFACE, nil)
	if err != nil {
		return nil, fmt.Errorf("interfaces: %w", err)
	}
	interfaces, err := wifi.ParseInterfaces(replies)
	if err != nil {
		return nil, fmt.Errorf("interfaces: %w", err)
	}
	all := map[int]*state.Wifi{}
	for i, ifi := range interfaces {
		if ifi.Name == "" || ifi.Index == 0 {
			continue // a P2P device: a wdev without a network device
		}
		w := &wifiIface{state.Wifi{Mode: wifiMode(ifi.Type)}}
		var ssid []byte
		if err := ssidRows.Decode(&ssid, replies[i].Data); err != nil {
			return nil, fmt.Errorf("interface %s: %w", ifi.Name, err)
		}
		w.setSSID(ssid)
		if ifi.Frequency > 0 {
			w.Frequency = new(uint32(ifi.Frequency))
		}
		switch w.Mode {
		case modeAP:
			w.BSSID = ifi.HardwareAddr.String()
		case modeStation:
			if err := cmp.Or(w.readStation(conn, ifi.Index), context.Cause(ctx)); err != nil {
				return nil, fmt.Errorf("interface %s: %w", ifi.Name, err)
			}
		}
		all[ifi.Index] = &w.Wifi
	}
	return all, nil
}

// ssidRows reads the bytes of NL80211_ATTR_SSID: package wifi returns an SSID only as
// text, which damages an SSID that is not UTF-8.
var ssidRows = genl.Table[*[]byte]{
	genl.Raw(unix.NL80211_ATTR_SSID, "NL80211_ATTR_SSID", func(b *[]byte) *[]byte { return b }),
}

// readStation adds what a station knows of its access point. A value for which the
// driver returns an error is left out: some firmware fails now and then (brcmfmac
// returns EBADE or ETIMEDOUT), and all other values must not suffer. readStation
// returns an error only if the time of conn is over, so that no more requests can be
// sent.
func (w *wifiIface) readStation(conn *genl.Conn, ifindex int) error {
	request, err := encodeIfindex(ifindex)
	if err != nil {
		return nil
	}
	replies, err := conn.Dump(unix.NL80211_CMD_GET_STATION, request)
	switch {
	case over(err):
		return err
	case errors.Is(err, unix.EOPNOTSUPP): // the driver does not support it
		return w.readCell(conn, request)
	case err != nil:
		// The name may belong to an attempt; the kernel itself knows the cell.
		w.setSSID(nil)
		return w.readCell(conn, request)
	case len(replies) == 0:
		w.setSSID(nil)
		return nil // not associated
	}
	station, err := wifi.ParseStationInfo(replies[0].Data)
	if err != nil {
		return nil // NL80211_ATTR_STA_INFO is missing or malformed
	}
	w.setStation(station)
	var flags stationFlags
	if err := stationRows.Decode(&flags, replies[0].Data); err != nil || flags.refused() {
		w.setSSID(nil)
		return nil
	}
	return w.readCell(conn, request)
}

// over reports whether the context of a genl.Conn has ended. The Conn has a deadline
// of its own if its caller's context has none.
func over(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func encodeIfindex(ifindex int) ([]byte, error) {
	request := netlink.NewAttributeEncoder()
	request.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(ifindex))
	return request.Encode()
}

func (w *wifiIface) setStation(s *wifi.StationInfo) {
	if len(s.HardwareAddr) == 6 {
		w.BSSID = s.HardwareAddr.String()
	}
	if s.Signal != 0 {
		w.Signal = new(s.Signal)
	}
	w.RxBitrate, w.RxWidth = rate(s.ReceiveRateInfo)
	w.TxBitrate, w.TxWidth = rate(s.TransmitRateInfo)
	if g := max(generation(s.ReceiveRateInfo), generation(s.TransmitRateInfo)); g > 0 {
		w.Generation = &g
	}
}

// rate returns a rate in 100 kbit/s and the width of its channel in MHz, nil if there
// is none.
func rate(r wifi.RateInfo) (bitrate, width *uint32) {
	// Package wifi has bit/s in an int. If int has 32 bits, a rate over 2.1 Gbit/s is
	// negative, but its bits are still right.
	if per100k := uint32(uint(r.Bitrate) / 100_000); per100k > 0 {
		return &per100k, channelMHz(r.ChannelWidth)
	}
	return nil, nil
}

func channelMHz(width wifi.ChannelWidth) *uint32 {
	mhz, ok := map[wifi.ChannelWidth]uint32{
		wifi.ChannelWidth20NoHT: 20, wifi.ChannelWidth20: 20, wifi.ChannelWidth40: 40,
		wifi.ChannelWidth80: 80, wifi.ChannelWidth80P80: 160, wifi.ChannelWidth160: 160,
		wifi.ChannelWidth320: 320, wifi.ChannelWidth5: 5, wifi.ChannelWidth10: 10,
		wifi.ChannelWidth1: 1, wifi.ChannelWidth2: 2, wifi.ChannelWidth4: 4,
		wifi.ChannelWidth8: 8, wifi.ChannelWidth16: 16,
	}[width]
	if !ok {
		return nil
	}
	return &mhz
}

// generation returns the number of the Wi-Fi Alliance, or 0 for standards before HT.
func generation(r wifi.RateInfo) uint32 {
	switch r.Modulation.(type) {
	case wifi.HTModulationInfo:
		return 4
	case wifi.VHTModulationInfo:
		return 5
	case wifi.HEModulationInfo:
		return 6
	case wifi.EHTModulationInfo:
		return 7
	}
	return 0
}

// stationFlags is a struct nl80211_sta_flag_update.
type stationFlags struct{ mask, set uint32 }

var stationRows = genl.Table[*stationFlags]{
	genl.Nested(unix.NL80211_ATTR_STA_INFO, "NL80211_ATTR_STA_INFO", genl.Table[*stationFlags]{
		{Number: unix.NL80211_STA_INFO_STA_FLAGS, Name: "NL80211_STA_INFO_STA_FLAGS", Decode: decodeStationFlags},
	}, func(f *stationFlags) *stationFlags { return f }),
}

func decodeStationFlags(f *stationFlags, b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%d bytes instead of 8", len(b))
	}
	f.mask, f.set = binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
	return nil
}

// refused reports whether the station is associated but its passphrase is not proven
// yet, or wrong. If a driver does not report the flag, the passphrase counts as
// proven.
func (f stationFlags) refused() bool {
	const authorized = 1 << unix.NL80211_STA_FLAG_AUTHORIZED
	return f.mask&authorized != 0 && f.set&authorized == 0
}

// cell is one entry of the table of scan results.
type cell struct {
	status            *uint32 // NL80211_BSS_STATUS_…; nil: not our cell
	bssid             []byte
	frequency         uint32
	elements, beacons []byte // information elements
}

var cellRows = genl.Table[*cell]{
	genl.Nested(unix.NL80211_ATTR_BSS, "NL80211_ATTR_BSS", genl.Table[*cell]{
		genl.Optional(unix.NL80211_BSS_STATUS, "NL80211_BSS_STATUS", func(c *cell) **uint32 { return &c.status }),
		genl.Raw(unix.NL80211_BSS_BSSID, "NL80211_BSS_BSSID", func(c *cell) *[]byte { return &c.bssid }),
		genl.Number(unix.NL80211_BSS_FREQUENCY, "NL80211_BSS_FREQUENCY", func(c *cell) *uint32 { return &c.frequency }),
		genl.Raw(unix.NL80211_BSS_INFORMATION_ELEMENTS, "NL80211_BSS_INFORMATION_ELEMENTS", func(c *cell) *[]byte { return &c.elements }),
		genl.Raw(unix.NL80211_BSS_BEACON_IES, "NL80211_BSS_BEACON_IES", func(c *cell) *[]byte { return &c.beacons }),
	}, func(c *cell) *cell { return c }),
}

// readCell adds the network's name, channel and access point from the table of scan
// results, for kernels and drivers that do not report them otherwise. Its error is
// that of readStation.
func (w *wifiIface) readCell(conn *genl.Conn, request []byte) error {
	if w.SSIDHex != "" && w.Frequency != nil && w.BSSID != "" {
		return nil
	}
	replies, err := conn.Dump(unix.NL80211_CMD_GET_SCAN, request)
	switch {
	case over(err):
		return err
	case err != nil:
		return nil
	}
	for _, reply := range replies {
		var c cell
		if err := cellRows.Decode(&c, reply.Data); err != nil {
			continue
		}
		if c.status != nil && *c.status == unix.NL80211_BSS_STATUS_ASSOCIATED {
			w.setCell(c)
		}
	}
	return nil
}

func (w *wifiIface) setCell(c cell) {
	if w.Frequency == nil && c.frequency != 0 {
		w.Frequency = &c.frequency
	}
	if w.BSSID == "" && len(c.bssid) == 6 {
		w.BSSID = net.HardwareAddr(c.bssid).String()
	}
	for _, elements := range [][]byte{c.elements, c.beacons} {
		if w.SSIDHex == "" {
			w.setSSID(ssidElement(elements))
		}
	}
}

// ssidElement finds the SSID among information elements (IEEE 802.11-2020,
// 9.4.2.2).
func ssidElement(b []byte) []byte {
	const ssid = 0
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		if b[0] == ssid {
			return b[2 : 2+int(b[1])]
		}
		b = b[2+int(b[1]):]
	}
	return nil
}

// setSSID sets the network's name. Some access points send an SSID of NUL bytes to
// hide their name, so such an SSID counts as none.
func (w *wifiIface) setSSID(ssid []byte) {
	w.SSID, w.SSIDHex = "", ""
	if strings.Trim(string(ssid), "\x00") != "" {
		w.SSID, w.SSIDHex = ssidtext.Text(ssid), hex.EncodeToString(ssid)
	}
}
