package migrate

import (
	"bytes"
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/yamlalias"
)

var yamlStart = regexp.MustCompile(`^(network|wifis|ethernets|bridges|renderer|interfaces|link_monitor|ap|socket|paths)["']?\s*:(\s|$)|^version\s*:\s*[12]\s*$`)

// isYAML reports whether the text is YAML: netplan's, cloud-init's network-config, or
// our own configuration.
func isYAML(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		line = strings.TrimLeft(line, "{ \t\"'")
		return yamlStart.MatchString(strings.TrimRight(line, "\r"))
	})
}

// netplan reads the Wi-Fi networks of netplan's YAML. cloud-init's network-config has
// the same form, with or without the key network.
func (r *reader) netplan(text []byte) {
	var document yaml.Node
	if err := yaml.Load(text, &document); err != nil || len(document.Content) == 0 {
		r.problem(lineOf(err, text), "the file is not YAML as netplan has it; indent with spaces, and put values that have a : or # in quotes")
		return
	}
	if line := yamlalias.Excess(&document); line > 0 {
		r.problem(line, "aliases of YAML (*) repeat more than %d values; write them out", yamlalias.Most)
		return
	}
	root := mapping(document.Content[0])
	ours := isOurs(root)
	if network := root.find("network"); network.node != nil {
		root = mapping(network.node)
	}
	wifis := root.find("wifis")
	switch {
	case ours:
		r.problem(1, "the file is a configuration of netconnectd, which has no networks to join: put it at /etc/netconnectd.yaml")
		return
	case wifis.node == nil:
		r.problem(1, "the file is YAML of netplan or cloud-init, and no wifis are in it")
		return
	}
	points := 0
	for _, device := range mapping(wifis.node).fields {
		s := mapping(device.node)
		if points += len(mapping(s.find("access-points").node).fields); points > mostNetworks {
			r.problem(device.line, "more than %d networks are in the file; nothing from here on is taken over", mostNetworks)
			return
		}
		r.device(s)
	}
}

// isOurs reports whether a file is a configuration of netconnectd.
func isOurs(root *section) bool {
	network := mapping(root.find("network").node)
	return root.find("ap").node != nil || root.find("link_monitor").node != nil ||
		network.find("devices").node != nil || network.find("interfaces").node != nil
}

// lineOf returns the line of the fault. The parser counts one line too many at the
// end of a file without a line end.
func lineOf(err error, text []byte) int {
	var load *yaml.LoadError
	if errors.As(err, &load) {
		return min(max(load.Mark.Line, 1), bytes.Count(text, []byte("\n"))+1)
	}
	return 1
}

// field is a name in YAML with its value.
type field struct {
	name string
	line int
	node *yaml.Node
}

// section is a mapping of YAML.
type section struct {
	fields []field
	read   map[string]bool
}

// mapping returns the fields of a node, or none if the node is no mapping.
func mapping(node *yaml.Node) *section {
	s := &section{read: map[string]bool{}}
	if node = resolve(node); node == nil || node.Kind != yaml.MappingNode {
		return s
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		s.fields = append(s.fields, field{node.Content[i].Value, node.Content[i].Line, resolve(node.Content[i+1])})
	}
	return s
}

// resolve follows an alias to its target.
func resolve(node *yaml.Node) *yaml.Node {
	for node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

// find returns the last field of a name, and records that it was asked for.
func (s *section) find(name string) field {
	s.read[name] = true
	for _, f := range slices.Backward(s.fields) {
		if f.name == name {
			return f
		}
	}
	return field{}
}

// text returns a scalar unchanged: 1e3 and NO stay texts.
func (f field) text() string {
	if f.node == nil || f.node.Kind != yaml.ScalarNode || f.node.Tag == "!!null" {
		return ""
	}
	return f.node.Value
}

func (f field) truth() bool {
	return slices.Contains([]string{"true", "yes", "on", "y", "1"}, strings.ToLower(f.text()))
}

// items returns the scalars of a list.
func (f field) items() (items []*yaml.Node) {
	if f.node == nil {
		return nil
	}
	for _, item := range f.node.Content {
		if item = resolve(item); item.Kind == yaml.ScalarNode {
			items = append(items, item)
		}
	}
	return items
}

func (f field) list() (texts []string) {
	for _, item := range f.items() {
		texts = append(texts, item.Value)
	}
	return texts
}

// unread calls tell for each field that was not asked for.
func (s *section) unread(tell func(f field)) {
	for _, f := range s.fields {
		if !s.read[f.name] {
			tell(f)
		}
	}
}

// device reads the networks of one interface. Its addresses apply to all of them.
func (r *reader) device(device *section) {
	for _, inert := range []string{"optional", "match", "set-name", "renderer", "dhcp6", "accept-ra", "wakeonwlan"} {
		device.find(inert)
	}
	if country := device.find("regulatory-domain"); country.text() != "" {
		r.problem(country.line, "the country is a setting of its own: put ap.country: %s into netconnectd.yaml", short(country.text()))
	}
	points := device.find("access-points")
	static, fault := device.addresses()
	for _, item := range device.find("addresses").items() {
		if static == nil && fault == nil || static != nil && item.Value != static.Address {
			r.problem(item.Line, "the address %s is not taken over", short(item.Value))
		}
	}
	device.unread(func(f field) { r.problem(f.line, "%s is not taken over", short(f.name)) })
	for _, point := range mapping(points.node).fields {
		b := newBlock(point.line)
		b.put("ssid", variable{line: point.line, value: point.name, quoted: true})
		b.accessPoint(mapping(point.node))
		if b.static = static; fault != nil {
			b.fault(fault.Line, "%s", fault.Text)
		}
		r.take(b)
	}
}

// addresses reads the static address if there is one and DHCP is off.
func (s *section) addresses() (*client.Addressing, *Problem) {
	dhcp, addresses, gateway := s.find("dhcp4"), s.find("addresses"), s.find("gateway4")
	servers, routes := mapping(s.find("nameservers").node), s.find("routes")
	route := gateway.text()
	if routes.node != nil {
		for _, item := range routes.node.Content {
			if to := mapping(item).find("to").text(); to == "default" || to == "0.0.0.0/0" {
				route = mapping(item).find("via").text()
			}
		}
	}
	if dhcp.truth() {
		return nil, nil
	}
	for _, text := range addresses.list() {
		if prefix, err := netip.ParsePrefix(text); err == nil && prefix.Addr().Is4() {
			static, err := fixed(prefix, route, servers.find("addresses").list())
			if err != nil {
				return nil, &Problem{addresses.line, err.Error()}
			}
			return static, nil
		}
	}
	if len(addresses.list()) > 0 {
		return nil, &Problem{addresses.line, "no address is one of IPv4 with the length of its prefix, such as 192.0.2.7/24"}
	}
	return nil, nil
}

// accessPoint reads one network.
func (b *block) accessPoint(s *section) {
	if mode := s.find("mode"); mode.text() != "" && mode.text() != "infrastructure" {
		b.fault(mode.line, "the mode %s is no network of an access point to join", short(mode.text()))
	}
	if s.find("hidden").truth() {
		b.put("scan_ssid", variable{value: "1"})
	}
	if bssid := s.find("bssid"); bssid.text() != "" {
		b.set(bssid.line, "bssid", bssid.text())
	}
	password, auth := s.find("password"), s.find("auth")
	if s.find("networkmanager").node != nil {
		s.read["networkmanager"] = true // NetworkManager's own name of the network
	}
	s.unread(func(f field) { b.note(f.line, "%s is not taken over", short(f.name)) })
	switch {
	case auth.node != nil:
		b.auth(mapping(auth.node), auth.line)
	case password.node != nil:
		b.put("key_mgmt", variable{line: password.line, value: "WPA-PSK SAE"})
		b.passphrase(password.line, password.text())
	default:
		b.put("key_mgmt", variable{line: b.line, value: "NONE"})
	}
}

// auth reads the section auth, which also holds the credentials of 802.1X.
func (b *block) auth(s *section, line int) {
	way := s.find("key-management")
	words, known := map[string]string{
		"none": "NONE", "psk": "WPA-PSK", "psk-sha256": "WPA-PSK-SHA256", "sae": "SAE", "owe": "OWE",
		"eap": "WPA-EAP", "eap-sha256": "WPA-EAP-SHA256", "eap-suite-b-192": "WPA-EAP-SUITE-B-192", "802.1x": "IEEE8021X",
	}[way.text()]
	switch {
	case way.node == nil:
		b.fault(line, "auth has no key-management, so the network would be open; say psk, sae, eap or none")
	case !known:
		b.fault(way.line, "key-management %s is not supported", short(way.text()))
	}
	b.put("key_mgmt", variable{line: max(way.line, line), value: words})
	password := s.find("password")
	if strings.HasPrefix(words, "WPA-EAP") {
		b.user(s, password)
	} else if password.node != nil {
		b.passphrase(password.line, password.text())
		if words == "SAE" {
			b.put("sae_password", b.variables["psk"])
			b.put("psk", variable{unset: true})
		}
	}
	s.unread(func(f field) { b.note(f.line, "auth.%s is not taken over", short(f.name)) })
}

// user reads the credentials of 802.1X.
func (b *block) user(s *section, password field) {
	method := s.find("method")
	b.put("eap", variable{line: max(method.line, b.line), value: strings.ToUpper(method.text())})
	for _, name := range [][2]string{
		{"identity", "identity"}, {"anonymous_identity", "anonymous-identity"}, {"ca_cert", "ca-certificate"},
		{"client_cert", "client-certificate"}, {"private_key", "client-key"}, {"private_key_passwd", "client-key-password"},
	} {
		if f := s.find(name[1]); f.node != nil {
			b.put(name[0], variable{line: f.line, value: f.text(), quoted: true})
		}
	}
	if inner := s.find("phase2-auth"); inner.text() != "" {
		b.put("phase2", variable{line: inner.line, value: "auth=" + strings.ToUpper(inner.text()), quoted: true})
	}
	if password.node != nil {
		b.put("password", variable{line: password.line, value: password.text(), quoted: !strings.HasPrefix(password.text(), "hash:")})
	}
}
