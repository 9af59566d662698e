package rtnl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vfInfo is one IFLA_VF_INFO, in hexadecimal.
func vfInfo(attributes ...string) string { return nest(0x8001, strings.Join(attributes, "")) }

// vfMAC is struct ifla_vf_mac of an Ethernet card.
func vfMAC(id, mac string) string { return nest(1, id+mac+strings.Repeat("00", 26)) }

// shownVFs are composed by hand after linux/if_link.h and rtnl_fill_vfinfo of
// the kernel, little endian.
var shownVFs = []struct {
	name string
	list string
	json string
}{
	{"no function", "", `null`},
	{"all that an Ethernet driver says", vfInfo(
		vfMAC("02000000", "020000000a01"),
		nest(13, strings.Repeat("ff", 6)+strings.Repeat("00", 26)),
		nest(2, "02000000 64000000 05000000"),
		nest(6, "02000000 0a000000 e8030000"),
		nest(3, "02000000 e8030000"),
		nest(4, "02000000 01000000"),
		nest(5, "02000000 02000000"),
		nest(7, "02000000 00000000"),
		nest(9, "02000000 01000000"),
		nest(0x800c, nest(1, "02000000 64000000 05000000 88a8 0000")),
		nest(0x8008, nest(0, "0100000000000000")+nest(1, "0200000000000000")+nest(2, "0300000000000000")+nest(3, "0400000000000000")+
			nest(4, "0500000000000000")+nest(5, "0600000000000000")+nest(7, "0700000000000000")+nest(8, "0000000000000080"))),
		`[{"id":2,"mac":"02:00:00:00:0a:01","broadcast":"ff:ff:ff:ff:ff:ff","vlan_id":100,"qos":5,"vlan_proto":"802.1ad","tx_rate":1000,"spoof_check":true,
		   "link_state":"disable","min_tx_rate":10,"max_tx_rate":1000,"query_rss":false,"trust":true,
		   "state":{"rx_packets":1,"tx_packets":2,"rx_bytes":3,"tx_bytes":4,"broadcast":5,"multicast":6,"rx_dropped":7,"tx_dropped":9223372036854775808}}]`},
	{"what the driver does not know", vfInfo(vfMAC("00000000", "020000000a00"), nest(4, "00000000 ffffffff"), nest(7, "00000000 ffffffff"), nest(9, "00000000 ffffffff")),
		`[{"id":0,"mac":"02:00:00:00:0a:00"}]`},
	{"two, the second InfiniBand", vfInfo(vfMAC("00000000", "020000000a00")) + vfInfo(vfMAC("01000000", "020000000a01"),
		nest(10, "01000000 00000000 efcdab8967452301"), nest(11, "01000000 00000000 0100000000000000")),
		`[{"id":0,"mac":"02:00:00:00:0a:00"},{"id":1,"mac":"02:00:00:00:0a:01","ib_node_guid":"123456789ABCDEF","ib_port_guid":"1"}]`},
	{"longer structs, unknown attributes", nest(7, "00") + vfInfo(vfMAC("03000000", "020000000a03"), nest(6, "03000000 01000000 02000000 09090909"), nest(99, "aa")),
		`[{"id":3,"mac":"02:00:00:00:0a:03","min_tx_rate":1,"max_tx_rate":2}]`},
}

func TestShownVFs(t *testing.T) {
	for _, test := range shownVFs {
		t.Run(test.name, func(t *testing.T) {
			// The list comes before the link's own address, which gives the length.
			b := unhex(t, strings.Repeat("00", linkHeaderSize)+nest(0x8016, test.list)+nest(1, "020000000001"))
			var l, again Link
			if err := l.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			checkShown(t, l.VFs, test.json)
			written, err := l.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if err := again.UnmarshalBinary(written); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(l, again, compareAll...); diff != "" {
				t.Errorf("(-read +read again):\n%s", diff)
			}
		})
	}
}

func TestLinkRefuses(t *testing.T) {
	tests := []struct {
		name, bytes, text string
	}{
		{"function without address", nest(0x8016, vfInfo(nest(3, "02000000 e8030000"))), "IFLA_VFINFO_LIST: attribute IFLA_VF_INFO: without IFLA_VF_MAC"},
		{"short address of a function", nest(0x8016, vfInfo(nest(1, "02000000 020000000a01"))), "IFLA_VF_MAC: 10 bytes instead of 36"},
		{"short rate", nest(0x8016, vfInfo(nest(6, "02000000 01000000"))), "IFLA_VF_RATE: 8 bytes instead of 12"},
		{"short VLAN", nest(0x8016, vfInfo(nest(12, nest(1, "02000000 01000000 02000000")))), "IFLA_VF_VLAN_INFO: 12 bytes instead of 14"},
		{"short GUID", nest(0x8016, vfInfo(nest(10, "01000000 efcdab8967452301"))), "IFLA_VF_IB_NODE_GUID: 12 bytes instead of 16"},
		{"short counter", nest(0x8016, vfInfo(nest(8, nest(2, "01000000")))), "IFLA_VF_STATS_RX_BYTES: 4 bytes instead of 8"},
		{"function cut off", nest(0x8016, "0800 0100"), "IFLA_VFINFO_LIST: "},
		{"short statistics", nest(23, strings.Repeat("00", 22*8)), "IFLA_STATS64: 176 bytes instead of 184"},
		{"token of IPv4", nest(0x801a, nest(0x800a, nest(7, "0a000001"))), "IFLA_INET6_TOKEN: 4 bytes instead of 16"},
		{"queue length of two bytes", nest(13, "0001"), "IFLA_TXQLEN: 2 bytes instead of 4"},
		{"allowed address of five bytes", info("macvlan", nest(5, nest(4, "0200000001"))), "data of kind macvlan: attribute IFLA_MACVLAN_MACADDR_DATA: attribute IFLA_MACVLAN_MACADDR: 5 bytes instead of 6"},
		{"mode of eight bytes", info("tun", nest(3, "0100000000000000")), "data of kind tun: attribute IFLA_TUN_TYPE: 8 bytes instead of 1"},
		{"flags of 32 bits", info("gre", nest(2, "00000020")), "data of kind gre: attribute IFLA_GRE_IFLAGS: 4 bytes instead of 2"},
		{"SCI of four bytes", info("macsec", nest(1, "00000020")), "IFLA_MACSEC_SCI: 4 bytes instead of 8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := new(Link).UnmarshalBinary(unhex(t, strings.Repeat("00", linkHeaderSize)+test.bytes))
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want …%s…", err, test.text)
			}
		})
	}
}
