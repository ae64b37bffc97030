package standin

import "time"

// Grace says whether a refresh token may be used again after it was used.
type Grace uint8

// The graces.
const (
	// GracePrevious keeps the token that was used last good until one of those
	// that were answered for it is used, so that a lost answer loses nothing. Each
	// repetition is answered with another new token.
	GracePrevious Grace = iota
	// GraceNone makes every second use of a token one too many.
	GraceNone
)

// Rotation says what plain OAuth does with refresh tokens. The tokens that follow
// from one login are a family. Of these are good: those that were answered last,
// be they several because the answer was asked for several times, and, by grace,
// the one that they were answered for. Whoever presents any other of the family has
// it revoked as a whole, with all its access tokens (RFC 9700 section 4.14.2).
//
// Of two requests with the same token at once one is the first; under GracePrevious
// the other is answered too, and the family goes on with whichever of the two new
// tokens is used first. Under GraceNone the other one revokes the family.
type Rotation struct {
	// Grace is what a lost answer costs.
	Grace Grace
	// GraceFor ends the grace so long after the first use of the token. Zero leaves
	// it to the use of a successor alone.
	GraceFor time.Duration
	// KeepStatic keeps one refresh token for the whole life of the family. The
	// answer to a refresh has none then. Grace does not matter.
	KeepStatic bool
	// RefreshTokenExpiresIn is how long each refresh token lives from its issue,
	// and is told as refresh_token_expires_in, in seconds. Zero tells nothing, and
	// they live for ever.
	RefreshTokenExpiresIn time.Duration
}

// TokenState is what a refresh token is good for now.
type TokenState uint8

// The states.
const (
	// TokenUnknown: no refresh token of this server.
	TokenUnknown TokenState = iota
	// TokenCurrent: good, and nothing that was answered for it is known to be used.
	TokenCurrent
	// TokenPrevious: good by grace only, as the one before the current.
	TokenPrevious
	// TokenStale: to present it is an error, which most servers answer by revoking
	// the family.
	TokenStale
	// TokenExpired: too old, whatever else it is.
	TokenExpired
	// TokenRevoked: its family is revoked or deleted.
	TokenRevoked
)

// String returns the state's name.
func (t TokenState) String() string {
	names := [...]string{"unknown", "current", "previous", "stale", "expired", "revoked"}
	if int(t) < len(names) {
		return names[t]
	}
	return "no state"
}

// FamilyAction is something that happened to a family.
type FamilyAction string

// The actions.
const (
	// Minted: the first token was given away.
	Minted FamilyAction = "minted"
	// Refreshed: the current token was used.
	Refreshed FamilyAction = "refreshed"
	// Retried: the previous token was used once more.
	Retried FamilyAction = "retried"
	// Reused: a stale token was presented.
	Reused FamilyAction = "reused"
	// Refused: a token was presented that had expired, or when the family was
	// revoked already.
	Refused FamilyAction = "refused"
	// Withdrawn: the family was revoked, or deleted, by whoever may.
	Withdrawn FamilyAction = "withdrawn"
	// Retired: the secondary pair of an organization token was removed.
	Retired FamilyAction = "retired"
	// Rotated: an administrator rotated an organization token.
	Rotated FamilyAction = "rotated"
	// WasReset: an administrator reset an organization token.
	WasReset FamilyAction = "reset"
)

// FamilyEvent is one entry in the history of a family.
type FamilyEvent struct {
	// Time is when it happened.
	Time time.Time
	// Action is what happened.
	Action FamilyAction
	// Generation is that of the token which was presented, else that of the family.
	Generation int
}

// FamilyState is a snapshot of the tokens that follow from one login, or of one
// organization token of Synqly.
type FamilyState struct {
	// ID names the family; for Synqly it is the id of the organization token.
	ID string
	// ClientID is who its tokens are for.
	ClientID string
	// Scope is what they are good for.
	Scope string
	// Generation counts the steps from the first token, which has 0, to the
	// current one. A repetition with the previous token is no step, except at
	// Synqly, where every refresh is one.
	Generation int
	// Refreshes counts the refreshes that succeeded, whether or not their answers
	// arrived; Retries those among them that came with the previous token.
	Refreshes, Retries int64
	// Reuses counts how often a stale token was presented.
	Reuses int64
	// Refusals counts how often an expired token was, or any after the family was
	// revoked.
	Refusals int64
	// Revoked says that nothing of the family is good any more.
	Revoked bool
	// LastToken is the refresh token that was issued last.
	LastToken string
	// History holds the latest 256 events, oldest first.
	History []FamilyEvent
}
