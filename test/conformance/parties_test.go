package conformance

import (
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

// parties are those whose assertions the server takes.
type parties struct {
	robot, cluster crypto.Signer
}

// startGrants runs a server for grants with assertions.
func startGrants(t *testing.T) (*namespace, parties) {
	t.Helper()
	p := parties{robot: newKey(t, "RS256"), cluster: newKey(t, "ES256")}
	exchanger := oidcprovider.Client{
		ID: "exchanger", Secret: reserved, Method: "client_secret_basic", Grants: []string{tokenExchange, "client_credentials"},
	}
	prover := newKey(t, "EdDSA")
	n := newNamespace(t, startWith(t, oidcprovider.Options{
		TLS: true,
		Clients: []oidcprovider.Client{
			{ID: "robots", Method: "none", Grants: []string{jwtBearer}},
			{ID: "prover", Method: "private_key_jwt", Keys: public(t, prover), Grants: []string{jwtBearer}},
			exchanger,
		},
		Resources: []oidcprovider.Resource{
			{Identifier: opaqueResource, Scopes: []string{"read", "write"}, Seconds: 600},
			{Identifier: jwtResource, Scopes: []string{"read"}, Seconds: 30, JWT: true},
			{Identifier: otherResource, Scopes: []string{"read"}, Seconds: 600},
		},
		Issuers: []oidcprovider.Issuer{
			// Of two keys the assertion has to name one.
			{Name: robot, Keys: []json.RawMessage{
				jwk(t, newKey(t, "RS256").Public(), "2026-10", ""), jwk(t, p.robot.Public(), "2026-11", ""),
			}},
			{Name: clusterIssuer, Keys: public(t, p.cluster)},
		},
	}))
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": robot, "private_key_id": "2026-11", "private_key": pkcs8(t, p.robot),
	})
	if err != nil {
		t.Fatal(err)
	}
	n.secrets["robot"] = map[string]string{"key.json": string(file)}
	n.secrets["prover"] = map[string]string{"key": pkcs8(t, prover)}
	n.secrets["exchanger"] = map[string]string{"client_secret": reserved}
	tokens := 0
	n.serviceAccount = func(ref v1alpha1.ServiceAccountToken) string {
		tokens++
		return assert(t, p.cluster, "", map[string]any{
			"iss": clusterIssuer, "sub": "system:serviceaccount:web:" + ref.Name, "aud": []string{ref.Audience},
			"jti": fmt.Sprint("cluster-", tokens), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		})
	}
	return n, p
}

// assert signs a JWT of somebody else's.
func assert(t *testing.T, key crypto.Signer, keyID string, claims map[string]any) string {
	t.Helper()
	algorithm := jose.ES256
	if _, ok := key.Public().(interface{ Size() int }); ok {
		algorithm = jose.RS256
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// subject puts a token of the robot's into the Secret subject, with some claims
// changed.
func (n *namespace) subject(t *testing.T, key crypto.Signer, changed map[string]any) {
	t.Helper()
	claims := map[string]any{
		"iss": robot, "sub": "jane@example.com", "aud": n.server.Issuer, "jti": t.Name(),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	maps.Copy(claims, changed)
	n.secrets["subject"] = map[string]string{"token": assert(t, key, "2026-11", claims)}
}
