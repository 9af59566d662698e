package flagtext

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// odd is a value whose Set says what it wants.
type odd struct{}

func (odd) String() string   { return "" }
func (odd) Type() string     { return "odd" }
func (odd) Set(string) error { return errors.New("it is not odd") }

func TestExplain(t *testing.T) {
	near := func(name string, names []string) string {
		for _, other := range names {
			if strings.HasPrefix(other, name[:1]) {
				return other
			}
		}
		return ""
	}
	for _, row := range []struct{ args, want string }{
		{"--prioritty 5", "there is no flag --prioritty; did you mean --priority?"},
		{"--verb", "there is no flag --verb; did you mean --verbose?"},
		{"--zzz", "there is no flag --zzz"},
		{"-phunter22", "there is no flag -p"},
		{"-vx", "there is no flag -x"},
		{"--priority high", `--priority takes a whole number, not "high"`},
		{"-n high", `--priority takes a whole number, not "high"`},
		{"--priority 99999999999999999999", `--priority takes a whole number, not "99999999999999999999"`},
		{"--count -1", `--count takes a whole number from 0 on, not "-1"`},
		{"--verbose=maybe", `--verbose takes true or false, not "maybe"`},
		{`--dns "a`, `--dns takes a list with commas in between, not "\"a"`},
		{"--odd 2", `--odd: "2": it is not odd`},
		{"--priority", "--priority needs a value: --priority number"},
		{"-n", "--priority needs a value: --priority number"},
		{"--name", "--name needs a value"},
		{"--=x", "an argument that begins with a dash has no name of a flag"},
	} {
		flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
		flags.IntP("priority", "n", 0, "networks of higher `number` come first")
		flags.Uint("count", 0, "")
		flags.BoolP("verbose", "v", false, "")
		flags.StringSlice("dns", nil, "")
		flags.String("name", "", "")
		flags.Bool("zhidden", false, "")
		flags.Lookup("zhidden").Hidden = true
		flags.Var(odd{}, "odd", "")
		err := flags.Parse(strings.Fields(row.args))
		if err == nil {
			t.Errorf("%s is fine", row.args)
			continue
		}
		got := Explain(err, flags, near).Error()
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.args, got, row.want)
		}
		for _, raw := range []string{"strconv", "shorthand", "hunter22", "parsing"} {
			if strings.Contains(got, raw) {
				t.Errorf("%s: %s has %s", row.args, got, raw)
			}
		}
	}
	if err := errors.New("other"); Explain(err, nil, near) != err {
		t.Error("another error becomes another one")
	}
}
