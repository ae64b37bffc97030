package standin

import (
	"sync"
	"time"
)

// Quota is how many requests a provider takes: so many per period in the long run,
// and up to as many at once after a quiet time.
type Quota struct {
	Requests int
	Period   time.Duration
}

// bucket keeps count of a quota. Requests beyond it cost nothing.
type bucket struct {
	mu    sync.Mutex
	spent float64
	at    time.Time
}

// take says whether a request is within the quota, and counts it if so.
func (b *bucket) take(q Quota, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if elapsed := now.Sub(b.at); elapsed > 0 {
		b.spent = max(0, b.spent-float64(q.Requests)*elapsed.Seconds()/q.Period.Seconds())
		b.at = now
	}
	if b.spent+1 > float64(q.Requests) {
		return false
	}
	b.spent++
	return true
}

// scatter makes of a count a number that looks like chance (the finalizer of
// SplitMix64).
func scatter(count uint64) uint64 {
	count *= 0x9e3779b97f4a7c15
	count = (count ^ count>>30) * 0xbf58476d1ce4e5b9
	count = (count ^ count>>27) * 0x94d049bb133111eb
	return count ^ count>>31
}
