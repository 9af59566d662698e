package migrate

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/client"
)

// keywords begin a stanza of interfaces(5).
var keywords = []string{"iface", "auto", "mapping", "source", "source-directory", "no-auto-down", "no-scripts", "template", "rename"}

func isKeyword(word string) bool {
	return slices.Contains(keywords, word) || strings.HasPrefix(word, "allow-")
}

// isInterfaces reports whether the text is a file of ifupdown: its first word
// begins a stanza.
func isInterfaces(lines []string) bool {
	for _, line := range lines {
		if words := strings.Fields(line); len(words) > 0 && words[0][0] != '#' {
			return isKeyword(words[0])
		}
	}
	return false
}

// interfaces reads interfaces(5). Of its stanzas those count that name a Wi-Fi
// network, by wpa-… (wpasupplicant's README.Debian) or wireless-… options, as
// the original netconnectd has written them.
func (r *reader) interfaces(lines []string) {
	var open *stanza
	for i := 0; i < len(lines); i++ {
		number, line := i+1, strings.TrimSpace(lines[i])
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + " " + strings.TrimSpace(lines[i])
		}
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest := cutWord(line)
		switch {
		case !isKeyword(word):
			open.option(number, word, rest)
			continue
		case word == "source" || word == "source-directory":
			r.problem(number, "the files that it names are not read: import them, too: %s", short(rest))
		}
		r.stanza(open)
		open = nil
		if fields := strings.Fields(rest); word == "iface" && len(fields) >= 3 {
			open = &stanza{block: block{line: number, variables: map[string]variable{}}, family: fields[1], method: fields[2]}
		}
	}
	r.stanza(open)
}

func cutWord(line string) (word, rest string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimSpace(line[i:])
}

// stanza is an iface stanza in the making.
type stanza struct {
	block
	family, method   string
	address, netmask string
	gateway          string
	dns              []string
	elsewhere        string // the file that has the network
}

func (s *stanza) option(number int, name, value string) {
	if s == nil {
		return
	}
	text, isText := value, false
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		text, isText = value[1:len(value)-1], true
	}
	v := variable{line: number, value: text, quoted: isText}
	switch name {
	case "address":
		s.address = value
	case "netmask":
		s.netmask = value
	case "gateway":
		s.gateway = value
	case "dns-nameservers", "dns-nameserver":
		s.dns = append(s.dns, strings.Fields(value)...)
	case "wireless-essid":
		s.variables["ssid"] = v
		if !s.has("psk") && !s.has("key_mgmt") {
			s.variables["key_mgmt"] = variable{line: number, value: "NONE"}
		}
	case "wireless-key", "wireless-key1":
		s.variables["wep_key0"] = v
	case "wpa-conf", "wpa-roam":
		s.elsewhere = value
	case "wpa-psk":
		delete(s.variables, "key_mgmt")
		s.variables["psk"] = v
	default:
		if option, ok := strings.CutPrefix(name, "wpa-"); ok {
			s.variables[strings.ReplaceAll(option, "-", "_")] = v
		}
	}
}

// stanza ends one. Those of other families than inet only add to a network
// that has one of inet, too.
func (r *reader) stanza(s *stanza) {
	if s == nil || s.family != "inet" {
		return
	}
	if s.elsewhere != "" {
		r.problem(s.line, "its networks are in another file: import that: %s", short(s.elsewhere))
		return
	}
	if !s.has("ssid") {
		return // a wired interface, or an access point
	}
	if s.method == "static" {
		static, problem := s.addressing()
		if problem != "" {
			r.problem(s.line, "%s: %s", client.SSIDText([]byte(s.word("ssid"))), problem)
			return
		}
		s.static = static
	}
	if akm := s.words("key_mgmt"); len(akm) == 0 && !s.has("psk") && !s.has("eap") && !s.has("wep_key0") {
		s.variables["key_mgmt"] = variable{line: s.line, value: "NONE"}
	}
	r.take(&s.block)
}

// addressing are address, netmask (as an address or a length) and gateway.
func (s *stanza) addressing() (*client.Addressing, string) {
	address, mask, ok := strings.Cut(s.address, "/")
	if !ok {
		mask = s.netmask
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return nil, "address is not an IP address"
	}
	ones, ok := length(mask)
	if !ok {
		return nil, "netmask is neither a mask nor a length"
	}
	return &client.Addressing{
		Method: "static", Address: netip.PrefixFrom(ip, ones).String(), Gateway: s.gateway, DNS: s.dns,
	}, ""
}

// length of a netmask, 255.255.255.0 or 24.
func length(mask string) (int, bool) {
	if prefix, err := netip.ParsePrefix("0.0.0.0/" + mask); err == nil {
		return prefix.Bits(), true
	}
	address, err := netip.ParseAddr(mask)
	if err != nil || !address.Is4() {
		return 0, false
	}
	bytes := address.As4()
	ones := bits.LeadingZeros32(^binary.BigEndian.Uint32(bytes[:]))
	return ones, binary.BigEndian.Uint32(bytes[:]) == ^uint32(0)<<(32-ones)
}
