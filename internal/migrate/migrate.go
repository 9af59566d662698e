// Package migrate reads the Wi-Fi networks that other programs have saved:
// wpa_supplicant.conf(5) and the stanzas of interfaces(5) that wpa_supplicant's
// and the original netconnectd's scripts understand.
package migrate

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/client"
)

// Network is a network that a file names. It holds secrets: do not print it.
type Network struct {
	Line     int // where the file begins to tell of it
	SSID     []byte
	Settings client.NetworkSettings
}

// Problem is what could not be taken over, and what to do about it. It holds no
// secret.
type Problem struct {
	Line int
	Text string
}

// Read finds the networks in a file's text, of whichever kind it is.
func Read(text []byte) ([]Network, []Problem) {
	r := &reader{}
	lines := strings.Split(string(bytes.TrimPrefix(text, []byte("\ufeff"))), "\n")
	if isInterfaces(lines) {
		r.interfaces(lines)
	} else {
		r.supplicant(lines)
	}
	return r.networks, r.problems
}

type reader struct {
	networks []Network
	problems []Problem
}

func (r *reader) problem(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{line, fmt.Sprintf(format, args...)})
}

// variable is one of a network, as wpa_supplicant.conf(5) names it.
type variable struct {
	line   int
	value  string
	quoted bool // it was text, not a word or hexadecimal digits
}

// block is what a file says of one network.
type block struct {
	line      int
	variables map[string]variable
	static    *client.Addressing
}

func (b *block) word(name string) string { return b.variables[name].value }

// words are those of a list, in capitals.
func (b *block) words(name string) []string {
	return strings.Fields(strings.ToUpper(b.variables[name].value))
}

func (b *block) has(name string) bool {
	_, ok := b.variables[name]
	return ok
}

// take makes a network of a block, or says why not.
func (r *reader) take(b *block) {
	ssid, ok := b.variables["ssid"]
	name := []byte(ssid.value)
	switch {
	case !ok:
		r.problem(b.line, "the network has no name (ssid)")
		return
	case len(name) == 0 || len(name) > client.MaxSSID:
		r.problem(ssid.line, "a network's name has 1 to %d bytes, not %d", client.MaxSSID, len(name))
		return
	}
	settings, problem := b.settings()
	if problem != nil {
		r.problem(problem.Line, "%s: %s", client.SSIDText(name), problem.Text)
		return
	}
	for _, other := range r.networks {
		if bytes.Equal(other.SSID, name) {
			r.problem(b.line, "%s: left out, the file has it in line %d already", client.SSIDText(name), other.Line)
			return
		}
	}
	r.networks = append(r.networks, Network{b.line, name, settings})
}

// refusal is why a block is no network for us.
func (b *block) refusal(name, format string, args ...any) *Problem {
	line := b.line
	if v, ok := b.variables[name]; ok {
		line = v.line
	}
	return &Problem{line, fmt.Sprintf(format, args...)}
}

// textOf is a secret as a request can have it.
func textOf(v variable, what, remedy string) (*string, *Problem) {
	if !utf8.ValidString(v.value) {
		return nil, &Problem{v.line, what + " is not UTF-8; " + remedy}
	}
	return &v.value, nil
}
