// Package migrate reads the Wi-Fi networks that other programs have saved, in the way
// those programs read them: wpa_supplicant.conf(5), the stanzas of interfaces(5),
// NetworkManager's keyfiles and netplan's YAML. Each part that is left out becomes a
// Problem with its line.
package migrate

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/address"
)

// Network is a network from a file. It contains secrets: do not print it.
type Network struct {
	Line     int // where its part of the file starts
	SSID     []byte
	Settings client.NetworkSettings
}

// Problem describes a part that could not be taken over, and the remedy. It contains
// no secret.
type Problem struct {
	Line int
	Text string
}

// Read finds the networks in a file's text, whatever kind the file is. The problems
// are in the order of their lines.
func Read(text []byte) ([]Network, []Problem) {
	r := &reader{lines: map[string]int{}}
	r.read(bytes.TrimPrefix(text, []byte("\ufeff")))
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.networks, r.problems
}

// read calls the reader for the file's kind.
func (r *reader) read(text []byte) {
	if kind := foreignKind(text); kind != "" {
		r.problem(1, "%s", kind)
		return
	}
	lines := strings.Split(string(text), "\n")
	switch {
	case isInterfaces(lines):
		r.interfaces(lines)
	case isKeyfile(lines):
		r.keyfile(lines)
	case isYAML(lines):
		r.netplan(text)
	default:
		r.supplicant(lines)
	}
}

// mostNetworks bounds how many networks a file with aliases or inheriting stanzas can
// expand to. Real devices have fewer.
const mostNetworks = 1000

// reader collects the content of a file.
type reader struct {
	networks []Network
	problems []Problem
	lines    map[string]int // the networks' lines, by SSID
	certain  bool           // the file is certainly wpa_supplicant's
}

func (r *reader) problem(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{line, fmt.Sprintf(format, args...)})
}

// variable is the value of one setting, named as in wpa_supplicant.conf(5).
type variable struct {
	line   int
	value  string // decoded
	quoted bool   // the file has the value in quotes, so it is not a keyword such as ext:
	unset  bool   // the file says that there is no value
}

// block is the part of a file about one network.
type block struct {
	line      int
	variables map[string]variable
	order     []string // the names, in the file's order
	fail      *Problem // the first fault for which the program itself refuses the network
	static    *client.Addressing
	notes     []Problem // left-out parts that are known before the settings are
}

func newBlock(line int) *block { return &block{line: line, variables: map[string]variable{}} }

// fault records why the network cannot be taken over.
func (b *block) fault(line int, format string, args ...any) {
	if b.fail == nil {
		b.fail = &Problem{line, fmt.Sprintf(format, args...)}
	}
}

// note records a setting that is left out.
func (b *block) note(line int, format string, args ...any) {
	b.notes = append(b.notes, Problem{line, fmt.Sprintf(format, args...)})
}

// set stores a value in the form of wpa_supplicant.conf(5). The last one counts.
func (b *block) set(line int, name, raw string) {
	v, problem := parse(name, raw)
	if problem != "" {
		b.fault(line, "%s cannot be read: %s", short(name), problem)
		return
	}
	v.line = line
	b.put(name, v)
}

// put stores a decoded value.
func (b *block) put(name string, v variable) {
	if _, again := b.variables[name]; !again {
		b.order = append(b.order, name)
	}
	if delete(b.variables, name); !v.unset {
		b.variables[name] = v
	}
}

func (b *block) word(name string) string { return b.variables[name].value }

// words returns the items of a list.
func (b *block) words(name string) []string { return strings.Fields(b.word(name)) }

func (b *block) has(name string) bool {
	_, ok := b.variables[name]
	return ok
}

// number returns a setting's number, or 0 if there is none.
func (b *block) number(name string) int {
	n, _ := number(b.word(name))
	return n
}

// take turns a block into a network, or reports why it cannot.
func (r *reader) take(b *block) {
	if b == nil {
		return
	}
	ssid, ok := b.variables["ssid"]
	name := []byte(ssid.value)
	prefix := ""
	if len(name) > 0 && len(name) <= client.MaxSSID {
		prefix = client.SSIDInText(name) + ": "
	}
	switch {
	case b.fail != nil:
		r.problem(b.fail.Line, "%s%s; the network is left out", prefix, b.fail.Text)
		return
	case !ok:
		r.problem(b.line, "the network has no name (ssid)")
		return
	case prefix == "":
		r.problem(ssid.line, "a network's name has 1 to %d bytes, not %d", client.MaxSSID, len(name))
		return
	}
	settings, problem := b.settings()
	if problem != nil {
		r.problem(problem.Line, "%s%s", prefix, problem.Text)
		return
	}
	if line, again := r.lines[string(name)]; again {
		r.problem(b.line, "%sleft out, the file has it in line %d already", prefix, line)
		return
	}
	r.lines[string(name)] = b.line
	r.networks = append(r.networks, Network{b.line, name, settings})
	b.noteLeftOut()
	for _, note := range b.notes {
		r.problem(note.Line, "%s%s", prefix, note.Text)
	}
}

// noteLeftOut records the settings that we do not support.
func (b *block) noteLeftOut() {
	for _, name := range b.order {
		v, ok := b.variables[name]
		if ok && !slices.Contains(taken, name) && !harmless(name, v.value) {
			b.note(v.line, "%s is not taken over", short(name))
		}
	}
}

// passphrase stores text from a file that puts no quotes around it: 64 digits are a
// key, anything else is a passphrase of 8 to 63 bytes.
func (b *block) passphrase(line int, text string) {
	if !isKey(text) {
		text = `"` + text + `"`
	}
	b.set(line, "psk", text)
}

// fixed returns a static IPv4 address for a network, or an error that says what is
// wrong with it.
func fixed(own netip.Prefix, gateway string, dns []string) (*client.Addressing, error) {
	if _, err := address.ParseStatic(own.String(), gateway, dns); err != nil {
		return nil, err
	}
	return &client.Addressing{Method: "static", Address: own.String(), Gateway: gateway, DNS: dns}, nil
}

// refusal returns why we cannot take over a block, with the line of a setting.
func (b *block) refusal(name, format string, args ...any) *Problem {
	line := b.line
	if v, ok := b.variables[name]; ok {
		line = v.line
	}
	return &Problem{line, fmt.Sprintf(format, args...)}
}
