package network

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

// world plays the kernel and the clock for Step, and writes down what Step does.
type world struct {
	t     *testing.T
	state State
	now   time.Time
	links []Link
	log   []string
	apply *Apply // the one that was not answered yet
}

func newWorld(t *testing.T) *world { return &world{t: t, now: time.Unix(1000, 0)} }

func (w *world) post(e Event) {
	w.t.Helper()
	var effects []Effect
	w.state, effects = Step(w.state, w.now, e)
	for _, effect := range effects {
		w.log = append(w.log, format(effect))
		if a, ok := effect.(Apply); ok {
			w.apply = &a
		}
	}
}

func format(e Effect) string {
	switch e := e.(type) {
	case Apply:
		var links []string
		for _, l := range e.Desired.Links {
			links = append(links, formatLink(l))
		}
		return "apply " + strings.Join(links, "; ")
	case StartProtocol:
		return fmt.Sprintf("start %s of %s on %s", e.Interface.Proto, e.Interface.Name, e.Link)
	case StopProtocol:
		return "stop protocol of " + e.Interface
	case Notify:
		return string(e.Action) + " " + e.Interface
	}
	return fmt.Sprintf("%T", e)
}

func formatLink(l link.LinkSpec) string {
	text := l.Name
	if l.Kind != "" {
		text += " (" + l.Kind + ")"
	}
	if l.Parent != nil {
		text += " on " + *l.Parent
	}
	if l.Master != nil {
		text += " in " + *l.Master
	}
	if l.Up != nil {
		text += map[bool]string{true: " up", false: " down"}[*l.Up]
	}
	for _, a := range l.Addresses {
		text += " " + a.Prefix.String()
	}
	for _, r := range l.Routes {
		text += fmt.Sprintf(" %v via %v", r.Destination, r.Gateway)
	}
	return text
}

// plug adds a link with a carrier, or without ("eth0!").
func (w *world) plug(names ...string) {
	w.t.Helper()
	for _, name := range names {
		bare := strings.TrimSuffix(name, "!")
		w.links = append(w.links, Link{Name: bare, Index: 100*len(w.log) + len(w.links) + 1, MAC: macOf(bare), Carrier: bare == name})
	}
	w.post(LinksChanged{w.links})
}

func macOf(name string) net.HardwareAddr { return net.HardwareAddr(fmt.Sprintf("\x02%-5.5s", name)) }

func (w *world) pull(name string) {
	w.t.Helper()
	var left []Link
	for _, l := range w.links {
		if l.Name != name {
			left = append(left, l)
		}
	}
	w.links = left
	w.post(LinksChanged{w.links})
}

func (w *world) carrier(name string, has bool) {
	w.t.Helper()
	w.links = append([]Link(nil), w.links...)
	for i := range w.links {
		if w.links[i].Name == name {
			w.links[i].Carrier = has
		}
	}
	w.post(LinksChanged{w.links})
}

// applied answers the last Apply, with the text of what the kernel has refused by path.
func (w *world) applied(refused map[string]string) {
	w.t.Helper()
	if w.apply == nil {
		w.t.Fatalf("nothing was to apply; so far\n%s", strings.Join(w.log, "\n"))
	}
	generation := w.apply.Generation
	w.apply = nil
	w.post(Applied{generation, refused})
}

// pass lets time pass, as far as Next asks for.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for next := w.state.Next(); !next.IsZero() && !next.After(end); next = w.state.Next() {
		w.now = next
		w.post(TimePassed{})
		if w.state.Next().Equal(next) {
			w.t.Fatalf("Next stays %v", next)
		}
	}
	w.now = end
}

// said checks what Step has done since the last call.
func (w *world) said(want ...string) {
	w.t.Helper()
	if got := strings.Join(w.log, "\n"); got != strings.Join(want, "\n") {
		w.t.Fatalf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	w.log = nil
}

func prefixes(text string) []link.AddressSpec {
	return []link.AddressSpec{{Prefix: netip.MustParsePrefix(text)}}
}

// static is an interface of proto static on a device.
func static(name, device, prefix string) Interface {
	return Interface{Place: Place{Path: "interface " + name}, Name: name, Device: device, Proto: ProtoStatic, Auto: true, ForceLink: true, Addresses: prefixes(prefix)}
}

func (w *world) phase(name string) Phase {
	w.t.Helper()
	i := w.state.find(name)
	if i < 0 {
		w.t.Fatalf("%s is not declared", name)
	}
	return w.state.interfaces[i].phase
}

func (w *world) status(name string) Status { return w.state.Interfaces()[w.state.find(name)] }
