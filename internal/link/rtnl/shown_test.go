package rtnl

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shown are messages composed by hand after linux/if_link.h and the kernel's
// functions that fill them, little endian, and what is shown of them.
var shown = []struct {
	name  string
	bytes string // behind the header
	data  func(*Link) any
	json  string
}{
	{"macsec as the kernel makes it by default",
		info("macsec", `
			0c00 0100 525400123456 0001  0500 0300 10 000000  0c00 0400 0100000100028000  0500 0600 00 000000  0500 0700 01 000000
			0500 0800 01 000000  0500 0900 01 000000  0500 0a00 00 000000  0500 0b00 00 000000  0500 0c00 01 000000
			0500 0d00 02 000000  0500 0f00 01 000000  0800 0500 20000000`),
		func(l *Link) any { return l.Info.Data },
		`{"base_iface":"","sci":5932366687341248513,"icv_len":16,"cipher":"gcm-aes128","window":32,"encoding_sa":0,"encrypt":true,"protect":true,"send_sci":true,
		  "end_station":false,"scb":false,"replay_protect":true,"validate":"strict","offload":"phy"}`},
	{"macsec with a cipher of the future",
		info("macsec", `0c00 0400 0900000100c28000  0500 0d00 07 000000`),
		func(l *Link) any { return l.Info.Data },
		`{"base_iface":"","cipher":"36242102291529737","validate":"7"}`},
	{"macsec XPN",
		info("macsec", `0c00 0400 0400000100c28000`),
		func(l *Link) any { return l.Info.Data },
		`{"base_iface":"","cipher":"gcm-aes-xpn256"}`},
	{"hsr", info("hsr", `
			0800 0100 03000000  0800 0200 04000000  0a00 0400 01154e00012d 0000  0600 0500 f0ff 0000  0500 0600 01 000000  0500 0700 00 000000`),
		func(l *Link) any {
			h := l.Info.Data.(*HSR)
			return []any{h.FirstPort, h.SecondPort, h.Interlink, h.HSR}
		},
		`[3,4,0,{"port1":"","port2":"","supervision_addr":"01:15:4e:00:01:2d","seq_nr":65520,"version":1,"protocol":"hsr"}]`},
	{"prp", info("hsr", `0500 0300 2d 000000  0500 0700 01 000000`),
		func(l *Link) any { return l.Info.Data.(*HSR).HSR },
		`{"port1":"","port2":"","multicast_spec":45,"protocol":"prp"}`},
	{"ipoib", info("ipoib", `0600 0100 ffff 0000  0600 0200 0100 0000  0600 0300 0000 0000`),
		func(l *Link) any { return l.Info.Data },
		`{"pkey":65535,"mode":"connected","umcast":false}`},
	{"gre with keys and FOU", info("gre", `
			0800 0100 05000000  0600 0200 2000 0000  0600 0300 a000 0000  0800 0400 0000002a  0800 0500 c0a80001  0800 0600 c0000201  0800 0700 c0000202
			0500 0800 40 000000  0500 0900 00 000000  0500 0a00 01 000000  0600 0e00 0100 0000  0600 1000 0000 0000  0600 1100 15b3 0000  0600 0f00 0100 0000`),
		func(l *Link) any { return []any{l.Info.Data.(*GRE).Parent, l.Info.Data.(*GRE).GRE} },
		`[5,{"local":"192.0.2.1","remote":"192.0.2.2","iflags":["key"],"oflags":["key","csum"],"ikey":42,"okey":3232235521,"ttl":64,"tos":0,"pmtudisc":true,
		  "encap_type":"fou","encap_sport":0,"encap_dport":5555,"encap_flags":["csum"]}]`},
	{"ip6tnl", info("ip6tnl", `0500 0600 04 000000  0800 0700 0012b0c4  0800 0800 03000300  0500 0900 29 000000`),
		func(l *Link) any { return l.Info.Data.(*IP6Tunnel).IP6Tunnel },
		`{"encap_limit":4,"flowinfo":1224900,"flags":["ign_encap_limit","use_orig_tclass","cap_xmit","cap_rcv"],"proto":"ipv6"}`},
	{"sit with ISATAP", info("sit", `0600 0800 0100 0000  0500 0900 00 000000`),
		func(l *Link) any { return l.Info.Data.(*IPTunnel).IPTunnel },
		`{"flags":["isatap"],"proto":"any"}`},
	{"ipvlan", info("ipvlan", `0600 0100 0200 0000  0600 0200 0900 0000`),
		func(l *Link) any { return l.Info.Data },
		`{"base_iface":"","mode":"l3s","flags":["private","8"]}`},
	{"geneve over IPv6", info("geneve", `0800 0100 e7030000  1400 0700 fd000000000000000000000000000001  0600 0500 17c1 0000  0400 0600  0800 0b00 00012345`),
		func(l *Link) any { return l.Info.Data },
		`{"id":999,"remote":"fd00::1","port":6081,"collect_metadata":true,"label":74565}`},
	{"kind that is not known", info("newkind", `0800 0100 05000000`),
		func(l *Link) any { return []any{l.Info.Kind, l.Info.Data} },
		`["newkind",null]`},
	{"data without attributes", info("tun", ""),
		func(l *Link) any { return l.Info.Data },
		`{}`},
	{"link in another namespace", "0800 2500 00000000  0800 0500 02000000",
		func(l *Link) any { return []any{l.LinkNetnsID, l.Parent} }, `[0,2]`},
	{"link in a namespace without a number", "0800 2500 ffffffff  0800 0500 02000000",
		func(l *Link) any { return []any{l.LinkNetnsID, l.Parent} }, `[-1,2]`},
	{"alternative names", "1800 3480 0800 3500 6e310000  0a00 3500 6c6f6e6732000000",
		func(l *Link) any { return l.AltNames }, `["n1","long2"]`},
	{"statistics", nest(23, counted(25)), func(l *Link) any { return l.Stats },
		`{"rx_packets":1,"tx_packets":2,"rx_bytes":3,"tx_bytes":4,"rx_errors":5,"tx_errors":6,"rx_dropped":7,"tx_dropped":8,"multicast":9,"collisions":10,
		  "rx_length_errors":11,"rx_over_errors":12,"rx_crc_errors":13,"rx_frame_errors":14,"rx_fifo_errors":15,"rx_missed_errors":16,
		  "tx_aborted_errors":17,"tx_carrier_errors":18,"tx_fifo_errors":19,"tx_heartbeat_errors":20,"tx_window_errors":21,
		  "rx_compressed":22,"tx_compressed":23,"rx_nohandler":24,"rx_otherhost_dropped":25}`},
	{"statistics of an old kernel", "bc00 1700" + strings.Repeat("0100000000000000", 22) + "0002000000000000",
		func(l *Link) any { return []any{l.Stats.RxPackets, l.Stats.TxCompressed, l.Stats.RxNoHandler} }, `[1,512,0]`},
	{"statistics of a new kernel", "d400 1700" + strings.Repeat("0000000000000000", 24) + "0300000000000000 0900000000000000",
		func(l *Link) any { return l.Stats.RxOtherHostDropped }, `3`},
	{"port of a switch", "0700 2600 703000 00  0800 2400 0a0b0c0d  1100 3800 303030303a30333a30302e3000 000000  0800 3900 70636900",
		func(l *Link) any { return l.Hardware },
		`{"PortID":"","PortName":"p0","SwitchID":"0a:0b:0c:0d","ParentDevice":"0000:03:00.0","ParentBus":"pci"}`},
	{"IPv6 token", "3400 1a80 0800 0280 0400 0100  2800 0a80 0800 0100 40000080  1400 0700 0000000000000000000000000000abcd  0500 0800 02 000000  0400 0200",
		func(l *Link) any { return []any{l.IPv6.Flags, l.IPv6.Token, l.IPv6.AddrGenMode} }, `[2147483712,"::abcd",2]`},
}

// info is IFLA_LINKINFO of a kind with its data, in hexadecimal.
func info(kind, data string) string {
	return nest(0x8012, nest(1, hex.EncodeToString([]byte(kind+"\x00")))+nest(0x8002, data))
}

// nest is an attribute with its padding, in hexadecimal.
func nest(number uint16, payload string) string {
	b, err := hex.DecodeString(squeeze(payload))
	if err != nil {
		panic(err)
	}
	size := headerSize + len(b)
	header, _ := binary.Append(nil, binary.LittleEndian, []uint16{uint16(size), number})
	return hex.EncodeToString(append(append(header, b...), make([]byte, align(size)-size)...))
}

// counted is numbers of 64 bits from 1 on, in hexadecimal.
func counted(to int) string {
	var b []byte
	for i := range to {
		b = binary.LittleEndian.AppendUint64(b, uint64(i+1))
	}
	return hex.EncodeToString(b)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func TestShown(t *testing.T) {
	const header = "00 00 0100 03000000 43100100 00000000"
	for _, test := range shown {
		t.Run(test.name, func(t *testing.T) {
			var l Link
			if err := l.UnmarshalBinary(unhex(t, header+test.bytes)); err != nil {
				t.Fatal(err)
			}
			checkShown(t, test.data(&l), test.json)
		})
	}
}

func checkShown(t *testing.T, data any, want string) {
	t.Helper()
	b, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain(t, []byte(want)), plain(t, b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// plain is JSON of which all numbers are as they are written.
func plain(t *testing.T, b []byte) any {
	t.Helper()
	var out any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return out
}
