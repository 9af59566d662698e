package policy

import "testing"

// TestLastFailure lists what becomes of the reason why "work" could not be
// joined.
func TestLastFailure(t *testing.T) {
	work := Network{SSID: "work"}
	refused := Failure{Code: "wrong_key", Reason: "refused the key"}
	for _, tt := range []struct {
		name  string
		after func(w *world)
		want  JoinFailure
	}{
		{"the way back to the network before keeps it", func(w *world) { w.run("30s") }, JoinFailure{refused, "work", true}},
		{"so does a way back that somebody else has chosen", func(w *world) {
			w.state.Config.Delegated = true
			w.run("30s")
		}, JoinFailure{refused, "work", true}},
		{"the daemon tries again in vain, and goes back", func(w *world) {
			w.power(false)
			w.run("60s")
			w.power(true)
			w.run("60s")
		}, JoinFailure{refused, "work", true}},
		{"nothing is in reach any more", func(w *world) {
			w.power(false)
			w.powerOther("work", false)
			w.run("60s")
		}, JoinFailure{refused, "work", true}},
		{"it joins in the end", func(w *world) {
			w.wrongKey = ""
			w.ask(Connect, "work")
			w.run("30s")
		}, JoinFailure{}},
		{"somebody joins another network", func(w *world) {
			w.ask(Connect, "home")
			w.run("30s")
		}, JoinFailure{}},
		{"it is removed", func(w *world) {
			w.post(NetworksChanged{Saved: []Network{home}})
			w.run("30s")
		}, JoinFailure{}},
		{"all are forgotten", func(w *world) {
			w.command(Forget)
			w.run("30s")
		}, JoinFailure{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			w.router, w.wrongKey = true, "work"
			w.others["work"] = true
			w.boot(Target{}, home, work)
			w.run("5s")
			w.ask(Connect, "work")
			w.run("20s")
			tt.after(w)
			if got := w.state.LastFailure; got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
