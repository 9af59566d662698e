package migrate

import (
	"strconv"
	"strings"
)

// supplicant reads wpa_supplicant.conf(5): one variable on each line, and
// blocks of them, network={ … }, of which each stands on lines of its own.
func (r *reader) supplicant(lines []string) {
	var open *block
	for i, line := range lines {
		number := i + 1
		line = strings.TrimSpace(line)
		brace, _, _ := strings.Cut(line, "#") // a comment may follow it
		switch compact := strings.Join(strings.Fields(brace), ""); {
		case line == "", line[0] == '#':
		case open == nil && compact == "network={":
			open = &block{line: number, variables: map[string]variable{}}
		case open == nil && strings.HasSuffix(compact, "={"): // cred={, blob-base64-name={
			r.problem(number, "%s is not taken over", short(strings.TrimSuffix(compact, "={")))
			open = &block{line: -1, variables: map[string]variable{}}
		case line[0] == '}':
			if open != nil && open.line > 0 {
				r.take(open)
			}
			open = nil
		case open == nil:
			r.global(number, line)
		case open.line > 0:
			r.variable(open, number, line)
		}
	}
	if open != nil && open.line > 0 {
		r.problem(open.line, "the network has no closing brace; nothing of it is taken over")
	}
}

// global is a line outside of the networks. Most say how wpa_supplicant runs,
// which is not the user's business here.
func (r *reader) global(number int, line string) {
	name, value, _ := strings.Cut(line, "=")
	if strings.TrimSpace(name) == "country" {
		r.problem(number, "the country is a setting of its own: put ap.country: %s into netconnectd.yaml", short(strings.TrimSpace(value)))
	}
}

// variable reads a line of a network, by the rules of wpa_supplicant's
// wpa_config_parse_string: "text", P"text with escapes", or a word.
func (r *reader) variable(b *block, number int, line string) {
	name, value, found := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	v := variable{line: number, value: value}
	ok := found && name != ""
	switch {
	case strings.HasPrefix(value, `P"`):
		v.quoted = true
		if v.value, ok = quoted(value[1:]); ok {
			v.value, ok = unescape(v.value)
		}
	case strings.HasPrefix(value, `"`):
		v.value, ok = quoted(value)
		v.quoted = true
	default:
		v.value, _, _ = strings.Cut(value, "#")
		v.value = strings.TrimSpace(v.value)
		if name == "ssid" {
			v.value, ok = unhex(v.value)
		}
	}
	if !ok {
		r.problem(number, "%s cannot be read; nothing is known of it", short(name))
		return
	}
	b.variables[name] = v
}

// quoted is what stands between the first and the last quote; in between
// there may be more of them.
func quoted(value string) (string, bool) {
	end := strings.LastIndexByte(value, '"')
	if end <= 0 {
		return "", false
	}
	if rest := strings.TrimSpace(value[end+1:]); rest != "" && rest[0] != '#' {
		return "", false
	}
	return value[1:end], true
}

// unescape is printf_decode of wpa_supplicant.
func unescape(text string) (plain string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return "", false
		}
		switch c := text[i]; c {
		case '\\', '"':
			b.WriteByte(c)
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'e':
			b.WriteByte(0x1b)
		default:
			n, value := number(text[i:])
			if n == 0 {
				return "", false
			}
			b.WriteByte(value)
			i += n - 1
		}
	}
	return b.String(), true
}

// number reads xHH, xH or up to three octal digits, and says how long it is.
func number(text string) (length int, value byte) {
	if text[0] == 'x' {
		for n := min(3, len(text)); n > 1; n-- {
			if v, err := strconv.ParseUint(text[1:n], 16, 8); err == nil {
				return n, byte(v)
			}
		}
		return 0, 0
	}
	for n := min(3, len(text)); n > 0; n-- {
		if v, err := strconv.ParseUint(text[:n], 8, 8); err == nil {
			return n, byte(v)
		}
	}
	return 0, 0
}
