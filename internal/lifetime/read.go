package lifetime

import (
	"slices"
	"time"
)

// propagation is about how long a changed Secret takes to reach a mounted volume: the kubelet's sync period of a
// minute, and the time its cache of the Secret may lag.
const propagation = 90 * time.Second

// verdict is what one claim turned out to say.
type verdict int

const (
	silent verdict = iota // absent, null, empty, or negative
	zero                  // 0, which some answer for "unknown" and others for "never"
	stated                // a value
)

// reader carries one answer through the steps of Read.
type reader struct {
	claims   Claims
	rules    Rules
	base     time.Time // when the request went out, in whole seconds
	clock    serverClock
	warnings []Warning
}

// Read works out when a token was issued and when it expires, both by our clock and in whole seconds, rounded so that
// the token never seems to live longer than it does. sent is our clock just before the request, received just after
// the answer. Without any statement about the lifetime, and without a default, the token's ExpiresAt is zero. The
// error is an [*InvalidError]; the token is then zero.
func Read(c Claims, r Rules, sent, received time.Time) (Token, []Warning, error) {
	rd := &reader{
		claims: c,
		rules:  r,
		base:   sent.UTC().Truncate(time.Second),
		clock:  readServerClock(c.Date, c.Age, sent, received),
	}
	if rd.clock.far {
		rd.warn(ClockSkew)
	}
	life, known, err := rd.lifetime()
	if err != nil {
		return Token{}, rd.warnings, err
	}
	if !known {
		return Token{IssuedAt: rd.base}, rd.warnings, nil
	}
	if maximum := r.maximum(); life > maximum {
		rd.warn(ClampedToMaximum)
		life = maximum
	}
	life = life.Truncate(time.Second)
	if r.Reissue == Same {
		life = max(life, time.Second)
	}
	if life < time.Second {
		return Token{}, rd.warnings, &InvalidError{Problem: problemShort}
	}
	if life < propagation && r.Reissue != Same {
		rd.warn(ShortLifetime)
	}
	return Token{IssuedAt: rd.base, ExpiresAt: rd.base.Add(life)}, rd.warnings, nil
}

// warn adds a warning once.
func (rd *reader) warn(w Warning) {
	if !slices.Contains(rd.warnings, w) {
		rd.warnings = append(rd.warnings, w)
	}
}

// lifetime goes through the sources in their order. It returns false when none says anything.
func (rd *reader) lifetime() (time.Duration, bool, error) {
	relative, said, err := readRelative(rd.claims.ExpiresIn, rd.rules.Unit)
	if err != nil {
		return 0, false, err
	}
	if relative < 0 {
		rd.warn(NegativeLifetime)
	}
	absolute, saidAt, err := rd.absolute()
	switch {
	case said == stated:
		return rd.reconcile(relative, absolute, saidAt, err), true, nil
	case err != nil:
		return 0, false, err
	case rd.lastMoment(absolute, said, saidAt):
		return 0, true, nil
	case saidAt == stated && absolute.life <= 0:
		return 0, false, &InvalidError{Claim: claimExpiresAt, Problem: problemPast}
	case saidAt == stated:
		return absolute.life, true, nil
	case rd.rules.Default > 0:
		return min(rd.rules.Default, forever), true, nil
	case said == zero:
		return 0, false, &InvalidError{Claim: claimExpiresIn, Problem: problemZero}
	case saidAt == zero:
		return 0, false, &InvalidError{Claim: claimExpiresAt, Problem: problemZero}
	}
	return 0, false, nil
}

// lastMoment reports whether the answer says that the token it repeats is about to end.
func (rd *reader) lastMoment(a absoluteLife, said, saidAt verdict) bool {
	if rd.rules.Reissue != Same {
		return false
	}
	if saidAt == stated {
		return a.life <= 0 && a.life > -sameSlack
	}
	return said == zero
}

// reconcile compares expiresIn with what expiresAt says in the same answer, if that can be relied on, and returns
// expiresIn unless the other is shorter by more than a tenth of the longer.
func (rd *reader) reconcile(relative time.Duration, a absoluteLife, saidAt verdict, err error) time.Duration {
	switch {
	case err != nil:
		rd.warn(ExpiresAtUnreadable)
	case saidAt != stated:
	case a.life <= 0:
		rd.warn(ExpiresAtPast)
	case a.reliable && disagree(relative, a.life, a.slack):
		rd.warn(SourcesDisagree)
		return min(relative, a.life)
	}
	return relative
}

// absoluteLife is a lifetime that was derived from expiresAt. It is 0 or less where that is past.
type absoluteLife struct {
	life time.Duration
	// reliable means that a wrong clock at the provider has no part in it.
	reliable bool
	// slack is by how much it may be off.
	slack time.Duration
}

// absolute reads expiresAt, with issuedAt where that helps.
func (rd *reader) absolute() (absoluteLife, verdict, error) {
	expires, said, err := readInstant(rd.claims.ExpiresAt)
	if err != nil {
		return absoluteLife{}, silent, err
	}
	if expires.negative {
		rd.warn(NegativeLifetime)
	}
	if said != stated {
		return absoluteLife{}, said, nil
	}
	// Counted from the base rather than from sent, so that the sum of both is the very second that expiresAt names.
	left := absoluteLife{
		life:     min(expires.at.Add(-rd.clock.offset).Sub(rd.base), forever),
		reliable: rd.clock.known && expires.zoned,
		slack:    rd.clock.slack,
	}
	if whole, ok := rd.sinceIssue(expires); ok {
		return rd.remaining(whole, left), stated, nil
	}
	return left, stated, nil
}

// sinceIssue returns the time from issuedAt to expires, and false where the answer has no issuedAt that makes sense.
func (rd *reader) sinceIssue(expires instant) (time.Duration, bool) {
	issued, said, err := readInstant(rd.claims.IssuedAt)
	if err != nil {
		rd.warn(IssuedAtUnreadable)
		return 0, false
	}
	if said != stated {
		return 0, false
	}
	whole := min(expires.at.Sub(issued.at), forever)
	return whole, whole > 0
}

// remaining guards against a provider that answers a token which it issued some time ago: the difference of issue and
// expiry is then the token's whole life, of which only a part is left. The Date header tells, being of the same clock.
func (rd *reader) remaining(whole time.Duration, left absoluteLife) absoluteLife {
	switch {
	case !left.reliable || left.life >= whole-left.slack:
	case left.life <= 0:
		rd.warn(ExpiresAtPast) // A clock of its own stamps the Date, or local time passes for UTC.
	default:
		if disagree(whole, left.life, left.slack) {
			rd.warn(SourcesDisagree)
		}
		return left
	}
	return absoluteLife{life: whole, reliable: true}
}

// disagree reports whether two lifetimes are more than a tenth of the longer apart, and more than the given slack.
func disagree(a, b, slack time.Duration) bool {
	return max(a, b)-min(a, b) > max(max(a, b)/10, slack)
}
