package main

import "strings"

// shellWord is the last word of a line of bash, which may not be complete.
type shellWord struct{ raw string }

// quoteState says which quote is open at some place of a line of bash.
type quoteState byte

// The states of quoting (bash(1), QUOTING).
const (
	unquoted     quoteState = 0
	doubleQuoted quoteState = '"'
	singleQuoted quoteState = '\''
	ansiQuoted   quoteState = '$' // $'…'
)

// splitLine splits the beginning of a simple command into the words after the
// command's name; the last word is the one being typed. It evaluates nothing, and
// refuses lines whose words only bash could determine.
func splitLine(line string) (words []string, last shellWord, ok bool) {
	var raw []string
	var state quoteState
	word, within := "", false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case state == unquoted && (c == ' ' || c == '\t'):
			if within {
				raw = append(raw, word)
			}
			word, within = "", false
			continue
		case state == unquoted && strings.IndexByte("\n|&;()<>`", c) >= 0, state == doubleQuoted && c == '`':
			return nil, last, false
		case c == '$' && (state == unquoted || state == doubleQuoted) && !strings.HasPrefix(line[i:], "$'"):
			return nil, last, false // a variable or a substitution
		}
		n, next := step(line[i:], state)
		word, within, state = word+line[i:i+n], true, next
		i += n - 1
	}
	raw = append(raw, word)
	for _, r := range raw[:len(raw)-1] {
		words = append(words, shellWord{r}.value())
	}
	if len(raw) < 2 {
		return nil, last, false
	}
	return words[1:], shellWord{raw[len(raw)-1]}, true
}

// step returns how many bytes of a text belong together, and which quote is open
// after them.
func step(text string, state quoteState) (n int, next quoteState) {
	c := text[0]
	switch {
	case c == '\\' && state != singleQuoted:
		return min(2, len(text)), state
	case state != unquoted && (c == byte(state) || state == ansiQuoted && c == '\''):
		return 1, unquoted
	case state == unquoted && strings.HasPrefix(text, "$'"):
		return 2, ansiQuoted
	case state == unquoted && (c == '"' || c == '\''):
		return 1, quoteState(c)
	}
	return 1, state
}

// value returns the word without its quotes.
func (w shellWord) value() string {
	text, _, _ := unquote(w.raw)
	return text
}

// unquote removes the quotes of a text, and returns the quote that is open at its
// end. A backslash at the end, whose character is not typed yet, is dropped, and the
// text is then not whole. Escapes in $'…' are dropped, too.
func unquote(raw string) (text string, state quoteState, whole bool) {
	var b strings.Builder
	whole = true
	for i := 0; i < len(raw); {
		n, next := step(raw[i:], state)
		part := raw[i : i+n]
		switch {
		case next != state: // a quote
		case part[0] != '\\' || state == singleQuoted:
			b.WriteString(part)
		case n < 2:
			whole = false
		case state == ansiQuoted:
		case state == doubleQuoted && strings.IndexByte("$`\"\\\n", part[1]) < 0:
			b.WriteString(part)
		default:
			b.WriteByte(part[1])
		}
		state = next
		i += n
	}
	return b.String(), state, whole
}

// replace returns the text for name that must replace cur, the end of the word: bash
// keeps what stands before a character of COMP_WORDBREAKS, or before a quote.
func (w shellWord) replace(name, cur string) (text string, ok bool) {
	before, ok := strings.CutSuffix(w.raw, cur)
	if !ok || !strings.HasPrefix(name, w.value()) {
		return "", false
	}
	fixed, state, whole := unquote(before)
	if !whole || !strings.HasPrefix(name, fixed) {
		return "", false
	}
	return quoteFor(name[len(fixed):], state)
}

// plainBytes stand for themselves everywhere in bash.
const plainBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+,"

// quoteFor writes a text so that it stands for itself where the quote state is open.
// It returns false if the text cannot be written there.
func quoteFor(text string, state quoteState) (string, bool) {
	switch state {
	case singleQuoted:
		return text, !strings.Contains(text, "'")
	case doubleQuoted:
		// Within double quotes ! cannot be kept from beginning an expansion of the
		// history. After a word that ends with a quote, bash does not add the closing
		// quote.
		possible := !strings.Contains(text, "!") && !strings.HasSuffix(text, `"`)
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(text), possible
	case ansiQuoted:
		return "", false
	}
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < 0x80 && strings.IndexByte(plainBytes, c) < 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String(), true
}
