package networkmanager

import (
	"cmp"
	"encoding/binary"
	"net"
	"net/netip"
	"path/filepath"
	"sort"
	"strings"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/google/uuid"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Names of settings (nm-settings-dbus(5)).
const (
	settingConnection = "connection"
	settingWireless   = "802-11-wireless"
	settingSecurity   = "802-11-wireless-security"
	settingEAP        = "802-1x"
	settingIPv4       = "ipv4"
	settingIPv6       = "ipv6"
	settingUser       = "user"
)

// dhcpTimeout is how many seconds a network may take to assign an address, as with
// our own DHCP client.
const dhcpTimeout = int32(20)

// made marks the profiles that we may change (setting user, data).
const made = "org.netconnectd.made"

// Profile is a Wi-Fi network as NetworkManager has saved it, without secrets.
type Profile struct {
	store.Network
	UUID string
}

// profileOf reads the settings of a profile that is stored in a file. It reports
// false if they describe no Wi-Fi network that can be joined.
func profileOf(s nm.ConnectionSettings, file string) (Profile, bool) {
	wireless, ok := s[settingWireless]
	ssid, _ := wireless["ssid"].([]byte)
	if mode := text(wireless, "mode"); !ok || len(ssid) == 0 || mode != "" && mode != "infrastructure" {
		return Profile{}, false
	}
	if auto, said := s[settingConnection]["autoconnect"].(bool); said && !auto {
		return Profile{}, false // the profile's owner wants the network left alone
	}
	p := Profile{UUID: text(s[settingConnection], "uuid")}
	p.SSID = ssid
	p.Hidden, _ = wireless["hidden"].(bool)
	p.BSSID = hardware(wireless["bssid"])
	p.Security = securityOf(s)
	if p.Security == wifi.EAP {
		p.EAP = eapOf(s[settingEAP])
	}
	if priority, ok := s[settingConnection]["autoconnect-priority"].(int32); ok {
		p.Priority = int(priority)
	}
	if when, ok := s[settingConnection]["timestamp"].(uint64); ok && when > 0 {
		p.LastSuccess = time.Unix(int64(when), 0).UTC()
	}
	p.PMF = levels[number(s[settingSecurity], "pmf")]
	p.Addressing = addressingOf(s[settingIPv4], s[settingIPv6])
	p.Origin = originOf(s, file)
	return p, true
}

// originOf recognises programs that write NetworkManager's profiles by the names of
// their files (netplan's networkd-renderer documentation; cloud-init's
// network_manager renderer). Such a profile is written anew at each boot.
func originOf(s nm.ConnectionSettings, file string) store.Origin {
	name := filepath.Base(file)
	switch data, _ := s[settingUser]["data"].(map[string]string); {
	case strings.HasPrefix(name, "netplan-"):
		return store.Netplan
	case strings.HasPrefix(name, "cloud-init-"):
		return store.CloudInit
	case data[made] != "":
		return store.Ours
	}
	return store.NetworkManager
}

// levels are the levels of management frame protection by NetworkManager's numbers.
var levels = map[int32]wifi.PMF{1: wifi.PMFOff, 2: wifi.PMFOptional, 3: wifi.PMFRequired}

func securityOf(s nm.ConnectionSettings) wifi.Security {
	if _, ok := s[settingSecurity]; !ok {
		return wifi.Open
	}
	switch text(s[settingSecurity], "key-mgmt") {
	case "owe":
		return wifi.OWE
	case "sae":
		return wifi.WPA3
	case "wpa-eap", "wpa-eap-suite-b-192":
		return wifi.EAP
	case "none", "ieee8021x":
		return wifi.WEP
	}
	return wifi.WPA2WPA3 // wpa-psk: any security with a passphrase
}

func eapOf(s map[string]any) *wifi.EAPCredentials {
	methods, _ := s["eap"].([]string)
	return &wifi.EAPCredentials{
		Method: strings.Join(methods, " "), Identity: text(s, "identity"), AnonymousIdentity: text(s, "anonymous-identity"),
		Phase2: text(s, "phase2-auth"), ServerName: text(s, "domain-suffix-match"),
		CACert: file(s["ca-cert"]), ClientCert: file(s["client-cert"]), PrivateKey: file(s["private-key"]),
		AnyServer: s["ca-cert"] == nil,
	}
}

// addressingOf reads a static address. store.Addressing has room for one address. So
// an IPv6 address beside an IPv4 one is left out, and a network whose IPv4 addresses
// come by DHCP counts as one without static address.
func addressingOf(ipv4, ipv6 map[string]any) *store.Addressing {
	s := ipv4
	if text(ipv4, "method") == "disabled" {
		s = ipv6
	}
	data, _ := s["address-data"].([]map[string]any)
	if text(s, "method") != "manual" || len(data) == 0 {
		return nil
	}
	address, err := netip.ParseAddr(text(data[0], "address"))
	bits, _ := data[0]["prefix"].(uint32)
	if err != nil {
		return nil
	}
	a := &store.Addressing{Address: netip.PrefixFrom(address, int(bits))}
	a.Gateway, _ = netip.ParseAddr(text(s, "gateway")) // no gateway: zero
	servers4, _ := ipv4["dns"].([]uint32)
	for _, server := range servers4 {
		a.DNS = append(a.DNS, netip.AddrFrom4([4]byte(binary.NativeEndian.AppendUint32(nil, server))))
	}
	servers6, _ := ipv6["dns"].([][]byte)
	for _, bytes := range servers6 {
		if server, ok := netip.AddrFromSlice(bytes); ok {
			a.DNS = append(a.DNS, server)
		}
	}
	return a
}

// settingsOf renders a network as a profile of ours.
func settingsOf(n store.Network, id string) nm.ConnectionSettings {
	s := nm.ConnectionSettings{
		settingConnection: {
			"id": client.SSIDText(n.SSID), "uuid": id, "type": settingWireless, "autoconnect-priority": int32(n.Priority),
		},
		settingWireless: {"ssid": n.SSID, "mode": "infrastructure", "hidden": n.Hidden},
		settingIPv4:     ipv4Of(n.Addressing),
		settingIPv6:     ipv6Of(n.Addressing),
		settingUser:     {"data": map[string]string{made: "1"}},
	}
	if n.BSSID != nil {
		s[settingWireless]["bssid"] = []byte(n.BSSID)
	}
	if security := securitySettings(n); security != nil {
		s[settingSecurity] = security
	}
	if n.EAP != nil {
		s[settingEAP] = eapSettings(n.EAP)
	}
	return s
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string { return uuid.NewString() }

func securitySettings(n store.Network) map[string]any {
	s := map[string]any{}
	switch {
	case n.EAP != nil:
		s["key-mgmt"] = "wpa-eap"
	case n.Security == wifi.OWE:
		s["key-mgmt"] = "owe"
	case n.PSK.IsZero():
		return nil
	case n.Security == wifi.WPA3:
		s["key-mgmt"], s["psk"] = "sae", n.PSK.Reveal()
	default:
		s["key-mgmt"], s["psk"] = "wpa-psk", n.PSK.Reveal()
	}
	for number, level := range levels {
		if level == n.PMF {
			s["pmf"] = number
		}
	}
	return s
}

func eapSettings(c *wifi.EAPCredentials) map[string]any {
	s := map[string]any{"eap": []string{c.Method}, "identity": c.Identity}
	for name, value := range map[string]string{
		"anonymous-identity": c.AnonymousIdentity, "domain-suffix-match": c.ServerName,
		"password": c.Password.Reveal(), "private-key-password": c.PrivateKeyPassword.Reveal(),
	} {
		if value != "" {
			s[name] = value
		}
	}
	if c.PrivateKey != "" && c.PrivateKeyPassword.IsZero() {
		// The flag is NM_SETTING_SECRET_FLAG_NOT_REQUIRED: without it NetworkManager
		// asks for a password of every key, even of a key without one.
		s["private-key-password-flags"] = uint32(4)
	}
	if c.Method != "tls" {
		s["phase2-auth"] = cmp.Or(c.Phase2, "mschapv2")
	}
	for name, path := range map[string]string{"ca-cert": c.CACert, "client-cert": c.ClientCert, "private-key": c.PrivateKey} {
		if path != "" {
			s[name] = []byte("file://" + path + "\x00")
		}
	}
	return s
}

// ipv4Of returns the settings of IPv4. A network with a static IPv6 address gets no
// IPv4 address, as with our own backend. Its IPv4 name servers are then out of reach,
// and NetworkManager does not accept them.
func ipv4Of(a *store.Addressing) map[string]any {
	switch {
	case a == nil:
		return map[string]any{"method": "auto", "dhcp-timeout": dhcpTimeout}
	case !a.Address.Addr().Is4():
		return map[string]any{"method": "disabled"}
	}
	s := manual(a)
	var servers []uint32
	for _, server := range a.DNS {
		if server.Is4() {
			bytes := server.As4()
			servers = append(servers, binary.NativeEndian.Uint32(bytes[:]))
		}
	}
	if servers != nil {
		s["dns"] = servers
	}
	return s
}

// ipv6Of returns the settings of IPv6. A network with a static IPv4 address may
// assign IPv6 addresses.
func ipv6Of(a *store.Addressing) map[string]any {
	s := map[string]any{"method": "auto"}
	if isIPv6(a) {
		s = manual(a)
	}
	if servers := ipv6Servers(a); servers != nil {
		s["dns"] = servers
	}
	return s
}

func manual(a *store.Addressing) map[string]any {
	s := map[string]any{
		"method":       "manual",
		"address-data": []map[string]any{{"address": a.Address.Addr().String(), "prefix": uint32(a.Address.Bits())}},
	}
	if a.Gateway.IsValid() {
		s["gateway"] = a.Gateway.String()
	}
	return s
}

func isIPv6(a *store.Addressing) bool { return a != nil && a.Address.Addr().Is6() }

func ipv6Servers(a *store.Addressing) (servers [][]byte) {
	if a == nil {
		return nil
	}
	for _, server := range a.DNS {
		if server.Is6() {
			servers = append(servers, server.AsSlice())
		}
	}
	return servers
}

// withSecrets adds a profile's secrets as far as NetworkManager has them.
func (p *Profile) withSecrets(s nm.ConnectionSettings) {
	p.PSK = secret.New(text(s[settingSecurity], "psk"))
	if p.EAP != nil {
		p.EAP.Password = secret.New(text(s[settingEAP], "password"))
		p.EAP.PrivateKeyPassword = secret.New(text(s[settingEAP], "private-key-password"))
	}
}

// bestFirst orders profiles as a store does. NetworkManager's own choice ignores
// failures.
func bestFirst(all []Profile) {
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), failing(a)-failing(b), b.LastSuccess.Compare(a.LastSuccess)) < 0
	})
}

func failing(p Profile) int {
	if p.Failing() {
		return 1
	}
	return 0
}

// clone returns a copy that shares nothing with p, so that the caller may change it.
func (p Profile) clone() Profile {
	p.Network = p.Network.Clone()
	return p
}

func text(s map[string]any, name string) string {
	value, _ := s[name].(string)
	return value
}

func number(s map[string]any, name string) int32 {
	value, _ := s[name].(int32)
	return value
}

func hardware(value any) net.HardwareAddr {
	address, _ := value.([]byte)
	return address
}

// file returns the path of a certificate or key, or "" if NetworkManager stores the
// content itself, which may be a secret.
func file(value any) string {
	blob, _ := value.([]byte)
	path, ok := strings.CutPrefix(strings.TrimRight(string(blob), "\x00"), "file://")
	if !ok {
		return ""
	}
	return path
}
