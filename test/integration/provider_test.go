package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// providerReady is the state of a provider that can be used.
const providerReady = "Ready=True Reconciling=False Stalled=False ProviderReady"

// stalled is the state of what waits for a person, and waiting of what does not.
func stalled(reason string) string { return "Ready=False Reconciling=False Stalled=True " + reason }
func waiting(reason string) string { return "Ready=False Reconciling=True Stalled=False " + reason }

// neighbor makes another namespace whose credentials ask the same provider.
func (t *tenant) neighbor(ctx context.Context) *tenant {
	GinkgoHelper()
	namespace, err := controlPlane.CreateNamespace(ctx, "neighbor")
	Expect(err).NotTo(HaveOccurred())
	n := &tenant{namespace: namespace, provider: t.provider, url: t.url, namesakes: t.namesakes}
	DeferCleanup(n.leave)
	return n
}

// provide applies an OAuthProvider. Each line is YAML that belongs under spec; without
// any that names an endpoint it is the tenant's.
func (t *tenant) provide(ctx context.Context, name string, lines ...string) {
	GinkgoHelper()
	t.apply(ctx, "apiVersion: tokensync.dev/v1alpha1\nkind: OAuthProvider\nmetadata: {name: "+name+"}\nspec:\n  "+t.endpointOr(lines)+"\n")
}

// share applies a ClusterOAuthProvider that has the name of the namespace. The tenant
// takes it away when it leaves.
func (t *tenant) share(ctx context.Context, lines ...string) {
	GinkgoHelper()
	t.apply(ctx, "apiVersion: tokensync.dev/v1alpha1\nkind: ClusterOAuthProvider\nmetadata: {name: "+t.namespace+"}\nspec:\n  "+t.endpointOr(lines)+"\n")
}

// endpointOr joins the lines of a spec, which get the tenant's endpoint if they name
// none.
func (t *tenant) endpointOr(lines []string) string {
	if !slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "tokenURL:") || strings.HasPrefix(line, "issuer:")
	}) {
		lines = append([]string{fmt.Sprintf("tokenURL: %q", t.url)}, lines...)
	}
	return strings.Join(lines, "\n  ")
}

// byProvider is the manifest of a credential that refers to an OAuthProvider.
func byProvider(name, provider string, lines ...string) string {
	return fmt.Sprintf("apiVersion: tokensync.dev/v1alpha1\nkind: OAuthCredential\nmetadata: {name: %s}\nspec:\n  providerRef: {name: %s}\n  %s\n",
		name, provider, strings.Join(lines, "\n  "))
}

// byShared is the manifest of a credential that refers to the ClusterOAuthProvider
// of a tenant.
func byShared(name string, owner *tenant, lines ...string) string {
	return byProvider(name, owner.namespace+", kind: ClusterOAuthProvider", lines...)
}

// keyOf is YAML for a client whose Secret the tenant has.
func keyOf(id string) string {
	return fmt.Sprintf("client: {id: %[1]s, secretRef: {name: %[1]s-client, key: password}}", id)
}

// providerStatus reads the status of a provider.
func (t *tenant) providerStatus(ctx context.Context, kind, name string) (status v1alpha1.ProviderStatus, generation int64) {
	GinkgoHelper()
	if kind == "ClusterOAuthProvider" {
		provider := &v1alpha1.ClusterOAuthProvider{}
		Expect(controlPlane.Client.Get(ctx, client.ObjectKey{Name: name}, provider)).To(Succeed())
		return provider.Status, provider.Generation
	}
	provider := &v1alpha1.OAuthProvider{}
	Expect(controlPlane.Client.Get(ctx, t.key(name), provider)).To(Succeed())
	return provider.Status, provider.Generation
}

// providerState answers the conditions of a provider in one line.
func (t *tenant) providerState(kind, name string) func(context.Context) string {
	return func(ctx context.Context) string {
		status, generation := t.providerStatus(ctx, kind, name)
		return line(status.Conditions, status.ObservedGeneration == generation)
	}
}

// providerMessage is that of the Ready condition.
func (t *tenant) providerMessage(ctx context.Context, kind, name string) string {
	GinkgoHelper()
	status, _ := t.providerStatus(ctx, kind, name)
	Expect(status.Conditions).NotTo(BeEmpty())
	return status.Conditions[0].Message
}

// total answers how often the provider was asked, by whomever.
func (t *tenant) total() int64 { return t.provider.Counts().Requests }

// visible is all that whoever has the namespace can read of what tokensync wrote there.
func (t *tenant) visible(ctx context.Context) string {
	GinkgoHelper()
	var all strings.Builder
	all.WriteString(kubectl(ctx, "", "get", "oauthcredentials,secrets,events.events.k8s.io", "-n", t.namespace, "-o", "yaml", "--show-managed-fields"))
	credentials := &v1alpha1.OAuthCredentialList{}
	Expect(controlPlane.Client.List(ctx, credentials, client.InNamespace(t.namespace))).To(Succeed())
	for _, credential := range credentials.Items {
		if name := credential.Status.SecretName; name != "" {
			fmt.Fprintln(&all, t.shapeOf(name)(ctx).Data)
		}
	}
	return all.String()
}

// issuer is an authorization server that says about itself where it is.
type issuer struct {
	url string

	mu    sync.Mutex
	named string
}

// newIssuer serves the tenant's provider as an issuer, until the spec ends.
func (t *tenant) newIssuer() *issuer {
	GinkgoHelper()
	i := &issuer{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/.well-known/") {
			t.provider.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":%q}`, i.name(), i.url+standin.TokenPath) // the client may be gone
	}))
	DeferCleanup(server.Close)
	i.url = server.URL
	i.call(server.URL)
	return i
}

// call changes the name that the issuer gives itself.
func (i *issuer) call(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.named = name
}

func (i *issuer) name() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.named
}
