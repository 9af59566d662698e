package uci

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// words takes a text apart.
type words struct {
	text string
	pos  int
	line int // of pos
}

// word is an argument of a statement, without its quotes and backslashes.
type word struct {
	text string
	line int // in which the word ends
}

// next goes to the next statement. It reports whether there is one.
func (w *words) next() bool {
	for w.pos < len(w.text) {
		switch c := w.text[w.pos]; {
		case c == '#':
			w.skipLine()
		case c == ';' || isSpace(c):
			w.skip()
		default:
			return true
		}
	}
	return false
}

// skip goes over one byte.
func (w *words) skip() {
	if w.text[w.pos] == '\n' {
		w.line++
	}
	w.pos++
}

// skipLine goes to the end of the line.
func (w *words) skipLine() {
	n := strings.IndexByte(w.text[w.pos:], '\n')
	if n < 0 {
		n = len(w.text) - w.pos
	}
	w.pos += n
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// keyword returns the first word of a statement, in which quotes have no meaning.
func (w *words) keyword() string {
	begin := w.pos
	for w.pos < len(w.text) && !isSpace(w.text[w.pos]) && w.text[w.pos] != ';' && w.text[w.pos] != '#' {
		w.pos++
	}
	return w.text[begin:w.pos]
}

// rest returns the other words of a statement, up to one more than any statement has.
func (w *words) rest() ([]word, *Problem) {
	var all []word
	for len(all) < 3 {
		if w.ended() {
			return all, nil
		}
		one, fault := w.word()
		if fault != nil {
			return nil, fault
		}
		all = append(all, one)
	}
	return all, nil
}

// ended goes over blanks, and reports whether the statement has no more words.
func (w *words) ended() bool {
	for w.pos < len(w.text) {
		switch c := w.text[w.pos]; {
		case c == '\n' || c == ';' || c == '#':
			return true
		case isSpace(c):
			w.pos++
		case !w.continues():
			return false
		}
	}
	return true
}

// continues goes over a backslash at the end of a line, and reports whether one is here.
func (w *words) continues() bool {
	n := 0
	switch rest := w.text[w.pos:]; {
	case strings.HasPrefix(rest, "\\\n"), rest == "\\":
		n = min(2, len(rest))
	case strings.HasPrefix(rest, "\\\r\n"):
		n = 3
	default:
		return false
	}
	for range n {
		w.skip()
	}
	return true
}

// word returns the word that begins here.
func (w *words) word() (word, *Problem) {
	line := w.line
	var b strings.Builder
	for w.pos < len(w.text) {
		c := w.text[w.pos]
		if isSpace(c) || c == ';' || c == '#' {
			break
		}
		if c == '\'' || c == '"' {
			if fault := w.quoted(&b, c); fault != nil {
				return word{}, fault
			}
			continue
		}
		w.char(&b)
	}
	return word{b.String(), w.line}, check(b.String(), line)
}

// quoted reads up to the quote that ends what begins with one. A backslash has a meaning
// in double quotes only.
func (w *words) quoted(b *strings.Builder, quote byte) *Problem {
	line := w.line
	for w.pos++; w.pos < len(w.text); {
		switch c := w.text[w.pos]; {
		case c == quote:
			w.pos++
			return nil
		case c == '\\' && quote == '"':
			w.char(b)
		default:
			b.WriteByte(c)
			w.skip()
		}
	}
	return &Problem{line, fmt.Sprintf("the quote %c that begins here, or one before it, is not closed", quote)}
}

// char reads one byte of a word, or the byte behind a backslash.
func (w *words) char(b *strings.Builder) {
	if w.continues() {
		return
	}
	if w.text[w.pos] == '\\' {
		w.pos++
	}
	b.WriteByte(w.text[w.pos])
	w.skip()
}

// check reports what no word can have.
func check(text string, line int) *Problem {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return &Problem{line, fmt.Sprintf("a word has the control character 0x%02x; remove it", c)}
		}
	}
	if !utf8.ValidString(text) {
		return &Problem{line, "a word is not UTF-8; save the file as UTF-8"}
	}
	if len(text) > maxValue {
		return &Problem{line, fmt.Sprintf("a word has %d bytes, and %d are allowed", len(text), maxValue)}
	}
	return nil
}
