package oauthcredential

import (
	"context"
	"fmt"
	"net/url"
	"runtime/debug"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// TokenClient asks a token endpoint for a token. Every error is an *oauth.Error.
type TokenClient interface {
	Token(ctx context.Context, request oauth.Request) (*oauth.Answer, error)
}

// exchange is one token request of one credential.
type exchange struct {
	ctx        context.Context //nolint:containedctx // It outlives the reconcile that started it, and ends with the manager.
	credential *v1alpha1.OAuthCredential
	inputsHash string
	// refreshRequest is what is handled by this request, as the status holds it.
	refreshRequest string
	// held is the life of the token that the target holds, zero where it holds none.
	held    lifetime.Token
	reader  client.Reader
	tokens  TokenClient
	now     func() time.Time
	observe func(*outcome)
}

// outcome is what came of a token request.
type outcome struct {
	inputsHash     string
	refreshRequest string
	versions       []v1alpha1.SourceVersion

	// token is what to publish; nil after a failure.
	token    *secretstore.Token
	warnings []lifetime.Warning

	// failure is nil where a token came, and where the API server was in trouble.
	failure *failure
	// apiError is an error of the Kubernetes API, to be retried as such.
	apiError error

	// rejected says that the API server refused the Secret with this token.
	rejected bool

	// abandoned says that nobody wanted the answer any more.
	abandoned bool

	// sent is false where nothing was asked; sentAt is when it was, and latency what
	// the provider took.
	sent    bool
	sentAt  time.Time
	latency time.Duration
}

// lineOf is the key of the gate: the namespace chose the authority, so both count.
func lineOf(credential *v1alpha1.OAuthCredential) string {
	authority := ""
	if endpoint, err := url.Parse(credential.Spec.Provider.TokenURL); err == nil {
		authority = endpoint.Host
	}
	return credential.Namespace + "/" + authority
}

// run carries the exchange out. A bug in it fails this credential, and no other.
func (x exchange) run() *outcome {
	o := &outcome{inputsHash: x.inputsHash, refreshRequest: x.refreshRequest}
	defer x.observe(o)
	defer func() {
		if bug := recover(); bug != nil {
			// The value of a panic may hold anything; the stack holds none.
			ctrl.Log.Error(nil, "A token request panicked", "namespace", x.credential.Namespace,
				"name", x.credential.Name, "type", fmt.Sprintf("%T", bug), "stack", string(debug.Stack()))
			o.token, o.failure = nil, internalFailure()
		}
	}()
	x.ask(o)
	o.abandoned = x.ctx.Err() != nil
	return o
}

// ask resolves the request, sends it, and reads the answer.
func (x exchange) ask(o *outcome) {
	spec := &x.credential.Spec
	resolved, err := resolve.Request(x.ctx, x.credential, namespaceReader{x.reader, x.credential.Namespace})
	o.versions = resolved.Versions
	if err != nil {
		o.failure, o.apiError = sourceFailure(err)
		return
	}
	request := resolved.Request
	request.Timeout = lifetime.RequestTimeout(request.Timeout, x.held, x.now())

	started := x.now()
	answer, err := x.tokens.Token(x.ctx, request)
	o.latency = x.now().Sub(started)
	o.sentAt = started
	if err != nil {
		o.failure = tokenFailure(err)
		// What is refused on our side was never sent.
		o.sent = o.failure.class != lifetime.Configuration
		return
	}
	o.sent = true
	life, warnings, err := lifetime.Read(answer.Claims, lifetimeRules(spec.Provider.Lifetime), answer.Sent, answer.Received)
	if err != nil {
		o.failure = lifetimeFailure(err, x.held)
		return
	}
	o.warnings = warnings
	o.token = &secretstore.Token{
		Token: render.Token{
			AccessToken: answer.AccessToken,
			Type:        answer.TokenType,
			Scope:       answer.Scope,
			ExpiresAt:   life.ExpiresAt,
		},
		IssuedAt:   life.IssuedAt,
		InputsHash: x.inputsHash,
	}
}

// result is what the outcome says about the provider.
func (o *outcome) result() gate.Result {
	switch {
	case !o.sent:
		return gate.Unsent
	case o.abandoned:
		return gate.Cut
	case o.failure != nil && o.failure.reason == v1alpha1.ReasonProviderUnreachable:
		return gate.Failed
	default:
		return gate.Answered
	}
}

func lifetimeRules(l v1alpha1.Lifetime) lifetime.Rules {
	rules := lifetime.Rules{Unit: lifetime.Unit(l.ExpiresInUnit)}
	if l.Default != nil {
		rules.Default = l.Default.Duration
	}
	if l.Maximum != nil {
		rules.Maximum = l.Maximum.Duration
	}
	return rules
}

// namespaceReader reads the Secrets and ConfigMaps of one namespace, uncached.
type namespaceReader struct {
	reader    client.Reader
	namespace string
}

// Secret implements resolve.Reader.
func (r namespaceReader) Secret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: name}, secret)
	return secret, err
}

// ConfigMap implements resolve.Reader.
func (r namespaceReader) ConfigMap(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	configMap := &corev1.ConfigMap{}
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: name}, configMap)
	return configMap, err
}
