package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

func TestAnIssuerIsFound(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	for name, options := range map[string]oidcprovider.Options{
		"with a path, by RFC 8414":                 {Path: "/realms/acme"},
		"without a path, by OpenID Connect's way":  {OpenID: true},
		"with a path, by OpenID Connect's way":     {Path: "/realms/acme", OpenID: true},
		"with a path that is written with percent": {Path: "/realms/a%20b"},
	} {
		t.Run(name, func(t *testing.T) {
			options.ClientCA = ca.Bundle
			n := startRows(t, all, options)
			for _, name := range []string{"basic", "key-es256", "tls-subject"} {
				_, told := n.mustAsk(t, all[name].spec)
				if told.ClientID != all[name].registered.ID || told.Issuer != n.server.Issuer {
					t.Errorf("%s: the server knows the token as %+v", name, told)
				}
			}
			misnamed(t, n, all)
		})
	}
}

// misnamed has issuers that are not quite what the metadata say.
func misnamed(t *testing.T, n *namespace, all map[string]row) {
	t.Helper()
	protocol := func(status int) failure {
		return failure{kind: oauth.KindInvalidResponse, class: string(lifetime.Protocol), status: status}
	}
	for issuer, c := range map[string]struct {
		want failure
		says string
	}{
		strings.Replace(n.server.Issuer, "127.0.0.1", "localhost", 1): {
			protocol(http.StatusOK), "names another issuer, of the host 127.0.0.1",
		},
		n.server.Issuer + "/":        {protocol(http.StatusOK), "names an issuer without a slash at its end"},
		n.server.Issuer + "/nowhere": {protocol(http.StatusNotFound), "Check issuer, or set tokenURL instead."},
	} {
		n.mustFail(t, strings.ReplaceAll(all["basic"].spec, "${ISSUER}", issuer), c.want, c.says)
	}
}

func TestWhatIsDiscoveredFitsTheClient(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	n := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	for name, want := range map[string]string{
		"basic":              n.server.TokenURL,
		"key-es256":          n.server.TokenURL,
		"key-of-certificate": n.server.TokenURL,
		"tls-subject":        n.server.MutualTokenURL,
		"tls-self-signed":    n.server.MutualTokenURL,
	} {
		request, err := n.resolve(t, all[name].spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		if request.TokenURL != want {
			t.Errorf("%s asks %s, want %s", name, request.TokenURL, want)
		}
		if request.Client.Audience != n.server.Issuer {
			t.Errorf("%s: assertions are for %q, want the issuer", name, request.Client.Audience)
		}
	}

	t.Run("a provider that holds the certificate allows the other port", func(t *testing.T) {
		provider := &resolve.Provider{
			Kind: v1alpha1.KindClusterOAuthProvider, Name: "company", UID: "u", Namespace: "tokensync-system",
			Spec: &v1alpha1.OAuthProviderSpec{
				Endpoint: v1alpha1.Endpoint{
					Issuer: v1alpha1.EndpointURL(n.server.Issuer),
					TLS:    &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: v1alpha1.KindConfigMap, Name: "company-ca", Key: "ca.crt"}},
				},
				Client: &v1alpha1.Client{ID: "tls-subject", CertificateRef: &v1alpha1.SecretReference{Name: "client-tls-subject"}},
			},
		}
		const spec = "providerRef: {kind: ClusterOAuthProvider, name: company}"
		if _, err := n.resolve(t, spec, provider); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Fatalf("got %v, want a refusal that names no host", err)
		}
		provider.Spec.AllowedAuthorities = []string{strings.TrimSuffix(strings.TrimPrefix(n.server.MutualTokenURL, "https://"), "/token")}
		request, err := n.resolve(t, spec, provider)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.client.Token(t.Context(), request); err != nil {
			t.Error(err)
		}
	})

	t.Run("a CA that does not vouch for the issuer", func(t *testing.T) {
		own := *n
		own.bundle = ca.Bundle
		own.mustFail(t, all["basic"].spec, handshake, "The issuer at 127.0.0.1", "Put the right CA there.")
	})
}
