// Package pagetest reads the documents, so that tests can check their content. Only
// tests import it.
package pagetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Block is a verbatim part of a page: fenced, or indented by four blanks.
type Block struct {
	Page    string // the path of the page
	Line    int    // the number of the block's first line, from 1
	Heading string // the heading above the block, e.g. "## Frames"
	Lang    string // the language that its fence names; "" if none, or indented
	Text    string
}

// Pages returns the paths of the documents; root is the top of the source.
func Pages(t testing.TB, root string) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("find the documents: %d, %v", len(pages), err)
	}
	return append(pages, filepath.Join(root, "README.md"))
}

// Read returns the text of a page.
func Read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Blocks returns the blocks of a page.
func Blocks(t testing.TB, path string) []Block {
	t.Helper()
	r := reader{page: path, blank: true}
	for i, line := range strings.Split(Read(t, path), "\n") {
		r.line(i+1, line)
	}
	if r.fenced {
		t.Fatalf("%s: a fence is left open", path)
	}
	return r.blocks
}

// reader reads a page line by line.
type reader struct {
	page, heading string
	blocks        []Block
	fenced        bool // the line is within a fence
	indented      bool // the line is within an indented block
	blank         bool // the previous line was empty
}

func (r *reader) line(number int, line string) {
	lang, fence := strings.CutPrefix(line, "```")
	code, indent := strings.CutPrefix(line, "    ")
	switch {
	case fence && r.fenced:
		r.fenced = false
	case fence:
		r.fenced, r.indented = true, false
		r.begin(number+1, lang)
	case r.fenced:
		r.add(line)
	case indent && (r.indented || r.blank):
		if !r.indented {
			r.begin(number, "")
		}
		r.indented = true
		r.add(code)
	default:
		r.indented = r.indented && line == "" // empty lines do not end the block
		if strings.HasPrefix(line, "#") {
			r.heading = line
		}
	}
	r.blank = line == ""
}

func (r *reader) begin(number int, lang string) {
	r.blocks = append(r.blocks, Block{Page: r.page, Line: number, Heading: r.heading, Lang: lang})
}

func (r *reader) add(line string) { r.blocks[len(r.blocks)-1].Text += line + "\n" }

// quoted matches `text` within a line.
var quoted = regexp.MustCompile("`([^`]+)`")

// Quoted returns the texts in back quotes within the page's sentences and tables.
func Quoted(t testing.TB, path string) []string {
	t.Helper()
	prose := Read(t, path)
	for _, b := range Blocks(t, path) {
		if b.Lang != "" {
			prose = strings.Replace(prose, "```"+b.Lang+"\n"+b.Text+"```", "", 1)
		} else {
			prose = strings.Replace(prose, "```\n"+b.Text+"```", "", 1)
		}
	}
	var all []string
	for line := range strings.Lines(prose) {
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// Command is a call of a program.
type Command struct {
	Page  string   // the path of the page
	Args  []string // the arguments, without the program's name
	Prose bool     // within a sentence, which may name only the command
}

func (c Command) String() string { return filepath.Base(c.Page) + ": " + strings.Join(c.Args, " ") }

// Commands returns the calls of a program in all pages, in blocks of shell and within
// sentences.
func Commands(t testing.TB, root, program string) []Command {
	t.Helper()
	var found []Command
	call := func(page, line string, prose bool) {
		for _, words := range commands(line) {
			if len(words) > 0 && words[0] == program {
				found = append(found, Command{page, words[1:], prose})
			}
		}
	}
	for _, page := range Pages(t, root) {
		for _, text := range Quoted(t, page) {
			call(page, text, true)
		}
		for _, b := range Blocks(t, page) {
			if b.Lang == "" || b.Lang == "sh" || b.Lang == "console" {
				for line := range strings.Lines(b.Text) {
					call(page, strings.TrimSuffix(line, "\n"), false)
				}
			}
		}
	}
	return found
}

// commands splits a line of shell into its simple commands, and these into words.
// sudo and a prompt do not count as words.
func commands(line string) [][]string {
	var all [][]string
	var words []string
	word, inWord, quote := "", false, rune(0)
	endWord := func() {
		if inWord {
			words = append(words, word)
		}
		word, inWord = "", false
	}
	endCommand := func() {
		endWord()
		for len(words) > 0 && (words[0] == "sudo" || words[0] == "$") {
			words = words[1:]
		}
		all = append(all, words)
		words = nil
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote == 0 && r == '#' && !inWord:
			endCommand()
			return all
		case quote == 0 && strings.ContainsRune(" \t", r):
			endWord()
		case quote == 0 && strings.ContainsRune(";|&()", r):
			endCommand()
		default:
			word, inWord = word+string(r), true
		}
	}
	endCommand()
	return all
}
