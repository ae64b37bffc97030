package gate

import "time"

// spacing keeps requests apart: one per interval in the long run, and up to burst of
// them at once after a quiet time. It counts in instants instead of tokens, so that
// nothing is ever rounded. The zero value bounds nothing.
type spacing struct {
	interval time.Duration
	burst    int
	// quiet is when everything that was taken is made up for.
	quiet time.Time
}

// set changes the bound. What is not made up for yet keeps its count of requests.
func (s *spacing) set(now time.Time, interval time.Duration, burst int) {
	before := s.interval
	s.interval, s.burst = interval, max(burst, 1)
	if interval > 0 {
		const longest = 1 << 61 // some 73 years
		s.burst = int(min(int64(s.burst), longest/int64(interval)))
	}
	if owed := s.quiet.Sub(now); before > 0 && owed > 0 {
		requests := min(float64(owed)/float64(before), float64(s.burst))
		s.quiet = now.Add(time.Duration(requests * float64(interval)))
	}
}

// readyAt is the earliest instant at which the next request may start.
func (s *spacing) readyAt() time.Time {
	if s.interval == 0 || s.quiet.IsZero() {
		return time.Time{}
	}
	return s.quiet.Add(-time.Duration(s.burst-1) * s.interval)
}

// take notes that a request has started.
func (s *spacing) take(now time.Time) {
	if s.interval == 0 {
		return
	}
	if s.quiet.Before(now) {
		s.quiet = now
	}
	s.quiet = s.quiet.Add(s.interval)
}

// put gives back what a request took.
func (s *spacing) put() {
	if s.interval > 0 {
		s.quiet = s.quiet.Add(-s.interval)
	}
}

// ramp bounds the requests at a time while a provider is being tried out: one at
// first, two more with every success. Zero bounds nothing.
type ramp int

func (r ramp) admits(running int) bool { return r == 0 || running < int(r) }

func (r *ramp) widen(limit int) {
	if *r == 0 {
		return
	}
	if *r += 2; int(*r) >= limit {
		*r = 0
	}
}
