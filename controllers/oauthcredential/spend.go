package oauthcredential

import (
	"context"
	"errors"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// spending is a token request that spends what a kept grant holds.
type spending struct {
	kept *kept
	step grant.Step
	// id is random, and owner this process.
	id    string
	owner grant.Owner
	// cluster is the UID of the cluster.
	cluster string
	grants  grants
	devices DeviceClient
	claim   func(redact.String) *issuance.Failure
	// unanswered keeps the process alive until what was sent has an answer that is kept.
	unanswered *unanswered
}

// DeviceClient asks device authorization endpoints for codes (RFC 8628). Every error is
// an *oauth.Error.
type DeviceClient interface {
	DeviceAuthorization(ctx context.Context, request oauth.Request) (*oauth.DeviceAuthorization, error)
}

// urgentFor is how long an attempt without an answer goes before all else: no provider
// is known to take a spent refresh token for longer.
const urgentFor = 30 * time.Minute

// begin begins a request that a kept grant needs.
func (r *Reconciler) begin(ctx context.Context, f *facts, k *kept, step grant.Step, decision lifetime.Decision) (actResult, error) {
	if decision.Trigger == lifetime.GrantChanged && step.Action == grant.Send || step.Action == grant.Authorize && step.Count == 1 {
		// Looks are free, and what a change of the grant leads to is not.
		if decision.Unscheduled = true; f.now.Before(f.limits.requestAt) {
			return r.conclude(f, k, &outcome{lookAgainAt: f.limits.requestAt, postponed: true}), nil
		}
	}
	if !step.Value.IsEmpty() {
		if err := r.noteBootstraps(ctx); err != nil {
			return actResult{}, err
		}
	}
	x := r.exchange(f)
	x.spending = &spending{
		kept: k, step: step, id: r.NewID(), owner: r.Owner, cluster: r.Cluster,
		grants:     grants{store: &r.store, credentials: r.APIReader, unanswered: &r.unanswered, refused: r.exchanges.refused},
		devices:    r.Devices,
		claim:      func(value redact.String) *issuance.Failure { return r.claimBootstrap(f.credential, value) },
		unanswered: &r.unanswered,
	}
	turn := f.turn(decision)
	turn.Urgent = step.Open && !step.Since.After(f.now) && f.now.Before(step.Since.Add(urgentFor))
	//nolint:contextcheck // The exchange has its own: it outlives the reconcile.
	r.exchanges.start(x, turn, decision.Unscheduled, f.limits.step)
	return actResult{started: true}, nil
}

// exchangeGrant carries the step of a kept grant out.
func (x exchange) exchangeGrant(o *outcome, answered func()) {
	// Whatever comes of it, the grant was looked at as it was.
	x.describe(o, x.spending.kept.record, x.spending.kept.version)
	if x.spending.step.Action == grant.Authorize {
		x.authorize(o)
		return
	}
	if x.spending.step.Action == grant.Poll {
		x.poll(o, answered)
		return
	}
	x.spend(o, answered)
}

// describe notes what the status is to say about the grant.
func (x exchange) describe(o *outcome, record *grant.Record, version string) {
	o.grant, o.grantEnds = x.spending.kept.status(x.credential, x.Plan, record, version)
}

// spend sends what a kept grant holds: an attempt is written down before, and what
// comes of it is kept before it is judged.
func (x exchange) spend(o *outcome, answered func()) {
	s, record := x.spending, x.record()
	resolved, err := x.Resolver.ResolveWith(x.ctx, x.Plan, s.sends(record))
	o.Versions = resolved.Versions
	if err != nil {
		o.Failure, o.APIError = issuance.SourceFailure(err)
		return
	}
	if o.Failure = x.barred(record, resolved.Request.Client.ID); o.Failure != nil {
		return
	}
	if !s.unanswered.add() {
		o.APIError = errStopping
		return
	}
	defer s.unanswered.done()
	// From here on neither the reconcile nor the manager may cut it off.
	x.ctx = context.WithoutCancel(x.ctx)
	record.Begin(s.step, s.id, s.owner, x.Resolver.Now())
	version, err := s.grants.write(x.ctx, keyOf(x.credential), record, s.kept.version, beginTimeout)
	if err != nil {
		x.unwritten(o, err)
		return
	}
	x.describe(o, record, version)
	resolved.Request.Timeout, resolved.Request.Answered = grantTimeout(x.Plan), answered
	answer, err := x.Send(x.ctx, &o.Outcome, resolved)
	x.settle(o, record, version, x.taken(o, answer, err, resolved.Request.Client.ID), err)
}

// record is a copy of the grant to change.
func (x exchange) record() *grant.Record {
	if kept := x.spending.kept.record; kept != nil {
		return kept.Clone()
	}
	return grant.NewRecord(x.spending.cluster, string(x.credential.UID))
}

// errStopping says that the operator is about to stop, and begins nothing more.
var errStopping = errors.New("the operator is stopping")

// sends is what a step sends of a record.
func (s *spending) sends(record *grant.Record) resolve.Grant {
	switch {
	case s.step.Kind == grant.Redeem:
		l := record.Login
		return resolve.Grant{Code: l.Code, Verifier: l.Verifier, RedirectURI: l.RedirectURI}
	case !s.step.Value.IsEmpty():
		return resolve.Grant{RefreshToken: s.step.Value}
	case s.step.Kind == grant.Try:
		return resolve.Grant{RefreshToken: record.Candidate.RefreshToken}
	}
	return resolve.Grant{RefreshToken: record.Chain.RefreshToken}
}

// barred is why a step must not be sent: another credential has begun with the same
// value, or it is another client that has the refresh token (RFC 6749 section 6).
func (x exchange) barred(record *grant.Record, clientID string) *issuance.Failure {
	s := x.spending
	switch {
	case !s.step.Value.IsEmpty():
		return s.claim(s.step.Value)
	case s.step.Kind != grant.Refresh:
		return nil
	}
	if token := record.Chain.LastToken(); token != nil && token.ClientID != "" && token.ClientID != clientID {
		return needs(x.credential, x.Plan, grant.NeedClient)
	}
	return nil
}

// unwritten is the outcome where the attempt, or what a person has to enter, could not be
// written down: nothing is spent.
func (x exchange) unwritten(o *outcome, err error) {
	if errors.Is(err, secretstore.ErrChanged) {
		o.lookAgainAt = x.Resolver.Now()
		return
	}
	o.Failure, o.APIError = grantWriteFailure(err)
}

// taken is what an answer of the class 2xx brought, whatever is wrong with the rest of
// it.
func (x exchange) taken(o *outcome, answer *oauth.Answer, err error, clientID string) grant.Taken {
	taken := grant.Taken{At: o.SentAt}
	if failed, ok := errors.AsType[*oauth.Error](err); ok {
		taken.RefreshToken = failed.RefreshToken
	}
	if answer != nil {
		taken.RefreshToken = answer.RefreshToken
		taken.ExpiresAt, _ = answer.RefreshTokenExpiresAt()
		taken.Token = &grant.Token{Answer: answer, ClientID: clientID, InputsHash: x.Plan.AnswerHash()}
	}
	return taken
}

// settle keeps what came of a request, and only then judges it.
func (x exchange) settle(o *outcome, record *grant.Record, version string, taken grant.Taken, err error) {
	attempt := *record.Attempt
	change, tries := func(r *grant.Record) bool { return r.Keep(attempt, taken) }, 0
	failed, _ := errors.AsType[*oauth.Error](err)
	switch {
	case taken.Token != nil, !taken.RefreshToken.IsEmpty():
	case failed != nil && undecided(failed):
		o.Failure.Class = lifetime.Transient
		return // It stays open, and is repeated.
	case failed != nil && failed.GrantRefused:
		change = func(r *grant.Record) bool { return r.Close(attempt, true) }
		o.Failure = x.refused(attempt, record.Chain.Alive(), o.Failure)
	default:
		change, tries = func(r *grant.Record) bool { return r.Close(attempt, false) }, closeTries
	}
	x.keep(o, record, version, taken, change, tries)
}

// keep changes the grant, and makes what to publish of the token that it holds then.
func (x exchange) keep(
	o *outcome, record *grant.Record, version string, taken grant.Taken, change func(*grant.Record) bool, tries int,
) {
	after, version, ok := x.spending.grants.amend(x.ctx, x.credential, record, version, change, tries)
	if !ok {
		// Somebody has begun another chain, or the credential is gone.
		o.Failure, o.lookAgainAt = nil, x.Resolver.Now()
		return
	}
	x.describe(o, after, version)
	another := after.Login != nil && (record.Attempt == nil || record.Attempt.Chain != after.Login.ID)
	if another || x.Plan.ByDevice() && !after.Chain.Alive() {
		o.lookAgainAt = x.Resolver.Now() // A person has acted meanwhile, or can be asked at once.
	}
	if taken.Token != nil {
		token := keptOf(after, taken)
		x.Judge(&o.Outcome, token.Answer, token.ClientID)
	}
}

// undecided tells whether the endpoint may have taken what was sent. That is so, too,
// where it says that it did and then cannot be understood.
func undecided(failed *oauth.Error) bool {
	return failed.Undecided || failed.Status/100 == 2 && failed.Kind == oauth.KindInvalidResponse && failed.Code == ""
}

// keptOf is the token as it was kept; where the API server took no more than the refresh
// token, it is what has just come.
func keptOf(record *grant.Record, taken grant.Taken) *grant.Token {
	if token := record.Chain.LastToken(); token != nil {
		return token
	}
	return taken.Token
}

// refused is what a person is told of a refresh token, or a code, that the provider does
// not take. alive says that there is a chain to go on with.
func (x exchange) refused(attempt grant.Attempt, alive bool, said *issuance.Failure) *issuance.Failure {
	need := grant.NeedRefused
	switch {
	case attempt.Kind != grant.Refresh && alive:
		return &issuance.Failure{
			Reason: said.Reason, Class: lifetime.Rejected, Code: said.Code, Answered: true, Beside: true,
			Message: "what was to replace the refresh token was refused, and the one in use stays: " + begin(x.credential, x.Plan) +
				". " + said.Message,
		}
	case attempt.Kind == grant.Redeem:
		need = grant.NeedCode
	case attempt.Generation == 0:
		need = grant.NeedUsable
	}
	told := needs(x.credential, x.Plan, need)
	told.Message += ". " + said.Message
	told.Code, told.Answered = said.Code, true
	return told
}
