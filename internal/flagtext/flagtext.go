// Package flagtext writes a sentence about a wrong flag on a command line. The errors of
// pflag are written for programmers and quote what was typed, which may be a passphrase.
package flagtext

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Explain makes a sentence of an error of pflag.FlagSet.Parse. near returns the flag,
// without dashes, that a name was probably meant to be; "" is none. Other errors stay
// as they are.
func Explain(err error, flags *pflag.FlagSet, near func(name string, names []string) string) error {
	var absent *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &absent):
		return noSuchFlag(absent, flags, near)
	case errors.As(err, &bare):
		return fmt.Errorf("%s needs %s", written(bare.GetFlag()), valueOf(bare.GetFlag()))
	case errors.As(err, &wrong):
		return wrongValue(wrong)
	case errors.As(err, &syntax):
		return errors.New("an argument that begins with a dash has no name of a flag")
	}
	return err
}

func noSuchFlag(absent *pflag.NotExistError, flags *pflag.FlagSet, near func(string, []string) string) error {
	name := absent.GetSpecifiedName()
	if absent.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("there is no flag -%s", name[:1]) // what follows may be a value
	}
	var names, longer []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
		if !f.Hidden && strings.HasPrefix(f.Name, name) {
			longer = append(longer, f.Name)
		}
	})
	other := near(name, names)
	if other == "" && len(longer) == 1 {
		other = longer[0]
	}
	if other != "" {
		return fmt.Errorf("there is no flag --%s; did you mean --%s?", name, other)
	}
	return fmt.Errorf("there is no flag --%s", name)
}

// values says what flags of a type take.
var values = map[string]string{
	"bool": "true or false", "int": "a whole number", "uint": "a whole number from 0 on", "stringSlice": "a list with commas in between",
}

func wrongValue(wrong *pflag.InvalidValueError) error {
	f := wrong.GetFlag()
	if takes, ok := values[f.Value.Type()]; ok {
		return fmt.Errorf("%s takes %s, not %q", written(f), takes, wrong.GetValue())
	}
	return fmt.Errorf("%s: %q: %w", written(f), wrong.GetValue(), errors.Unwrap(wrong))
}

// valueOf names the value that a flag needs, in the word of --help.
func valueOf(f *pflag.Flag) string {
	if name, _ := pflag.UnquoteUsage(f); name != "" && name != "string" {
		return "a value: " + written(f) + " " + name
	}
	return "a value"
}

func written(f *pflag.Flag) string { return "--" + f.Name }
