package loglimit

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// logged runs say in virtual time and returns the lines of the log.
func logged(t *testing.T, say func(l *Limiter)) []string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		l := New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}})), time.Minute)
		say(l)
		synctest.Wait()
		l.Close()
	})
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func TestLimiter(t *testing.T) {
	again := func(l *Limiter, kind any, most, times int) {
		for range times {
			l.Log(t.Context(), kind, most, slog.LevelInfo, "said", "kind", kind)
		}
	}
	for _, tt := range []struct {
		name string
		say  func(l *Limiter)
		want []string
	}{
		{"one line", func(l *Limiter) { again(l, 1, 1, 1) }, []string{"msg=said kind=1"}},
		{"many at once", func(l *Limiter) { again(l, 1, 1, 8600) }, []string{"msg=said kind=1", "msg=said kind=1 times=8599"}},
		{"some are allowed", func(l *Limiter) { again(l, 1, 2, 3) }, []string{"msg=said kind=1", "msg=said kind=1", "msg=said kind=1 times=1"}},
		{"kinds do not mix", func(l *Limiter) { again(l, 1, 1, 1); again(l, 2, 1, 1) }, []string{"msg=said kind=1", "msg=said kind=2"}},
		{"the count comes by itself", func(l *Limiter) {
			again(l, 1, 1, 3)
			time.Sleep(61 * time.Second)
			l.log.Info("later")
		}, []string{"msg=said kind=1", "msg=said kind=1 times=2", "msg=later"}},
		{"and anew after a while", func(l *Limiter) {
			again(l, 1, 1, 2)
			time.Sleep(61 * time.Second)
			again(l, 1, 1, 1)
		}, []string{"msg=said kind=1", "msg=said kind=1 times=1", "msg=said kind=1"}},
		{"what is not in the log is not counted", func(l *Limiter) {
			for range 3 {
				l.Log(t.Context(), 1, 1, slog.LevelDebug, "said")
			}
		}, []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := logged(t, tt.say); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKindsAreBounded checks that a user who appears as ten thousand peers fills
// neither the memory nor the log.
func TestKindsAreBounded(t *testing.T) {
	got := logged(t, func(l *Limiter) {
		for i := range 10_000 {
			l.Log(t.Context(), i, 1, slog.LevelInfo, "said")
			if len(l.kinds) > maxKinds+1 {
				t.Fatalf("%d kinds are kept", len(l.kinds))
			}
		}
	})
	if len(got) > maxKinds+2 || !strings.HasSuffix(got[len(got)-1], fmt.Sprintf("times=%d", 10_000-maxKinds-1)) {
		t.Errorf("%d lines, the last is %q", len(got), got[len(got)-1])
	}
}
