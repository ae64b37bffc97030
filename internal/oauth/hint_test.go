package oauth_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestWhatToDoAboutAClientThatIsNotKnown(t *testing.T) {
	t.Parallel()

	long := redact.New(strings.Repeat("s3cret", 6))

	for name, test := range map[string]struct {
		client oauth.ClientAuthentication
		want   string
	}{
		"basic": {
			client: oauth.ClientAuthentication{Method: oauth.MethodClientSecretBasic, Secret: long},
			want:   "Check the client ID, the client secret and clientAuthentication.method.",
		},
		"a secret that signs": {
			client: oauth.ClientAuthentication{Method: oauth.MethodClientSecretJWT, Secret: long},
			want: "Check the client ID, the client secret and the algorithm. The assertion is meant for tokenURL: " +
				"if the provider wants its issuer or another name there, set clientAuthentication.assertion.audience.",
		},
		"a secret that signs and ends in a line break": {
			client: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretJWT, Secret: redact.New(long.Reveal() + "\n"),
			},
			want: "The client secret begins or ends with white space, which is sent too: check how it was stored.",
		},
		"a key": {
			client: oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Key: ellipticKey(t).key, Audience: "x"},
			want: "Check the client ID, that the public key is registered for it with the same key ID, and the algorithm. " +
				"Check clientAuthentication.assertion.audience too: providers want their issuer or the token URL there.",
		},
		"a token": {
			client: oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Token: redact.New("t.o.k")},
			want: "Check that the provider trusts the issuer of the ServiceAccount's tokens, and that it knows the client by " +
				"their subject and by the audience in client.serviceAccount.",
		},
		"a certificate": {
			client: oauth.ClientAuthentication{Method: oauth.MethodTLSClientAuth},
			want: "Check that the subject of the client certificate is registered for the client ID, and that tokenURL is " +
				"the endpoint for client certificates, which often has a host name of its own.",
		},
		"a certificate that is registered": {
			client: oauth.ClientAuthentication{Method: oauth.MethodSelfSignedTLSClientAuth},
			want: "Check that this client certificate, or the key in it, is registered for the client ID, and that tokenURL " +
				"is the endpoint for client certificates, which often has a host name of its own.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, own := serveTLS(t, nil)
			server.Config.Handler = reply(http.StatusUnauthorized, `{"error":"invalid_client"}`)

			request := newRequest(server)
			request.CABundle, request.Client = own, test.client
			request.Client.ID = "me"

			if strings.Contains(name, "certificate") {
				certificate, _ := selfSigned(t, inTheFuture())
				request.Client.Certificate = &tls.Certificate{
					Certificate: certificate.Certificate, PrivateKey: certificate.PrivateKey,
				}
			}

			answer, err := newClient(t).Token(t.Context(), request)

			if e := failure(t, answer, err); e.Code != "invalid_client" || !strings.HasSuffix(e.Error(), ". "+test.want) {
				t.Errorf("got %s, want %s", e, test.want)
			}
		})
	}
}

func TestWhatToDoAboutAGrantThatIsNotTaken(t *testing.T) {
	t.Parallel()

	const exchange = "urn:ietf:params:oauth:grant-type:token-exchange"

	for name, test := range map[string]struct {
		edit func(r *oauth.Request)
		date time.Time
		want string
	}{
		"an assertion": {
			edit: func(r *oauth.Request) { r.Assertion = &oauth.Assertion{Key: ellipticKey(t).key} },
			want: "Check jwtBearer: that the provider knows the public key by the same key ID, and takes its issuer, subject and audience.",
		},
		"an assertion of a clock that is behind": {
			edit: func(r *oauth.Request) { r.Assertion = &oauth.Assertion{Key: ellipticKey(t).key} },
			date: start.Add(31 * time.Second),
			want: "The clock here is behind that of the endpoint, so that assertions look expired: correct it. Check jwtBearer: " +
				"that the provider knows the public key by the same key ID, and takes its issuer, subject and audience.",
		},
		"an assertion of a clock that is ahead": {
			edit: func(r *oauth.Request) { r.Assertion = &oauth.Assertion{Key: ellipticKey(t).key} },
			date: start.Add(-31 * time.Second),
			want: "The clock here is ahead of that of the endpoint, so that assertions look as if made in the future: correct it. " +
				"Check jwtBearer: that the provider knows the public key by the same key ID, and takes its issuer, subject and audience.",
		},
		"a token to exchange": {
			edit: func(r *oauth.Request) { r.GrantType = exchange },
			want: "Check tokenExchange: the provider has to trust who issued its tokens, they have to be meant for it, and may " +
				"not have expired.",
		},
		"a clock that is behind, where nothing was signed": {
			edit: func(r *oauth.Request) { r.GrantType = "password" },
			date: start.Add(time.Hour),
			want: "What the grant rests on is no longer valid, or belongs to another client.",
		},
		"a refresh token": {
			edit: func(r *oauth.Request) { r.GrantType = refreshGrant },
			want: "The refresh token has expired, was revoked or used up, or belongs to another client. A person has to " +
				"authorize the client again.",
		},
		"a code": {
			edit: func(r *oauth.Request) { r.GrantType = codeGrant },
			want: "The code has expired, which may take only seconds, was used before, or was issued for another client, " +
				"redirect URI or code verifier. Log in again.",
		},
		"a device code": {
			edit: func(r *oauth.Request) { r.GrantType = deviceGrant },
			want: "The device code has expired, was used before, or was issued for another client. Log in again.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if test.date.IsZero() {
				test.date = start.Add(30 * time.Second)
			}

			server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", test.date.Format(http.TimeFormat))
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			})
			request := newRequest(server)
			request.GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
			test.edit(&request)

			answer, err := newClient(t).Token(t.Context(), request)

			if e := failure(t, answer, err); !strings.HasSuffix(e.Error(), "). "+test.want) {
				t.Errorf("got %s, want %s", e, test.want)
			}
		})
	}
}

func TestWhatToDoAboutARefreshTokenWithoutACode(t *testing.T) {
	t.Parallel()

	server, _ := serve(t, reply(http.StatusUnauthorized, `{"message":"Unauthorized"}`))
	request := newRequest(server)
	request.GrantType = refreshGrant
	request.Response = found(map[oauth.Name]any{oauth.NameAccessToken: nil, oauth.NameError: "401"})

	const want = `(HTTP status 401, error "401"). The refresh token has expired, was revoked or used up, or belongs to ` +
		"another client. A person has to authorize the client again."

	answer, err := newClient(t).Token(t.Context(), request)

	if e := failure(t, answer, err); !strings.HasSuffix(e.Error(), want) || e.Kind != oauth.KindRejected {
		t.Errorf("got %s, want %s", e, want)
	}
}
