package hook

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	lineLimit  = 400 // bytes of one line
	linesLimit = 50  // lines of one call
)

// lines calls say for each line that is written to it, up to a limit, so that a hook
// that prints for ever fills neither the memory nor the log.
type lines struct {
	say  func(line string)
	rest []byte
	said int
	lost int // bytes beyond the limit
}

func (l *lines) Write(b []byte) (int, error) {
	for _, part := range bytes.SplitAfter(b, []byte("\n")) {
		room := max(lineLimit-len(l.rest), 0)
		l.rest = append(l.rest, part[:min(len(part), room)]...)
		l.lost += max(len(part)-room, 0)
		if bytes.HasSuffix(part, []byte("\n")) {
			l.end()
		}
	}
	return len(b), nil
}

func (l *lines) end() {
	line := strings.ToValidUTF8(strings.TrimRight(string(l.rest), "\r\n"), "?")
	switch {
	case line == "":
	case l.said < linesLimit:
		l.say(line)
		l.said++
	default:
		l.lost += len(l.rest)
	}
	l.rest = l.rest[:0]
}

// flush passes on a last line without a line end, and logs the number of lost bytes.
func (l *lines) flush() {
	l.end()
	if l.lost > 0 {
		l.say(fmt.Sprintf("and %d bytes more", l.lost))
	}
}
