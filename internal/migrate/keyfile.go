package migrate

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// isKeyfile reports whether the text looks like one of NetworkManager's keyfiles: it
// starts with a group in brackets.
func isKeyfile(lines []string) bool {
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != ';' {
			return line[0] == '[' && strings.HasSuffix(line, "]")
		}
	}
	return false
}

// profile is a keyfile of NetworkManager (nm-settings-keyfile(5)).
type profile struct {
	entries []entry
	read    map[string]bool // by group.key, the entries that were asked for
}

type entry struct {
	line             int
	group, key, text string
}

// groupNames maps other names of groups to the usual ones.
var groupNames = map[string]string{"802-11-wireless": "wifi", "802-11-wireless-security": "wifi-security"}

// readProfile reads groups and keys by the rules of GLib's key files.
func (r *reader) readProfile(lines []string) *profile {
	p := &profile{read: map[string]bool{}}
	group := ""
	for i, line := range lines {
		line = strings.TrimLeft(strings.TrimRight(line, "\r"), " \t")
		key, text, found := strings.Cut(line, "=")
		switch {
		case line == "", line[0] == '#':
		case line[0] == '[':
			group = strings.TrimSuffix(strings.TrimSpace(line[1:]), "]")
			group = cmp.Or(groupNames[group], group)
		case !found:
			r.problem(i+1, "the line cannot be read: it is not key=value")
		default:
			p.entries = append(p.entries, entry{i + 1, group, strings.TrimSpace(key), strings.TrimLeft(text, " \t")})
		}
	}
	return p
}

// find returns the last entry of a key, and records that it was asked for.
func (p *profile) find(group, key string) (entry, bool) {
	p.read[group+"."+key] = true
	for _, e := range slices.Backward(p.entries) {
		if e.group == group && e.key == key {
			return e, true
		}
	}
	return entry{}, false
}

// text returns a value with GLib's escapes resolved.
func (p *profile) text(group, key string) string {
	e, _ := p.find(group, key)
	return plain(e.text)
}

var glibEscapes = strings.NewReplacer(`\\`, `\`, `\s`, " ", `\t`, "\t", `\n`, "\n", `\r`, "\r", `\;`, ";")

func plain(text string) string { return glibEscapes.Replace(text) }

// list returns the items of a value that is a list.
func (p *profile) list(group, key string) []string {
	e, _ := p.find(group, key)
	return strings.FieldsFunc(e.text, func(c rune) bool { return c == ';' || c == ',' || c == ' ' })
}

// keyfile reads a profile of NetworkManager.
func (r *reader) keyfile(lines []string) {
	p := r.readProfile(lines)
	if i := slices.IndexFunc(p.entries, func(e entry) bool { return sections[e.group] != "" }); i >= 0 && !p.has("connection") {
		r.problem(p.entries[i].line, "%s", sections[p.entries[i].group])
		return
	}
	if !p.has("connection") && !p.has("wifi") {
		r.problem(1, "the file has the shape of NetworkManager's profiles, and no group [connection]; it is not known")
		return
	}
	if kind := p.text("connection", "type"); kind != "wifi" && kind != "802-11-wireless" {
		e, _ := p.find("connection", "type")
		r.problem(max(e.line, 1), "the profile is of the type %s, not wifi", cmp.Or(short(kind), "nothing"))
		return
	}
	ssid, _ := p.find("wifi", "ssid")
	b := newBlock(max(ssid.line, 1))
	p.wifi(b)
	p.security(b)
	p.user(b)
	p.address(b)
	for _, e := range p.entries {
		if !p.read[e.group+"."+e.key] && !inertEntry(e) {
			b.note(e.line, "%s.%s is not taken over", short(e.group), short(e.key))
		}
	}
	r.take(b)
}

func (p *profile) has(group string) bool {
	return slices.ContainsFunc(p.entries, func(e entry) bool { return e.group == group })
}

// inertEntry reports whether an entry does not affect how we join.
func inertEntry(e entry) bool {
	switch e.group + "." + e.key {
	case "connection.id", "connection.uuid", "connection.timestamp", "connection.interface-name", "connection.autoconnect",
		"wifi.seen-bssids", "wifi.security", "802-11-wireless.security", "wifi-security.auth-alg", "ipv6.addr-gen-mode", "wifi.mac-address-blacklist",
		"ipv6.ip6-privacy", "ipv4.may-fail", "ipv6.may-fail":
		return true
	}
	return e.group == "proxy" || e.text == "" || strings.HasPrefix(e.group, ".") || e.group == "user"
}

// put sets a variable of wpa_supplicant if the entry exists.
func (p *profile) put(b *block, name, group, key string) {
	if e, ok := p.find(group, key); ok && e.text != "" {
		b.put(name, variable{line: e.line, value: plain(e.text), quoted: true})
	}
}

func (p *profile) wifi(b *block) {
	if e, ok := p.find("wifi", "ssid"); ok {
		b.put("ssid", variable{line: e.line, value: ssidOf(e.text), quoted: true})
	}
	if e, ok := p.find("wifi", "mode"); ok && e.text != "" && e.text != "infrastructure" {
		b.fault(e.line, "the mode %s is no network of an access point to join", short(e.text))
	}
	if p.text("wifi", "hidden") == "true" || p.text("wifi", "hidden") == "1" {
		b.put("scan_ssid", variable{value: "1"})
	}
	if e, ok := p.find("wifi", "bssid"); ok && e.text != "" {
		b.set(e.line, "bssid", e.text)
	}
	if e, ok := p.find("connection", "autoconnect-priority"); ok {
		b.set(e.line, "priority", e.text)
	}
	if e, ok := p.find("connection", "autoconnect"); ok && (e.text == "false" || e.text == "0") {
		b.note(e.line, "connection.autoconnect is not taken over: the network is joined when it is in reach")
	}
}

// ssidOf reads an SSID: either a text, or the bytes as numbers with a semicolon
// behind each.
func ssidOf(text string) string {
	numbers := strings.Split(strings.TrimSuffix(text, ";"), ";")
	if !strings.HasSuffix(text, ";") {
		return plain(text)
	}
	var ssid []byte
	for _, n := range numbers {
		value, err := strconv.ParseUint(strings.TrimSpace(n), 10, 8)
		if err != nil {
			return plain(text)
		}
		ssid = append(ssid, byte(value))
	}
	return string(ssid)
}

// security translates key-mgmt into wpa_supplicant's words.
func (p *profile) security(b *block) {
	e, ok := p.find("wifi-security", "key-mgmt")
	words := map[string]string{
		"wpa-psk": "WPA-PSK", "sae": "SAE", "owe": "OWE", "wpa-eap": "WPA-EAP", "wpa-eap-suite-b-192": "WPA-EAP-SUITE-B-192",
		"ieee8021x": "IEEE8021X",
	}
	switch word := words[e.text]; {
	case !ok:
		b.put("key_mgmt", variable{line: b.line, value: "NONE"})
	case word != "":
		b.put("key_mgmt", variable{line: e.line, value: word})
	case e.text == "none":
		b.fault(e.line, "WEP is not supported, it does not protect anything; give the router WPA2")
	default:
		b.fault(e.line, "key-mgmt %s is not supported", short(e.text))
	}
	if e.text == "sae" {
		p.secret(b, "sae_password", "wifi-security", "psk")
	} else if p.secret(b, "psk", "wifi-security", "psk"); b.has("psk") {
		b.passphrase(b.variables["psk"].line, b.word("psk"))
	}
	for _, list := range []string{"proto", "pairwise", "group"} {
		if l, ok := p.find("wifi-security", list); ok {
			value := strings.ToUpper(strings.Join(p.list("wifi-security", list), " "))
			b.put(list, variable{line: l.line, value: value})
		}
	}
	if level, ok := p.find("wifi-security", "pmf"); ok && level.text != "0" { // 0 is the default
		value, known := map[string]string{"1": "0", "2": "1", "3": "2"}[level.text]
		if !known {
			b.fault(level.line, "pmf is 0 to 3")
		}
		b.put("ieee80211w", variable{line: level.line, value: value})
	}
}

// secret reads a secret if the file contains it. The secret's flags may say that it
// is stored elsewhere.
func (p *profile) secret(b *block, name, group, key string) {
	if flags, ok := p.find(group, key+"-flags"); ok && flags.text != "0" {
		b.fault(flags.line, "its %s is kept elsewhere (%s-flags=%s); add the network by hand", key, key, short(flags.text))
	}
	p.put(b, name, group, key)
}

// user reads the credentials of 802.1X.
func (p *profile) user(b *block) {
	if e, ok := p.find("802-1x", "eap"); ok {
		b.put("eap", variable{line: e.line, value: strings.ToUpper(strings.Join(p.list("802-1x", "eap"), " "))})
	}
	for name, key := range map[string]string{
		"identity": "identity", "anonymous_identity": "anonymous-identity", "ca_cert": "ca-cert", "client_cert": "client-cert",
		"private_key": "private-key", "domain_suffix_match": "domain-suffix-match", "domain_match": "domain-match",
		"subject_match": "subject-match", "altsubject_match": "altsubject-matches",
	} {
		p.put(b, name, "802-1x", key)
		if v := b.variables[name]; strings.HasPrefix(v.value, "file://") {
			v.value = strings.TrimPrefix(v.value, "file://")
			b.put(name, v)
		}
	}
	p.secret(b, "password", "802-1x", "password")
	p.secret(b, "private_key_passwd", "802-1x", "private-key-password")
	if inner := p.text("802-1x", "phase2-auth"); inner != "" {
		e, _ := p.find("802-1x", "phase2-auth")
		b.put("phase2", variable{line: e.line, value: "auth=" + strings.ToUpper(inner), quoted: true})
	}
	if inner := p.text("802-1x", "phase2-autheap"); inner != "" {
		e, _ := p.find("802-1x", "phase2-autheap")
		b.put("phase2", variable{line: e.line, value: "autheap=" + strings.ToUpper(inner), quoted: true})
	}
}

// address reads the group ipv4. The group ipv6 is only reported, for the user to set
// by hand.
func (p *profile) address(b *block) {
	method, _ := p.find("ipv4", "method")
	if e, _ := p.find("ipv6", "method"); !slices.Contains([]string{"", "auto", "ignore", "dhcp"}, e.text) {
		b.note(e.line, "ipv6.method %s is not taken over: a network gets addresses of IPv6 by router advertisements", short(e.text))
	}
	switch method.text {
	case "", "auto":
		return
	case "manual":
	case "shared":
		b.fault(method.line, "it shares its connection, so it is an access point and no network to join")
		return
	default:
		b.note(method.line, "ipv4.method %s is not taken over: the network is asked for an address (DHCP)", short(method.text))
		return
	}
	address, ok := p.find("ipv4", "address1")
	if !ok {
		address, ok = p.find("ipv4", "addresses")
	}
	parts := strings.FieldsFunc(address.text, func(c rune) bool { return c == ',' || c == ';' || c == ' ' })
	if !ok || len(parts) == 0 {
		b.fault(method.line, "ipv4.method is manual, and there is no address1")
		return
	}
	gateway := p.text("ipv4", "gateway")
	if len(parts) > 1 {
		gateway = cmp.Or(gateway, parts[1])
	}
	b.fixed(address.line, parts[0], gateway, p.list("ipv4", "dns"))
}

// fixed sets a static address, whose text includes the length of its prefix.
func (b *block) fixed(line int, address, gateway string, dns []string) {
	prefix, err := netip.ParsePrefix(address)
	if err != nil || !prefix.Addr().Is4() {
		b.fault(line, "the address is not one of IPv4 with the length of its prefix, such as 192.0.2.7/24")
		return
	}
	if b.static, err = fixed(prefix, gateway, dns); err != nil {
		b.fault(line, "%v", err)
	}
}
