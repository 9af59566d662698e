package migrate

import (
	"slices"
	"strings"
)

// asText lists the wpa-… options whose values functions.sh of wpasupplicant
// puts into quotes before wpa_supplicant gets them.
var asText = []string{"identity", "anonymous-identity", "password", "ca-cert", "ca-path", "client-cert", "private-key",
	"private-key-passwd", "subject-match", "altsubject-match", "ca-cert2", "ca-path2", "client-cert2", "private-key2",
	"private-key-passwd2", "subject-match2", "altsubject-match2", "phase1", "phase2", "id-str", "nai", "pin",
	"engine-id", "key-id", "pac-file", "dh-file", "dh-file2"}

// asWord lists the options that functions.sh passes to wpa_supplicant unchanged.
var asWord = []string{"priority", "bssid", "pairwise", "group", "mode", "frequency", "scan-freq", "freq-list", "key-mgmt",
	"proto", "auth-alg", "scan-ssid", "eap", "wep-tx-keyidx", "proactive-key-caching", "eapol-flags", "peerkey"}

// inertOptions lists options that do not affect how we join: other options say the
// same, or they concern other programs.
var inertOptions = []string{"address", "netmask", "gateway", "dns-nameservers", "dns-nameserver", "broadcast", "network",
	"wpa-driver", "wpa-iface", "wpa-bridge", "wpa-ap-scan", "wpa-debug-level", "wpa-verbosity", "wpa-logfile", "wireless-channel",
	"wireless-freq", "wireless-nick", "wireless-rate", "wireless-mode", "wireless-essid", "wireless-enc", "wpa-action-script",
	"hostname", "client", "wpa-mapping-script", "wpa-mapping-script-priority", "wpa-maint-debug"}

// block translates the options into those of wpa_supplicant.conf(5), once.
func (s *stanza) block() *block {
	if s.made == nil {
		s.made = s.makeBlock()
	}
	return s.made
}

func (s *stanza) makeBlock() *block {
	b := newBlock(s.line)
	s.wireless(b)
	for _, o := range s.options {
		name, ofWPA := strings.CutPrefix(o.name, "wpa-")
		variable := strings.ReplaceAll(name, "-", "_")
		switch {
		case ofWPA && strings.ContainsRune(o.value, '\n'):
			b.fault(o.line, "%s is given more than once", o.name)
		case o.name == "wpa-ssid" || o.name == "wpa-essid":
			b.set(o.line, "ssid", `"`+unquote(o.value)+`"`)
		case o.name == "wpa-psk" || o.name == "wpa-passphrase":
			s.psk(b, o)
		case o.name == "wpa-psk-file" || o.name == "wpa-passphrase-file":
			b.fault(o.line, "the passphrase is in another file: put it here as wpa-psk, or add the network by hand")
		case ofWPA && strings.HasPrefix(name, "wep-key"):
			b.put(variable, variableOf(o))
		case ofWPA && slices.Contains(asText, name):
			b.set(o.line, variable, `"`+o.value+`"`)
		case ofWPA && slices.Contains(asWord, name):
			b.set(o.line, variable, o.value)
		case isCommand(o.name):
			b.note(o.line, "the command of %s is not taken over; docs/hooks.md has what runs programs", o.name)
		case !slices.Contains(inertOptions, o.name) && !strings.HasPrefix(o.name, "wireless-"):
			b.note(o.line, "%s is not taken over", short(o.name))
		}
	}
	return b
}

func variableOf(o option) variable { return variable{line: o.line, value: o.value} }

// unquote removes quotes around the whole text.
func unquote(text string) string {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}

// psk stores 64 digits as a key, and any other text as a passphrase.
func (s *stanza) psk(b *block, o option) {
	b.passphrase(o.line, unquote(o.value))
	if b.word("key_mgmt") == "NONE" && s.value("wpa-key-mgmt") == "" { // set by wireless-essid
		b.put("key_mgmt", variable{unset: true})
	}
}

// wireless reads the options of wireless-tools, whose words iwconfig(8) lists.
// wireless-tools compares them without regard to case, and modes by three letters.
func (s *stanza) wireless(b *block) {
	if o, ok := s.find("wireless-mode"); ok {
		switch mode := strings.ToLower(o.value); {
		case strings.HasPrefix(mode, "man"), strings.HasPrefix(mode, "aut"), mode == "0", mode == "2":
		default:
			b.fault(o.line, "wireless-mode %s is no network of an access point to join", short(o.value))
		}
	}
	if o, ok := s.find("wireless-essid"); ok {
		essid, escaped := strings.CutPrefix(o.value, "-- ")
		if word := strings.ToLower(essid); !escaped && (word == "any" || word == "off" || word == "on") {
			b.fault(o.line, "wireless-essid %s names no network: iwconfig takes any; add the network by its name", short(essid))
		}
		b.put("ssid", variable{line: o.line, value: unquote(essid), quoted: true})
		b.put("key_mgmt", variable{line: o.line, value: "NONE"})
	}
	if o, ok := s.find("wireless-ap"); ok && !slices.Contains([]string{"any", "auto", "off"}, strings.ToLower(o.value)) {
		b.set(o.line, "bssid", o.value)
	}
	for _, o := range s.options {
		if (strings.HasPrefix(o.name, "wireless-key") || o.name == "wireless-enc") && hasKey(o.value) {
			b.put("wep_key0", variableOf(o))
		}
	}
	for _, name := range []string{"wireless-txpower", "wireless-power", "wireless-rts", "wireless-frag", "wireless-sens"} {
		if o, ok := s.find(name); ok {
			b.note(o.line, "%s is not taken over", name)
		}
	}
}

// hasKey reports whether the words of iwconfig's key set a key: off removes the key,
// and open and on only say how it would be used.
func hasKey(value string) bool {
	words := strings.Fields(strings.ToLower(value))
	if slices.Contains(words, "off") {
		return false
	}
	return slices.ContainsFunc(words, func(w string) bool { return w != "open" && w != "on" && !strings.HasPrefix(w, "[") })
}
