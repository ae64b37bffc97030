package gate

import "time"

const (
	// One request in shareOfRetries may be a retry, counted over tallies of
	// tallyTime, a minute in all; and one more may start per distance.
	shareOfRetries = 5
	tallies        = 12
	tallyTime      = 5 * time.Second
)

// budget bounds the retries of a line, so that a provider in trouble is not asked
// ever more. A retry that is answered gets back what it paid: after an outage
// everybody is a retry, and a provider that answers them is not in trouble.
type budget struct {
	origin  time.Time
	current int64 // the number of the newest tally
	counts  [tallies]tally
	// extra is when the last retry beyond the share started.
	extra time.Time
	// retriedAt is when the last retry of any kind started.
	retriedAt time.Time
}

type tally struct{ requests, retries int }

// payment is what a request took from the budget.
type payment int

const (
	paidNothing payment = iota
	paidShare
	paidExtra
)

// readyAt is the earliest instant at which the next retry may start, where those beyond
// the share are distance apart.
func (b *budget) readyAt(now time.Time, distance time.Duration) time.Time {
	b.roll(now)
	if b.inShare() || b.extra.IsZero() {
		return time.Time{}
	}
	return b.extra.Add(distance)
}

// take notes that a request has started, and answers what it paid.
func (b *budget) take(now time.Time, retry bool) payment {
	b.roll(now)
	inShare, newest := b.inShare(), b.newest()
	newest.requests++
	switch {
	case !retry:
		return paidNothing
	case inShare:
		b.retriedAt = now
		newest.retries++
		return paidShare
	default:
		b.retriedAt, b.extra = now, now
		return paidExtra
	}
}

// put gives back what a request paid at an instant.
func (b *budget) put(now time.Time, paid payment, paidAt time.Time) {
	b.roll(now)
	switch paid {
	case paidShare:
		b.withdraw(func(t *tally) *int { return &t.retries })
	case paidExtra:
		if b.extra.Equal(paidAt) { // Else another has paid since.
			b.extra = time.Time{}
		}
	case paidNothing:
	}
}

// unsent takes a request back that was none, after all.
func (b *budget) unsent(now time.Time, paid payment, paidAt time.Time) {
	b.put(now, paid, paidAt)
	b.withdraw(func(t *tally) *int { return &t.requests })
}

// withdraw takes one off the newest tally that has any.
func (b *budget) withdraw(of func(*tally) *int) {
	for age := range int64(tallies) {
		if count := of(&b.counts[(b.current-age+tallies)%tallies]); *count > 0 {
			*count--
			return
		}
	}
}

func (b *budget) inShare() bool {
	var sum tally
	for _, t := range b.counts {
		sum.requests += t.requests
		sum.retries += t.retries
	}
	return (sum.retries+1)*shareOfRetries <= sum.requests
}

func (b *budget) newest() *tally { return &b.counts[b.current%tallies] }

// roll clears the tallies that are older than a minute.
func (b *budget) roll(now time.Time) {
	if b.origin.IsZero() {
		b.origin = now
	}
	number := int64(now.Sub(b.origin) / tallyTime)
	if number-b.current >= tallies {
		b.counts = [tallies]tally{}
		b.current = number
	}
	for b.current < number {
		b.current++
		*b.newest() = tally{}
	}
}

// worthUntil is when all of this may be forgotten.
func (b *budget) worthUntil() time.Time {
	if b.retriedAt.IsZero() {
		return time.Time{}
	}
	return b.retriedAt.Add(tallies * tallyTime)
}
