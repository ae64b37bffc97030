package gate

import (
	"math/bits"
	"time"
)

const (
	// Once quickProbes have failed, the distance is slowdown times as long.
	quickProbes = 60
	slowdown    = 6

	// failuresInRow open the breaker, and so do failures of half of the last recent
	// requests, once enough of them are known.
	failuresInRow = 5
	recent        = 20
	enough        = 10
	// failuresToRelapse in a row open it again as long as it has hardly recovered.
	failuresToRelapse = 2
)

// breaker keeps requests from a provider that fails. Open, it lets probes through;
// half open, as many at a time as its ramp admits.
type breaker struct {
	open bool
	ramp ramp
	// since is the last request that had started when it opened: what those say
	// against the provider is known.
	since uint64

	inRow int
	// window holds the last results, a failure as 1, and seen how many there are.
	window uint32
	seen   int
	// failedAt is when the last failure came.
	failedAt time.Time

	// probes are those since it opened, and latest is the number of the last one;
	// probing says that it is under way.
	probes  int
	latest  uint64
	probing bool
	// restsSince is when the pause before the next probe began, zero for none.
	restsSince time.Time
}

// failed notes a transient failure of the request with the number started, and
// tells whether it opened the breaker, which it may do where enough have failed. last is
// the latest to have started.
func (b *breaker) failed(now time.Time, started, last uint64, mayOpen bool) bool {
	b.failedAt = now
	if b.open || started <= b.since {
		return false
	}
	b.inRow++
	b.record(1)
	half := b.seen >= enough && 2*bits.OnesCount32(b.window) >= b.seen
	// One failure after an answer may be the credential's own: it must not close the
	// line to those who are served.
	relapse := b.ramp == 1 && b.inRow >= failuresToRelapse
	if !mayOpen || b.inRow < failuresInRow && !half && !relapse {
		if b.ramp > 1 {
			b.ramp /= 2
		}
		return false
	}
	*b = breaker{open: true, since: last, failedAt: now, restsSince: now}
	return true
}

// answered notes that the provider answered, to whichever request: that is news
// even where the request is old.
func (b *breaker) answered(started uint64, limit int) {
	if b.open {
		*b = breaker{ramp: 1, since: b.since, failedAt: b.failedAt}
		return
	}
	b.inRow = 0
	b.record(0)
	if started > b.since {
		b.ramp.widen(limit)
	}
}

func (b *breaker) record(bit uint32) {
	b.window = (b.window<<1 | bit) & (1<<recent - 1)
	b.seen = min(b.seen+1, recent)
}

// probe notes that the request with the number started is a probe.
func (b *breaker) probe(now time.Time, started uint64) {
	b.probes++
	b.latest, b.probing, b.restsSince = started, true, now
}

// freed notes that a request holds no slot any more.
func (b *breaker) freed(started uint64) {
	if started == b.latest {
		b.probing = false
	}
}

// unsent takes a probe back that was none, after all.
func (b *breaker) unsent(started uint64) {
	if started == b.latest {
		b.probes--
		b.restsSince = time.Time{}
	}
}

// readyAt is the earliest instant at which the next probe may start, which are distance
// apart.
func (b *breaker) readyAt(distance time.Duration) time.Time {
	switch {
	case !b.open || b.restsSince.IsZero():
		return time.Time{}
	case b.probes > quickProbes:
		return b.restsSince.Add(slowdown * distance)
	default:
		return b.restsSince.Add(distance)
	}
}

// worthUntil is when all of this may be forgotten.
func (b *breaker) worthUntil() time.Time {
	if !b.open && b.inRow == 0 && b.window == 0 && b.ramp == 0 {
		return time.Time{}
	}
	return b.failedAt.Add(memory)
}
