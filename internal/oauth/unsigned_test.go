package oauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// broken is a random source that has failed.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("pa55word") }

func TestAssertionsThatCannotBeMade(t *testing.T) {
	t.Parallel()

	key := ellipticKey(t).key
	clientWith := func(client oauth.ClientAuthentication) func(*oauth.Request) {
		return func(r *oauth.Request) { r.Client, r.Client.ID = client, "me" }
	}
	grantWith := func(grant oauth.Assertion) func(*oauth.Request) {
		return func(r *oauth.Request) { r.Assertion = &grant }
	}

	for name, test := range map[string]struct {
		change func(*oauth.Request)
		broken bool
		kind   oauth.Kind
		class  lifetime.Class
		want   string
	}{
		"an algorithm that does not fit": {
			change: clientWith(oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Key: key, Algorithm: "RS256"}),
			kind:   oauth.KindInvalidKey, class: lifetime.Configuration,
			want: `The client assertion cannot be signed. The assertion's algorithm "RS256" does not fit the key.`,
		},
		"a secret that is too short": {
			change: clientWith(oauth.ClientAuthentication{Method: oauth.MethodClientSecretJWT, Secret: redact.New("pa55word")}),
			kind:   oauth.KindInvalidKey, class: lifetime.Configuration,
			want: "The client assertion cannot be signed. The client secret is shorter than",
		},
		"a life that is too long": {
			change: clientWith(oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Key: key, Lifetime: time.Hour + 1}),
			kind:   oauth.KindInvalidRequest, class: lifetime.Configuration,
			want: "The lifetime of the client assertion is out of bounds. Set clientAuthentication.assertion.lifetime to at most 1h.",
		},
		"a life that is negative": {
			change: grantWith(oauth.Assertion{Key: key, Lifetime: -time.Minute}),
			kind:   oauth.KindInvalidRequest, class: lifetime.Configuration,
			want: "The lifetime of the assertion of the grant is out of bounds. Set jwtBearer.lifetime to at most 1h.",
		},
		"a grant with an algorithm that does not fit": {
			change: grantWith(oauth.Assertion{Key: key, Algorithm: "pa55word\n"}),
			kind:   oauth.KindInvalidKey, class: lifetime.Configuration,
			want: "The assertion of the grant cannot be signed.",
		},
		"a claim that cannot be written": {
			change: grantWith(oauth.Assertion{Key: key, Claims: map[string]any{"f": func() {}}}),
			kind:   oauth.KindInvalidKey, class: lifetime.Configuration,
			want: "The assertion of the grant cannot be signed. The claims cannot be written as JSON.",
		},
		"a grant without a key": {
			change: grantWith(oauth.Assertion{}),
			kind:   oauth.KindInvalidRequest, class: lifetime.Configuration,
			want: "The assertion of the grant has no key to sign it. Set jwtBearer.privateKeyRef.",
		},
		"a grant without an issuer": {
			change: func(r *oauth.Request) {
				r.Client = oauth.ClientAuthentication{Method: oauth.MethodNone}
				r.Assertion = &oauth.Assertion{Key: key}
			},
			kind: oauth.KindInvalidRequest, class: lifetime.Configuration,
			want: "The assertion of the grant has no issuer. Set jwtBearer.issuer or client.id.",
		},
		"no random numbers": {
			change: clientWith(oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Key: key}), broken: true,
			kind: oauth.KindInvalidRequest, class: lifetime.Transient,
			want: "The client assertion cannot be made: the random source of this machine has failed.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(http.StatusOK, good))
			options := oauth.Options{
				Egress: loopbackAllowed(), AllowInsecureHTTP: true, Now: func() time.Time { return start }, Random: sevens{},
			}

			if test.broken {
				options.Random = broken{}
			}

			request := newRequest(server)
			test.change(&request)

			answer, err := oauth.NewClient(options).Token(t.Context(), request)
			e := failure(t, answer, err)

			if e.Kind != test.kind || e.Class != test.class || !strings.HasPrefix(e.Error(), test.want) {
				t.Errorf("got %s, %s: %s", e.Kind, e.Class, e)
			}

			if strings.ContainsAny(e.Error(), "\n") || name != "a grant with an algorithm that does not fit" &&
				strings.Contains(e.Error(), "pa55") {
				t.Errorf("got %q", e)
			}

			if len(received()) != 0 {
				t.Error("a request was made")
			}
		})
	}
}
