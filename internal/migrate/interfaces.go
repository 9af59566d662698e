package migrate

import (
	"slices"
	"strings"
)

// keywords are the words that start a stanza of interfaces(5).
var keywords = []string{"iface", "auto", "mapping", "source", "source-dir", "source-directory", "no-auto-down", "no-scripts", "template", "rename"}

func isKeyword(word string) bool {
	return slices.Contains(keywords, word) || strings.HasPrefix(word, "allow-")
}

// isInterfaces reports whether the text is a file of ifupdown: its first word starts
// a stanza, or the text contains a complete iface line.
func isInterfaces(lines []string) bool {
	first := true
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if first && isKeyword(words[0]) || words[0] == "iface" && len(words) >= 4 && strings.HasPrefix(words[2], "inet") {
			return true
		}
		first = false
	}
	return false
}

// spaces are the characters of C's isspace.
const spaces = " \t\n\v\f\r"

// logicalLine is a line together with the lines that continue it.
type logicalLine struct {
	number int // the number of its first line
	text   string
}

// join joins lines as ifupdown does: a backslash at the very end continues the line,
// and nothing is added or removed in between. Comments and empty lines are left out
// where a logical line starts, but not where one continues.
func join(lines []string) []logicalLine {
	var joined []logicalLine
	for i := 0; i < len(lines); i++ {
		number, text := i+1, lines[i]
		if start := strings.TrimLeft(text, spaces); start == "" || start[0] == '#' {
			continue
		}
		var parts []string
		for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
			parts = append(parts, strings.TrimSuffix(text, `\`))
			i++
			text = lines[i]
		}
		text = strings.Join(append(parts, text), "")
		joined = append(joined, logicalLine{number, strings.Trim(text, spaces)})
	}
	return joined
}

func cutWord(line string) (word, rest string) {
	i := strings.IndexAny(line, spaces)
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimLeft(line[i:], spaces)
}

// interfaces reads interfaces(5). It uses the stanzas that name a Wi-Fi network by
// wpa-… options (functions.sh of wpasupplicant) or by wireless-… options
// (wireless-tools), as the original netconnectd wrote them.
func (r *reader) interfaces(lines []string) {
	all := r.stanzas(lines)
	for _, s := range all {
		r.stanza(s, all)
	}
}

// stanzas reads the iface stanzas.
func (r *reader) stanzas(lines []string) []*stanza {
	var all []*stanza
	var open *stanza
	for _, line := range join(lines) {
		word, rest := cutWord(line.text)
		switch {
		case word == "iface" && len(all) == mostNetworks:
			r.problem(line.number, "more than %d stanzas are in the file; nothing from here on is taken over", mostNetworks)
			return all
		case word == "iface":
			open = newStanza(line.number, strings.Fields(rest), all)
			all = append(all, open)
		case word == "mapping":
			open = &stanza{mapping: true}
		case isKeyword(word):
			open = nil
			if strings.HasPrefix(word, "source") {
				r.problem(line.number, "the files that it names are not read: import them, too: %s", short(rest))
			}
		case open != nil:
			open.option(line.number, word, rest)
		case isOfWifi(optionName(word)):
			r.problem(line.number, "%s stands in no iface stanza; it is not taken over", short(word))
		}
	}
	return all
}

// optionName returns the name of an option as scripts see it: ifupdown passes both
// wpa-ssid and WPA_SSID as IF_WPA_SSID.
func optionName(word string) string {
	return strings.ReplaceAll(strings.ToLower(word), "_", "-")
}

func isOfWifi(name string) bool {
	return strings.HasPrefix(name, "wpa-") || strings.HasPrefix(name, "wireless-")
}
