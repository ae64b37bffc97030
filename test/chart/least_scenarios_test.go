package chart_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
)

// scenario is something that the operator is for.
type scenario struct {
	// promise is what comes of it, after "the operator".
	promise string
	// everywhere says that it takes an operator for all namespaces.
	everywhere bool
	// given adds to what is there before the operator starts, and when is what happens
	// once it runs; nil for nothing. then tells whether the promise is kept.
	given, when func(*stage)
	then        check
}

// check tells whether something is so by now.
type check func(context.Context, *stage) (bool, error)

// parallel lets a scenario be played beside others, unless its operator would meddle.
func (s scenario) parallel(t *testing.T) {
	t.Helper()
	if !s.everywhere {
		t.Parallel()
	}
}

var (
	getsToken                  = scenario{promise: "gets a token", then: holdsToken("by-provider")}
	getsTokenByAccount         = scenario{promise: "gets a token by a ServiceAccount", then: holdsToken("by-account")}
	getsTokenByClusterProvider = scenario{
		promise: "gets a token of a cluster provider", everywhere: true, then: holdsToken("by-cluster-provider"),
	}

	reportsOnCredential      = scenario{promise: "reports on a credential", then: isReady("OAuthCredential", "by-provider")}
	reportsOnProvider        = scenario{promise: "reports on a provider", then: isReady("OAuthProvider", "shared")}
	reportsOnClusterProvider = scenario{
		promise: "reports on a cluster provider", everywhere: true, then: isReady("ClusterOAuthProvider", "shared"),
	}

	hearsOfNamespace = scenario{
		promise: "hears of a namespace that is admitted", everywhere: true,
		given: func(at *stage) { at.label("admitted", "no") },
		when: func(at *stage) {
			at.awaits("the namespace not to be admitted", hasReason("by-cluster-provider", v1alpha1.ReasonNamespaceNotAllowed))
			at.label("admitted", "yes")
		},
		then: hasHeard("namespaces", "by-cluster-provider"),
	}

	hearsOfMendedCA = scenario{
		promise: "hears of a certificate authority that is mended",
		given:   func(at *stage) { at.apply(strings.Replace(at.origins(), "$CA", "none", 1)) },
		when: func(at *stage) {
			at.awaits("the credential to fail", hasReason("by-provider", v1alpha1.ReasonInvalidKey))
			at.apply(at.origins())
		},
		then: hasHeard("configmaps", "by-provider"),
	}

	removesFormerSecret = scenario{
		promise: "removes the Secret of a former name",
		when: func(at *stage) {
			ready(at.t, "OAuthCredential", at.namespace, "by-provider")
			edit(at.t, "by-provider", at.namespace, `{"spec":{"secret":{"name":"renamed"}}}`)
		},
		then: func(ctx context.Context, at *stage) (bool, error) {
			err := controlPlane(at.t).Client.Get(ctx, client.ObjectKey{Namespace: at.namespace, Name: "by-provider"}, &corev1.Secret{})
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		},
	}

	holdsForRevocation = scenario{
		promise: "holds a credential until its tokens are revoked", given: withGrants,
		then: func(ctx context.Context, at *stage) (bool, error) {
			credential, err := get(ctx, at.t, "OAuthCredential", at.namespace, "by-refresh-token")
			return slices.Contains(credential.GetFinalizers(), v1alpha1.FinalizerRevocation), err
		},
	}
	makesGrantAnew = scenario{
		promise: "makes a grant anew that was deleted while it was refreshed",
		given: func(at *stage) {
			at.apply(strings.ReplaceAll(rotating, "tokenURL: $URL", "tokenURL: $URL"+losing+at.namespace))
		},
		then: func(ctx context.Context, at *stage) (bool, error) {
			token, err := at.read(ctx, "by-refresh-token-grant", grant.KeyRefreshToken)
			return token != "" && token != "r3fresh-0", err
		},
	}
	takesOver = scenario{
		promise: "takes over from a pod that is gone", given: withGrants,
		when: func(at *stage) { leaveAttempt(at.t, "", at.namespace, at.namespace) },
		then: isReady("OAuthCredential", "taken-over"),
	}
	leavesGrantOfAnotherCluster = scenario{
		promise: "leaves the grant of another cluster alone", everywhere: true, given: withGrants,
		when: func(at *stage) { leaveAttempt(at.t, "another", at.namespace, at.namespace) },
		then: hasReason("taken-over", v1alpha1.ReasonAuthorizationRequired),
	}

	recordsEvent = scenario{
		promise: "records an event",
		then:    hasEvent(func(e *eventsv1.Event) bool { return e.Regarding.Kind == "OAuthCredential" }),
	}
	countsEvents = scenario{
		promise: "counts events that recur",
		then: func(ctx context.Context, at *stage) (bool, error) {
			at.stir()
			return hasEvent(func(e *eventsv1.Event) bool { return e.Series != nil })(ctx, at)
		},
	}

	reportsWhoLeads = scenario{
		promise: "reports who leads",
		then:    hasEvent(func(e *eventsv1.Event) bool { return e.Regarding.Kind == "Lease" }),
	}
	followsLeader = scenario{
		promise: "follows a leader that has resigned",
		given: func(at *stage) {
			lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: at.namespace, Name: "tokensync-operator"}}
			if err := controlPlane(at.t).Client.Create(at.t.Context(), lease); err != nil {
				at.t.Fatal(err)
			}
		},
		then: holdsToken("by-provider"),
	}
)

// hearsOf changes a token's origins, by other words in their manifests.
func hearsOf(resource, before, after string) scenario {
	s := scenario{promise: "hears of a change of " + resource, everywhere: resource == "clusteroauthproviders"}
	credential := "by-provider"
	if s.everywhere {
		credential = "by-cluster-provider"
	}
	s.when = func(at *stage) {
		at.awaits("a token", holdsToken(credential))
		at.before, _ = at.read(at.t.Context(), credential, "access_token")
		at.apply(strings.Replace(at.origins(), before, after, 1))
	}
	s.then = hasHeard(resource, credential)
	return s
}

// hasHeard says that a credential has got a token, other than the one before, because of a
// change that the operator was told of: it did not have to ask for a list again.
func hasHeard(resource, credential string) check {
	return func(ctx context.Context, at *stage) (bool, error) {
		token, err := at.read(ctx, credential, "access_token")
		return token != "" && token != at.before && audited(at.t, at.operator.user).lists[resource] == 1, err
	}
}

func holdsToken(credential string) check {
	return func(ctx context.Context, at *stage) (bool, error) {
		token, err := at.read(ctx, credential, "access_token")
		return token != "", err
	}
}

func isReady(kind, name string) check {
	return func(ctx context.Context, at *stage) (bool, error) {
		found, err := get(ctx, at.t, kind, at.namespace, name)
		return readyCondition(found)["status"] == "True", err
	}
}

func hasReason(credential, reason string) check {
	return func(ctx context.Context, at *stage) (bool, error) {
		found, err := get(ctx, at.t, "OAuthCredential", at.namespace, credential)
		return readyCondition(found)["reason"] == reason, err
	}
}

func hasEvent(matches func(*eventsv1.Event) bool) check {
	return func(ctx context.Context, at *stage) (bool, error) {
		events := &eventsv1.EventList{}
		err := controlPlane(at.t).Client.List(ctx, events, client.InNamespace(at.namespace))
		return slices.ContainsFunc(events.Items, func(e eventsv1.Event) bool { return matches(&e) }), err
	}
}

func withGrants(at *stage) { at.apply(rotating) }

// losing begins the paths at which a provider has the grant of a namespace deleted before
// it answers.
const losing = "/losing/"

// losingHandler answers by another handler.
func losingHandler(t *testing.T, answer http.Handler) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if namespace, ok := strings.CutPrefix(r.URL.Path, losing); ok {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "by-refresh-token-grant"}}
			if err := controlPlane(t).Client.Delete(r.Context(), secret); err != nil {
				t.Error(err)
			}
		}
		answer.ServeHTTP(w, r)
	})
}
