package policy

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"testing"
	"time"
)

// world plays everything around Step on a fake clock: a home router, a cable,
// the radio lane, probes and scans, with the delays measured in the lab.
type world struct {
	t     *testing.T
	now   time.Time
	state State
	queue []scheduled
	trace []string

	router       bool            // the home router is on the air
	others       map[string]bool // further routers, by SSID: on the air
	silent       bool            // it associates and assigns addresses, but its gateway is silent
	cable        bool            // the cable is plugged in
	cableThere   bool            // there is a wired interface
	radio        bool
	blocked      bool      // the radio, by rfkill
	up           bool      // the radio's interface; while it is down no scan sees anything
	flushed      bool      // another program has removed the radio's addresses
	gatewayGone  bool      // the cable's default route is gone, but not its address
	phones       int       // on the access point, as hostapd says once it is up
	mute         bool      // hostapd does not say who is on it
	kept         time.Time // of KeepAsked
	savedKeyOK   bool
	wrongKey     string // SSID of a network that refuses its key
	candidateOK  bool
	associated   bool
	apBroken     bool
	target       SetRadio
	replied      map[int]int
	waiting      map[int]time.Time // commands not answered yet
	lastEffects  []Effect
	commandsSent int
	transition   func(string) // is called with each; may be nil
}

type scheduled struct {
	at    time.Time
	order int
	do    func()
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var testConfig = Config{
	Fallback: true, Gateway: true, MaxLinkDown: 3, Interval: 10 * time.Second, Hold: 15 * time.Second,
	Settle: 10 * time.Second, JoinTimeout: 45 * time.Second, AskedLimit: time.Hour,
	YieldAfter: 10 * time.Minute, Rescan: 15 * time.Second,
}

var home = Network{SSID: "home"}

// story is what happens to a world, and all that is to be seen of it.
type story struct {
	name string
	play func(w *world)
	want string
}

// playStories plays each story in a world of its own.
func playStories(t *testing.T, stories []story) {
	t.Helper()
	for _, tt := range stories {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			tt.play(w)
			w.want(tt.want)
		})
	}
}

func newWorld(t *testing.T, c Config) *world {
	return &world{
		t: t, now: epoch, state: State{Config: c}, radio: true,
		savedKeyOK: true, candidateOK: true, replied: map[int]int{}, waiting: map[int]time.Time{}, others: map[string]bool{},
	}
}

// answerLimit is JoinTimeout and some time for the access point.
const answerLimit = time.Minute

// boot starts the daemon as cmd/netconnectd does.
func (w *world) boot(running Target, saved ...Network) { w.start(Start{Running: running}, saved...) }

func (w *world) start(ev Start, saved ...Network) {
	w.post(ev)
	w.post(NetworksChanged{Saved: saved})
	w.links()
}

func (w *world) command(kind CommandKind) { w.ask(kind, "") }

func (w *world) ask(kind CommandKind, ssid string) {
	w.commandsSent++
	w.note("%s", strings.TrimSpace(fmt.Sprintf("command %s %s", kind, ssid)))
	w.waiting[w.commandsSent] = w.now
	w.post(Command{ID: w.commandsSent, Kind: kind, SSID: ssid})
}

func (w *world) uplinks() []Uplink {
	var all []Uplink
	if w.cableThere {
		u := Uplink{Name: "eth0", Carrier: w.cable, Addressed: w.cable}
		if w.cable && !w.gatewayGone {
			u.Gateway = netip.MustParseAddr("192.0.2.1")
		}
		all = append(all, u)
	}
	if w.radio {
		u := Uplink{Name: "wlan0", Wifi: true, Carrier: w.associated, Addressed: w.associated && !w.flushed}
		if u.Addressed {
			u.Gateway = netip.MustParseAddr("198.51.100.1")
		}
		all = append(all, u)
	}
	return all
}

func (w *world) links() {
	if !w.radio {
		w.up = false
	}
	w.post(LinksChanged{Uplinks: w.uplinks(), Radio: w.radio})
}

// block plays rfkill, which sets the interface down. The radio lane notices that,
// but not when the block ends.
func (w *world) block(on bool) {
	w.blocked = on
	w.note("radio blocked: %v", on)
	if on {
		w.setDown("the radio is switched off")
	}
}

// setDown plays that the radio's interface goes down.
func (w *world) setDown(why string) {
	was := w.target
	w.up = false
	if was.Target.Station.Wanted && w.associated {
		w.associated = false
		w.links()
	}
	w.post(RadioFailed{Part: was.part(), Gen: was.Gen, Failure: Failure{Code: "lost", Reason: why}})
}

// route plays that the default route goes or comes; the address stays.
func (w *world) route(there bool) {
	w.gatewayGone = !there
	w.note("default route: %v", there)
	w.links()
}

// flush plays that another program removes the radio's addresses, or puts them back.
func (w *world) flush(away bool) {
	w.flushed = away
	w.note("addresses flushed: %v", away)
	w.links()
}

// fallback plays a reload with another ap.mode.
func (w *world) fallback(on bool) {
	c := w.state.Config
	c.Fallback = on
	w.note("fallback: %v", on)
	w.post(ConfigChanged{Config: c})
}

func (w *world) replug(in bool) {
	w.radio = in
	w.associated = w.associated && in
	w.note("radio plugged in: %v", in)
	w.links()
}

func (w *world) plug(in bool) {
	w.cable = in
	w.note("cable plugged in: %v", in)
	w.links()
}

func (w *world) power(on bool) {
	w.router = on
	w.note("router on: %v", on)
	w.noticeLoss()
}

// powerOther is power for the router of another network.
func (w *world) powerOther(ssid string, on bool) {
	w.others[ssid] = on
	w.note("router of %s on: %v", ssid, on)
	w.noticeLoss()
}

// noticeLoss plays how the radio notices that its router is gone.
func (w *world) noticeLoss() {
	if !w.associated || w.there(w.target.Target.Station.Network) {
		return
	}
	w.after(1800*time.Millisecond, func() {
		if w.associated && !w.there(w.target.Target.Station.Network) {
			w.associated = false
			w.links()
		}
	})
}

// there reports whether the network's router is on the air.
func (w *world) there(n Network) bool {
	if on, other := w.others[n.SSID]; other {
		return on
	}
	return w.router
}

func (w *world) later(d time.Duration, ev Event) { w.after(d, func() { w.post(ev) }) }

func (w *world) after(d time.Duration, do func()) {
	w.queue = append(w.queue, scheduled{w.now.Add(d), len(w.queue), do})
	sort.SliceStable(w.queue, func(i, j int) bool { return w.queue[i].at.Before(w.queue[j].at) })
}

// run lets time pass until the given time after the start.
func (w *world) run(until string) {
	d, err := time.ParseDuration(until)
	if err != nil {
		w.t.Fatal(err)
	}
	end := epoch.Add(d)
	for steps := 0; ; steps++ {
		if steps > 200000 {
			w.t.Fatalf("%s: endless", w.stamp())
		}
		due, ok := w.state.Deadline()
		if len(w.queue) > 0 && (!ok || !w.queue[0].at.After(due)) {
			next := w.queue[0]
			if next.at.After(end) {
				break
			}
			w.queue = w.queue[1:]
			w.now = next.at
			next.do()
			continue
		}
		if !ok || due.After(end) {
			break
		}
		w.now = due
		w.post(Wake{})
	}
	w.now = end
}

func (w *world) stamp() string { return fmt.Sprintf("%.1fs", w.now.Sub(epoch).Seconds()) }

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, w.stamp()+" "+fmt.Sprintf(format, args...))
}

func (w *world) noteTransitions(before State) {
	if b, a := before.Uplink.State, w.state.Uplink.State; w.transition != nil && b != "" && b != a {
		w.transition(fmt.Sprintf("uplink %s --> %s", b, a))
	}
	if b, a := before.AP.State, w.state.AP.State; w.transition != nil && b != "" && b != a {
		w.transition(fmt.Sprintf("access point %s --> %s", b, a))
	}
	if b, a := before.Uplink, w.state.Uplink; b.State != a.State || b.Name != a.Name {
		w.note("uplink %s: %s", strings.TrimSpace(string(a.State)+" "+a.Name), a.Reason)
	}
	if b, a := before.AP, w.state.AP; b.State != "" && (b.State != a.State || b.Cause != a.Cause) {
		w.note("ap %s: %s", strings.TrimSpace(string(a.State)+" "+string(a.Cause)), a.Reason)
	}
}

func (w *world) want(trace string) {
	w.t.Helper()
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	want, got := strings.Join(lines, "\n"), strings.Join(w.trace, "\n")
	if got != want {
		w.t.Errorf("trace:\n%s\nwant:\n%s", got, want)
	}
}

// tail is the end of the trace, for failures of long runs.
func (w *world) tail() string {
	return strings.Join(w.trace[max(0, len(w.trace)-30):], "\n")
}
