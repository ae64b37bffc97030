package resolve_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// The namespaces of a credential and of the operator.
const (
	tenant = "web"
	system = "tokensync-system"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// objects is what there is to read, by namespace and name.
type objects struct {
	secrets    map[string]*corev1.Secret
	configMaps map[string]*corev1.ConfigMap
	err        error
	reads      int
	// accounts are the ServiceAccounts whose tokens were asked for.
	accounts []string
}

func (o *objects) Secret(_ context.Context, namespace, name string) (*corev1.Secret, error) {
	o.reads++
	if secret, ok := o.secrets[namespace+"/"+name]; ok || o.err != nil {
		return secret, o.err
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
}

func (o *objects) ConfigMap(_ context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	o.reads++
	if configMap, ok := o.configMaps[namespace+"/"+name]; ok || o.err != nil {
		return configMap, o.err
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, name)
}

func (o *objects) ServiceAccountToken(_ context.Context, namespace string, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	o.accounts = append(o.accounts, namespace+"/"+ref.Name)
	return redact.New("a.b.c"), o.err
}

// with adds a Secret.
func (o *objects) with(namespace, name, version string, data map[string]string) *objects {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, ResourceVersion: version}, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	o.secrets[namespace+"/"+name] = secret
	return o
}

func namespace() *objects {
	o := &objects{
		secrets: map[string]*corev1.Secret{
			"web/admin": {Type: corev1.SecretTypeServiceAccountToken, Data: map[string][]byte{"token": []byte("x")}},
		},
		configMaps: map[string]*corev1.ConfigMap{
			"web/ca": {ObjectMeta: metav1.ObjectMeta{ResourceVersion: "9"}, Data: map[string]string{"ca.crt": "PEM"}},
		},
	}
	o.with(tenant, "client", "7", map[string]string{"id": "me", "secret": "s3cret", "app": "app-token", "empty": ""})
	return o.with(system, "shared", "8", map[string]string{"id": "us", "secret": "sh4red", "app": "shared-app"})
}

// issuers answers metadata, and keeps what it was asked.
type issuers struct {
	metadata oauth.Metadata
	err      error
	asked    *oauth.MetadataRequest
}

func (i *issuers) Metadata(_ context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	i.asked = &request
	if i.err != nil {
		return nil, i.err
	}
	return &i.metadata, nil
}

func (*issuers) Forget(oauth.MetadataRequest) {}

func resolver(reader resolve.Reader, at *issuers) resolve.Resolver {
	return resolve.Resolver{
		Reader: reader, Expressions: expression.NewCompiler(), Issuers: at, Now: func() time.Time { return noon },
	}
}

// planned resolves a credential that needs no provider but its own.
func planned(t *testing.T, c *v1alpha1.OAuthCredential, reader *objects) (resolve.Resolved, error) {
	t.Helper()
	return resolver(reader, &issuers{}).Resolve(t.Context(), join(t, c, nil))
}

func join(t *testing.T, c *v1alpha1.OAuthCredential, provider *resolve.Provider) *resolve.Plan {
	t.Helper()
	plan, err := resolve.Join(c, provider)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func ref(name, key string) *v1alpha1.SecretKeyReference {
	return &v1alpha1.SecretKeyReference{Name: name, Key: key}
}

func from(name, key string) *v1alpha1.ValueSource {
	return &v1alpha1.ValueSource{SecretKeyRef: *ref(name, key)}
}

type changeSpec = func(*v1alpha1.OAuthCredentialSpec)

type changeProvider = func(*v1alpha1.OAuthProviderSpec)

func unchanged[T any](*T) {}

// credential has a client and an endpoint of its own.
func credential(change changeSpec) *v1alpha1.OAuthCredential {
	c := &v1alpha1.OAuthCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "c"},
		Spec: v1alpha1.OAuthCredentialSpec{
			Provider:  &v1alpha1.Endpoint{TokenURL: "https://as.example/token"},
			GrantType: v1alpha1.GrantClientCredentials,
			Client:    v1alpha1.Client{IDRef: ref("client", "id"), SecretRef: ref("client", "secret")},
		},
	}
	change(&c.Spec)
	return c
}

// user is a credential of a provider, with nothing of its own.
func user(change changeSpec) *v1alpha1.OAuthCredential {
	return credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Provider, s.ProviderRef = nil, &v1alpha1.ProviderReference{Name: "p"}
		s.Client = v1alpha1.Client{}
		change(s)
	})
}

// shared is a ClusterOAuthProvider that holds a client.
func shared(change changeProvider) *resolve.Provider {
	return open(func(s *v1alpha1.OAuthProviderSpec) {
		s.Client = &v1alpha1.Client{IDRef: ref("shared", "id"), SecretRef: ref("shared", "secret")}
		change(s)
	})
}

// open is a ClusterOAuthProvider that holds no secret.
func open(change changeProvider) *resolve.Provider {
	spec := &v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{TokenURL: "https://as.example/token"}}
	change(spec)
	return &resolve.Provider{
		Kind: v1alpha1.KindClusterOAuthProvider, Name: "p", UID: "u-1", Namespace: system, Spec: spec,
	}
}

// own is a provider of the tenant's own namespace.
func own(provider *resolve.Provider) *resolve.Provider {
	provider.Kind, provider.Namespace = v1alpha1.KindOAuthProvider, tenant
	return provider
}

// expectReason checks for a *SpecError, and answers its text.
func expectReason(t *testing.T, err error, reason string) string {
	t.Helper()
	var spec *resolve.SpecError
	if !errors.As(err, &spec) || spec.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	return err.Error()
}

// expectProblem checks for a *SourceError.
func expectProblem(t *testing.T, name string, err error, want resolve.Problem) {
	t.Helper()
	var source *resolve.SourceError
	if !errors.As(err, &source) || source.Problem != want {
		t.Errorf("%s: got %v, want %q", name, err, want)
	}
}

// expectText checks that a message says this and that.
func expectText(t *testing.T, message string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(message, part) {
			t.Errorf("%q does not say %q", message, part)
		}
	}
}

// revealed are the values of fields by name.
func revealed(fields []oauth.Field) map[string]string {
	values := map[string]string{}
	for _, field := range fields {
		values[field.Name] = field.Value.Reveal()
	}
	return values
}

func expectFields(t *testing.T, fields []oauth.Field, want map[string]string) {
	t.Helper()
	if got := revealed(fields); !maps.Equal(got, want) || len(fields) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
