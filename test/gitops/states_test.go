package gitops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/standin"
)

// state is one that an object comes to, and what the tools then make of it.
type state struct {
	// name is that of its row in the documentation.
	name string
	// lifetime is that of the provider's tokens, an hour when zero.
	lifetime time.Duration
	// arrange brings the object about.
	arrange func(*stage)
	want    verdict
	// says is part of the message that the tools show.
	says string
}

// credentials are the states of an OAuthCredential.
var credentials = []state{
	{
		name:    "the first token is being asked for",
		arrange: func(s *stage) { s.slow(time.Minute); s.password("acme-password"); s.declare() },
		want:    begun,
		says:    "A token is being asked for",
	},
	{
		name:    "no token yet, and the Secret of the client is missing",
		arrange: func(s *stage) { s.declare() },
		want:    begun,
		says:    `Secret "acme-client", named by spec.client.secretRef, does not exist`,
	},
	{
		name:    "no token yet, and the provider is down",
		arrange: func(s *stage) { s.down(); s.password("acme-password"); s.declare() },
		want:    begun,
		says:    "503",
	},
	{
		name:    "the provider refuses the client",
		arrange: func(s *stage) { s.password("wrong"); s.declare() },
		want:    broken,
		says:    "invalid_client",
	},
	{
		name: "the spec cannot work",
		arrange: func(s *stage) {
			s.password("acme-password")
			s.declare("secret: {data: {token: 'token.['}}")
		},
		want: broken,
		says: "spec.secret.data",
	},
	{
		name:    "a person has to log in",
		arrange: func(s *stage) { s.password("acme-password"); s.declare("grantType: authorization_code") },
		want:    verdict{"Failed", "Current", "Suspended"},
		says:    "kubectl tokensync login acme",
	},
	{
		name:    "the token is good",
		arrange: func(s *stage) { s.supplied() },
		want:    good,
		says:    "holds a good token",
	},
	{
		name:    "the token is good, and the provider is down",
		arrange: func(s *stage) { s.supplied(); s.down(); s.refresh() },
		want:    good,
		says:    "the next one could not be had (ProviderUnreachable)",
	},
	{
		name:    "the token is good, and the provider refuses the next one",
		arrange: func(s *stage) { s.supplied(); s.password("wrong") },
		want:    broken,
		says:    "invalid_client",
	},
	{
		name:    "the token is good, and the refresh token is lost",
		arrange: loseRefreshToken,
		want:    broken,
		says:    "acme-bootstrap",
	},
	{
		name:     "the token has expired, and the provider is down",
		lifetime: 4 * time.Second,
		arrange:  func(s *stage) { s.supplied(); s.down() },
		want:     verdict{"InProgress", "InProgress", "Degraded"},
		says:     "503",
	},
	{
		name: "a new spec, and no token for it yet",
		arrange: func(s *stage) {
			s.supplied()
			s.slow(time.Minute)
			s.edit("OAuthCredential", "spec: {scopes: [write]}")
		},
		want: begun,
		says: "A token is being asked for",
	},
	{
		name:    "suspended, with a good token",
		arrange: func(s *stage) { s.supplied(); s.edit("OAuthCredential", "spec: {suspend: true}") },
		want:    verdict{"Current", "Current", "Suspended"},
		says:    "spec.suspend is true",
	},
	{
		name:    "suspended, without a token",
		arrange: func(s *stage) { s.password("acme-password"); s.declare("suspend: true") },
		want:    verdict{"InProgress", "Current", "Suspended"},
		says:    "spec.suspend is true",
	},
}

// providers are the states of an OAuthProvider and a ClusterOAuthProvider.
func providers(kind string) []state {
	declare := func(line string) func(*stage) {
		return func(s *stage) {
			s.apply(s.manifest(kind, fmt.Sprintf("tokenURL: %q", s.base+standin.TokenPath), line))
		}
	}
	return []state{
		{
			name:    "the provider can be used",
			arrange: declare("timeout: 5s"),
			want:    good,
			says:    "Credentials can use this provider",
		},
		{
			name:    "an object that it names is missing",
			arrange: declare("tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}"),
			want:    begun,
			says:    `ConfigMap "ca"`,
		},
		{
			name:    "its spec cannot work",
			arrange: declare("response: {accessToken: 'body.['}"),
			want:    broken,
			says:    "spec.response.accessToken",
		},
	}
}

// loseRefreshToken has the provider revoke what came of a login.
func loseRefreshToken(s *stage) {
	s.t.Helper()
	token := s.provider.MintRefreshToken("acme")
	s.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: acme-bootstrap}\nstringData: {refresh_token: " + token + "}\n")
	s.supplied("grantType: refresh_token", "refreshToken: {bootstrapRef: {name: acme-bootstrap, key: refresh_token}}")
	s.provider.RevokeFamily(s.provider.FamilyOf(token).ID)
	s.refresh()
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, state := range credentials {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, state.lifetime)
			state.arrange(s)
			s.await("OAuthCredential", state.want, state.says)
		})
	}
}

func TestProviders(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds[1:] {
		for _, state := range providers(kind) {
			t.Run(kind+"/"+state.name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, 0)
				state.arrange(s)
				s.await(kind, state.want, state.says)
			})
		}
	}
}

// What the operator has not seen yet is in progress to everybody, not ready.
func TestNew(t *testing.T) {
	t.Parallel()
	s := newStage(t, 0)
	for kind, manifest := range map[string]string{
		"OAuthCredential":      s.credential(),
		"OAuthProvider":        s.manifest("OAuthProvider", "tokenURL: https://login.example.com/token"),
		"ClusterOAuthProvider": s.manifest("ClusterOAuthProvider", "tokenURL: https://login.example.com/token"),
	} {
		o := s.object(kind)
		if err := yaml.Unmarshal([]byte(manifest), &o.Object); err != nil {
			t.Fatal(err)
		}
		o.SetNamespace(s.object(kind).GetNamespace())
		// As the API server makes it, before anybody else does anything.
		if err := s.cluster.Client.Create(t.Context(), o, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		expect(t, o, begun)
	}
}

// Nor is what somebody has edited, until the operator has seen that.
func TestEdited(t *testing.T) {
	t.Parallel()
	s := newStage(t, 0)
	s.supplied()
	expect(t, s.edit("OAuthCredential", "spec: {scopes: [write]}"), begun)
	s.await("OAuthCredential", good, "holds a good token")
	for _, kind := range kinds[1:] {
		providers(kind)[0].arrange(s)
		s.await(kind, providers(kind)[0].want, providers(kind)[0].says)
		expect(t, s.edit(kind, "spec: {timeout: 6s}"), begun)
		s.await(kind, providers(kind)[0].want, providers(kind)[0].says)
	}
}

// What a person mends is good again without a further sync.
func TestMended(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(*stage)
		before  verdict
		says    string
	}{
		"a missing Secret": {func(*stage) {}, begun, "does not exist"},
		"a wrong Secret":   {func(s *stage) { s.password("wrong") }, broken, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, 0)
			test.arrange(s)
			s.declare()
			s.await("OAuthCredential", test.before, test.says)
			s.password("acme-password")
			s.await("OAuthCredential", good, "holds a good token")
		})
	}
}

func expect(t *testing.T, o *unstructured.Unstructured, want verdict) {
	t.Helper()
	if got := judge(t, o); got.verdict != want {
		t.Errorf("%s: got %+v, want %+v", o.GetKind(), got, want)
	}
}

// TestTheDocumentationSaysTheSame looks for each state in the tables of the page.
func TestTheDocumentationSaysTheSame(t *testing.T) {
	documentation := read(t, page)
	var rows []string
	for _, state := range credentials {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", state.name, state.want.kstatus, state.want.flux, state.want.argo))
	}
	for _, state := range providers("OAuthProvider") {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", state.name, state.want.kstatus, state.want.argo))
	}
	for _, row := range rows {
		if !strings.Contains(documentation, "\n"+row+"\n") {
			t.Errorf("%s has no row\n%s", page, row)
		}
	}
}
