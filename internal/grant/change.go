package grant

import (
	"slices"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// NewRecord is that of a credential which has no grant yet.
func NewRecord(cluster, credential string) *Record {
	return &Record{Cluster: cluster, Credential: credential}
}

// Bind makes the record that of a credential in a cluster, whose UID is empty where it
// is not known. Where it is another's, only a person may ask for that. An attempt of
// the other's process is not waited for; one of its own stays.
func (r *Record) Bind(cluster, credential string) {
	mine := r.belongsTo(cluster, credential)
	if cluster == "" && mine {
		return
	}
	r.assign(cluster, credential)
	if !mine {
		r.leave()
	}
}

func (r *Record) assign(cluster, credential string) {
	if r.Cluster != cluster && r.Cluster != "" && !slices.Contains(r.Former, r.Cluster) {
		r.Former = append(r.Former, r.Cluster)
	}
	r.Cluster, r.Credential = cluster, credential
}

// belongsTo tells whether the record is that of a credential in a cluster. An operator
// that may not ask which cluster it is in knows the credential only.
func (r *Record) belongsTo(cluster, credential string) bool {
	return r.Credential == credential && (r.Cluster == cluster || r.Cluster == "" || cluster == "")
}

// leave drops the open attempt, and keeps in mind that its answer is missing.
func (r *Record) leave() {
	a := r.Attempt
	r.Attempt = nil
	switch {
	case a == nil:
	case a.Kind == Redeem && r.Login != nil && r.Login.ID == a.Chain:
		r.dropLogin() // A code is not sent twice.
	case a.Kind == Try && r.Candidate != nil && r.Candidate.Hash == a.Chain && r.Candidate.Unanswered.IsZero():
		r.Candidate.Unanswered = a.Since
	case a.Kind == Refresh && r.Chain != nil && r.Chain.ID == a.Chain && r.Chain.Unanswered.IsZero():
		r.Chain.Unanswered = a.Since
	}
}

func (r *Record) dropLogin() {
	if r.Login != nil {
		r.TakenUp, r.Login = r.Login.ID, nil
	}
}

// Begin writes down that a step is about to be sent. id is random. The answer is the
// value to send; for Redeem it is the code.
func (r *Record) Begin(step Step, id string, owner Owner, now time.Time) redact.String {
	r.leave()
	a := &Attempt{ID: id, Kind: step.Kind, Owner: owner, Since: now}
	r.Attempt = a
	hash := ""
	if !step.Value.IsEmpty() {
		hash = Hash(r.Cluster, step.Value)
		r.use(hash)
	}
	switch {
	case step.Kind == Redeem:
		a.Chain = r.Login.ID
		return r.Login.Code
	case step.Kind == Try && hash != "":
		r.Candidate = &Candidate{RefreshToken: step.Value, Hash: hash}
		fallthrough
	case step.Kind == Try:
		a.Chain, a.Since = r.Candidate.Hash, first(r.Candidate.Unanswered, now)
		return r.Candidate.RefreshToken
	case hash != "":
		r.Chain = &Chain{ID: id, StartedAt: now, RotatedAt: now, RefreshToken: step.Value}
		r.Candidate = nil
	}
	if r.Candidate != nil {
		r.Candidate.Failed = false // Its turn comes next.
	}
	// Whoever sends a refused token again wants to know anew.
	r.Chain.Lost = false
	a.Chain, a.Generation, a.Since = r.Chain.ID, r.Chain.Generation, first(r.Chain.Unanswered, now)
	return r.Chain.RefreshToken
}

// first is since, or now where since is zero.
func first(since, now time.Time) time.Time {
	if since.IsZero() {
		return now
	}
	return since
}

// Taken is what an answer brought.
type Taken struct {
	// RefreshToken is empty where the answer has none: the one that was sent stays.
	RefreshToken redact.String
	// ExpiresAt is when the refresh token ends, zero where the answer does not say.
	ExpiresAt time.Time
	// Token is nil where the answer cannot be used otherwise.
	Token *Token
	// Consent is a hash of what the person was asked to consent to, where one was asked.
	Consent string
	At      time.Time
}

// Keep keeps what came of an attempt. It answers false where nobody wants it any
// more: a person has begun another chain, or somebody else has carried this one on.
func (r *Record) Keep(a Attempt, taken Taken) bool {
	mine := r.Attempt != nil && r.Attempt.ID == a.ID
	kept := r.wants(a, mine)
	if mine {
		r.Attempt = nil
	}
	switch {
	case !kept:
	case a.Kind == Redeem:
		taken.Consent = r.Login.Consent
		r.own()
		r.replace(a.Chain, taken) // By its id a login is known to have been taken up.
		r.dropLogin()
	case a.Kind == Try:
		if taken.RefreshToken.IsEmpty() {
			taken.RefreshToken = r.Candidate.RefreshToken
		}
		r.replace(a.ID, taken)
	case a.Kind == Refresh:
		r.Chain.take(taken)
		r.Device = nil
	}
	return kept
}

// wants tells whether what was sent by an attempt is what the record still has.
func (r *Record) wants(a Attempt, mine bool) bool {
	switch a.Kind {
	case Redeem:
		return r.Login != nil && r.Login.ID == a.Chain
	case Try:
		return r.Candidate != nil && r.Candidate.Hash == a.Chain
	case Refresh:
		// Where somebody has repeated the request meanwhile, and still waits, the chain
		// is where it was when this one was sent.
		return r.Chain != nil && r.Chain.ID == a.Chain && (mine || r.Chain.Generation == a.Generation)
	}
	return false
}

// replace begins a chain with what was taken. Nobody wants the answer to an attempt at
// what was there before, except to that of a login, which goes before all else.
func (r *Record) replace(id string, taken Taken) {
	r.Chain = &Chain{ID: id, StartedAt: taken.At, Consent: taken.Consent}
	r.Chain.take(taken)
	r.Candidate, r.Device = nil, nil
	if r.Attempt != nil && r.Attempt.Kind != Redeem {
		r.Attempt = nil
	}
}

func (c *Chain) take(taken Taken) {
	c.Generation++
	c.Lost, c.Unanswered = false, time.Time{}
	if !taken.ExpiresAt.IsZero() && !c.ExpiresAt.IsZero() {
		// Half of the time is more than what the clocks of two machines differ by.
		c.Renews = taken.ExpiresAt.Sub(c.ExpiresAt) > taken.At.Sub(c.RotatedAt)/2
	}
	c.RotatedAt = taken.At
	if !taken.RefreshToken.IsEmpty() {
		c.RefreshToken = taken.RefreshToken
		c.ExpiresAt = taken.ExpiresAt
	} else if !taken.ExpiresAt.IsZero() {
		c.ExpiresAt = taken.ExpiresAt
	}
	if taken.Token != nil {
		c.Token = taken.Token.settled()
	}
}

// own makes the record that of the credential that its login is for. What another one's
// grant was in it ends with that.
func (r *Record) own() {
	if r.Login.Credential != r.Credential {
		r.assign("", r.Login.Credential)
	}
}

// Approve begins a chain with what a person has approved by the device grant.
func (r *Record) Approve(id string, taken Taken) { r.replace(id, taken) }

// Adopt begins a chain with the tokens of a login.
func (r *Record) Adopt() {
	l := r.Login
	r.own()
	r.replace(l.ID, Taken{RefreshToken: l.RefreshToken, ExpiresAt: l.ExpiresAt, Token: l.Token, Consent: l.Consent, At: l.At})
	r.dropLogin()
	r.Attempt = nil
}

// Discard drops a login, and the attempt to redeem it.
func (r *Record) Discard() {
	r.dropLogin()
	if r.Attempt != nil && r.Attempt.Kind == Redeem {
		r.Attempt = nil
	}
}

// Close ends an attempt that changed nothing at the provider. refused says that it
// took what was sent for dead. It answers false where the attempt is another's by now.
func (r *Record) Close(a Attempt, refused bool) bool {
	if r.Attempt == nil || r.Attempt.ID != a.ID {
		return false
	}
	r.Attempt = nil
	switch {
	case a.Kind == Redeem && refused && r.Login != nil && r.Login.ID == a.Chain:
		r.dropLogin()
	case a.Kind == Try && r.Candidate != nil && r.Candidate.Hash == a.Chain:
		r.Candidate.Failed = true
		if refused {
			r.Candidate = nil
		}
	case a.Kind == Refresh && refused && r.Chain != nil && r.Chain.ID == a.Chain && r.Chain.Generation == a.Generation:
		r.Chain.Lost, r.Chain.Unanswered = true, time.Time{}
	}
	return true
}
