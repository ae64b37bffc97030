package grant

import (
	"slices"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// Record is all that is known of one credential's grant.
type Record struct {
	// Cluster and Credential are the UIDs of the cluster and the credential that the
	// grant belongs to: a copy of it elsewhere must not spend its refresh token.
	Cluster, Credential string
	// Former are the UIDs of the clusters that the grant was in before, by which some of
	// the hashes in Used are keyed.
	Former []string
	// Chain is the grant in use, nil before there was one.
	Chain *Chain
	// Candidate is a refresh token that was put beside the chain and has yet to prove
	// itself, nil where there is none.
	Candidate *Candidate
	// Attempt is the request that is under way, or whose answer never came; nil where
	// there is none.
	Attempt *Attempt
	// Used are the keyed hashes of all values that a person has put there to begin
	// with. None of them is sent a second time.
	Used []string
	// Login is what a person's login has left, until it was taken up.
	Login *Login
	// TakenUp is the ID of the last login that was taken up, or dropped: what comes
	// back after that, by a write that is repeated, is spent.
	TakenUp string
	// Device is the device authorization that waits for a person.
	Device *Device
}

// Chain is a row of refresh tokens of which each came with the one before.
type Chain struct {
	ID string
	// StartedAt is when the chain began, and RotatedAt when its refresh token was used
	// last.
	StartedAt, RotatedAt time.Time
	// Generation counts the answers that were kept. It is 0 while the chain has nothing
	// but the value that it begins with.
	Generation int64
	// RefreshToken is the one to send next, empty where the provider gave none.
	RefreshToken redact.String
	// ExpiresAt is when the provider says that the refresh token ends, zero where it
	// does not say.
	ExpiresAt time.Time
	// Renews says that the end moves on whenever the refresh token is used.
	Renews bool
	// Consent is a hash of what a person was asked to consent to, empty where nobody
	// was asked here.
	Consent string
	// Lost says that the provider has refused the refresh token.
	Lost bool
	// Unanswered is when RefreshToken was first sent without an answer that came, zero
	// where no answer is missing: it may be spent, and is to be repeated soon.
	Unanswered time.Time
	// Token is the last answer, nil where none could be read.
	Token *Token
}

// Alive says that the chain has a refresh token that was not refused.
func (c *Chain) Alive() bool {
	return c != nil && !c.Lost && !c.RefreshToken.IsEmpty()
}

// LastToken is the token of the last answer, nil where there is none.
func (c *Chain) LastToken() *Token {
	if c == nil {
		return nil
	}
	return c.Token
}

// Candidate is a refresh token that a person has put beside a chain.
type Candidate struct {
	RefreshToken redact.String
	// Hash is its keyed hash.
	Hash string
	// Failed says that it has met a failure that says nothing about it. The chain has
	// the next turn then.
	Failed bool
	// Unanswered is when it was first sent without an answer that came, zero where no
	// answer is missing.
	Unanswered time.Time
}

// Kind is what an attempt sends.
type Kind string

// The kinds of attempts.
const (
	// Refresh sends the refresh token of the chain.
	Refresh Kind = "Refresh"
	// Try sends the candidate.
	Try Kind = "Try"
	// Redeem sends the authorization code of a login.
	Redeem Kind = "Redeem"
)

// Attempt is one request that spends something.
type Attempt struct {
	ID    string
	Kind  Kind
	Owner Owner
	// Chain and Generation are those of the refresh token that is sent. For the other
	// kinds Chain is the hash of the candidate, or the id of the login.
	Chain      string
	Generation int64
	// Since is when it was sent for the first time.
	Since time.Time
}

// Owner is the process that makes an attempt.
type Owner struct {
	// Namespace, Pod and UID are those of the pod, empty outside a cluster.
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	UID       string `json:"uid,omitempty"`
	// Host and PID are those of the process.
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Boot is random, and another one after each start.
	Boot string `json:"boot"`
}

// Succeeds tells whether this process can only run because the other has ended: it is
// the same container, or the same process id on the same host, started anew.
func (o Owner) Succeeds(other Owner) bool {
	if o.Boot == other.Boot {
		return false
	}
	if o.UID != "" || other.UID != "" {
		return o.UID == other.UID
	}
	return o.Host == other.Host && o.PID == other.PID
}

// Device is a device authorization that a person has yet to approve (RFC 8628).
type Device struct {
	DeviceCode redact.String
	// UserCode and VerificationURI are shown to the person. VerificationURIComplete is
	// empty where the provider has none.
	UserCode, VerificationURI, VerificationURIComplete string
	ExpiresAt                                          time.Time
	Interval                                           time.Duration
	// PollAt is before when it must not be asked whether the code was entered, should this
	// be read by another process (RFC 8628 section 3.5).
	PollAt time.Time
	// Consent is a hash of what the person is asked to consent to.
	Consent string
	// Count counts the codes in a row that nobody has approved.
	Count int
	// Declined says that the person has said no.
	Declined bool
}

// Clone copies a record as deep as it can be changed.
func (r *Record) Clone() *Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Used = slices.Clone(r.Used)
	c.Former = slices.Clone(r.Former)
	c.Chain = clone(r.Chain)
	c.Candidate = clone(r.Candidate)
	c.Attempt = clone(r.Attempt)
	c.Login = clone(r.Login)
	c.Device = clone(r.Device)
	return &c
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// maxUsed is how many hashes are kept: a Secret is bounded, and nobody puts back what
// was there so long ago.
const maxUsed = 512

// use notes that a value was used.
func (r *Record) use(hash string) {
	if r.wasUsed(hash) {
		return
	}
	r.Used = append(r.Used, hash)
	if over := len(r.Used) - maxUsed; over > 0 {
		r.Used = slices.Delete(r.Used, 0, over)
	}
}

func (r *Record) wasUsed(hash string) bool { return slices.Contains(r.Used, hash) }
