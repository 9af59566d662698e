package manpage

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestPage(t *testing.T) {
	p := New("name-it", "8", "one of many")
	p.Section("Options")
	p.Text(".first\n'line\n\nback\\slash")
	p.Item(`a "b"`, "--c…")
	p.Text("after")
	p.Section("Example")
	p.Example("x:\n  y: -1")
	want := `.TH "NAME\-IT" "8" "" "netconnectd" ""
.SH "NAME"
name\-it \- one of many
.SH "OPTIONS"
\&.first
\&'line
.PP
back\eslash
.TP
.B "a \(dqb\(dq"
\-\-c...
.PP
after
.SH "EXAMPLE"
.nf
x:
  y: \-1
.fi
`
	if _, got, _ := strings.Cut(p.String(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFlags(t *testing.T) {
	fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
	fs.StringP("file", "f", "/a", "Read this `path`.")
	fs.Bool("quiet", false, "Say nothing.")
	fs.Int("count", 0, "How often.")
	fs.Bool("old", false, "Not told.")
	if err := fs.MarkHidden("old"); err != nil {
		t.Fatal(err)
	}
	p := &Page{}
	p.Flags(fs)
	want := `.TP
.B "\-\-count int"
How often.
.TP
.B "\-f, \-\-file path"
Read this path. (default /a)
.TP
.B "\-\-quiet"
Say nothing.
`
	if got := p.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
