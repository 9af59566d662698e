package migrate

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/address"
)

// wpa_supplicant reads a value according to its setting. The functions here follow
// wpa_config_parse_string, wpa_config_parse_psk and wpa_config_parse_int of
// wpa_supplicant 2.10.

// parse reads the value of a setting of wpa_supplicant.conf(5). The problem contains
// no secret.
func parse(name, raw string) (v variable, problem string) {
	v.value = raw
	switch kinds[name] {
	case isText:
		return parseText(raw)
	case isPassword:
		if strings.HasPrefix(raw, "ext:") || strings.HasPrefix(raw, "hash:") {
			return v, ""
		}
		return parseText(raw)
	case isPSK:
		return parsePSK(raw)
	case isNumber:
		if _, ok := number(raw); !ok {
			return v, "it is not a number"
		}
		v.value = strings.TrimLeft(raw, " \t")
	case isAddress:
		if raw = strings.TrimSuffix(strings.TrimPrefix(raw, `"`), `"`); raw == "any" {
			raw = ""
		}
		v.value = raw
		return v, checkCell(raw)
	}
	return v, ""
}

// checkCell reports why the text is not the address of a cell, or "". An empty
// address is valid.
func checkCell(text string) (problem string) {
	switch {
	case text == "":
		return ""
	case !sixBytes.MatchString(text):
		return "it is not an address such as 02:00:00:00:01:00"
	}
	if _, err := address.ParseCell(text); err != nil {
		return err.Error()
	}
	return ""
}

var sixBytes = regexp.MustCompile(`^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$`)

const notText = `it is neither text in quotes nor an even number of hexadecimal digits`

// parseText reads "text", P"text with escapes", or hexadecimal digits.
func parseText(raw string) (v variable, problem string) {
	quoted, escaped := strings.CutPrefix(raw, "P")
	switch {
	case strings.HasPrefix(quoted, `"`):
		if len(quoted) < 2 || !strings.HasSuffix(quoted, `"`) {
			return v, "a closing quote is missing at its end"
		}
		v.value, v.quoted = quoted[1:len(quoted)-1], true
		if escaped {
			v.value = unescape(v.value)
		}
	case raw == "NULL":
		v.unset = true
	default:
		decoded, err := hex.DecodeString(raw)
		if err != nil {
			return v, notText
		}
		v.value, v.quoted = string(decoded), true
	}
	return v, ""
}

// parsePSK reads a passphrase of 8 to 63 bytes in quotes, or a key of 64 hexadecimal
// digits. wpa_supplicant ignores what follows the last quote.
func parsePSK(raw string) (v variable, problem string) {
	v.value = raw
	switch {
	case strings.HasPrefix(raw, "ext:"), isKey(raw):
		return v, ""
	case !strings.HasPrefix(raw, `"`):
		return v, "it is neither a passphrase in quotes nor 64 hexadecimal digits"
	}
	end := strings.LastIndexByte(raw, '"')
	if end == 0 {
		return v, "a closing quote is missing at its end"
	}
	v.value, v.quoted = raw[1:end], true
	switch n := len(v.value); {
	case n < 8 || n > 63:
		return v, "a passphrase has 8 to 63 bytes, not " + strconv.Itoa(n)
	case strings.ContainsFunc(v.value, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return v, "it has control characters"
	}
	return v, ""
}

// isKey reports whether the text is a key of 64 hexadecimal digits.
func isKey(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) == 64
}

var cNumber = regexp.MustCompile(`^[ \t]*([-+]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*))?$`)

// number reads numbers as strtol(3) does: decimal, octal after a 0, hexadecimal after
// 0x, and 0 where there is no digit. A number of more than 32 bits is refused;
// wpa_supplicant would keep the lower bits.
func number(text string) (int, bool) {
	match := cNumber.FindStringSubmatch(text)
	if match == nil {
		return 0, false
	}
	if match[1] == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(match[1], 0, 32)
	return int(n), err == nil
}

// unescape follows printf_decode: an unknown escape stands for the character behind
// the backslash.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			if text[i] != '\\' {
				b.WriteByte(text[i])
			}
			continue
		}
		i++
		if c, ok := letters[text[i]]; ok {
			b.WriteByte(c)
			continue
		}
		length, value := digits(text[i:])
		if length == 0 { // the character stands for itself; an x without digits for nothing
			if text[i] != 'x' {
				b.WriteByte(text[i])
			}
			continue
		}
		b.WriteByte(value)
		i += length - 1
	}
	return b.String()
}

var letters = map[byte]byte{'\\': '\\', '"': '"', 'n': '\n', 'r': '\r', 't': '\t', 'e': 0x1b}

// digits reads xHH, xH or up to three octal digits, and returns how many bytes of
// text they take. Of a value above 255 the lower eight bits count.
func digits(text string) (length int, value byte) {
	first, base, most := 0, 8, 3
	if text[0] == 'x' {
		first, base, most = 1, 16, 2
	}
	for n := min(first+most, len(text)); n > first; n-- {
		if v, err := strconv.ParseUint(text[first:n], base, 16); err == nil {
			return n, byte(v)
		}
	}
	return 0, 0
}
