package oauthcredential

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// kept is the grant of a credential as its Secret holds it now.
type kept struct {
	// record is nil and version empty where there is no such Secret.
	record  *grant.Record
	version string
	// bound says that a person wants a grant of another credential to be used.
	bound bool
	// bootstrap is the value to begin with, and bootstrapVersion that of its Secret.
	bootstrap        redact.String
	bootstrapVersion string
}

// gatherGrant finds out whether somebody has changed the grant since it was last
// looked at.
func (r *Reconciler) gatherGrant(ctx context.Context, f *facts) error {
	if f.plan == nil || !f.plan.KeepsGrant() {
		return nil
	}
	known := v1alpha1.GrantStatus{}
	if f.credential.Status.Grant != nil {
		known = *f.credential.Status.Grant
	}
	secret, err := objectMetadata(ctx, r.Client, v1alpha1.KindSecret, grantKey(f.credential))
	if err != nil {
		return err
	}
	if secret != nil {
		f.grantVersion = secret.ResourceVersion
	}
	f.grantChanged = changed(known.ResourceVersion, f.grantVersion)
	if ref := f.credential.Spec.RefreshToken; ref != nil {
		f.bootstrapVersion = versionOf(f.sources, ref.BootstrapRef.Name)
		f.bootstrapIsOld = f.credential.Status.LastFailure == nil && f.bootstrapVersion == known.BootstrapResourceVersion
		f.grantChanged = f.grantChanged || changed(known.BootstrapResourceVersion, f.bootstrapVersion)
	}
	return nil
}

// versionOf is the version of a Secret among the sources, empty where it is not there.
func versionOf(sources []v1alpha1.SourceVersion, secret string) string {
	for _, source := range sources {
		if source.Kind == v1alpha1.KindSecret && source.Name == secret {
			return source.ResourceVersion
		}
	}
	return ""
}

// changed tells whether an object is newer than the version that was looked at, or has
// come or gone since.
func changed(looked, now string) bool {
	return (looked == "") != (now == "") || looked != "" && older(looked, now)
}

func grantKey(credential *v1alpha1.OAuthCredential) types.NamespacedName {
	return types.NamespacedName{Namespace: credential.Namespace, Name: secretstore.GrantName(credential.Name)}
}

// readGrant reads the grant, never from a cache. A failure is one that a person can
// mend.
func (r *Reconciler) readGrant(ctx context.Context, f *facts) (*kept, *issuance.Failure, error) {
	k := &kept{bootstrapVersion: f.bootstrapVersion}
	secret, err := r.store.Read(ctx, grantKey(f.credential))
	if err != nil {
		return nil, nil, err
	}
	if secret != nil {
		k.version = secret.ResourceVersion
		k.bound = secret.Annotations[v1alpha1.AnnotationGrantFor] == string(f.credential.UID)
		if !holdsGrant(secret, f.credential) {
			return k, conflict("the Secret %q, in which the grant would be kept, exists and is not this credential's: delete or rename it, "+
				"or give the credential another name", secret.Name), nil
		}
		// An empty one was made ahead, for a person who may write to that Secret alone.
		if len(secret.Data) > 0 {
			k.record, err = grant.Decode(secret.Data)
		}
		if errors.Is(err, grant.ErrUnreadable) {
			return k, needs(f.credential, f.plan, needUnreadable), nil
		}
		r.noteUsed(f.credential, k.record)
	}
	if f.bootstrapIsOld && k.record != nil && k.record.Chain != nil {
		return k, nil, nil
	}
	k.bootstrap, k.bootstrapVersion, err = r.Resolver.Bootstrap(ctx, f.plan)
	if source, ok := errors.AsType[*resolve.SourceError](err); ok {
		if k.record != nil && k.record.Chain != nil {
			return k, nil, nil // It has done its part.
		}
		missing, _ := issuance.SourceFailure(source)
		return k, missing, nil
	}
	return k, nil, err
}

// view is what the next step follows from.
func (r *Reconciler) view(ctx context.Context, f *facts, k *kept) grant.View {
	v := grant.View{
		Record:     k.record,
		Cluster:    r.Cluster,
		Credential: string(f.credential.UID),
		Bound:      k.bound,
		Bootstrap:  k.bootstrap,
		ByDevice:   f.plan.ByDevice(),
		Consent:    f.plan.Consent(),
		InputsHash: f.plan.AnswerHash(),
		Holds:      f.held && f.heldInputs == f.inputsHash,
		Held:       f.life,
		Wanted:     f.wantsToken(),
		Insists:    insists(f),
		Corrected:  f.corrected(),
		Now:        f.now,
	}
	if status := f.credential.Status.Grant; status != nil {
		v.KnownChain, v.KnownBootstrap = status.Chain, status.BootstrapHash
	}
	if k.record == nil {
		return v
	}
	if token := k.record.Chain.LastToken(); token != nil {
		v.Kept, _, _ = lifetime.Read(token.Answer.Claims, f.plan.LifetimeRules(), token.Answer.Sent, token.Answer.Received)
	}
	if attempt := k.record.Attempt; attempt != nil {
		v.Orphaned = r.orphaned(ctx, attempt.Owner)
		v.TakeOverAt = r.exchanges.sighted(f.credential.UID, attempt.ID, f.now).Add(beginTimeout + grantTimeout(f.plan))
	}
	return v
}

// minGrantTimeout is the least time that a request under a kept grant is given: to cut
// a slow answer off is to lose what it brings.
const minGrantTimeout = 30 * time.Second

func grantTimeout(plan *resolve.Plan) time.Duration {
	if plan.Endpoint.Timeout == nil {
		return minGrantTimeout
	}
	return max(plan.Endpoint.Timeout.Duration, minGrantTimeout)
}

// pursue takes the next step with a kept grant: it begins a request, or comes to an
// outcome without one.
func (r *Reconciler) pursue(ctx context.Context, f *facts, decision lifetime.Decision) (actResult, error) {
	k, failed, err := r.readGrant(ctx, f)
	if err != nil {
		return actResult{}, err
	}
	if failed != nil {
		return r.conclude(f, k, failure(failed)), nil
	}
	view := r.view(ctx, f, k)
	step := grant.Next(view)
	if step.Action == grant.Serve {
		o := r.serve(f, k.record.Chain.Token)
		if o.Failure == nil {
			return r.conclude(f, k, o), nil
		}
		// What the Secret is to hold by now cannot be made of it.
		view.InputsHash = ""
		step = grant.Next(view)
	}
	switch step.Action {
	case grant.Send, grant.Authorize, grant.Poll:
		return r.begin(ctx, f, k, step, decision)
	case grant.Adopt:
		return r.amend(ctx, f, k, step, (*grant.Record).Adopt)
	case grant.Discard:
		return r.amend(ctx, f, k, step, (*grant.Record).Discard)
	case grant.Bind:
		return r.amend(ctx, f, k, step, func(*grant.Record) {})
	case grant.Await:
		// The other one may be done sooner, and have told the status itself.
		return r.conclude(f, k, &outcome{lookAgainAt: earlier(step.At, f.now.Add(awaitLook))}), nil
	case grant.Ask:
		return r.conclude(f, k, failure(needs(f.credential, f.plan, step.Need))), nil
	case grant.Nothing, grant.Serve:
	}
	o := &outcome{}
	if last := f.credential.Status.LastFailure; last != nil && personal(last.Reason) && f.now.Before(f.limits.requestAt) {
		o.lookAgainAt = f.limits.requestAt // What was asked for has to wait.
	}
	return r.conclude(f, k, o), nil
}

// awaitLook is how often it is looked whether another process is done with its attempt:
// whoever waits for it to the end would keep all else waiting, too.
const awaitLook = 2 * time.Second

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// amend changes a grant without asking the provider, and has it looked at again.
func (r *Reconciler) amend(ctx context.Context, f *facts, k *kept, step grant.Step, change func(*grant.Record)) (actResult, error) {
	k.record.Bind(r.Cluster, string(f.credential.UID))
	change(k.record)
	version, err := r.store.WriteGrant(ctx, keyOf(f.credential), k.record, k.version)
	switch {
	case errors.Is(err, secretstore.ErrChanged):
		return r.conclude(f, k, &outcome{lookAgainAt: f.now}), nil
	case err != nil:
		refused, err := grantWriteFailure(err)
		if refused == nil {
			return actResult{}, err
		}
		return r.conclude(f, k, failure(refused)), nil
	}
	k.version = version
	if step.Need != "" && !k.record.Chain.Alive() {
		return r.conclude(f, k, failure(needs(f.credential, f.plan, step.Need))), nil
	}
	if step.Action == grant.Adopt {
		if token := k.record.Chain.LastToken(); token != nil && token.InputsHash == f.plan.AnswerHash() {
			return r.conclude(f, k, r.serve(f, token)), nil
		}
	}
	return r.conclude(f, k, &outcome{lookAgainAt: f.now}), nil
}

// serve makes what to publish of a token that is kept.
func (r *Reconciler) serve(f *facts, token *grant.Token) *outcome {
	o := &outcome{Outcome: issuance.Outcome{Versions: f.credential.Status.Sources, InputsHash: f.inputsHash}}
	r.exchange(f).Judge(&o.Outcome, token.Answer, token.ClientID)
	return o
}

// conclude keeps an outcome that took no request.
func (r *Reconciler) conclude(f *facts, k *kept, o *outcome) actResult {
	o.InputsHash, o.refreshRequest = f.inputsHash, currentRequests(f)
	if o.Versions == nil {
		o.Versions = f.sources
	}
	o.grant, o.grantEnds = k.status(f.credential, f.plan, k.record, k.version)
	r.exchanges.conclude(f, o)
	return actResult{concluded: true}
}

// status is what the status of a credential says about its grant, and when that ends.
func (k *kept) status(
	credential *v1alpha1.OAuthCredential, plan *resolve.Plan, record *grant.Record, version string,
) (*v1alpha1.GrantStatus, time.Time) {
	status := &v1alpha1.GrantStatus{ResourceVersion: version, BootstrapResourceVersion: k.bootstrapVersion}
	if before := credential.Status.Grant; before != nil {
		// What was there once must not be begun anew by itself, should it be gone.
		status.Chain, status.BootstrapHash = before.Chain, before.BootstrapHash
	}
	if record == nil {
		return status, time.Time{}
	}
	if record.Chain != nil {
		status.Chain = record.Chain.ID
	}
	if last := len(record.Used) - 1; last >= 0 {
		status.BootstrapHash = record.Used[last]
	}
	end := record.Chain.Ends(grantLimits(plan))
	status.WarnAfter, status.UseBy = timestamp(end.WarnAt), timestamp(end.UseBy)
	return status, end.At
}

func grantLimits(plan *resolve.Plan) grant.Limits {
	declared := plan.Endpoint.Lifetime.RefreshToken
	return grant.Limits{Maximum: durationOf(declared.Maximum), Idle: durationOf(declared.Idle)}
}

func durationOf(d *metav1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return d.Duration
}
