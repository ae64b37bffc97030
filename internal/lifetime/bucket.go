package lifetime

import "time"

const (
	bucketSize    = 3
	minBucketStep = 10 * time.Second

	// RepairStep is the step of a bucket for repairs of a target, which cost no
	// token request: somebody who keeps undoing them must not cause a storm.
	RepairStep = minBucketStep
)

// Bucket bounds what no schedule made due: token requests for an annotation, a
// changed spec, or a Secret that lost its token. Three may be made at once, then
// one per step. The step may differ from one call to the next. The zero value is
// full.
type Bucket struct {
	// used is how much was drawn and not regained by the instant at.
	used float64
	at   time.Time
}

// BucketStep is the time in which a bucket regains one request: a tenth of the
// token's life, at least ten seconds.
func BucketStep(t Token) time.Duration {
	return max(t.Lifetime()/10, minBucketStep)
}

// AllowedAt is the earliest instant at which the bucket allows another draw; one in
// the past allows it now.
func (b Bucket) AllowedAt(step time.Duration) time.Time {
	missing := b.used - (bucketSize - 1)
	if missing <= 0 {
		return b.at
	}
	return b.at.Add(time.Duration(missing * float64(step)))
}

// Draw takes one out of the bucket at the instant now.
func (b Bucket) Draw(step time.Duration, now time.Time) Bucket {
	return Bucket{used: b.usedAt(step, now) + 1, at: now}
}

// Idle says that the bucket is full at the instant now, so that it need not be kept.
func (b Bucket) Idle(step time.Duration, now time.Time) bool {
	return b.usedAt(step, now) == 0
}

func (b Bucket) usedAt(step time.Duration, now time.Time) float64 {
	regained := max(0, now.Sub(b.at)).Seconds() / step.Seconds()
	return max(0, b.used-regained)
}
