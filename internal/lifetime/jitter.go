package lifetime

import (
	"math"
	"strconv"
	"time"
)

// spread returns a number in [0, 1) that depends on nothing but its arguments: the same question, asked again by
// another reconcile or another replica, has the same answer. It is FNV-1a with the finaliser of MurmurHash3, since FNV
// alone hardly stirs its upper bits for short texts that differ in their last byte.
func spread(seed string, number int64) float64 {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for _, char := range []byte(seed + "/" + strconv.FormatInt(number, 10)) {
		hash = (hash ^ uint64(char)) * prime
	}
	hash = (hash ^ hash>>33) * 0xff51afd7ed558ccd
	hash = (hash ^ hash>>33) * 0xc4ceb9fe1a85ec53
	hash ^= hash >> 33
	return float64(hash>>11) / (1 << 53)
}

// share returns the given fraction, in [0, 1], of a duration.
func share(whole time.Duration, fraction float64) time.Duration {
	return time.Duration(math.Floor(float64(whole) * fraction))
}

// ceilSecond rounds up to a whole second.
func ceilSecond(t time.Time) time.Time {
	whole := t.UTC().Truncate(time.Second)
	if whole.Before(t) {
		return whole.Add(time.Second)
	}
	return whole
}
