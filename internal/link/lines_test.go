package link

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"
)

// lines takes the output of a program line by line.
type lines struct {
	rest []byte
	seen chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.seen <- string(line)
		l.rest = rest
	}
}

// until returns the lines before the one that contains text.
func (l *lines) until(t *testing.T, text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		t.Helper()
		timeout := time.After(10 * time.Second)
		for {
			select {
			case line := <-l.seen:
				if strings.Contains(line, text) || !yield(line) {
					return
				}
			case <-timeout:
				t.Fatalf("%s was never seen", text)
			}
		}
	}
}

// touchUntilHeard calls touch with new addresses until the program has heard of one.
func (l *lines) touchUntilHeard(t *testing.T, touch func(address string)) {
	t.Helper()
	for try := range 100 {
		address := fmt.Sprintf("127.8.0.%d/32", try+1)
		touch(address)
		select {
		case <-l.seen:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("the program hears nothing")
}
