package catalog

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// start is the time of all clocks.
var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func now() time.Time { return start }

func TestProvidersAnswer(t *testing.T) {
	compiler := expression.NewCompiler()
	for _, name := range providers(t) {
		t.Run(name, func(t *testing.T) {
			provider, credential, s := load(t, name)
			if len(s.Answers) == 0 {
				t.Fatal("no answers")
			}
			for i := range s.Answers {
				t.Run(s.Answers[i].Name, func(t *testing.T) {
					replay(t, compiler, provider, credential.DeepCopy(), s, &s.Answers[i])
				})
			}
		})
	}
}

func TestEveryCaseHasAProvider(t *testing.T) {
	names := providers(t)
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(names, strings.TrimSuffix(file.Name(), filepath.Ext(file.Name()))) {
			t.Errorf("testdata/%s is of no provider of the catalog", file.Name())
		}
	}
}

func replay(t *testing.T, compiler *expression.Compiler, provider *v1alpha1.ClusterOAuthProvider, credential *v1alpha1.OAuthCredential, s *scenario, a *answer) {
	t.Helper()
	spec := &provider.Spec.OAuthProviderSpec
	plan, err := resolve.Join(credential, &resolve.Provider{
		Kind: v1alpha1.KindClusterOAuthProvider, Name: provider.Name, UID: "uid", Namespace: "tokensync-system", Spec: spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	resolver := resolve.Resolver{
		Reader: secrets{t: t, s: s, credential: credential}, Expressions: compiler, Issuers: metadata{t: t, s: s}, Now: now,
	}
	kept := resolve.Grant{}
	if plan.KeepsGrant() {
		kept.RefreshToken = redact.New(refreshToken)
	}
	resolved, err := resolver.ResolveWith(t.Context(), plan, kept)
	if err != nil {
		t.Fatal(err)
	}
	request := resolved.Request
	if want := mustURL(t, s.URL); request.TokenURL != want.String() {
		t.Errorf("asks %s, not %s", request.TokenURL, want)
	}
	server := serve(t, s, a)
	request.TokenURL = server.URL + mustURL(t, request.TokenURL).RequestURI()
	request.CABundle = certificateOf(server)
	client := oauth.NewClient(oauth.Options{
		Egress: egress.NewPolicy(egress.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}), Now: now, Random: rand.Reader,
	})
	t.Cleanup(client.CloseIdleConnections)
	got, err := client.Token(t.Context(), request)
	if a.Error != nil {
		checkError(t, err, a.Error)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, got, a, spec)
	if len(credential.Spec.Secret.Data) > 0 {
		data, err := plan.Data(compiler, got, request.Client.ID, start.Add(mustDuration(t, a.Lifetime)))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for key, value := range data {
			found[key] = string(value)
		}
		if a.Data != nil && !maps.Equal(found, a.Data) {
			t.Errorf("the Secret holds %v, not %v", found, a.Data)
		}
	}
}

func checkAnswer(t *testing.T, got *oauth.Answer, want *answer, spec *v1alpha1.OAuthProviderSpec) {
	t.Helper()
	if token := fill(want.Token); got.AccessToken.Reveal() != token {
		t.Errorf("the token is %q, not %q", got.AccessToken.Reveal(), token)
	}
	if got.TokenType != "Bearer" {
		t.Errorf("the type is %q", got.TokenType)
	}
	if got.Scope != want.Scope {
		t.Errorf("the scope is %q, not %q", got.Scope, want.Scope)
	}
	if want.RefreshToken != "" && got.RefreshToken.Reveal() != want.RefreshToken {
		t.Errorf("the refresh token is %q, not %q", got.RefreshToken.Reveal(), want.RefreshToken)
	}
	if len(got.Extra) != len(want.Extra) {
		t.Errorf("extra is %v, not %v", got.Extra, want.Extra)
	}
	for name, value := range want.Extra {
		if got.Extra[name] != value {
			t.Errorf("extra.%s is %v, not %q", name, got.Extra[name], value)
		}
	}
	token, _, err := lifetime.Read(got.Claims, rules(spec), got.Sent, got.Received)
	if err != nil {
		t.Fatal(err)
	}
	if life := token.ExpiresAt.Sub(token.IssuedAt); life != mustDuration(t, want.Lifetime) {
		t.Errorf("the token lives %s, not %s", life, want.Lifetime)
	}
}

func rules(spec *v1alpha1.OAuthProviderSpec) lifetime.Rules {
	rules := lifetime.Rules{Unit: lifetime.Unit(spec.Lifetime.ExpiresInUnit), Reissue: lifetime.Reissue(spec.TokenReissue)}
	if spec.Lifetime.Default != nil {
		rules.Default = spec.Lifetime.Default.Duration
	}
	if spec.Lifetime.Maximum != nil {
		rules.Maximum = spec.Lifetime.Maximum.Duration
	}
	return rules
}

func checkError(t *testing.T, err error, want *failure) {
	t.Helper()
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		t.Fatalf("the error is %v", err)
	}
	if string(e.Kind) != want.Kind || e.Code != want.Code && want.Code != "" {
		t.Errorf("the error is %s with the code %q, not %s with %q: %s", e.Kind, e.Code, want.Kind, want.Code, e.Message)
	}
	if want.Description != "" && e.Description != want.Description {
		t.Errorf("the description is %q, not %q", e.Description, want.Description)
	}
	if e.RetryAfter != mustDuration(t, want.RetryAfter) {
		t.Errorf("to be asked again in %s, not %s", e.RetryAfter, want.RetryAfter)
	}
}

// secrets reads the Secrets of a scenario.
type secrets struct {
	t          *testing.T
	s          *scenario
	credential *v1alpha1.OAuthCredential
}

func (r secrets) Secret(_ context.Context, namespace, name string) (*corev1.Secret, error) {
	if namespace != r.credential.Namespace {
		r.t.Errorf("reads a Secret in %s", namespace)
	}
	data := r.s.Secrets[name]
	if data == nil && name == r.credential.Name+"-client" {
		data = map[string]string{"client_secret": clientSecret}
	}
	if data == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, ResourceVersion: "1"}, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(fill(value))
	}
	return secret, nil
}

func (r secrets) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, name)
}

func (r secrets) ServiceAccountToken(context.Context, string, v1alpha1.ServiceAccountToken) (redact.String, error) {
	return redact.New("service-account-token"), nil
}

// metadata knows the issuer of a scenario.
type metadata struct {
	t *testing.T
	s *scenario
}

func (m metadata) Metadata(_ context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	if request.Issuer != m.s.Issuer {
		m.t.Errorf("asks the issuer %s, not %s", request.Issuer, m.s.Issuer)
	}
	return &oauth.Metadata{Issuer: request.Issuer, TokenEndpoint: m.s.URL, MTLSTokenEndpoint: m.s.URL}, nil
}

func (m metadata) Forget(oauth.MetadataRequest) {}
