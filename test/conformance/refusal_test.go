package conformance

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

// alike is a random source that is none.
type alike struct{}

// Read implements io.Reader.
func (alike) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// refusal is a client with something wrong about it.
type refusal struct {
	spec string
	// secret is in the place of what is in the Secret of the spec.
	secret map[string]string
	// behind is how much our clock is.
	behind time.Duration
	want   failure
	// says are parts of the message that help.
	says []string
}

var (
	invalidClient = rejected("invalid_client", http.StatusUnauthorized)
	handshake     = failure{kind: oauth.KindUnreachable, class: string(lifetime.Transient)}
)

// refusals are of the rows of keyRows and certificateRows.
func refusals(t *testing.T, ca *oidcprovider.Authority) map[string]refusal {
	t.Helper()
	pair := func(a *oidcprovider.Authority, name string) map[string]string {
		issued, err := a.ClientPair(pkix.Name{CommonName: name, Organization: []string{"Example"}})
		if err != nil {
			t.Fatal(err)
		}
		return tlsSecret(issued)
	}
	selfSigned, err := oidcprovider.SelfSignedPair(pkix.Name{CommonName: "acme", Organization: []string{"Example"}})
	if err != nil {
		t.Fatal(err)
	}
	const (
		es256 = "client: {id: key-es256, privateKeyRef: {name: client-key-es256, key: key}"
		tls   = "client: {id: tls-subject, certificateRef: {name: client-tls-subject}}"
	)
	strict := `provider: {tokenURL: "${STRICT_TOKEN_URL}", tls: {caRef: {kind: ConfigMap, name: company-ca, key: ca.crt}}}
`
	publicKey := "public key is registered for it with the same key ID"
	return map[string]refusal{
		"an assertion that another key signed": {
			spec: discovered + es256 + "}", secret: map[string]string{"key": pkcs8(t, newKey(t, "ES256"))},
			want: invalidClient, says: []string{publicKey},
		},
		"an assertion for somebody else": {
			spec: discovered + es256 + ", authentication: {assertion: {audience: https://elsewhere.example.com}}}",
			want: invalidClient, says: []string{"clientAuthentication.assertion.audience"},
		},
		"an assertion that has expired": {
			spec: discovered + es256 + "}", behind: 5 * time.Minute, want: invalidClient,
			says: []string{"The clock here is behind that of the endpoint", publicKey},
		},
		"an assertion that outlives a clock that is behind": {
			spec: discovered + es256 + ", authentication: {assertion: {lifetime: 2m}}}", behind: 5 * time.Minute, want: invalidClient,
		},
		"an assertion with a key ID that nobody knows": {
			spec: discovered + "client: {id: key-id-of-the-spec, privateKeyRef: {name: client-key-id-of-the-spec, key: key}, " +
				"authentication: {assertion: {keyID: newest}}}",
			want: invalidClient, says: []string{"key ID"},
		},
		"an algorithm that is not registered": {
			spec: discovered + "client: {id: key-ps256, privateKeyRef: {name: client-key-ps256, key: key}}",
			want: invalidClient, says: []string{"the algorithm"},
		},
		"an algorithm of HMAC that is not registered": {
			spec: discovered + "client: {id: secret-jwt-hs512, secretRef: {name: client-secret-jwt-hs512, key: client_secret}, " +
				"authentication: {method: client_secret_jwt}}",
			want: invalidClient, says: []string{"the algorithm"},
		},
		"an assertion that another secret signed": {
			spec: discovered + "client: {id: secret-jwt, secretRef: {name: client-secret-jwt, key: client_secret}, " +
				"authentication: {method: client_secret_jwt}}",
			secret: map[string]string{"client_secret": strings.Repeat("guess", 8)},
			want:   invalidClient, says: []string{"the client secret"},
		},
		"a secret where the server wants a key": {
			spec:   discovered + "client: {id: key-es256, secretRef: {name: client-key-es256, key: key}}",
			secret: map[string]string{"key": "guess"},
			want:   invalidClient, says: []string{"clientAuthentication.method"},
		},
		"no key at all": {
			spec: discovered + "client: {id: key-es256}", want: invalidClient, says: []string{"clientAuthentication.method"},
		},
		"a certificate at the endpoint that asks for none": {
			spec: named + tls, want: invalidClient, says: []string{"tokenURL is the endpoint for client certificates"},
		},
		"a certificate of another CA": {
			spec: discovered + tls, secret: pair(newAuthority(t), "acme"), want: invalidClient, says: []string{"client certificate"},
		},
		"a certificate of another CA, where it ends the handshake": {
			spec: strict + tls, secret: pair(newAuthority(t), "acme"), want: handshake, says: []string{"check client.certificateRef"},
		},
		"a certificate for somebody else": {
			spec: discovered + tls, secret: pair(ca, "ecma"), want: invalidClient,
			says: []string{"subject of the client certificate is registered"},
		},
		"a self-signed certificate that is not registered": {
			spec: discovered + "client: {id: tls-self-signed, certificateRef: {name: client-tls-self-signed}, " +
				"authentication: {method: self_signed_tls_client_auth}}",
			secret: tlsSecret(selfSigned), want: invalidClient, says: []string{"this client certificate, or the key in it, is registered"},
		},
	}
}

func TestEveryMistakeOfAClientIsToldApart(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	n := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	for name, r := range refusals(t, ca) {
		t.Run(name, func(t *testing.T) {
			own := *n
			own.secrets = map[string]map[string]string{}
			for name, row := range all {
				own.secrets["client-"+name] = row.secret
			}
			own.talkBy(newClientWith(t, func() time.Time { return time.Now().Add(-r.behind) }, rand.Reader))
			if r.secret != nil {
				credential := own.credential(t, r.spec)
				own.secrets["client-"+credential.Spec.Client.ID] = r.secret
			}
			own.mustFail(t, r.spec, r.want, r.says...)
		})
	}
	t.Run("an assertion that was used before", func(t *testing.T) { replays(t, n, all) })
}

// replays has every method with an assertion use a jti twice.
func replays(t *testing.T, n *namespace, all map[string]row) {
	t.Helper()
	for _, name := range []string{"secret-jwt", "key-es256", "key-of-certificate"} {
		t.Run(name, func(t *testing.T) {
			own := *n
			own.talkBy(newClientWith(t, time.Now, io.Reader(alike{})))
			own.mustAsk(t, all[name].spec)
			own.mustFail(t, all[name].spec, invalidClient)
			own.talkBy(n.client)
			own.mustAsk(t, all[name].spec)
		})
	}
}

// TestEveryAnswerIsUnderstood has the server fail in every way that it knows of.
func TestEveryAnswerIsUnderstood(t *testing.T) {
	transient := func(code string, status int) failure {
		return failure{oauth.KindUnreachable, string(lifetime.Transient), code, status}
	}
	cases := map[string]struct {
		class string
		want  failure
		says  string
	}{
		"access_denied":           {"AccessDenied", rejected("access_denied", http.StatusBadRequest), "the resource is there to fail"},
		"consent_required":        {"ConsentRequired", rejected("consent_required", http.StatusBadRequest), "A person has to give consent"},
		"interaction_required":    {"InteractionRequired", rejected("interaction_required", http.StatusBadRequest), "A person"},
		"invalid_grant":           {"InvalidGrant", rejected("invalid_grant", http.StatusBadRequest), "Check the client ID, the client secret"},
		"invalid_request":         {"InvalidRequest", rejected("invalid_request", http.StatusBadRequest), "request.parameters"},
		"invalid_scope":           {"InvalidScope", rejected("invalid_scope", http.StatusBadRequest), "Check scopes."},
		"invalid_target":          {"InvalidTarget", rejected("invalid_target", http.StatusBadRequest), "Check audiences and resources."},
		"unauthorized_client":     {"UnauthorizedClient", rejected("unauthorized_client", http.StatusBadRequest), "client_credentials"},
		"unsupported_grant_type":  {"UnsupportedGrantType", rejected("unsupported_grant_type", http.StatusBadRequest), "client_credentials"},
		"expired_token":           {"ExpiredToken", rejected("expired_token", http.StatusBadRequest), ""},
		"invalid_dpop_proof":      {"InvalidDpopProof", rejected("invalid_dpop_proof", http.StatusBadRequest), "DPoP"},
		"temporarily_unavailable": {"TemporarilyUnavailable", transient("temporarily_unavailable", http.StatusBadRequest), "tries again"},
		"server_error":            {"Nonsense", transient("server_error", http.StatusInternalServerError), "tries again"},
		"a code that is not of OAuth's token endpoint": {
			"UnmetAuthenticationRequirements",
			failure{oauth.KindInvalidResponse, string(lifetime.Protocol), "unmet_authentication_requirements", http.StatusBadRequest},
			"without a known OAuth error code",
		},
	}
	options := oidcprovider.Options{
		TLS:       true,
		Clients:   []oidcprovider.Client{{ID: "acme", Secret: reserved, Method: "client_secret_post"}},
		Resources: []oidcprovider.Resource{{Identifier: opaqueResource, Scopes: []string{"read"}, Seconds: 600}},
	}
	for _, c := range cases {
		options.Resources = append(options.Resources, oidcprovider.Resource{
			Identifier: "https://api.example.com/" + c.class, Scopes: []string{"read"}, Seconds: 600, Failure: c.class,
		})
	}
	n := newNamespace(t, startWith(t, options))
	n.secrets["acme-client"] = map[string]string{"client_secret": reserved}
	const spec = discovered + `client:
  id: acme
  secretRef: {name: acme-client, key: client_secret}
  authentication: {method: client_secret_post}
`
	n.mustAsk(t, spec)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n.mustFail(t, spec+"resources: [https://api.example.com/"+c.class+"]", c.want, c.says)
		})
	}
}
