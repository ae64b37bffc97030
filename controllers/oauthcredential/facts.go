package oauthcredential

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// facts is all that is known of a credential at one instant.
type facts struct {
	credential *v1alpha1.OAuthCredential
	now        time.Time
	// plan joins the credential with its provider, nil where that is not possible.
	// inputsHash is a hash of what shapes the token by it, and terms one of all that a
	// request is made from.
	plan              *resolve.Plan
	inputsHash, terms string

	// secret are the metadata of the target, nil where there is none, and owner
	// tells whose it is. adopted says that a stranger made it, and that it was taken
	// over or may be.
	secret  *metav1.ObjectMeta
	owner   secretstore.Owner
	adopted bool
	// obstacle is why no token may be asked for or written, whatever the provider
	// says; nil where it may.
	obstacle *issuance.Failure
	// previous is the Secret under the name that the spec had before, if it is there.
	previous *metav1.ObjectMeta
	// retargeted says that the token was last published under another name.
	retargeted bool

	// held says that the target holds a token, life how long, and heldInputs what
	// it was asked for with.
	held       bool
	life       lifetime.Token
	heldInputs string
	// token is that token where the Secret had to be looked at; drifted says that
	// something about the Secret is not as it was written.
	token   *secretstore.Token
	drifted bool

	// sources are the versions of the referenced objects now.
	sources       []v1alpha1.SourceVersion
	clientChanged bool
	sourceChanged bool

	// grantChanged says that somebody has changed the grant that is kept.
	// bootstrapVersion is that of the Secret with the refresh token to begin with, and
	// bootstrapIsOld says that it was looked at, and that nothing has failed since.
	// grantVersion is that of the grant's Secret.
	grantChanged     bool
	grantVersion     string
	bootstrapVersion string
	bootstrapIsOld   bool

	requested bool
	exchange  exchangeState
	limits    limits
	// providerBroken says that requests to the provider wait for a probe to succeed.
	providerBroken bool
}

// unwanted says that the request of the credential was made of a spec that has
// changed. One that merely waits can be made anew at no cost; one that is under way
// is cut off only where its answer, or the waiting for it, would be of no use.
func (f *facts) unwanted() bool {
	made := f.exchange.request.exchange
	switch {
	case f.exchange.running && made.spending != nil:
		return false // What it has sent is spent.
	case made.spending != nil && changed(made.spending.kept.version, f.grantVersion):
		return true // A login may need no request.
	case !f.exchange.running:
		return f.blocked() || made.credential.Generation != f.credential.Generation || made.terms != f.terms
	case f.plan == nil:
		return false // The provider may be back before the answer is.
	}
	now, then := f.plan.Endpoint, made.Plan.Endpoint
	return made.InputsHash != f.inputsHash ||
		!equality.Semantic.DeepEqual(now.TLS, then.TLS) || !equality.Semantic.DeepEqual(now.Timeout, then.Timeout)
}

// sourcesNow are the objects that a token request would be made from.
func (f *facts) sourcesNow() []resolve.Source {
	if f.plan == nil {
		return resolve.CredentialSources(f.credential)
	}
	return f.plan.Sources()
}

// lifetimeFacts is what the decision is made from.
func (f *facts) lifetimeFacts() lifetime.Facts {
	status := f.credential.Status
	facts := lifetime.Facts{
		Blocked:       f.blocked(),
		InFlight:      f.exchange.inFlight(),
		Pending:       f.pending(),
		Held:          f.held,
		Drifted:       f.drifted,
		RepairAt:      f.limits.repairAt,
		Policy:        f.policy(),
		Seed:          string(f.credential.UID),
		SpecChanged:   f.held && f.plan != nil && f.heldInputs != f.inputsHash,
		ClientChanged: f.clientChanged,
		GrantChanged:  f.grantChanged || !f.exchange.lookAgainAt.IsZero(),
		Requested:     f.requested,
		CauseChanged:  f.causeChanged(),
		LastRequest:   f.exchange.startedAt.Add(f.exchange.apiDelay()),
		NotBefore:     f.exchange.lookAgainAt,
		AllowedAt:     f.limits.requestAt,
	}
	if f.held {
		facts.Token = f.life
	}
	// A token at hand has left the last failure behind, unless that was to write it.
	if last := status.LastFailure; last != nil && (!facts.Pending || f.exchange.outcome.rejected) {
		facts.Failed = true
		facts.RetryAt = instantOf(status.RefreshAt)
		if facts.LastRequest.IsZero() {
			facts.LastRequest = last.Time.Time
		}
		facts.NeedsPerson = personal(last.Reason)
		switch {
		case facts.Pending:
			// Only another spec, or time, makes the API server take what it has refused.
			facts.Requested = false
			facts.CauseChanged = f.respecified()
		case last.Reason == v1alpha1.ReasonRateLimited:
			// Nobody but a new client or a new spec may cut a Retry-After short.
			facts.Requested = false
			facts.CauseChanged = f.corrected()
		case last.Reason == v1alpha1.ReasonProviderUnreachable && f.providerBroken && !resolve.KeepsGrant(f.credential):
			// The probes of its line set the pace now, for all who wait there. What a kept
			// grant has sent already does not wait.
			facts.RetryAt = f.now
		}
	}
	return facts
}

// wantsToken says that a new token is wanted, whatever has become of the grant.
func (f *facts) wantsToken() bool {
	facts := f.lifetimeFacts()
	facts.GrantChanged, facts.NeedsPerson, facts.NotBefore = false, false, time.Time{}
	return lifetime.Decide(facts, f.now).Action == lifetime.Request
}

// blocked says that no token is asked for: the credential is suspended, or there is
// an obstacle.
func (f *facts) blocked() bool {
	return f.credential.Spec.Suspend || f.obstacle != nil
}

// refreshAt is when a token of the credential with this life is to be replaced.
func (f *facts) refreshAt(life lifetime.Token) time.Time {
	return lifetime.RefreshAt(life, f.policy(), string(f.credential.UID))
}

// pending says that a token is at hand that still lives.
func (f *facts) pending() bool {
	o := f.exchange.outcome
	return o != nil && o.Token != nil && (o.Token.ExpiresAt.IsZero() || f.now.Before(o.Token.ExpiresAt))
}

// causeChanged says that something the last failure may come from has changed.
func (f *facts) causeChanged() bool {
	return f.respecified() || f.reprovided() || f.sourceChanged || f.exchange.recovered
}

// corrected says that a person has changed who asks, or what is asked for.
func (f *facts) corrected() bool {
	return f.clientChanged || f.respecified() || f.reprovided()
}

// reprovided says that the provider has changed since the last request, as far as it
// is known what that was made from.
func (f *facts) reprovided() bool {
	return f.exchange.terms != "" && f.plan != nil && f.exchange.terms != f.terms
}

// current says that the target holds a token for the spec as it is. A provider that has
// changed, or cannot be seen now, does not make the token a wrong one: it is good for
// what the credential asks for until there is a better one.
func (f *facts) current() bool {
	return f.held && (f.heldInputs == f.inputsHash ||
		!f.respecified() && meta.IsStatusConditionTrue(f.credential.Status.Conditions, v1alpha1.ConditionReady))
}

// respecified says that the status does not speak of the spec as it is now.
func (f *facts) respecified() bool {
	return f.credential.Generation != f.credential.Status.ObservedGeneration
}

// policy is when a token is to be replaced, by the credential and its provider.
func (f *facts) policy() lifetime.Policy {
	grant := f.credential.Status.Grant
	if o := f.exchange.outcome; o != nil && o.grant != nil {
		grant = o.grant
	}
	var useBy time.Time
	if grant != nil {
		useBy = instantOf(grant.UseBy)
	}
	return issuance.Policy(f.credential, f.plan, useBy)
}

func instantOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
