package migrate

import (
	"slices"
	"strings"
)

// supplicant reads wpa_supplicant.conf(5) as wpa_supplicant does: one setting per
// line, and blocks, each of which starts with network={ and ends with }, both on
// lines of their own. wpa_supplicant refuses the whole file for one fault; we leave
// out only the network with the fault.
func (r *reader) supplicant(lines []string) {
	r.certain = slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "network={") || strings.HasPrefix(line, "ctrl_interface=") || strings.HasPrefix(line, "update_config=")
	})
	var open *block
	skip := false // until }: this block is not a network
	for i, line := range lines {
		number, line := i+1, withoutComment(line)
		switch {
		case line == "":
		case line == "}" && (open != nil || skip):
			r.take(open)
			open, skip = nil, false
		case skip:
		case open != nil:
			open.read(number, line)
		case line == "network={":
			open = newBlock(number)
		case opensBlock(line):
			r.problem(number, "%s", malformed)
			skip = !strings.HasSuffix(line, "}")
		case strings.HasSuffix(line, "={"): // cred={, blob-base64-name={
			r.problem(number, "%s is not taken over", short(strings.TrimSuffix(line, "={")))
			skip = true
		default:
			r.global(number, line)
		}
	}
	if open != nil {
		r.problem(open.line, "the network has no closing brace; nothing of it is taken over")
	}
}

// withoutComment follows wpa_config_get_line: a # behind the second quote starts a
// comment, and so does any # in a line without two quotes.
func withoutComment(line string) string {
	line = strings.TrimLeft(line, " \t\r")
	if strings.HasPrefix(line, "#") {
		return ""
	}
	start := 0
	if parts := strings.SplitN(line, `"`, 3); len(parts) == 3 {
		start = len(line) - len(parts[2])
	}
	if end := strings.IndexByte(line[start:], '#'); end >= 0 {
		line = line[:start+end]
	}
	return strings.TrimRight(line, " \t\r")
}

// opensBlock reports whether a line starts a block in a form that wpa_supplicant does
// not accept: with spaces, with something behind the brace, or with the brace on the
// next line.
func opensBlock(line string) bool {
	name, rest, found := strings.Cut(line, "=")
	if !found {
		name, rest, found = strings.Cut(line, "{")
		rest = "{" + rest
	}
	rest = strings.TrimSpace(rest)
	return found && strings.TrimSpace(name) == "network" && (rest == "" || rest[0] == '{')
}

const malformed = "nothing of this network is taken over: network={ has to stand on a line of its own without spaces, " +
	"each setting and } on lines of their own, as wpa_supplicant wants them"

// global reads a line outside of the networks. Most such lines say how wpa_supplicant
// runs, which has no meaning here.
func (r *reader) global(number int, line string) {
	name, value, found := strings.Cut(line, "=")
	switch {
	case name == "country":
		r.problem(number, "the country is a setting of its own: put ap.country: %s into netconnectd.yaml", short(strings.TrimSpace(value)))
	case slices.Contains(global, name):
		r.problem(number, "%s is not taken over", name)
	case kinds[name] == isText || kinds[name] == isPSK:
		r.problem(number, "%s stands in no network; nothing is known of it", short(name))
	case !found && r.certain: // otherwise the file may be of another kind
		r.problem(number, "the line cannot be read: it is not name=value")
	}
}

// read takes one line of a network.
func (b *block) read(number int, line string) {
	name, raw, found := strings.Cut(line, "=")
	if line == "network={" {
		b.fault(b.line, "the network has no closing brace before the next one begins")
		return
	}
	if !found {
		b.fault(number, "the line cannot be read: it is not name=value")
		return
	}
	if strings.HasPrefix(raw, `"`) && strings.Count(raw, `"`) == 1 {
		b.fault(number, "%s cannot be read: a closing quote is missing at its end", short(name))
		return
	}
	if plain := strings.TrimSpace(name); plain != name && (slices.Contains(taken, plain) || kinds[plain] != isWord) {
		b.fault(number, "%s cannot be read: no space may stand before =", short(plain))
		return
	}
	b.set(number, name, raw)
}
