package uci

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/timetest"
)

// write returns sections in UCI's canonical form, from which the same sections can be read.
func write(sections []Section) string {
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "\nconfig %s", quote(s.Type))
		if s.Name != "" {
			b.WriteString(" " + quote(s.Name))
		}
		b.WriteByte('\n')
		for _, o := range s.Options {
			keyword := "option"
			if o.List {
				keyword = "list"
			}
			for _, v := range o.Values {
				fmt.Fprintf(&b, "\t%s %s %s\n", keyword, o.Name, quote(v.Text))
			}
		}
	}
	return b.String()
}

// flat returns sections in one line each, e.g. "1 interface lan: 2 proto=static 4 dns=[a b]".
func flat(sections []Section) string {
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "%d %s %s:", s.Line, s.Type, s.Name)
		for _, o := range s.Options {
			var texts []string
			for _, v := range o.Values {
				texts = append(texts, fmt.Sprintf("%d%+q", v.Line, v.Text))
			}
			text := strings.Join(texts, " ")
			if o.List {
				text = "[" + text + "]"
			}
			fmt.Fprintf(&b, " %d %s=%s", o.Line, o.Name, text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"no end of the last line", "config a b\noption c d", "1 a b: 2 c=2\"d\"\n"},
		{"quoted names, and abbreviated keywords", "p network\nc 'a' \"b\"\no 'c' d\nl e f", "2 a b: 3 c=3\"d\" 4 e=[4\"f\"]\n"},
		{"several statements in a line", "config a;option b c; list d e;;\n;option f g", "1 a : 1 b=1\"c\" 1 d=[1\"e\"] 2 f=2\"g\"\n"},
		{"parts of a word", `config a
option b 'it'\''s'"x y"z\ \"
option c 'a\b'`, "1 a : 2 b=2\"it'sx yz \\\"\" 3 c=3\"a\\\\b\"\n"},
		{"a value of several lines", "config a\noption b 'c\n d'\noption e f", "1 a : 2 b=2\"c\\n d\" 4 e=4\"f\"\n"},
		{"a backslash at the end", "config a\noption b c\\\nd\noption e \\\n f\noption g \"h\\\ni\"\noption j k\\", "1 a : 2 b=2\"cd\" 4 e=4\"f\" 6 g=6\"hi\" 8 j=8\"k\"\n"},
		{"ends of lines of Windows", "config a\r\noption b c\\\r\nd\r\noption e f\r\n", "1 a : 2 b=2\"cd\" 4 e=4\"f\"\n"},
		{"comments", "# x\nconfig a #b\noption c d#e ; option x y\noption f '#g'", "2 a : 3 c=3\"d\" 4 f=4\"#g\"\n"},
		{"tabs and empty lines", "config\ta\n\n \t option\tb\v c \n", "1 a : 3 b=3\"c\"\n"},
		{"a section in two parts", "config a b\noption c d\nconfig x\nconfig a b\noption c e\noption f g", "1 a b: 5 c=5\"e\" 6 f=6\"g\"\n3 x :\n"},
		{"anonymous sections stay apart", "config a\nconfig a ''\noption b c", "1 a :\n2 a : 3 b=3\"c\"\n"},
		{"the last option counts", "config a\noption b c\noption d e\noption b f", "1 a : 4 b=4\"f\" 3 d=3\"e\"\n"},
		{"an option that becomes a list", "config a\noption b c\nlist b d\nlist b e", "1 a : 4 b=[2\"c\" 3\"d\" 4\"e\"]\n"},
		{"a list that becomes an option", "config a\nlist b c\nlist b d\noption b e", "1 a : 4 b=4\"e\"\n"},
		{"nothing takes an option away", "config a\noption b c\noption b ''\noption d\nlist e ''\noption f ''\noption f g", "1 a : 7 f=7\"g\"\n"},
		{"types of any shape", "config bridge-vlan\nconfig wireguard_wg0", "1 bridge-vlan :\n2 wireguard_wg0 :\n"},
	} {
		sections, problems := Parse([]byte(row.text))
		if got := flat(sections); got != row.want || len(problems) > 0 {
			t.Errorf("%s:\n%swant\n%s%v", row.name, got, row.want, problems)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"all at once", "option x y\noption z y\nkonfig a\nconfig a b\noption c-d e\noption f g h\nconfig", `1: the option x stands before the first section; begin one by config
3: the line begins with no keyword; write config, option or list
5: c… is no name of an option; use letters, digits and _
6: the line has a word too many; put a value with spaces in quotes
7: nothing stands behind config; add a name
`},
		{"the options of a wrong section are no more problems", "config a b-c\noption d e\nconfig 'f g'\noption d e\nconfig é", `1: b… is no name of a section; use letters, digits and _
3: f… is no type of a section; use letters, digits, _ and -
5: ""… is no type of a section; use letters, digits, _ and -
`},
		{"a name of two types", "config a b\nconfig c b\noption d e", "2: b is the name of a section of type a already, in line 1; choose another name\n"},
		{"a quote that is not closed", "config a\noption b 'c\noption d e", "2: the quote ' that begins here, or one before it, is not closed\n"},
		{"a quote that is closed too late", "config a\noption b \"c\noption d e\" f\noption g h", "2: the line has a word too many; put a value with spaces in quotes, and close each quote in the line in which it begins\n"},
		{"bytes that are no text", "config a\noption b \x01\noption b '\xff'\nopt\x1bion b c\noption \x00", `2: a word has the control character 0x01; remove it
3: a word is not UTF-8; save the file as UTF-8
4: the line begins with no keyword; write config, option or list
5: a word has the control character 0x00; remove it
`},
		{"a package of two words", "package a b", "1: the line has a word too many; put a value with spaces in quotes\n"},
		{"a long value", "config a\noption b " + strings.Repeat("x", maxValue+1), "2: a word has 4097 bytes, and 4096 are allowed\n"},
	} {
		sections, problems := Parse([]byte(row.text))
		var b strings.Builder
		for _, p := range problems {
			fmt.Fprintf(&b, "%d: %s\n", p.Line, p.Text)
		}
		if b.String() != row.want || sections != nil {
			t.Errorf("%s:\n%swant\n%s%v", row.name, b.String(), row.want, sections)
		}
	}
}

// TestBounds: a file of any size costs little, and says which bound it has passed.
func TestBounds(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{strings.Repeat("#\n", MaxFile), "1: the file is larger than 1 MiB"},
		{strings.Repeat("c a\n", maxSections+1), "4097: the file has more than 4096 sections"},
		{"c a\n" + strings.Repeat("l b c\n", maxStatements), "65537: the file has more than 65536 statements"},
		{strings.Repeat("x\n", maxProblems+7), "50: there may be more problems; correct these first"},
		{strings.Repeat("x;", MaxFile/2), "1: the line begins with no keyword; write config, option or list"},
	} {
		sections, problems := Parse([]byte(row.text))
		if len(problems) == 0 || sections != nil || len(problems) > maxProblems+1 {
			t.Fatalf("%d sections, %d problems, want %s", len(sections), len(problems), row.want)
		}
		if last := problems[len(problems)-1]; fmt.Sprintf("%d: %s", last.Line, last.Text) != row.want {
			t.Errorf("%d: %s\nwant %s", last.Line, last.Text, row.want)
		}
	}
}

// TestCost: ten times the text takes not much more than ten times as long.
func TestCost(t *testing.T) {
	if testing.Short() || timetest.Beside {
		t.Skip("measures, without the race detector")
	}
	cost := func(n int) time.Duration {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "config a s%d\noption o%d x\nconfig a s0\noption o%d y\nlist l z\n", i, i, i)
		}
		for i := range 10 * n {
			fmt.Fprintf(&b, "option p%d x\n", i)
		}
		return timetest.Processor(t, func() {
			if _, problems := Parse([]byte(b.String())); len(problems) > 0 {
				t.Fatal(problems)
			}
		})
	}
	few, many := cost(400), cost(4000)
	t.Logf("%v for 400 sections, %v for 4,000", few, many)
	if many > 25*few {
		t.Errorf("%v for 400 sections, %v for 4,000", few, many)
	}
}

// FuzzParse: no text lets Parse panic, a problem is one line, and what is accepted is the
// same after it is written and read again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"config interface 'lan'\n\toption proto 'static'\n\tlist dns '192.0.2.1'\n\tlist dns '192.0.2.2'\n",
		"c a;o b 'it'\\''s'\"x\\\ny\"\nconfig a\nl b c#d\n", "package x\nconfig a b\nconfig c b\noption\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sections, problems := Parse([]byte(text))
		for _, p := range problems {
			if p.Text == "" || len(p.Text) > 300 || p.Line < 1 || p.Line > 1+strings.Count(text, "\n") || strings.ContainsFunc(p.Text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Errorf("no short line: %+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		canonical := write(sections)
		again, problems := Parse([]byte(canonical))
		if len(problems) > 0 && len(canonical) <= MaxFile {
			t.Fatalf("%s\ncannot be read: %v", canonical, problems)
		}
		if len(canonical) <= MaxFile && !slices.Equal(strings.Split(write(again), "\n"), strings.Split(canonical, "\n")) {
			t.Errorf("%s\nbecomes\n%s", canonical, write(again))
		}
	})
}
