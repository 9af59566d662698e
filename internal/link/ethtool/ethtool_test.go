package ethtool

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// The replies in this file are composed by hand after linux/ethtool_netlink.h.

// reply is a reply about one link, with what fill adds.
func reply(t testing.TB, index uint32, fill func(*netlink.AttributeEncoder)) []byte {
	t.Helper()
	attributes := netlink.NewAttributeEncoder()
	attributes.Nested(headerNumber, func(header *netlink.AttributeEncoder) error {
		header.Uint32(unix.ETHTOOL_A_HEADER_DEV_INDEX, index)
		header.String(unix.ETHTOOL_A_HEADER_DEV_NAME, "eth0")
		return nil
	})
	fill(attributes)
	b, err := attributes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// putBits adds a bitset of 96 bits; mask nil makes it a list.
func putBits(attributes *netlink.AttributeEncoder, number uint16, mask, value []uint32) {
	words := func(bits []uint32) []byte {
		b := make([]byte, 12)
		for _, bit := range bits {
			word := b[bit/32*4:]
			binary.NativeEndian.PutUint32(word, binary.NativeEndian.Uint32(word)|1<<(bit%32))
		}
		return b
	}
	attributes.Nested(number, func(set *netlink.AttributeEncoder) error {
		set.Flag(unix.ETHTOOL_A_BITSET_NOMASK, mask == nil)
		set.Uint32(unix.ETHTOOL_A_BITSET_SIZE, 96)
		set.Bytes(unix.ETHTOOL_A_BITSET_VALUE, words(value))
		if mask != nil {
			set.Bytes(unix.ETHTOOL_A_BITSET_MASK, words(mask))
		}
		return nil
	})
}

var dict = dictionary{
	features:  names{"tx-scatter-gather", "rx-gro", "tx-lockless", "highdma", ""},
	linkModes: names{0: "10baseT/Half", 5: "1000baseT/Full", 6: "Autoneg", 50: "RS"},
}

func TestDecode(t *testing.T) {
	for _, row := range []struct {
		name string
		part string
		fill func(*netlink.AttributeEncoder)
		want string
	}{
		{"pause", "pause", func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.ETHTOOL_A_PAUSE_AUTONEG, 1)
			ae.Uint8(unix.ETHTOOL_A_PAUSE_RX, 0)
			ae.Uint8(unix.ETHTOOL_A_PAUSE_TX, 1)
		}, `{"pause":{"rx":false,"tx":true,"auto_negotiate":true}}`},
		{"features: what the driver can change and the kernel never", "features", func(ae *netlink.AttributeEncoder) {
			putBits(ae, unix.ETHTOOL_A_FEATURES_HW, []uint32{0, 1, 2, 3, 4, 70}, []uint32{0, 1, 2, 70})
			putBits(ae, unix.ETHTOOL_A_FEATURES_WANTED, nil, []uint32{0, 1})
			putBits(ae, unix.ETHTOOL_A_FEATURES_ACTIVE, nil, []uint32{1, 2, 3})
			putBits(ae, unix.ETHTOOL_A_FEATURES_NOCHANGE, nil, []uint32{2})
		}, `{"features":{"fixed":{"highdma":true,"tx-lockless":true},"changeable":{"rx-gro":true,"tx-scatter-gather":false}}}`},
		{"coalesce", "coalesce", func(ae *netlink.AttributeEncoder) {
			for number := uint16(unix.ETHTOOL_A_COALESCE_RX_USECS); number <= coalesceTxAggrTimeUsecs; number++ {
				switch number {
				case unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX,
					unix.ETHTOOL_A_COALESCE_USE_CQE_MODE_RX, unix.ETHTOOL_A_COALESCE_USE_CQE_MODE_TX:
					ae.Uint8(number, uint8(number%2))
				default:
					ae.Uint32(number, uint32(number))
				}
			}
			ae.Uint32(200, 1) // of a newer kernel
		}, `{"coalesce":{"rx_usecs":2,"rx_max_frames":3,"rx_usecs_irq":4,"rx_max_frames_irq":5,"tx_usecs":6,"tx_max_frames":7,
			"tx_usecs_irq":8,"tx_max_frames_irq":9,"stats_block_usecs":10,"use_adaptive_rx":true,"use_adaptive_tx":false,
			"pkt_rate_low":13,"rx_usecs_low":14,"rx_max_frames_low":15,"tx_usecs_low":16,"tx_max_frames_low":17,
			"pkt_rate_high":18,"rx_usecs_high":19,"rx_max_frames_high":20,"tx_usecs_high":21,"tx_max_frames_high":22,
			"rate_sample_interval":23,"use_cqe_mode_tx":false,"use_cqe_mode_rx":true,
			"tx_aggr_max_bytes":26,"tx_aggr_max_frames":27,"tx_aggr_time_usecs":28}}`},
		{"coalesce of a driver that knows little", "coalesce", func(ae *netlink.AttributeEncoder) {
			ae.Uint32(unix.ETHTOOL_A_COALESCE_RX_USECS, 0)
		}, `{"coalesce":{"rx_usecs":0}}`},
		{"rings", "rings", func(ae *netlink.AttributeEncoder) {
			for number := uint16(unix.ETHTOOL_A_RINGS_RX_MAX); number <= unix.ETHTOOL_A_RINGS_HDS_THRESH_MAX; number++ {
				switch number {
				case unix.ETHTOOL_A_RINGS_TCP_DATA_SPLIT, unix.ETHTOOL_A_RINGS_TX_PUSH, unix.ETHTOOL_A_RINGS_RX_PUSH:
					ae.Uint8(number, uint8(number%2))
				default:
					ae.Uint32(number, uint32(number))
				}
			}
		}, `{"ring":{"rx_max":2,"rx_mini_max":3,"rx_jumbo_max":4,"tx_max":5,"rx":6,"rx_mini":7,"rx_jumbo":8,"tx":9,
			"rx_buf_len":10,"tcp_data_split":1,"cqe_size":12,"tx_push":true,"rx_push":false,
			"tx_push_buf_len":15,"tx_push_buf_len_max":16,"hds_thresh":17,"hds_thresh_max":18}}`},
		{"link modes of a cable in use", "link modes", func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_AUTONEG, 1)
			putBits(ae, unix.ETHTOOL_A_LINKMODES_OURS, []uint32{0, 5, 6}, []uint32{5, 6})
			putBits(ae, unix.ETHTOOL_A_LINKMODES_PEER, nil, []uint32{0, 6, 95})
			ae.Uint32(unix.ETHTOOL_A_LINKMODES_SPEED, 1000)
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_DUPLEX, 1)
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_MASTER_SLAVE_CFG, 2)
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_MASTER_SLAVE_STATE, 3)
			ae.Uint32(unix.ETHTOOL_A_LINKMODES_LANES, 4)
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_RATE_MATCHING, 0)
		}, `{"link_mode":{"auto_negotiate":true,"supported":["10baseT/Half","1000baseT/Full","Autoneg"],"ours":["1000baseT/Full","Autoneg"],
			"peer":["10baseT/Half","Autoneg"],"speed":1000,"duplex":"full","controller_subordinate_cfg":2,"controller_subordinate_state":3,
			"lanes":4,"rate_matching":0}}`},
		{"link modes of a link that is down", "link modes", func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_AUTONEG, 0)
			putBits(ae, unix.ETHTOOL_A_LINKMODES_OURS, []uint32{}, nil)
			ae.Uint32(unix.ETHTOOL_A_LINKMODES_SPEED, 1<<32-1)
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_DUPLEX, 0xff)
		}, `{"link_mode":{"auto_negotiate":false,"ours":[],"speed":4294967295,"duplex":"unknown"}}`},
		{"a duplex that nobody knows", "link modes", func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_DUPLEX, 7)
		}, `{"link_mode":{"auto_negotiate":false,"ours":[],"speed":4294967295,"duplex":"7"}}`},
		{"half duplex", "link modes", func(ae *netlink.AttributeEncoder) {
			ae.Uint8(unix.ETHTOOL_A_LINKMODES_DUPLEX, 0)
		}, `{"link_mode":{"auto_negotiate":false,"ours":[],"speed":4294967295,"duplex":"half"}}`},
		{"FEC", "FEC", func(ae *netlink.AttributeEncoder) {
			putBits(ae, fecModes, nil, []uint32{49, 50, 51, 74, 95})
			ae.Uint8(fecAuto, 1)
			ae.Uint32(fecActive, 50)
		}, `{"fec":{"active":"rs","auto":true,"configured":["off","rs","baser","llrs","95"]}}`},
		{"FEC without a link", "FEC", func(ae *netlink.AttributeEncoder) {
			putBits(ae, fecModes, nil, nil)
			ae.Uint8(fecAuto, 0)
		}, `{"fec":{"auto":false,"configured":[]}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var device state.Ethtool
			b := reply(t, 1, row.fill)
			if err := partNamed(t, row.part).decode(&device, b, &dict); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(device)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.NewReplacer("\n", "", "\t", "").Replace(row.want), string(text)); diff != "" {
				t.Error(diff)
			}
			var again state.Ethtool
			if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(device, again) {
				t.Errorf("does not come back from JSON: %v %s", err, cmp.Diff(device, again))
			}
		})
	}
}

func partNamed(t testing.TB, name string) part {
	for _, p := range parts {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("no part %q", name)
	return part{}
}

func TestRefusesBrokenReplies(t *testing.T) {
	for _, row := range []struct {
		name, part string
		b          []byte
		want       string
	}{
		{"no header", "pause", nil, "reply about no link"},
		{"cut", "pause", []byte{200, 0, 1, 0, 0}, "length"},
		{"byte of two", "pause", reply(t, 1, func(ae *netlink.AttributeEncoder) { ae.Uint16(unix.ETHTOOL_A_PAUSE_RX, 1) }),
			"link 1: attribute ETHTOOL_A_PAUSE_RX: 2 bytes instead of 1"},
		{"number of two bytes", "rings", reply(t, 1, func(ae *netlink.AttributeEncoder) { ae.Uint16(unix.ETHTOOL_A_RINGS_RX, 1) }),
			"link 1: attribute ETHTOOL_A_RINGS_RX: 2 bytes instead of 4"},
		{"bitset with a short size", "features", reply(t, 1, func(ae *netlink.AttributeEncoder) {
			ae.Nested(unix.ETHTOOL_A_FEATURES_HW, func(set *netlink.AttributeEncoder) error { set.Uint8(unix.ETHTOOL_A_BITSET_SIZE, 1); return nil })
		}), "attribute ETHTOOL_A_FEATURES_HW: attribute ETHTOOL_A_BITSET_SIZE: 1 bytes instead of 4"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := reader{dict: dict, devices: map[int32]*state.Ethtool{}}
			err := r.add(partNamed(t, row.part), []genetlink.Message{{Data: row.b}})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

// TestRefusals has a kernel with links 1 to 3 that refuses this and that.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		name string
		dump unix.Errno // of pause, whole
		link unix.Errno // of pause, link 2
		want map[int32]bool
	}{
		{"nothing", 0, 0, map[int32]bool{1: true, 2: true, 3: true}},
		{"the kernel does not know the part", unix.EOPNOTSUPP, 0, map[int32]bool{1: false, 2: false, 3: false}},
		{"a driver ends the dump", unix.ENODEV, unix.ENODEV, map[int32]bool{1: true, 2: false, 3: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			kernel := func(request genetlink.Message, header netlink.Message) ([]genetlink.Message, error) {
				return fakeKernel(t, request, header, row.dump, row.link)
			}
			conn, err := genl.Over(t.Context(), genltest.Dial(genltest.ServeFamily(genetlink.Family{ID: 0x20, Name: "ethtool", Version: 1}, kernel)), "ethtool")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			devices, err := read(t.Context(), conn)
			got := map[int32]bool{}
			for index, device := range devices {
				got[index] = device.Pause != nil && device.Features.Changeable["rx-gro"]
				if row.want[index] != got[index] && device.Features == nil {
					t.Errorf("link %d has no features", index)
				}
			}
			if diff := cmp.Diff(row.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

// fakeKernel refuses without package genltest's Error, which takes a refused
// dump's flags for those of the reply.
func fakeKernel(t *testing.T, request genetlink.Message, header netlink.Message, dump, link unix.Errno) ([]genetlink.Message, error) {
	about, err := decodeIndex(request.Data)
	if err != nil {
		t.Errorf("request: %v", err)
	}
	var replies []genetlink.Message
	each := func(fill func(*netlink.AttributeEncoder)) {
		for index := range uint32(3) {
			if about == 0 || about == int32(index+1) {
				replies = append(replies, genetlink.Message{Data: reply(t, index+1, fill)})
			}
		}
	}
	whole := header.Header.Flags&netlink.Dump == netlink.Dump
	switch {
	case request.Header.Command == unix.ETHTOOL_MSG_STRSET_GET:
		return []genetlink.Message{{Data: stringSets(t, map[uint32][]string{stringsFeatures: dict.features})}}, nil
	case request.Header.Command == unix.ETHTOOL_MSG_FEATURES_GET:
		each(func(ae *netlink.AttributeEncoder) {
			putBits(ae, unix.ETHTOOL_A_FEATURES_HW, []uint32{1}, []uint32{1})
			putBits(ae, unix.ETHTOOL_A_FEATURES_ACTIVE, nil, []uint32{1})
		})
	case request.Header.Command != unix.ETHTOOL_MSG_PAUSE_GET:
		return nil, unix.EOPNOTSUPP
	case whole && dump != 0:
		return nil, dump
	case about == 2 && link != 0:
		return nil, link
	default:
		each(func(ae *netlink.AttributeEncoder) { ae.Uint8(unix.ETHTOOL_A_PAUSE_RX, 1) })
	}
	return replies, nil
}

func decodeIndex(b []byte) (index int32, err error) {
	err = messageRows.Decode(&index, b)
	return index, err
}

func stringSets(t testing.TB, sets map[uint32][]string) []byte {
	t.Helper()
	attributes := netlink.NewAttributeEncoder()
	attributes.Nested(unix.ETHTOOL_A_STRSET_STRINGSETS, func(all *netlink.AttributeEncoder) error {
		for id, strings := range sets {
			all.Nested(unix.ETHTOOL_A_STRINGSETS_STRINGSET, func(set *netlink.AttributeEncoder) error {
				set.Uint32(unix.ETHTOOL_A_STRINGSET_ID, id)
				set.Uint32(unix.ETHTOOL_A_STRINGSET_COUNT, uint32(len(strings)))
				set.Nested(unix.ETHTOOL_A_STRINGSET_STRINGS, func(list *netlink.AttributeEncoder) error {
					for i, s := range strings {
						list.Nested(unix.ETHTOOL_A_STRINGS_STRING, func(one *netlink.AttributeEncoder) error {
							one.Uint32(unix.ETHTOOL_A_STRING_INDEX, uint32(i))
							one.String(unix.ETHTOOL_A_STRING_VALUE, s)
							return nil
						})
					}
					return nil
				})
				return nil
			})
		}
		return nil
	})
	b, err := attributes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDictionary(t *testing.T) {
	var got dictionary
	b := stringSets(t, map[uint32][]string{stringsFeatures: dict.features, stringsLinkModes: dict.linkModes, 77: {"else"}})
	if err := dictionaryRows.Decode(&got, b); err != nil {
		t.Fatal(err)
	}
	want := dictionary{features: dict.features, linkModes: dict.linkModes}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(dictionary{})); diff != "" {
		t.Error(diff)
	}
	var set stringSet
	one := netlink.NewAttributeEncoder()
	one.Uint32(unix.ETHTOOL_A_STRING_INDEX, 1<<31)
	b, _ = one.Encode()
	if err := set.add(b); err == nil || len(set.names) > maxStrings {
		t.Errorf("string number 2^31: %v, %d names", err, len(set.names))
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx)(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(reply(f, 1, func(ae *netlink.AttributeEncoder) {
		putBits(ae, unix.ETHTOOL_A_FEATURES_HW, []uint32{0, 1}, []uint32{1})
		putBits(ae, unix.ETHTOOL_A_LINKMODES_OURS, []uint32{5}, []uint32{5})
		putBits(ae, unix.ETHTOOL_A_LINKMODES_PEER, nil, []uint32{5})
		ae.Uint32(unix.ETHTOOL_A_LINKMODES_SPEED, 10)
	}))
	f.Add(stringSets(f, map[uint32][]string{stringsFeatures: {"a", "b"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var found dictionary
		_ = dictionaryRows.Decode(&found, b)
		r := reader{dict: dict, devices: map[int32]*state.Ethtool{}}
		for _, p := range parts {
			if err := r.add(p, []genetlink.Message{{Data: b}}); err != nil {
				return
			}
		}
		text, err := json.Marshal(r.devices)
		if err != nil {
			t.Fatal(err)
		}
		again := map[int32]*state.Ethtool{}
		if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(r.devices, again) {
			t.Errorf("does not come back from JSON: %v %s", err, text)
		}
	})
}
