package server

import (
	"sync"
	"time"
)

// phase says what a connection is doing.
type phase int

const (
	waiting phase = iota // it waits for its first frame
	idle                 // every request is answered
	busy                 // it is within a frame or a request, or is subscribed
	gone                 // it is evicted or closed, and no longer counted
)

// verdict says what happens to a new connection.
type verdict int

const (
	admitted verdict = iota
	refused          // it is refused, and a goroutine may send the refusal
	dropped          // too many refusals are being sent: this one is sent without waiting for the client
)

// registry counts the connections and chooses the one to end when there are too many.
// It owns the fields phase and since of every conn.
type registry struct {
	mu       sync.Mutex
	conns    map[*conn]struct{}
	refusing int
	max      int
	reserved int
	perUser  int
}

// room returns how many connections peers up to that rank may have: each rank has
// places that lower ranks cannot take.
func (r *registry) room(k rank) int { return r.max - int(trusted-k)*r.reserved }

// admit takes c in. If that makes one connection too many, admit ends the oldest idle
// connection, or else one that never sent a frame, but never one of a higher rank. If
// a single user has too many, the victim is one of that user's. So no user can lock
// the others out, and no number of users can lock out those with more rights.
func (r *registry) admit(c *conn) (victim *conn, v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same, below := 0, 0
	for other := range r.conns {
		if other.peer.UID == c.peer.UID {
			same++
		}
		if other.rank <= c.rank {
			below++
		}
	}
	ofUser := c.rank != trusted && same >= r.perUser
	if ofUser || below >= r.room(c.rank) || len(r.conns) >= r.max {
		if victim = r.victim(c, ofUser); victim == nil {
			return nil, r.refuse()
		}
		r.drop(victim)
	}
	r.conns[c] = struct{}{}
	c.phase, c.since = waiting, time.Now()
	return victim, admitted
}

func (r *registry) victim(of *conn, ofUser bool) *conn {
	var oldest *conn
	for c := range r.conns {
		if c.phase == busy || c.rank > of.rank || ofUser && c.peer.UID != of.peer.UID {
			continue
		}
		if oldest == nil || c.phase > oldest.phase || c.phase == oldest.phase && c.since.Before(oldest.since) {
			oldest = c
		}
	}
	return oldest
}

func (r *registry) refuse() verdict {
	if r.refusing >= r.max {
		return dropped
	}
	r.refusing++
	return refused
}

// refusalDone ends the count that admit began for a refusal.
func (r *registry) refusalDone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusing--
}

// enter records a new phase. It returns false for a connection that was evicted
// meanwhile and must close.
func (r *registry) enter(c *conn, p phase) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.phase == gone {
		return false
	}
	c.phase, c.since = p, time.Now()
	return true
}

func (r *registry) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(c)
}

func (r *registry) drop(c *conn) {
	delete(r.conns, c)
	c.phase = gone
}

func (r *registry) list() []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*conn
	for c := range r.conns {
		all = append(all, c)
	}
	return all
}
