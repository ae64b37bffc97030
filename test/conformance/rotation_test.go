package conformance

import (
	"crypto/x509/pkix"
	"encoding/json"
	"testing"

	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

// second is the secret after another.
const second = "the second secret, of at least 32 bytes"

// TestAKeyIsReplaced walks through the rotation of what a client proves itself with:
// it is in force when the server and the Secret agree, and no sooner.
func TestAKeyIsReplaced(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	n := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	key, self := newKey(t, "ES256"), newPair(t, "acme")
	for name, c := range map[string]struct {
		change func(c *oidcprovider.Client)
		secret map[string]string
		bound  string
	}{
		"basic": {
			change: func(c *oidcprovider.Client) { c.Secret = second },
			secret: map[string]string{"client_secret": second},
		},
		"secret-jwt": {
			change: func(c *oidcprovider.Client) { c.Secret = second },
			secret: map[string]string{"client_secret": second},
		},
		"key-es256": {
			change: func(c *oidcprovider.Client) { c.Keys = public(t, key) },
			secret: map[string]string{"key": pkcs8(t, key)},
		},
		"tls-self-signed": {
			change: func(c *oidcprovider.Client) { c.Keys = certified(t, self) },
			secret: tlsSecret(self), bound: thumbprint(t, self),
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec, secret := all[name].spec, "client-"+name
			n.mustAsk(t, spec)
			changed := all[name].registered
			c.change(&changed)
			if err := n.server.Register(changed); err != nil {
				t.Fatal(err)
			}
			n.mustFail(t, spec, invalidClient)
			n.secrets[secret] = c.secret
			if _, told := n.mustAsk(t, spec); told.Confirmation.Thumbprint != c.bound {
				t.Errorf("the token is bound to %q, want %q", told.Confirmation.Thumbprint, c.bound)
			}
			n.secrets[secret] = all[name].secret
			n.mustFail(t, spec, invalidClient)
		})
	}
	t.Run("while both keys are registered, both are good", func(t *testing.T) {
		both := all["key-es512"].registered
		both.Algorithm = ""
		both.Keys = append([]json.RawMessage{jwk(t, key.Public(), "", "")}, both.Keys...)
		if err := n.server.Register(both); err != nil {
			t.Fatal(err)
		}
		n.mustAsk(t, all["key-es512"].spec)
		n.secrets["client-key-es512"] = map[string]string{"key": pkcs8(t, key)}
		n.mustAsk(t, all["key-es512"].spec)
	})
}

// TestAConnectionIsAnIdentity has clients of one namespace ask in turn, by
// certificates: none may be taken for another, nor for whom it was before.
func TestAConnectionIsAnIdentity(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	n := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	expect := func(name, bound string) {
		t.Helper()
		if _, told := n.mustAsk(t, all[name].spec); told.Confirmation.Thumbprint != bound {
			t.Errorf("%s: the token is bound to %q, want %q", name, told.Confirmation.Thumbprint, bound)
		}
	}
	for range 3 {
		for _, name := range []string{"tls-subject", "tls-self-signed", "tls-dns", "key-of-certificate"} {
			expect(name, all[name].bound)
		}
		n.client.CloseIdleConnections() // what is left are TLS sessions
	}
	renewed, err := ca.ClientPair(pkix.Name{CommonName: "acme", Organization: []string{"Example"}})
	if err != nil {
		t.Fatal(err)
	}
	n.secrets["client-tls-subject"] = tlsSecret(renewed)
	expect("tls-subject", thumbprint(t, renewed))
	n.secrets["client-tls-subject"] = all["tls-subject"].secret
	expect("tls-subject", all["tls-subject"].bound)
}

// TestTheServersCertificateIsReplaced by one of another CA.
func TestTheServersCertificateIsReplaced(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	n := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	names := []string{"basic", "key-es256", "tls-subject"}
	ask := func() {
		t.Helper()
		for _, name := range names {
			n.mustAsk(t, all[name].spec)
		}
	}
	ask()
	old := n.bundle
	renewed, err := n.server.RenewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	ask() // over the connections that there are
	n.client.CloseIdleConnections()
	for _, name := range names {
		n.mustFail(t, all[name].spec, handshake, "none of the CAs vouches for which tls.caRef names")
	}
	n.bundle = append(append([]byte{}, old...), renewed...)
	ask()
	n.bundle = renewed
	ask()
	n.bundle = old
	n.mustFail(t, all["key-rs384"].spec, handshake, "The token endpoint at 127.0.0.1")
}

func newPair(t *testing.T, name string) *oidcprovider.Pair {
	t.Helper()
	pair, err := oidcprovider.SelfSignedPair(pkix.Name{CommonName: name})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}
