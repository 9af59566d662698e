package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	pageWidth  = 80 // columns; a serial console has no more
	labelWidth = 14 // columns of the names in front of rows
)

// tone says whether something is good or bad; on a terminal with colours, the colour
// shows it.
type tone string

// The tones are ANSI colours (ECMA-48 SGR).
const (
	plain   tone = ""
	good    tone = "\x1b[32m"
	waiting tone = "\x1b[33m"
	bad     tone = "\x1b[31m"
	toneEnd      = "\x1b[0m"
)

// cell is a piece of text with one tone.
type cell struct {
	text string
	tone tone
}

// page writes rows and tables for people. It escapes control sequences, so no text
// that it receives can act on the terminal.
type page struct {
	out    io.Writer
	colour bool
	all    bool  // lists are shown whole
	err    error // the error of the first write that failed
}

// colourful reports whether out is a terminal that shows colours, and the environment
// does not forbid them (https://no-color.org).
func colourful(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// columns returns the width of out if out is a terminal. Otherwise it returns 0,
// because the reader wants each text on one line.
func columns(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func (p *page) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, strings.TrimRight(text, " "))
	}
}

// paint returns the text of a cell in its colour.
func (p *page) paint(c cell) string {
	if !p.colour || c.tone == plain {
		return printable(c.text)
	}
	return string(c.tone) + printable(c.text) + toneEnd
}

// row writes a name, the first text in its tone, and the rest. A long rest continues
// in lines below its start.
func (p *page) row(name string, first cell, rest string) {
	lines := wrap(printable(strings.TrimSpace(first.text+" "+rest)), pageWidth-labelWidth)
	if text := printable(first.text); strings.HasPrefix(lines[0], text) {
		lines[0] = p.paint(first) + lines[0][len(text):]
	}
	for _, text := range lines {
		p.line(fmt.Sprintf("%-*s%s", labelWidth, name, text))
		name = ""
	}
}

// table writes an empty line and rows of the same number of cells, the first with the
// names of the columns. below holds the text under each of the other rows.
func (p *page) table(rows [][]cell, below []string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(c.text)))
		}
	}
	p.line("")
	for n, row := range rows {
		text := ""
		for i, c := range row {
			text += p.paint(c) + strings.Repeat(" ", 2+widths[i]-utf8.RuneCountInString(printable(c.text)))
		}
		p.line(text)
		if n == 0 || below == nil || below[n-1] == "" {
			continue
		}
		indent := widths[0] + 2
		for part := range strings.SplitSeq(below[n-1], "\n") {
			for _, text := range wrap(printable(part), pageWidth-indent) {
				p.line(strings.Repeat(" ", indent) + text)
			}
		}
	}
}

// wrap breaks a text at its spaces into lines of at most width characters, unless a
// word is longer. It returns at least one line.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		} else if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
