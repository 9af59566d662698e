package ndp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// rdnss is an option that names servers (RFC 8106 5.1).
func rdnss(lifetime uint32, servers ...string) []byte {
	option := []byte{optionServers, byte(1 + 2*len(servers)), 0, 0}
	option = binary.BigEndian.AppendUint32(option, lifetime)
	for _, server := range servers {
		address := netip.MustParseAddr(server).As16()
		option = append(option, address[:]...)
	}
	return option
}

func join(options ...[]byte) (all []byte) {
	for _, o := range options {
		all = append(all, o...)
	}
	return all
}

func TestReadServers(t *testing.T) {
	good := rdnss(60, "2001:db8::1")
	with := func(at int, value byte) []byte {
		option := append([]byte{}, good...)
		option[at] = value
		return option
	}
	for _, row := range []struct {
		name    string
		options []byte
		want    string
	}{
		{"one", good, "1m0s [2001:db8::1]"},
		{"two", rdnss(0, "2001:db8::1", "fe80::2"), "0s [2001:db8::1 fe80::2]"},
		{"for ever", rdnss(0xffffffff, "2001:db8::1"), "1193046h28m15s [2001:db8::1]"},
		{"two options", join(good, rdnss(5, "2001:db8::2")), "1m0s [2001:db8::1]; 5s [2001:db8::2]"},
		{"behind another one", join([]byte{5, 1, 0, 0, 0, 0, 5, 0xdc}, good), "1m0s [2001:db8::1]"},
		{"another option", with(0, 31), ""},
		{"no server", rdnss(60), ""},
		{"half a server", append(with(1, 4), 0, 0, 0, 0, 0, 0, 0, 0), ""},
		{"longer than there is", with(1, 5), ""},
		{"no length", join(with(1, 0), good), ""},
		{"cut", good[:20], ""},
		{"nothing", nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, s := range readServers(row.options) {
				got = append(got, fmt.Sprint(s.lifetime, " ", s.addresses))
			}
			if said := strings.Join(got, "; "); said != row.want {
				t.Errorf("%q, want %q", said, row.want)
			}
		})
	}
}

// FuzzReadServers: hostile options neither panic nor become more than they hold.
func FuzzReadServers(f *testing.F) {
	f.Add(rdnss(60, "2001:db8::1"))
	f.Add(join(rdnss(60), rdnss(0, "::1", "ff02::1"), []byte{1, 0, 0, 0, 0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, options []byte) {
		read := 0
		for _, s := range readServers(options) {
			if len(s.addresses) == 0 || s.lifetime < 0 || s.lifetime > infinite {
				t.Errorf("%+v", s)
			}
			read += serversHeader + addressSize*len(s.addresses)
		}
		if read > len(options) {
			t.Errorf("%d bytes were read of %d", read, len(options))
		}
	})
}

// TestUsable: no router makes the device ask itself, everybody, or nobody.
func TestUsable(t *testing.T) {
	const noServer, isIPv4 = "is no address of a server", "is an IPv4 address"
	for _, row := range []struct{ server, want, refused string }{
		{"2001:db8::53", "2001:db8::53", ""},
		{"fd66::53", "fd66::53", ""},
		{"fe80::53", "fe80::53%wlan0", ""},
		{"febf:ffff::53", "febf:ffff::53%wlan0", ""},
		{"::", "", noServer},
		{"::1", "", noServer},
		{"ff02::1", "", noServer},
		{"ff0e::1", "", noServer},
		{"::ffff:127.0.0.1", "", isIPv4},
		{"::ffff:192.0.2.1", "", isIPv4},
		{"::127.0.0.1", "", isIPv4},
		{"::192.0.2.1", "", isIPv4},
	} {
		got, err := usable(netip.MustParseAddr(row.server), "wlan0")
		switch {
		case row.refused == "" && (err != nil || got.String() != row.want):
			t.Errorf("%s: %v, %v, want %s", row.server, got, err, row.want)
		case row.refused != "" && (err == nil || !strings.Contains(err.Error(), row.refused)):
			t.Errorf("%s: %v, %v, want one that %s", row.server, got, err, row.refused)
		}
	}
}
