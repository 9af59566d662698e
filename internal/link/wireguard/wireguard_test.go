package wireguard

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// The messages in this file are composed by hand after linux/wireguard.h.

type fill = func(*netlink.AttributeEncoder)

// device is one message of WG_CMD_GET_DEVICE.
func device(t testing.TB, first bool, peers ...fill) []byte {
	t.Helper()
	attributes := netlink.NewAttributeEncoder()
	if first {
		attributes.Uint32(unix.WGDEVICE_A_IFINDEX, 5)
		attributes.String(unix.WGDEVICE_A_IFNAME, "wg0")
		attributes.Bytes(unix.WGDEVICE_A_PRIVATE_KEY, []byte(strings.Repeat("K", 32)))
		attributes.Bytes(unix.WGDEVICE_A_PUBLIC_KEY, []byte(strings.Repeat("K", 32)))
		attributes.Uint16(unix.WGDEVICE_A_LISTEN_PORT, 51820)
		attributes.Uint32(unix.WGDEVICE_A_FWMARK, 0)
	}
	attributes.Nested(unix.WGDEVICE_A_PEERS, list(peers))
	b, err := attributes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// list writes elements as the kernel does, all with the number 0.
func list(elements []fill) func(*netlink.AttributeEncoder) error {
	return func(ae *netlink.AttributeEncoder) error {
		for _, element := range elements {
			ae.Nested(0, func(nae *netlink.AttributeEncoder) error {
				element(nae)
				return nil
			})
		}
		return nil
	}
}

// peer has the counter that only the first message about it has.
func peer(rx uint64, networks ...string) fill {
	return func(ae *netlink.AttributeEncoder) {
		more(networks...)(ae)
		ae.Uint64(unix.WGPEER_A_RX_BYTES, rx)
	}
}

// more is the rest of a peer's addresses in the next message.
func more(networks ...string) fill {
	return func(ae *netlink.AttributeEncoder) {
		ae.Bytes(unix.WGPEER_A_PUBLIC_KEY, []byte(strings.Repeat("K", 32)))
		var elements []fill
		for _, network := range networks {
			elements = append(elements, allowed(netip.MustParsePrefix(network)))
		}
		ae.Nested(unix.WGPEER_A_ALLOWEDIPS, list(elements))
	}
}

func allowed(network netip.Prefix) fill {
	return func(ae *netlink.AttributeEncoder) {
		family := uint16(unix.AF_INET6)
		if network.Addr().Is4() {
			family = unix.AF_INET
		}
		ae.Uint16(unix.WGALLOWEDIP_A_FAMILY, family)
		ae.Bytes(unix.WGALLOWEDIP_A_IPADDR, network.Addr().AsSlice())
		ae.Uint8(unix.WGALLOWEDIP_A_CIDR_MASK, uint8(network.Bits()))
	}
}

// endpoint is a struct sockaddr_in or sockaddr_in6.
func endpoint(at netip.AddrPort, scope uint32) []byte {
	if at.Addr().Is4() {
		b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
		b = binary.BigEndian.AppendUint16(b, at.Port())
		return append(append(b, at.Addr().AsSlice()...), make([]byte, 8)...)
	}
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET6)
	b = binary.BigEndian.AppendUint16(b, at.Port())
	b = append(append(b, 0, 0, 0, 9), at.Addr().AsSlice()...) // flow 9
	return binary.NativeEndian.AppendUint32(b, scope)
}

func timespec(s, ns int64) []byte {
	return binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, uint64(s)), uint64(ns))
}

func TestDecode(t *testing.T) {
	all := func(ae *netlink.AttributeEncoder) {
		peer(1<<40, "10.0.0.0/8", "fd00::/8")(ae)
		ae.Bytes(unix.WGPEER_A_PRESHARED_KEY, []byte(strings.Repeat("K", 32)))
		ae.Bytes(unix.WGPEER_A_ENDPOINT, endpoint(netip.MustParseAddrPort("192.0.2.1:51821"), 0))
		ae.Uint16(unix.WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25)
		ae.Bytes(unix.WGPEER_A_LAST_HANDSHAKE_TIME, timespec(1_700_000_000, 5e8))
		ae.Uint64(unix.WGPEER_A_TX_BYTES, 7)
		ae.Uint32(unix.WGPEER_A_PROTOCOL_VERSION, 1)
		ae.Uint32(99, 1)
	}
	v6 := func(ae *netlink.AttributeEncoder) {
		peer(0)(ae)
		ae.Bytes(unix.WGPEER_A_ENDPOINT, endpoint(netip.MustParseAddrPort("[fe80::1]:9"), 3))
		ae.Bytes(unix.WGPEER_A_LAST_HANDSHAKE_TIME, timespec(0, 0))
	}
	for _, row := range []struct {
		name     string
		messages [][]byte
		want     string
	}{
		{"no peers", [][]byte{device(t, true)}, `{"listen_port":51820,"fwmark":0}`},
		{"all, and no keys", [][]byte{device(t, true, all)}, `{"listen_port":51820,"fwmark":0,"peers":[{"endpoint":"192.0.2.1:51821","allowed_ips":["10.0.0.0/8","fd00::/8"],` +
			`"persistent_keepalive":25,"last_handshake":"2023-11-14T22:13:20.5Z","rx_bytes":1099511627776,"tx_bytes":7,"protocol_version":1}]}`},
		{"link-local endpoint, never a handshake", [][]byte{device(t, true, v6)},
			`{"listen_port":51820,"fwmark":0,"peers":[{"endpoint":"[fe80::1%3]:9","rx_bytes":0}]}`},
		{"cut between peers", [][]byte{device(t, true, peer(1)), device(t, false, peer(2))},
			`{"listen_port":51820,"fwmark":0,"peers":[{"rx_bytes":1},{"rx_bytes":2}]}`},
		{"cut amidst a peer, twice", [][]byte{
			device(t, true, peer(1), peer(2, "10.0.0.0/8")), device(t, false, more("10.1.0.0/16")), device(t, false, more("10.2.0.0/16"), peer(3, "::/0")),
		}, `{"listen_port":51820,"fwmark":0,"peers":[{"rx_bytes":1},{"allowed_ips":["10.0.0.0/8","10.1.0.0/16","10.2.0.0/16"],"rx_bytes":2},{"allowed_ips":["::/0"],"rx_bytes":3}]}`},
		{"first message without peers", [][]byte{device(t, true), device(t, false, peer(1))},
			`{"listen_port":51820,"fwmark":0,"peers":[{"rx_bytes":1}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := decode(messages(row.messages))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(got)
			if diff := cmp.Diff(row.want, string(text)); diff != "" {
				t.Error(diff)
			}
			var again state.WireGuard
			if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(*got, again, byValue) {
				t.Errorf("does not come back from JSON: %v %s", err, cmp.Diff(*got, again, byValue))
			}
			if s := fmt.Sprintf("%+v %s", got, text); strings.Contains(s, "KKKK") || strings.Contains(s, "75 75 75") {
				t.Errorf("has a key: %s", s)
			}
		})
	}
}

var byValue = cmp.Options{
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func messages(all [][]byte) []genetlink.Message {
	var out []genetlink.Message
	for _, b := range all {
		out = append(out, genetlink.Message{Data: b})
	}
	return out
}

func TestDecodeRefuses(t *testing.T) {
	raw := func(number uint16, b []byte) []byte {
		return device(t, true, func(ae *netlink.AttributeEncoder) { ae.Bytes(number, b) })
	}
	network := func(family uint16, address []byte, bits uint8) []byte {
		return device(t, true, func(ae *netlink.AttributeEncoder) {
			ae.Nested(unix.WGPEER_A_ALLOWEDIPS, list([]fill{func(ae *netlink.AttributeEncoder) {
				ae.Uint16(unix.WGALLOWEDIP_A_FAMILY, family)
				ae.Bytes(unix.WGALLOWEDIP_A_IPADDR, address)
				ae.Uint8(unix.WGALLOWEDIP_A_CIDR_MASK, bits)
			}}))
		})
	}
	family := func(f uint16, length int) []byte {
		return append(binary.NativeEndian.AppendUint16(nil, f), make([]byte, length-2)...)
	}
	for _, row := range []struct {
		name string
		b    []byte
		want string
	}{
		{"cut", []byte{40, 0, 8, 0, 1}, "length"},
		{"endpoint of 1 byte", raw(unix.WGPEER_A_ENDPOINT, []byte{2}), "WGPEER_A_ENDPOINT: 1 bytes are no socket address"},
		{"endpoint of IPv4 cut", raw(unix.WGPEER_A_ENDPOINT, family(unix.AF_INET, 5)), "5 bytes are no socket address of family 2"},
		{"endpoint of IPv6 cut", raw(unix.WGPEER_A_ENDPOINT, family(unix.AF_INET6, 27)), "27 bytes are no socket address of family 10"},
		{"endpoint of another family", raw(unix.WGPEER_A_ENDPOINT, family(1, 32)), "family 1"},
		{"handshake cut", raw(unix.WGPEER_A_LAST_HANDSHAKE_TIME, make([]byte, 8)), "8 bytes instead of 16"},
		{"handshake after all years", raw(unix.WGPEER_A_LAST_HANDSHAKE_TIME, timespec(yearEnd, 0)), "is no time"},
		{"handshake with too many ns", raw(unix.WGPEER_A_LAST_HANDSHAKE_TIME, timespec(1, 1e9)), "is no time"},
		{"prefix longer than the address", network(unix.AF_INET, make([]byte, 4), 33), "WGPEER_A_ALLOWEDIPS: no network"},
		{"address of the other family", network(unix.AF_INET, make([]byte, 16), 3), "no network"},
		{"address of 5 bytes", network(unix.AF_INET, make([]byte, 5), 3), "no network"},
		{"counter of 4 bytes", raw(unix.WGPEER_A_RX_BYTES, make([]byte, 4)), "WGPEER_A_RX_BYTES: 4 bytes instead of 8"},
	} {
		if got, err := decode(messages([][]byte{row.b})); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %+v, %v; want %s", row.name, got, err, row.want)
		}
	}
	at := time.Unix(yearEnd-1, 0).UTC()
	if _, err := json.Marshal(at); err != nil {
		t.Errorf("the last second does not go into JSON: %v", err)
	}
}

// TestRefusals has a kernel with the WireGuard link 5.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		name string
		says map[uint32]error // by index; absent: the link is there
		want string
		err  error
	}{
		{"all there", nil, "5 6 7", nil},
		{"no CAP_NET_ADMIN", map[uint32]error{5: unix.EPERM}, "", nil},
		{"one gone, one of another kind", map[uint32]error{5: unix.ENODEV, 6: unix.EOPNOTSUPP}, "7", nil},
		{"broken", map[uint32]error{6: unix.EIO}, "", unix.EIO},
	} {
		t.Run(row.name, func(t *testing.T) {
			kernel := func(request genetlink.Message, header netlink.Message) ([]genetlink.Message, error) {
				var index uint32
				rows := genl.Table[*uint32]{genl.Number(unix.WGDEVICE_A_IFINDEX, "WGDEVICE_A_IFINDEX", func(n *uint32) *uint32 { return n })}
				if err := rows.Decode(&index, request.Data); err != nil || header.Header.Flags&netlink.Dump != netlink.Dump || request.Header.Command != unix.WG_CMD_GET_DEVICE {
					t.Errorf("request %+v %x: %v", header.Header, request.Data, err)
				}
				if err := row.says[index]; err != nil {
					return nil, err
				}
				return messages([][]byte{device(t, true, peer(1))}), nil
			}
			conn, err := genl.Over(t.Context(), genltest.Dial(genltest.ServeFamily(genetlink.Family{ID: 0x20, Name: "wireguard", Version: 1}, kernel)), "wireguard")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			devices, err := read(conn, []int32{5, 6, 7})
			var got []string
			for index := int32(5); index <= 7; index++ {
				if devices[index] != nil {
					got = append(got, fmt.Sprint(index))
				}
			}
			if strings.Join(got, " ") != row.want || !errors.Is(err, row.err) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestRead asks the kernel of this machine about the loopback link, which is
// none of WireGuard's.
func TestRead(t *testing.T) {
	if devices, err := Read(t.Context(), []int32{1}); err != nil || len(devices) != 0 {
		t.Errorf("%v, %v", devices, err)
	}
	if devices, err := Read(t.Context(), nil); err != nil || len(devices) != 0 {
		t.Errorf("no links: %v, %v", devices, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, []int32{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(device(f, true, peer(1, "10.0.0.0/8"), func(ae *netlink.AttributeEncoder) {
		peer(2, "fd00::/8")(ae)
		ae.Bytes(unix.WGPEER_A_ENDPOINT, endpoint(netip.MustParseAddrPort("[::ffff:192.0.2.1]:9"), 3))
		ae.Bytes(unix.WGPEER_A_LAST_HANDSHAKE_TIME, timespec(1, 2))
	}), device(f, false, more("10.1.0.0/16")))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		got, err := decode(messages([][]byte{one, two}))
		if err != nil {
			return
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var again state.WireGuard
		if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(*got, again, byValue) {
			t.Errorf("does not come back from JSON: %v %s", err, text)
		}
	})
}
