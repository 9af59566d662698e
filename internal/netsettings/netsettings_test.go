package netsettings

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

var sameSaved = cmp.Options{
	cmp.Comparer(func(a, b secret.Secret) bool { return a == b }),
	cmpopts.IgnoreUnexported(store.Network{}),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
}

func TestSettle(t *testing.T) {
	psk, other := secret.New("correct horse"), secret.New("battery staple")
	home := store.Network{Network: wifi.Network{SSID: []byte("home"), PSK: psk, Security: wifi.WPA2}, Priority: 1}
	work := store.Network{Network: wifi.Network{SSID: []byte("home"), EAP: &wifi.EAPCredentials{
		Method: "peap", Identity: "me", Password: psk, CACert: "/ca.pem",
	}}}
	for _, row := range []struct {
		name  string
		saved store.Network
		given server.NetworkSettings
		want  func(*store.Network) // what becomes of saved
	}{
		{"nothing given", home, server.NetworkSettings{}, func(*store.Network) {}},
		{"a passphrase", home, server.NetworkSettings{PSK: &other}, func(n *store.Network) { n.PSK = other }},
		{"one setting leaves the others", home, server.NetworkSettings{Priority: new(7)}, func(n *store.Network) { n.Priority = 7 }},
		{"a cell", home, server.NetworkSettings{BSSID: new("02:00:00:00:01:00")}, func(n *store.Network) { n.BSSID = []byte{2, 0, 0, 0, 1, 0} }},
		{"hidden, frames protected", home, server.NetworkSettings{Hidden: new(true), PMF: new("required")},
			func(n *store.Network) { n.Hidden, n.PMF = true, wifi.PMFRequired }},
		{"802.1X in place of a passphrase", home, server.NetworkSettings{Security: new("eap"), EAP: &server.EAP{
			Method: "ttls", Identity: "me", Password: &other, AnyServer: true,
		}}, func(n *store.Network) {
			n.PSK, n.Security = secret.Secret{}, wifi.EAP
			n.EAP = &wifi.EAPCredentials{Method: "ttls", Identity: "me", Password: other, AnyServer: true}
		}},
		{"802.1X without a password keeps the saved one", work, server.NetworkSettings{EAP: &server.EAP{
			Method: "peap", Identity: "you", CACert: "/ca.pem",
		}}, func(n *store.Network) {
			n.EAP = &wifi.EAPCredentials{Method: "peap", Identity: "you", Password: psk, CACert: "/ca.pem"}
		}},
		{"a passphrase in place of 802.1X", work, server.NetworkSettings{PSK: &other}, func(n *store.Network) { n.PSK, n.EAP = other, nil }},
		{"a link between two hosts", home, server.NetworkSettings{Addressing: &client.Addressing{
			Method: "static", Address: "192.0.2.0/31", Gateway: "192.0.2.1",
		}}, func(n *store.Network) {
			n.Addressing = &store.Addressing{Address: netip.MustParsePrefix("192.0.2.0/31"), Gateway: netip.MustParseAddr("192.0.2.1")}
		}},
		{"a static address", home, server.NetworkSettings{Addressing: &client.Addressing{
			Method: "static", Address: "192.0.2.7/24", Gateway: "192.0.2.1", DNS: []string{"192.0.2.53"},
		}}, func(n *store.Network) {
			n.Addressing = &store.Addressing{
				Address: netip.MustParsePrefix("192.0.2.7/24"), Gateway: netip.MustParseAddr("192.0.2.1"),
				DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")},
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := row.saved
			row.want(&want)
			got, err := apply(row.saved, row.given)
			if diff := cmp.Diff(want, got, sameSaved); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestSettleRefuses(t *testing.T) {
	home := store.Network{Network: wifi.Network{SSID: []byte("home"), PSK: secret.New("correct horse"), Security: wifi.WPA2}}
	static := func(a client.Addressing) server.NetworkSettings { return server.NetworkSettings{Addressing: &a} }
	for _, row := range []struct {
		name  string
		given server.NetworkSettings
		code  string
		says  string // a part of the message
	}{
		{"short passphrase", server.NetworkSettings{PSK: new(secret.New("short"))}, "unsupported", "8 to 63"},
		{"passphrase of an open network", server.NetworkSettings{Security: new("open")}, "security_mismatch", "is open, but"},
		{"WEP", server.NetworkSettings{Security: new("wep")}, "unsupported", "WEP"},
		{"no security", server.NetworkSettings{Security: new("strong")}, "unsupported", "strong"},
		{"no cell", server.NetworkSettings{BSSID: new("here")}, client.CodeBadRequest, "bssid is an address such as"},
		{"no level", server.NetworkSettings{PMF: new("much")}, "unsupported", "much"},
		{"server that nobody vouches for", server.NetworkSettings{Security: new(""), EAP: &server.EAP{Method: "peap", Identity: "me", Password: new(secret.New("x"))}}, "unsupported", ""},
		{"no method", static(client.Addressing{Method: "bootp"}), client.CodeBadRequest, "method is dhcp or static"},
		{"DHCP with an address", static(client.Addressing{Method: "dhcp", Address: "192.0.2.7/24"}), client.CodeBadRequest, "are for the method static"},
		{"no length", static(client.Addressing{Method: "static", Address: "192.0.2.7"}), client.CodeBadRequest, "addressing: address is an address with the length"},
		{"gateway elsewhere", static(client.Addressing{Method: "static", Address: "192.0.2.7/24", Gateway: "198.51.100.1"}), client.CodeBadRequest, "gateway 198.51.100.1 is not another"},
		{"bssid is a group of stations", server.NetworkSettings{BSSID: new("01:00:5e:00:00:01")}, client.CodeBadRequest, "bssid 01:00:5E:00:00:01 is a group"},
		{"bssid is everybody", server.NetworkSettings{BSSID: new("ff:ff:ff:ff:ff:ff")}, client.CodeBadRequest, "bssid FF:FF:FF:FF:FF:FF is a group"},
		{"bssid is nobody", server.NetworkSettings{BSSID: new("00:00:00:00:00:00")}, client.CodeBadRequest, "bssid 00:00:00:00:00:00 is the address of no cell"},
		{"broadcast address", static(client.Addressing{Method: "static", Address: "192.0.2.255/24", Gateway: "192.0.2.1"}), client.CodeBadRequest, "addressing: address 192.0.2.255 is the broadcast"},
		{"network address", static(client.Addressing{Method: "static", Address: "192.0.2.0/24", Gateway: "192.0.2.1"}), client.CodeBadRequest, "address 192.0.2.0 is the network itself"},
		{"multicast address", static(client.Addressing{Method: "static", Address: "224.0.0.5/24", Gateway: "224.0.0.1"}), client.CodeBadRequest, "address 224.0.0.5 is a multicast"},
		{"broadcast to all", static(client.Addressing{Method: "static", Address: "255.255.255.255/8", Gateway: "255.0.0.1"}), client.CodeBadRequest, "255.255.255.255 is reserved"},
		{"all IPv6 routers", static(client.Addressing{Method: "static", Address: "2001:db8::/64", Gateway: "fe80::1"}), client.CodeBadRequest, "2001:db8:: is the network itself"},
		{"IPv4 in IPv6", static(client.Addressing{Method: "static", Address: "::ffff:192.0.2.7/120", Gateway: "::ffff:192.0.2.1"}), client.CodeBadRequest, "write it as 192.0.2.7"},
		{"gateway is the broadcast address", static(client.Addressing{Method: "static", Address: "192.0.2.7/24", Gateway: "192.0.2.255"}), client.CodeBadRequest, "gateway 192.0.2.255 is the broadcast"},
		{"gateway is the network", static(client.Addressing{Method: "static", Address: "192.0.2.7/24", Gateway: "192.0.2.0"}), client.CodeBadRequest, "gateway 192.0.2.0 is the network"},
		{"no DNS server", static(client.Addressing{Method: "static", Address: "192.0.2.7/24", DNS: []string{"dns"}}), client.CodeBadRequest, "dns has something"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := apply(home, row.given)
			var refused *client.Error
			if !errors.As(err, &refused) || refused.Code != row.code || !strings.Contains(refused.Message, row.says) {
				t.Errorf("error %v, want code %s, with %q", err, row.code, row.says)
			}
		})
	}
}

// TestSavedNetworksAreToldWithoutSecrets checks that list_networks returns every
// setting but the secrets.
func TestSavedNetworksAreToldWithoutSecrets(t *testing.T) {
	n := store.Network{Network: wifi.Network{SSID: []byte("caf\xe9\x1b"), PSK: secret.New("correct horse"), EAP: &wifi.EAPCredentials{
		Method: "peap", Identity: "me", Password: secret.New("hunter2"), PrivateKeyPassword: secret.New("geheim"), CACert: "/ca.pem",
	}}, Addressing: &store.Addressing{Address: netip.MustParsePrefix("192.0.2.7/24"), Gateway: netip.MustParseAddr("192.0.2.1")}}
	want := client.SavedNetwork{
		Network: client.Network{SSID: `caf\xe9\x1b`, SSIDHex: "636166e91b"}, HasPSK: true,
		EAP:        &client.EAP{Method: "peap", Identity: "me", CACert: "/ca.pem"},
		Addressing: client.Addressing{Method: "static", Address: "192.0.2.7/24", Gateway: "192.0.2.1"},
		Origin:     "netconnectd",
	}
	if diff := cmp.Diff(want, Show(n)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
