// Package shown makes text that others wrote fit for a message to people.
package shown

import (
	"fmt"
	"strings"
)

// limit is how many bytes of a text a message repeats. That is enough to find the text
// in a file.
const limit = 40

// Text returns a text as it is if it is short, not empty, and of printable ASCII
// without spaces. It returns any other text in quotes, so that no message is broken into
// lines or steers a terminal, and only the beginning of a long one.
func Text(text string) string {
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	plain := text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
	if plain {
		return text
	}
	return fmt.Sprintf("%q", text)
}
