package lifetime

import "time"

// Claims is what an answer says about a token's life, as it came off the wire. JSON must have been decoded with
// UseNumber, else numbers beyond 2^53 have lost digits before they get here.
type Claims struct {
	// ExpiresIn is a lifetime in Rules.Unit, ExpiresAt and IssuedAt are instants. Each is nil where it is absent or
	// null, else a json.Number, string, bool, []any or map[string]any. Go's own numbers and time.Time are read too.
	ExpiresIn, ExpiresAt, IssuedAt any
	// Date and Age are the answer's headers of these names, empty where it has none.
	Date, Age string
}

// Unit says what a relative lifetime is counted in.
type Unit string

// The units of Rules.Unit. Empty, and anything else, is Seconds.
const (
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
	Minutes      Unit = "Minutes"
	// Duration is a text: "1h30m", ISO 8601 as "PT20M", or hours, minutes and seconds as "177:05:38". A bare number is
	// read as seconds.
	Duration Unit = "Duration"
)

// defaultMaximum is the Rules.Maximum of 0. Thirty days let milliseconds that were read as seconds stand out, since a
// quarter of an hour in them is ten days already.
const defaultMaximum = 720 * time.Hour

// Rules is what the configuration says about a provider's lifetimes.
type Rules struct {
	// Unit is the unit of Claims.ExpiresIn.
	Unit Unit
	// Default is the lifetime where the answer states none. 0 or less means that there is no default.
	Default time.Duration
	// Maximum is the longest lifetime that is believed. 0 or less means 720h.
	Maximum time.Duration
	// Reissue is what a new token means for the one before. Under Same a lifetime may be the rest of one: 0 then says
	// that under a second is left, whatever Default says, and a short one deserves no warning.
	Reissue Reissue
}

// maximum returns the longest lifetime to believe, in whole seconds.
func (r Rules) maximum() time.Duration {
	if r.Maximum <= 0 {
		return defaultMaximum
	}
	return r.Maximum.Truncate(time.Second)
}

// Warning is a stable text about an answer that could be used and still deserves a look.
type Warning string

// The warnings of Read.
const (
	// ClampedToMaximum usually means a wrong unit: milliseconds that are read as seconds.
	ClampedToMaximum Warning = "the lifetime is longer than lifetime.maximum, which is used instead; check lifetime.expiresInUnit"
	// SourcesDisagree means that two statements of one answer are more than a tenth apart.
	SourcesDisagree Warning = "what the answer says about the lifetime disagrees by more than a tenth; the shortest is used"
	// NegativeLifetime is what some providers answer for a token that does not expire.
	NegativeLifetime Warning = "the lifetime is negative and taken as missing"
	// ClockSkew means that the answer's Date header is more than a minute off.
	ClockSkew Warning = "the provider's clock and ours are more than a minute apart"
	// ExpiresAtUnreadable means that expiresIn had to do alone.
	ExpiresAtUnreadable Warning = "expiresAt cannot be read and is ignored"
	// IssuedAtUnreadable means that expiresAt had to do alone.
	IssuedAtUnreadable Warning = "issuedAt cannot be read and is ignored"
	// ExpiresAtPast means that the answer's other statements were used although its expiry seems to be past.
	ExpiresAtPast Warning = "expiresAt is in the past; the lifetime is taken from the rest of the answer"
	// ShortLifetime means that the kubelet may bring the token to a mounted volume only after it has expired.
	ShortLifetime Warning = "the token lives shorter than a mounted Secret takes to reach its pods; use the tokensync sidecar"
)

// The names of the claims, as users write them in a provider's response mapping.
const (
	claimExpiresIn = "expiresIn"
	claimExpiresAt = "expiresAt"
)

// InvalidError says that an answer states a lifetime that cannot be used. Its text is stable and holds nothing of the
// answer.
type InvalidError struct {
	// Claim is expiresIn or expiresAt, or empty where the lifetime as a whole is at fault.
	Claim string
	// Problem is the rest of the sentence that begins with the claim.
	Problem string
}

// Error returns a sentence for a user.
func (e *InvalidError) Error() string {
	if e.Claim == "" {
		return "the token's lifetime " + e.Problem
	}
	return e.Claim + " " + e.Problem
}

// The problems of an InvalidError.
const (
	problemShape    = "is neither a number nor a text"
	problemRelative = "is not a number; if it is one such as 1h, PT20M or 00:20:00, set lifetime.expiresInUnit to Duration"
	problemDuration = "is neither a number nor a duration such as 1h, PT20M or 00:20:00"
	problemInstant  = "is neither RFC 3339, an HTTP date nor a Unix time; map expiresIn instead"
	problemZero     = "is 0 and lifetime.default is not set"
	problemPast     = "is in the past"
	problemShort    = "is under one second"
)
