// Package ssid shows SSIDs, which may be any bytes, to people and programs.
package ssid

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes an SSID a string without loss of readable ones. Valid UTF-8 stays
// as it is. Anything else is escaped as in printf: bytes outside of printable
// ASCII as \xff, the backslash doubled.
func Text(ssid []byte) string {
	if utf8.Valid(ssid) {
		return string(ssid)
	}
	return escape(ssid)
}

// Printable is Text for a line that people read: an SSID with a character that
// cannot be printed is escaped, too.
func Printable(ssid []byte) string {
	if strings.ContainsFunc(string(ssid), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return escape(ssid)
	}
	return Text(ssid)
}

func escape(ssid []byte) string {
	var text strings.Builder
	for _, b := range ssid {
		switch {
		case b == '\\':
			text.WriteString(`\\`)
		case b < ' ' || b > '~':
			fmt.Fprintf(&text, `\x%02x`, b)
		default:
			text.WriteByte(b)
		}
	}
	return text.String()
}
