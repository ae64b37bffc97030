package conformance

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/discovery"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

const (
	// discovered is the provider of a credential, by its issuer.
	discovered = `provider: {issuer: "${ISSUER}", tls: {caRef: {kind: ConfigMap, name: company-ca, key: ca.crt}}}
`
	// named is the same by its token endpoint.
	named = `provider: {tokenURL: "${TOKEN_URL}", tls: {caRef: {kind: ConfigMap, name: company-ca, key: ca.crt}}}
`
)

// namespace is what a user has beside a manifest. It is what manifests are resolved
// in.
type namespace struct {
	server *oidcprovider.Provider
	client *oauth.Client
	// secrets are the data of Secrets by name; bundle is the company's CA.
	secrets map[string]map[string]string
	bundle  []byte
	// serviceAccount makes the token of a ServiceAccount.
	serviceAccount func(ref v1alpha1.ServiceAccountToken) string
	issuers        resolve.Issuers
}

func newNamespace(t *testing.T, server *oidcprovider.Provider) *namespace {
	t.Helper()
	n := &namespace{server: server, secrets: map[string]map[string]string{}, bundle: server.CABundle}
	n.talkBy(newClient(t))
	return n
}

// talkBy has another client ask, which knows nothing yet.
func (n *namespace) talkBy(client *oauth.Client) {
	n.client = client
	n.issuers = discovery.NewCache(discovery.Options{Discoverer: client, Now: time.Now})
}

// Secret implements resolve.Reader.
func (n *namespace) Secret(_ context.Context, _, name string) (*corev1.Secret, error) {
	data, ok := n.secrets[name]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	return secret, nil
}

// ConfigMap implements resolve.Reader.
func (n *namespace) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	if name != "company-ca" {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, name)
	}
	return &corev1.ConfigMap{Data: map[string]string{"ca.crt": string(n.bundle)}}, nil
}

// ServiceAccountToken implements resolve.Reader.
func (n *namespace) ServiceAccountToken(_ context.Context, _ string, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	if n.serviceAccount == nil {
		return redact.String{}, errors.New("there are no ServiceAccounts")
	}
	return redact.New(n.serviceAccount(ref)), nil
}

// fill puts the server's URLs into a manifest.
func (n *namespace) fill(manifest string) string {
	return fill(manifest, n.server)
}

func fill(manifest string, server *oidcprovider.Provider) string {
	return os.Expand(manifest, func(name string) string {
		return map[string]string{
			"ISSUER":           server.Issuer,
			"TOKEN_URL":        server.TokenURL,
			"MUTUAL_TOKEN_URL": server.MutualTokenURL,
			"STRICT_TOKEN_URL": server.StrictTokenURL,
		}[name]
	})
}

// credential reads the spec of a credential.
func (n *namespace) credential(t *testing.T, spec string) *v1alpha1.OAuthCredential {
	t.Helper()
	credential := &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "acme"}}
	if err := yaml.UnmarshalStrict([]byte(n.fill(spec)), &credential.Spec); err != nil {
		t.Fatalf("%v in\n%s", err, spec)
	}
	if credential.Spec.GrantType == "" { // as the schema has it
		credential.Spec.GrantType = v1alpha1.GrantClientCredentials
	}
	return credential
}

// resolve makes the token request of a credential and its provider, nil where the
// credential names its endpoint itself.
func (n *namespace) resolve(t *testing.T, spec string, provider *resolve.Provider) (oauth.Request, error) {
	t.Helper()
	plan, err := resolve.Join(n.credential(t, spec), provider)
	if err != nil {
		return oauth.Request{}, err
	}
	resolved, err := n.resolver().Resolve(t.Context(), plan)
	return resolved.Request, err
}

// resolver makes the requests of plans.
func (n *namespace) resolver() resolve.Resolver {
	return resolve.Resolver{Reader: n, Expressions: expression.NewCompiler(), Issuers: n.issuers, Now: time.Now}
}

// ask gets a token for the spec of a credential.
func (n *namespace) ask(t *testing.T, spec string) (*oauth.Answer, error) {
	t.Helper()
	request, err := n.resolve(t, spec, nil)
	if err != nil {
		return nil, err
	}
	return n.client.Token(t.Context(), request)
}

// mustAsk gets a token, and what the server knows of it.
func (n *namespace) mustAsk(t *testing.T, spec string) (*oauth.Answer, oidcprovider.Introspection) {
	t.Helper()
	answer, err := n.ask(t, spec)
	if err != nil {
		t.Fatalf("%v\n%s", err, n.fill(spec))
	}
	told := n.introspect(t, answer)
	if !told.Active {
		t.Error("the server does not know the token")
	}
	return answer, told
}

// introspect asks the server about the token of an answer.
func (n *namespace) introspect(t *testing.T, answer *oauth.Answer) oidcprovider.Introspection {
	t.Helper()
	told, err := n.server.Introspect(t.Context(), answer.AccessToken.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// mustFail asks for a token that there must be none of. says are parts of the
// message, each of which helps.
func (n *namespace) mustFail(t *testing.T, spec string, want failure, says ...string) {
	t.Helper()
	answer, err := n.ask(t, spec)
	if err == nil {
		t.Fatalf("it got a token of type %s", answer.TokenType)
	}
	n.expect(t, err, want, says...)
}

// expect checks what an error says, and that it keeps every secret.
func (n *namespace) expect(t *testing.T, err error, want failure, says ...string) {
	t.Helper()
	expectFailure(t, err, want)
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message lacks %q: %s", part, err)
		}
	}
	failed, _ := errors.AsType[*oauth.Error](err)
	for name, data := range n.secrets {
		for key, value := range data {
			for line := range strings.Lines(value) {
				if line = strings.TrimSpace(line); len(line) >= 4 && strings.Contains(failed.Message+failed.Description+failed.Code, line) {
					t.Errorf("the message has something of %s of the Secret %s: %s", key, name, err)
				}
			}
		}
	}
}

// rejected is a refusal with an OAuth error code.
func rejected(code string, status int) failure {
	return failure{oauth.KindRejected, string(lifetime.Rejected), code, status}
}
