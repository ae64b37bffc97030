package conformance

import (
	"crypto"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
)

const (
	jwtBearer     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	// clusterIssuer is who makes the tokens of ServiceAccounts.
	clusterIssuer = "https://kubernetes.default.svc"
	robot         = "robot@project.example.com"
	otherResource = "urn:tokensync:other"

	// byRobot is a credential with an assertion of the robot's own.
	byRobot = discovered + `grantType: ` + jwtBearer + `
client: {id: robots}
jwtBearer: {privateKeyRef: {name: robot, key: key.json}, issuer: ` + robot + `, subject: jane@example.com}
`
	// bySubject is a credential for what the Secret subject holds.
	bySubject = discovered + `grantType: ` + tokenExchange + `
client: {id: exchanger, secretRef: {name: exchanger, key: client_secret}}
tokenExchange:
  subjectToken: {secretKeyRef: {name: subject, key: token}}
  subjectTokenType: urn:ietf:params:oauth:token-type:jwt
`
	byServiceAccount = `serviceAccount: {name: builder, audience: "${ISSUER}"}`
)

func TestAssertionsAreExchangedForTokens(t *testing.T) {
	n, p := startGrants(t)
	for name, c := range map[string]struct {
		spec                               string
		client, subject, actor, department string
	}{
		"JWT bearer of a public client": {spec: byRobot, client: "robots", subject: "jane@example.com"},
		"JWT bearer with a further claim, for the token endpoint": {
			spec: named + `grantType: ` + jwtBearer + `
client: {id: robots}
jwtBearer:
  privateKeyRef: {name: robot, key: key.json}
  issuer: ` + robot + `
  subject: jane@example.com
  algorithm: PS256
  lifetime: 10s
  claims: {department: '"sales, " + client.id'}
`,
			client: "robots", subject: "jane@example.com", department: "sales, robots",
		},
		"JWT bearer of a client with an assertion of its own": {
			spec:   strings.Replace(byRobot, "client: {id: robots}", "client: {id: prover, privateKeyRef: {name: prover, key: key}}", 1),
			client: "prover", subject: "jane@example.com",
		},
		"JWT bearer of a ServiceAccount": {
			spec:   discovered + "grantType: " + jwtBearer + "\nclient: {id: robots}\njwtBearer: {" + byServiceAccount + "}\n",
			client: "robots", subject: "system:serviceaccount:web:builder",
		},
		"token exchange": {spec: bySubject, client: "exchanger", subject: "jane@example.com"},
		"token exchange with an actor, for an audience": {
			spec: bySubject + "  actorToken: {" + byServiceAccount + `}
  actorTokenType: urn:ietf:params:oauth:token-type:jwt
  requestedTokenType: urn:ietf:params:oauth:token-type:access_token
audiences: ["` + otherResource + `"]
`,
			client: "exchanger", subject: "jane@example.com", actor: "system:serviceaccount:web:builder",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n.subject(t, p.robot, nil)
			answer, told := n.mustAsk(t, c.spec+"scopes: [read]\n")
			audience := opaqueResource
			if strings.Contains(c.spec, otherResource) {
				audience = otherResource
			}
			if told.ClientID != c.client || told.Subject != c.subject || told.Actor != c.actor || told.Department != c.department ||
				told.Scope != "read" || told.Audience != audience {
				t.Errorf("the server knows the token as %+v", told)
			}
			expectLifetime(t, answer, 600*time.Second)
		})
	}
	t.Run("token exchange of a token that tokensync got", func(t *testing.T) { chained(t, n) })
	t.Run("a JWT that says for whom it is", func(t *testing.T) {
		answer, err := n.ask(t, byRobot+"resources: ["+jwtResource+"]\nscopes: [read]\n")
		if err != nil {
			t.Fatal(err)
		}
		claims, err := n.server.Verify(t.Context(), answer.AccessToken.Reveal())
		if err != nil || claims["subject"] != "jane@example.com" || claims["aud"] != jwtResource {
			t.Errorf("the token says %v (%v)", claims, err)
		}
		expectLifetime(t, answer, 30*time.Second)
	})
}

// chained exchanges the token of one credential by another.
func chained(t *testing.T, n *namespace) {
	t.Helper()
	answer, _ := n.mustAsk(t, discovered+"client: {id: exchanger, secretRef: {name: exchanger, key: client_secret}}\n")
	n.secrets["acme"] = map[string]string{"access_token": answer.AccessToken.Reveal()}
	spec := strings.NewReplacer("{name: subject, key: token}", "{name: acme, key: access_token}",
		"token-type:jwt", "token-type:access_token").Replace(bySubject)
	exchanged, told := n.mustAsk(t, spec+"scopes: [write]\nsecret: {data: {issued: token.raw.issued_token_type}}\n")
	if told.Subject != "exchanger" || told.Scope != "write" {
		t.Errorf("the server knows the token as %+v", told)
	}
	body, _ := exchanged.Raw.(map[string]any)
	if body["issued_token_type"] != "urn:ietf:params:oauth:token-type:access_token" {
		t.Errorf("what was issued is a %v", body["issued_token_type"])
	}
	n.secrets["acme"] = map[string]string{"access_token": "nobody's"}
	n.mustFail(t, spec, rejected("invalid_grant", http.StatusBadRequest))
}

func TestAssertionsAreRefused(t *testing.T) {
	n, p := startGrants(t)
	invalidGrant := rejected("invalid_grant", http.StatusBadRequest)
	const (
		bearer    = "Check jwtBearer: that the provider knows the public key"
		exchanged = "Check tokenExchange: the provider has to trust who issued its tokens"
	)
	replaced := func(spec, old, by string) string {
		if !strings.Contains(spec, old) {
			t.Fatalf("there is no %q in\n%s", old, spec)
		}
		return strings.Replace(spec, old, by, 1)
	}
	stranger := newKey(t, "RS256")
	type testCase struct {
		spec    string
		key     crypto.Signer
		claims  map[string]any
		secret  map[string]string
		client  *oauth.Client
		want    failure
		says    []string
		prepare bool
	}
	cases := map[string]testCase{
		"JWT bearer by another key": {
			spec: byRobot, secret: map[string]string{"key.json": string(jwk(t, stranger, "2026-11", ""))}, want: invalidGrant, says: []string{bearer},
		},
		"JWT bearer for somebody else": {
			spec: replaced(byRobot, "subject:", "audience: https://elsewhere.example.com, subject:"), want: invalidGrant, says: []string{bearer},
		},
		"JWT bearer of an issuer that nobody knows": {spec: replaced(byRobot, robot, "robot@elsewhere.example.com"), want: invalidGrant},
		"JWT bearer without the subject that the server wants": {
			spec: replaced(byRobot, ", subject: jane@example.com", ""), want: invalidGrant,
		},
		"JWT bearer that has expired": {
			spec: byRobot, want: invalidGrant,
			client: newClientWith(t, func() time.Time { return time.Now().Add(-5 * time.Minute) }, rand.Reader),
			says:   []string{"The clock here is behind", bearer},
		},
		"JWT bearer of a clock that is ahead": {
			spec: byRobot, want: invalidGrant,
			client: newClientWith(t, func() time.Time { return time.Now().Add(5 * time.Minute) }, rand.Reader),
			says:   []string{"The clock here is ahead", bearer},
		},
		"JWT bearer that was used before": {
			spec: byRobot, want: invalidGrant, client: newClientWith(t, time.Now, alike{}), prepare: true,
		},
		"a client that may not use JWT bearer": {
			spec: replaced(byRobot, "client: {id: robots}", "client: {id: exchanger, secretRef: {name: exchanger, key: client_secret}}"),
			want: rejected("invalid_request", http.StatusBadRequest), says: []string{"not allowed for this client"},
		},
		"token exchange of a token by another key": {
			spec: bySubject, key: stranger, want: invalidGrant, says: []string{exchanged},
		},
		"token exchange of a token for somebody else": {
			spec: bySubject, claims: map[string]any{"aud": "https://elsewhere.example.com"}, want: invalidGrant,
		},
		"token exchange of a token that has expired": {
			spec: bySubject, claims: map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}, want: invalidGrant,
		},
		"token exchange of a token that was used before": {spec: bySubject, want: invalidGrant, prepare: true},
		"token exchange for a type that is not issued": {
			spec: bySubject + "  requestedTokenType: urn:ietf:params:oauth:token-type:saml2\n",
			want: rejected("invalid_request", http.StatusBadRequest), says: []string{"request.parameters"},
		},
		"token exchange for an audience that nobody knows": {
			spec: bySubject + "audiences: [nobody]\n",
			want: rejected("invalid_target", http.StatusBadRequest), says: []string{"Check audiences and resources."},
		},
		"token exchange of a client that does not prove itself": {
			spec: bySubject, secret: map[string]string{"client_secret": "guess"},
			want: invalidClient, says: []string{"the client secret"},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			c, own := cases[name], *n
			own.secrets = maps.Clone(n.secrets)
			if c.key == nil {
				c.key = p.robot
			}
			own.subject(t, c.key, c.claims)
			if c.client != nil {
				own.talkBy(c.client)
			}
			if c.secret["key.json"] != "" {
				own.secrets["robot"] = c.secret
			} else if c.secret != nil {
				own.secrets["exchanger"] = c.secret
			}
			if c.prepare {
				own.mustAsk(t, c.spec)
			}
			own.mustFail(t, c.spec, c.want, c.says...)
		})
	}
}
