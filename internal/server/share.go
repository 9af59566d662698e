package server

import (
	"context"
	"sync"
)

// smallReply is the size in bytes up to which a reply does not count: the number of
// connections bounds such replies.
const smallReply = 32 << 10

// budget bounds the bytes of replies that wait for their readers. The zero budget has
// room for small replies and one larger one.
type budget struct {
	most int

	mu   sync.Mutex
	used int
}

// take reports whether there is room for n bytes; the room is taken until give is
// called. A reply of any size fits where there is no other, since it could otherwise
// never be sent.
func (b *budget) take(n int) (give func(), ok bool) {
	if n <= smallReply {
		return func() {}, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used > 0 && b.used+n > b.most {
		return nil, false
	}
	b.used += n
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.used -= n
	}, true
}

// turns limits how many goroutines at a time do what takes much memory, and how many
// of them work for one user (perUser).
type turns struct {
	most, perUser int

	mu      sync.Mutex
	users   map[uint32]int
	all     int
	changed chan struct{} // closed when there may be room
}

func newTurns(most, perUser int) *turns {
	return &turns{most: most, perUser: perUser, users: map[uint32]int{}, changed: make(chan struct{})}
}

// enter waits for a turn, which lasts until leave is called.
func (t *turns) enter(ctx context.Context, uid uint32) (leave func(), err error) {
	for {
		t.mu.Lock()
		if t.all < t.most && t.users[uid] < t.perUser {
			t.all++
			t.users[uid]++
			t.mu.Unlock()
			return func() { t.leave(uid) }, nil
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *turns) leave(uid uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.users[uid]--; t.users[uid] == 0 {
		delete(t.users, uid)
	}
	close(t.changed)
	t.changed = make(chan struct{})
}
