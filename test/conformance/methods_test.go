package conformance

import (
	"crypto/x509/pkix"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

const hmacSecret = "a client secret of 64 bytes, for HMAC with SHA-512 demands them."

// row is one way for a client to prove who it is.
type row struct {
	// registered is what the server knows of the client.
	registered oidcprovider.Client
	// secret is what the user keeps in the Secret client-NAME, and spec is the
	// credential.
	secret map[string]string
	spec   string
	// bound is the thumbprint of the certificate that the client presents.
	bound string
}

// rows has a row for every method that the server knows, every algorithm that it
// verifies and every form that a key comes in. NAME in a spec is the row's name.
func rows(t *testing.T, ca *oidcprovider.Authority) map[string]row {
	t.Helper()
	all := secretRows()
	maps.Copy(all, keyRows(t))
	maps.Copy(all, certificateRows(t, ca))
	all["none"] = row{
		registered: oidcprovider.Client{ID: "public", Method: "none"},
		spec:       named + `client: {id: public}`,
	}
	for name, r := range all {
		r.spec = strings.ReplaceAll(r.spec, "NAME", name)
		if r.registered.ID == "" {
			r.registered.ID = name
		}
		all[name] = r
	}
	return all
}

// secretRows are the methods that rest on a client secret.
func secretRows() map[string]row {
	return map[string]row{
		"basic": {
			registered: oidcprovider.Client{ID: "basic:client/1+2", Secret: reserved, Method: "client_secret_basic"},
			secret:     map[string]string{"client_secret": reserved},
			spec:       discovered + `client: {id: "basic:client/1+2", secretRef: {name: client-NAME, key: client_secret}}`,
		},
		"basic-id-in-secret": {
			registered: oidcprovider.Client{ID: "app 17%", Secret: "u & 100%", Method: "client_secret_basic"},
			secret:     map[string]string{"id": "app 17%", "client_secret": "u & 100%"},
			spec: named + `client: {idRef: {name: client-NAME, key: id}, secretRef: {name: client-NAME, key: client_secret}}
request: {headers: [{name: X-Tenant, value: acme}]}`,
		},
		"basic-raw": {
			// What decoding a form leaves alone, although encoding one does not.
			registered: oidcprovider.Client{Secret: "s:e/c=r&t?", Method: "client_secret_basic"},
			secret:     map[string]string{"client_secret": "s:e/c=r&t?"},
			spec: named + `client:
  id: NAME
  secretRef: {name: client-NAME, key: client_secret}
  authentication: {method: client_secret_basic, basicEncoding: Raw}`,
		},
		"post": {
			registered: oidcprovider.Client{ID: "post:client/1+2", Secret: reserved, Method: "client_secret_post"},
			secret:     map[string]string{"client_secret": reserved},
			spec: discovered + `client:
  id: "post:client/1+2"
  secretRef: {name: client-NAME, key: client_secret}
  authentication: {method: client_secret_post}`,
		},
		"secret-jwt": {
			registered: oidcprovider.Client{Secret: hmacSecret[:32], Method: "client_secret_jwt", Algorithm: "HS256"},
			secret:     map[string]string{"client_secret": hmacSecret[:32]},
			spec: discovered + `client:
  id: NAME
  secretRef: {name: client-NAME, key: client_secret}
  authentication: {method: client_secret_jwt}`,
		},
		"secret-jwt-hs512": {
			registered: oidcprovider.Client{Secret: hmacSecret, Method: "client_secret_jwt", Algorithm: "HS512"},
			secret:     map[string]string{"client_secret": hmacSecret},
			spec: named + `client:
  id: NAME
  secretRef: {name: client-NAME, key: client_secret}
  authentication: {method: client_secret_jwt, assertion: {algorithm: HS512}}`,
		},
	}
}

// keyRows are private_key_jwt.
func keyRows(t *testing.T) map[string]row {
	t.Helper()
	const (
		client = "client: {id: NAME, privateKeyRef: {name: client-NAME, key: key}}"
		signed = "client: {id: NAME, privateKeyRef: {name: client-NAME, key: key}, authentication: {assertion: {algorithm: %}}}"
	)
	rsa, other := newKey(t, "RS256"), newKey(t, "ES256")
	es256, es384, es512, ed := newKey(t, "ES256"), newKey(t, "ES384"), newKey(t, "ES512"), newKey(t, "EdDSA")
	result := map[string]row{}
	add := func(algorithm, key string, keys []json.RawMessage, spec string) {
		result["key-"+strings.ToLower(algorithm)] = row{
			registered: oidcprovider.Client{Method: "private_key_jwt", Algorithm: algorithm, Keys: keys},
			secret:     map[string]string{"key": key}, spec: strings.ReplaceAll(spec, "%", algorithm),
		}
	}
	add("RS256", pkcs8(t, rsa), public(t, rsa), discovered+client)
	add("RS384", pkcs1(rsa), public(t, rsa), named+signed)
	add("RS512", string(jwk(t, rsa, "", "RS512")), public(t, rsa), named+client)
	add("PS256", pkcs1(rsa), public(t, rsa), discovered+signed)
	add("PS384", pkcs8(t, rsa), public(t, rsa), named+signed)
	add("PS512", string(jwk(t, rsa, "", "PS512")), public(t, rsa), named+client)
	add("ES256", sec1(t, es256), public(t, es256), discovered+client)
	add("ES384", pkcs8(t, es384), public(t, es384), discovered+client)
	add("ES512", string(jwk(t, es512, "", "")), public(t, es512), discovered+client)
	add("EdDSA", pkcs8(t, ed), public(t, ed), discovered+client)

	result["key-eddsa-jwk"] = row{
		registered: oidcprovider.Client{Method: "private_key_jwt", Algorithm: "EdDSA", Keys: public(t, ed)},
		secret:     map[string]string{"key": string(jwk(t, ed, "", "Ed25519"))}, spec: named + client,
	}
	twoKeys := []json.RawMessage{jwk(t, other.Public(), "old", ""), jwk(t, es256.Public(), "new", "")}
	result["key-id-of-the-spec"] = row{
		registered: oidcprovider.Client{Method: "private_key_jwt", Keys: twoKeys},
		secret:     map[string]string{"key": sec1(t, es256)},
		spec: discovered + `client:
  id: NAME
  privateKeyRef: {name: client-NAME, key: key}
  authentication: {assertion: {keyID: new, audience: "${TOKEN_URL}", lifetime: 5m}}`,
	}
	result["key-id-of-the-set"] = row{
		registered: oidcprovider.Client{Method: "private_key_jwt", Keys: twoKeys},
		secret:     map[string]string{"key": `{"keys": [` + string(jwk(t, es256, "new", "")) + `]}`},
		spec:       discovered + client,
	}
	return result
}

// certificateRows are the methods that rest on a certificate, and private_key_jwt
// with the key of one.
func certificateRows(t *testing.T, ca *oidcprovider.Authority) map[string]row {
	t.Helper()
	const client = "client: {id: NAME, certificateRef: {name: client-NAME}}"
	must := func(pair *oidcprovider.Pair, err error) *oidcprovider.Pair {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	subject := must(ca.ClientPair(pkix.Name{CommonName: "acme", Organization: []string{"Example"}}))
	dns := must(ca.ClientPair(pkix.Name{CommonName: "anything"}, "acme.clients.example.com"))
	self := must(oidcprovider.SelfSignedPair(pkix.Name{CommonName: "acme"}))
	signs := must(ca.ClientPair(pkix.Name{CommonName: "signs"}))
	dn := oidcprovider.Client{Method: "tls_client_auth", SubjectDN: "CN=acme,O=Example"}
	return map[string]row{
		"tls-subject": {registered: dn, secret: tlsSecret(subject), spec: discovered + client, bound: thumbprint(t, subject)},
		"tls-dns": {
			registered: oidcprovider.Client{Method: "tls_client_auth", SubjectDNS: "acme.clients.example.com"},
			secret:     tlsSecret(dns), spec: discovered + client, bound: thumbprint(t, dns),
		},
		"tls-strict": {
			registered: dn, secret: tlsSecret(subject),
			spec:  strings.ReplaceAll(named, "TOKEN_URL", "STRICT_TOKEN_URL") + client,
			bound: thumbprint(t, subject),
		},
		"tls-self-signed": {
			registered: oidcprovider.Client{Method: "self_signed_tls_client_auth", Keys: certified(t, self)},
			secret:     tlsSecret(self), bound: thumbprint(t, self),
			spec: discovered + `client:
  id: NAME
  certificateRef: {name: client-NAME}
  authentication: {method: self_signed_tls_client_auth}`,
		},
		"key-of-certificate": {
			registered: oidcprovider.Client{Method: "private_key_jwt", Keys: certified(t, signs)},
			secret:     tlsSecret(signs),
			spec: discovered + `client:
  id: NAME
  certificateRef: {name: client-NAME}
  authentication: {method: private_key_jwt}`,
		},
	}
}

// startRows runs a server that knows the clients of all rows, and a namespace with
// their Secrets.
func startRows(t *testing.T, all map[string]row, options oidcprovider.Options) *namespace {
	t.Helper()
	options.TLS = true
	for _, r := range all {
		options.Clients = append(options.Clients, r.registered)
	}
	n := newNamespace(t, startWith(t, options))
	for name, r := range all {
		n.secrets["client-"+name] = r.secret
	}
	return n
}

func newAuthority(t *testing.T) *oidcprovider.Authority {
	t.Helper()
	authority, err := oidcprovider.NewAuthority("Example client CA")
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func TestEveryMethodGetsTokens(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	n := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			r := all[name]
			spec := r.spec + "\nscopes: [write, read]\n"
			answer, told := n.mustAsk(t, spec)
			if told.ClientID != r.registered.ID || told.Scope != "write read" || told.Audience != opaqueResource {
				t.Errorf("the server knows the token as %+v", told)
			}
			if told.Confirmation.Thumbprint != r.bound {
				t.Errorf("the token is bound to %q, want %q", told.Confirmation.Thumbprint, r.bound)
			}
			if answer.TokenType != "Bearer" || answer.Scope != "write read" {
				t.Errorf("answered type %q, scope %q", answer.TokenType, answer.Scope)
			}
			token := expectLifetime(t, answer, 600*time.Second)
			if ends := time.Unix(told.Expires, 0); token.ExpiresAt.After(ends) {
				t.Errorf("we believe in the token until %s, the server until %s", token.ExpiresAt, ends)
			}
			// No assertion may be used twice.
			if again, _ := n.mustAsk(t, spec); again.AccessToken.Reveal() == answer.AccessToken.Reveal() {
				t.Error("the second token is the first")
			}
		})
	}
}
