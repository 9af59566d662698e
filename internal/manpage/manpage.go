// Package manpage writes manual pages in the man(7) language. Tests generate the
// pages of docs/man with it, from the data of --help; no program links it.
package manpage

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Page is a manual page that is being written from top to bottom.
type Page struct {
	b     strings.Builder
	begun bool // this section has a paragraph
}

// New begins a page. name is the argument of man(1), section the section of the
// manual, and about a short description.
func New(name, section, about string) *Page {
	p := &Page{}
	p.b.WriteString(`.\" Made from what --help is made of; see internal/manpage.` + "\n")
	// The date and the version are filled in where packages are built.
	p.line(".TH", strings.ToUpper(name), section, "", "netconnectd", "")
	p.Section("Name")
	p.b.WriteString(escape(name) + ` \- ` + escape(about) + "\n")
	return p
}

// String returns the page.
func (p *Page) String() string { return p.b.String() }

// Section begins a section.
func (p *Page) Section(title string) { p.heading(".SH", strings.ToUpper(title)) }

// Subsection begins a subsection.
func (p *Page) Subsection(title string) { p.heading(".SS", title) }

func (p *Page) heading(request, title string) {
	p.line(request, title)
	p.begun = false
}

// paragraph begins a paragraph; a heading has already begun the first one.
func (p *Page) paragraph() {
	if p.begun {
		p.b.WriteString(".PP\n")
	}
	p.begun = true
}

// Text adds paragraphs, which are separated by empty lines.
func (p *Page) Text(text string) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		p.paragraph()
		p.b.WriteString(escape(part) + "\n")
	}
}

// Example adds lines that are printed unchanged.
func (p *Page) Example(text string) {
	p.paragraph()
	p.b.WriteString(".nf\n" + escape(text) + "\n.fi\n")
}

// Item adds an entry of a list: a name in bold, and a sentence about it.
func (p *Page) Item(tag, text string) {
	p.b.WriteString(".TP\n")
	p.begun = true
	p.line(".B", tag)
	p.b.WriteString(escape(text) + "\n")
}

// Flags adds an item for each flag that is not hidden.
func (p *Page) Flags(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		tag := "--" + f.Name
		if f.Shorthand != "" {
			tag = "-" + f.Shorthand + ", " + tag
		}
		if value != "" {
			tag += " " + value
		}
		// pflag has no text for "no default", so the zero value of the type stands
		// for it.
		if zero := f.DefValue == "" || f.DefValue == "false" || f.DefValue == "0" || f.DefValue == "[]"; !zero {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		p.Item(tag, usage)
	})
}

// line adds a request with its arguments.
func (p *Page) line(request string, arguments ...string) {
	p.b.WriteString(request)
	for _, a := range arguments {
		p.b.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	p.b.WriteString("\n")
}

var special = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...")

// escape keeps text from being read as a request, and its dashes from being typeset
// as characters that no shell accepts.
func escape(text string) string {
	lines := strings.Split(special.Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
