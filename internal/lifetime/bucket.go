package lifetime

import "time"

const (
	bucketSize    = 3
	minBucketStep = 10 * time.Second

	// RepairStep is the step of a bucket for repairs of a target, which cost no
	// token request: somebody who keeps undoing them must not cause a storm.
	RepairStep = minBucketStep
)

// Bucket bounds the token requests that no schedule made due: those for an
// annotation, a changed spec, or a Secret that lost its token. Three may be made
// at once, then one per step. The zero value is full.
type Bucket struct {
	// full is when the bucket is full again, were nothing more drawn.
	full time.Time
}

// BucketStep is the time in which a bucket regains one request: a tenth of the
// token's life, at least ten seconds.
func BucketStep(t Token) time.Duration {
	return max(t.Lifetime()/10, minBucketStep)
}

// AllowedAt is the earliest instant at which the bucket allows a request; one in
// the past allows it now.
func (b Bucket) AllowedAt(step time.Duration) time.Time {
	return b.full.Add(-(bucketSize - 1) * step)
}

// Draw takes one request out of the bucket at the instant now.
func (b Bucket) Draw(step time.Duration, now time.Time) Bucket {
	if b.full.Before(now) {
		b.full = now
	}
	return Bucket{full: b.full.Add(step)}
}

// Idle says that the bucket is full at the instant now, so that it need not be kept.
func (b Bucket) Idle(now time.Time) bool {
	return !now.Before(b.full)
}
