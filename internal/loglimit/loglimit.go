// Package loglimit keeps a user who can cause a line of the log at will from filling
// the disk: of lines of the same kind only some are written in a period, and the
// others are counted.
package loglimit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxKinds bounds how many kinds are distinguished at a time. Further ones count as
// one kind.
const maxKinds = 256

// TimesKey is the name of the attribute that says how many lines one stands for.
const TimesKey = "times"

// Limiter writes lines to a Logger. Its methods may be called concurrently.
type Limiter struct {
	log   *slog.Logger
	every time.Duration

	mu    sync.Mutex
	kinds map[any]*kind
	timer *time.Timer // runs while there are kinds
}

// kind is what was said of one kind since its first line.
type kind struct {
	until time.Time
	said  int
	kept  line // the last one that was not written
	times int  // how many were not
}

type line struct {
	level slog.Level
	text  string
	attrs []any
}

// rest is for all kinds beyond maxKinds.
type rest struct{}

// New makes a Limiter that counts anew after every.
func New(log *slog.Logger, every time.Duration) *Limiter {
	return &Limiter{log: log, every: every, kinds: map[any]*kind{}}
}

// Log writes a line, or counts it where as many as most of its kind were written
// since the first of them. The kind is any comparable value. When the while is
// over, one line stands for those that were counted: it is the last of them, with
// their number as "times".
func (l *Limiter) Log(ctx context.Context, of any, most int, level slog.Level, text string, attrs ...any) {
	if !l.log.Enabled(ctx, level) {
		return
	}
	if l.admit(of, most, line{level, text, attrs}) {
		l.log.Log(ctx, level, text, attrs...)
	}
}

func (l *Limiter) admit(of any, most int, next line) bool {
	l.sweep(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[of]
	if k == nil && len(l.kinds) >= maxKinds {
		of = rest{}
		k = l.kinds[of]
	}
	if k == nil {
		k = &kind{until: time.Now().Add(l.every)}
		l.kinds[of] = k
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(l.every, func() { l.sweep(false) })
	}
	if k.said < most {
		k.said++
		return true
	}
	k.kept = next
	k.times++
	return false
}

// sweep forgets the kinds whose while is over, or all, and writes what was
// counted.
func (l *Limiter) sweep(all bool) {
	l.mu.Lock()
	var over []*kind
	now := time.Now()
	for of, k := range l.kinds {
		if all || !now.Before(k.until) {
			over = append(over, k)
			delete(l.kinds, of)
		}
	}
	switch {
	case l.timer == nil:
	case len(l.kinds) == 0:
		l.timer.Stop()
		l.timer = nil
	case len(over) > 0:
		l.timer.Reset(l.every)
	}
	l.mu.Unlock()
	for _, k := range over {
		if k.times > 0 {
			l.log.Log(context.Background(), k.kept.level, k.kept.text, append(k.kept.attrs[:len(k.kept.attrs):len(k.kept.attrs)], TimesKey, k.times)...)
		}
	}
}

// Close writes what was counted.
func (l *Limiter) Close() { l.sweep(true) }
