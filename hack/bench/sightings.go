package main

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// write is one write of a Secret: when it was sent, and when the API server had
// answered it.
type write struct{ sent, acknowledged time.Time }

func whenSent(w write) time.Time         { return w.sent }
func whenAcknowledged(w write) time.Time { return w.acknowledged }

// sightings are the instants at which somebody first saw each token of a Secret, or
// one that came after it: tokens are numbered. It is safe for concurrent use.
type sightings struct {
	mu   sync.Mutex
	at   []time.Time
	seen int
}

// see takes that a token is there now.
func (s *sightings) see(number int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < len(s.at) {
		return
	}
	s.seen++
	for len(s.at) <= number {
		s.at = append(s.at, now)
	}
}

// count is how many tokens have been seen or overtaken.
func (s *sightings) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

// distinct is how many tokens have been seen.
func (s *sightings) distinct() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// after is how long it took from an instant of each write until it was seen, but for
// the first write, which was there before anybody looked. It is below zero where
// that was sooner.
func (s *sightings) after(written []write, instant func(write) time.Time) spread {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all spread
	for i := 1; i < min(len(written), len(s.at)); i++ {
		all = append(all, s.at[i].Sub(instant(written[i])).Seconds()*1000)
	}
	return all
}

// spread are times in ms.
type spread []float64

// minus is how much longer each of them is than another one.
func (s spread) minus(other spread) spread {
	var all spread
	for i := range min(len(s), len(other)) {
		all = append(all, s[i]-other[i])
	}
	return all
}

// quantile is the least of them that a share of all does not exceed.
func (s spread) quantile(share float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

// String tells the median, the 99th percentile and the most.
func (s spread) String() string {
	return fmt.Sprintf("p50 %.1f, p99 %.1f, at most %.1f ms", s.quantile(0.5), s.quantile(0.99), s.quantile(1))
}
