package chart_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
)

// rotating are credentials whose refresh tokens rotate. Nobody waits for the process that
// has begun with the second of them, unless that is not known to have ended: with this
// timeout, it would be for longer than the test takes.
const rotating = `
apiVersion: v1
kind: Secret
metadata: {name: bootstrap}
stringData: {refresh_token: r3fresh-0}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: by-refresh-token}
spec:
  provider:
    tokenURL: $URL
    revocationURL: $URL/revoke
    tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}
  client: {id: app}
  grantType: refresh_token
  refreshToken: {bootstrapRef: {name: bootstrap, key: refresh_token}}
  revocationPolicy: OnDelete
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: taken-over}
spec:
  suspend: true
  provider:
    tokenURL: $URL
    authorizationURL: $URL/authorize
    timeout: 5m
    tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}
  client: {id: app}
  grantType: authorization_code
`

// rotatingProvider answers each request with another refresh token.
func rotatingProvider(t *testing.T) *httptest.Server {
	t.Helper()
	provider := httptest.NewTLSServer(rotate())
	t.Cleanup(provider.Close)
	return provider
}

// rotate answers each request with tokens that are not those of the request before.
func rotate() http.HandlerFunc {
	var issued atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		n := issued.Add(1)
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600,"refresh_token":"r3fresh-%d"}`, n, n)
	}
}

// A grant is written down before it is spent, outlives the process that spends it, and
// goes with its credential, all with the rights of the chart and no others.
func TestOperatorKeepsGrantsWithTheRightsOfTheChart(t *testing.T) {
	provider := rotatingProvider(t)

	t.Run("in all namespaces", func(t *testing.T) {
		newNamespace(t, "keeps")
		newNamespace(t, "keeps-tenant")
		run := start(t, "keeps")
		apply(t, "keeps", manifest(t, provider, "ClusterOAuthProvider", shared+admitted))
		run.keeps(t, provider, "keeps", "keeps-tenant")
	})

	t.Run("in some namespaces, without an election", func(t *testing.T) {
		newNamespace(t, "keeps-some")
		newNamespace(t, "keeps-watched")
		run := start(t, "keeps-some", "--set", "fullnameOverride=keeps-some", "--set", "watchNamespaces={keeps-watched}",
			"--set", "leaderElection.enabled=false")
		run.keeps(t, provider, "keeps-some", "keeps-watched")
	})
}

// keeps goes through the life of a grant.
func (r *running) keeps(t *testing.T, provider *httptest.Server, own, namespace string) {
	t.Helper()
	apply(t, namespace, manifest(t, provider, "OAuthProvider", shared))
	apply(t, namespace, manifest(t, provider, "", rotating))
	ready(t, "OAuthCredential", namespace, "by-refresh-token")
	refreshes(t, namespace)
	leaveAttempt(t, "", own, namespace)
	ready(t, "OAuthCredential", namespace, "taken-over")
	revokes(t, namespace)
	r.ends(t)
}

// refreshes asks for a refresh, by which a grant is changed that is there already.
func refreshes(t *testing.T, namespace string) {
	t.Helper()
	c, key := controlPlane(t).Client, client.ObjectKey{Namespace: namespace, Name: "by-refresh-token-grant"}
	before := &corev1.Secret{}
	if err := c.Get(t.Context(), key, before); err != nil {
		t.Fatal(err)
	}
	edit(t, "by-refresh-token", namespace, `{"metadata":{"annotations":{"tokensync.dev/refresh-requested-at":"now"}}}`)
	waitFor(t, "another refresh token", func(ctx context.Context) (bool, error) {
		after := &corev1.Secret{}
		err := c.Get(ctx, key, after)
		return string(after.Data[grant.KeyRefreshToken]) != string(before.Data[grant.KeyRefreshToken]), err
	})
}

// leaveAttempt leaves an attempt of a pod that is gone, which can only be told by looking
// for the pod. cluster is where it was, empty where that was not known.
func leaveAttempt(t *testing.T, cluster, own, namespace string) {
	t.Helper()
	credential, err := get(t.Context(), t, "OAuthCredential", namespace, "taken-over")
	if err != nil {
		t.Fatal(err)
	}
	record := grant.NewRecord(cluster, string(credential.GetUID()))
	record.Begin(grant.Step{Action: grant.Send, Kind: grant.Refresh, Value: redact.New("r3fresh-of-" + namespace)}, "attempt",
		grant.Owner{Namespace: own, Pod: "gone", UID: "gone", Host: "gone", PID: 1, Boot: "gone"}, time.Now())
	data, err := record.Encode()
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: "taken-over-grant",
		Labels: map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: "taken-over", v1alpha1.LabelRole: v1alpha1.RoleGrant,
		},
	}, Data: data}
	if err := controlPlane(t).Client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	edit(t, "taken-over", namespace, `{"spec":{"suspend":false}}`)
}

// revokes deletes a credential, which goes once its tokens are revoked, and its grant
// with it.
func revokes(t *testing.T, namespace string) {
	t.Helper()
	c := controlPlane(t).Client
	if err := c.Delete(t.Context(), object("OAuthCredential", namespace, "by-refresh-token")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the tokens to be revoked", func(ctx context.Context) (bool, error) {
		events := &eventsv1.EventList{}
		err := c.List(ctx, events, client.InNamespace(namespace))
		for i := range events.Items {
			if events.Items[i].Reason == v1alpha1.ReasonTokenRevoked {
				return true, nil
			}
		}
		return false, err
	})
	waitFor(t, "the grant to go", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "by-refresh-token-grant"}, &corev1.Secret{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	_, err := get(t.Context(), t, "OAuthCredential", namespace, "by-refresh-token")
	if !apierrors.IsNotFound(err) {
		t.Errorf("the credential after that: %v", err)
	}
}

// edit patches a credential.
func edit(t *testing.T, name, namespace, patch string) {
	t.Helper()
	credential := object("OAuthCredential", namespace, name)
	if err := controlPlane(t).Client.Patch(t.Context(), credential, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		t.Fatal(err)
	}
}

// ends ends the operator, which must not have been refused anything.
func (r *running) ends(t *testing.T) {
	t.Helper()
	if err := r.process.Stop(); err != nil {
		t.Error(err)
	}
	r.wasRefused(t)
}

// wasRefused fails the test unless the API server has refused the operator the rights that
// it lacks, these, and no others.
func (r *running) wasRefused(t *testing.T, these ...right) {
	t.Helper()
	refused := audited(t, r.user).refused
	expected := slices.Concat(r.lacks, these)
	for _, right := range expected {
		if !refused[right] {
			t.Errorf("the API server has not refused the operator %s", right)
		}
	}
	for right := range refused {
		if !slices.Contains(expected, right) {
			t.Errorf("the API server has refused the operator %s", right)
		}
	}
}
