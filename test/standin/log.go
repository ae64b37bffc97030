package standin

import (
	"sync"
	"time"
)

// Request is one entry of the log of token requests. It holds no secret.
type Request struct {
	// Time is when the request came.
	Time time.Time
	// ClientID and Scope are what the request said.
	ClientID, Scope string
	// Outcome is what became of it.
	Outcome Outcome
	// Problem says what was wrong with it, be the answer honest or not; empty
	// when nothing was.
	Problem string
}

// requestLog is a ring of the latest requests.
type requestLog struct {
	mu   sync.Mutex
	ring []Request
	next int
	full bool
}

func (l *requestLog) add(request Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.next] = request
	l.next++
	if l.next == len(l.ring) {
		l.next, l.full = 0, true
	}
}

// list returns the log, oldest first.
func (l *requestLog) list() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.full {
		return append([]Request(nil), l.ring[:l.next]...)
	}
	return append(append([]Request(nil), l.ring[l.next:]...), l.ring[:l.next]...)
}

// Requests returns the latest token requests in the order of their outcomes,
// oldest first. A request that hangs is listed as soon as it hangs.
func (s *Server) Requests() []Request {
	return s.log.list()
}
