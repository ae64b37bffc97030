package lifetime

import "time"

// Reissue says what a new token means for the one before.
type Reissue string

// The ways of a provider. Empty, and anything else, is Independent.
const (
	// Independent lets tokens live side by side.
	Independent Reissue = "Independent"
	// Same answers the same token until it expires, each time with the rest of its life.
	Same Reissue = "Same"
	// Replaces ends the old token with each new one.
	Replaces Reissue = "Replaces"
)

const (
	// replacesPercent is the Policy.AfterPercent of 0 under Replaces.
	replacesPercent = 95
	// replacesDistance is the least distance to expiry under Replaces, whatever a request may take.
	replacesDistance = time.Minute

	// sameDistance is the largest distance to expiry under Same, and samePart the part of the lifetime where that is
	// less. A provider that issues the next token a little ahead of time does so by then.
	sameDistance = 30 * time.Second
	samePart     = 20
	// sameEnd is a lifetime that is taken for the rest of one under Same.
	sameEnd = 5 * time.Second
	// sameSlack is by how much an instant may seem past under Same and still be that of the last moment.
	sameSlack = 5 * time.Second
)

// replacesAfter returns how long after its issue a token is asked for whose issue ends it. What is left of it is lost,
// so that is late, though not so late that one request that hangs uses up what remains, nor before two thirds.
func (p Policy) replacesAfter(life time.Duration, jitter float64) time.Duration {
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	earliest := ceilDuration(life - life/3)
	latest := min(life/100*replacesPercent, life-max(2*min(timeout, forever), replacesDistance))
	if latest <= earliest {
		return earliest
	}
	return latest - share(min(latest-earliest, share(life, refreshJitter)), jitter)
}

// sameAfter returns how long after its issue a token is asked for that is answered until it expires. A short life is
// the rest of a longer one: then nothing is gained before it is over. As providers round it down, the very instant of
// expiry would bring the same token once more, and the second after it brings the next.
func sameAfter(life time.Duration, jitter float64) time.Duration {
	if life <= sameEnd {
		return ceilDuration(life) + minSpacing
	}
	distance := max(min(sameDistance, life/samePart), minSpacing)
	return life - distance - share(distance/2, jitter)
}
