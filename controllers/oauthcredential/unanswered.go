package oauthcredential

import "sync"

// unanswered counts the requests whose answers are not kept yet. The process must
// outlive them. It is safe for concurrent use.
type unanswered struct {
	mu       sync.Mutex
	count    int
	stopping bool
	none     chan struct{}
}

// add counts one more, unless the process is about to stop.
func (u *unanswered) add() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopping {
		return false
	}
	u.count++
	return true
}

// done says that one is kept.
func (u *unanswered) done() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count--
	if u.stopping && u.count == 0 {
		close(u.none)
	}
}

// stop lets none begin any more, and answers a channel that is closed when there is none
// left.
func (u *unanswered) stop() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopping {
		u.stopping, u.none = true, make(chan struct{})
		if u.count == 0 {
			close(u.none)
		}
	}
	return u.none
}

// isStopping tells whether none may begin any more.
func (u *unanswered) isStopping() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.stopping
}
