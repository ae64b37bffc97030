package oauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/oauth"
)

func TestWhatMetadataSays(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", 2048)

	for name, test := range map[string]struct {
		more string
		want oauth.Metadata
	}{
		"the least": {``, oauth.Metadata{}},
		"everything": {
			`,"authorization_endpoint":"SELF/a?b=c","device_authorization_endpoint":"SELF/d","revocation_endpoint":"https://r.example.com/",` +
				`"mtls_endpoint_aliases":{"token_endpoint":"SELF/mtls","revocation_endpoint":"SELF/no"},` +
				`"token_endpoint_auth_methods_supported":["private_key_jwt","tls_client_auth",5,"of_its_own"],` +
				`"authorization_response_iss_parameter_supported":true,"jwks_uri":"x","code_challenge_methods_supported":["plain",5,"S256"]`,
			oauth.Metadata{
				AuthorizationEndpoint: "SELF/a?b=c", DeviceAuthorizationEndpoint: "SELF/d", RevocationEndpoint: "https://r.example.com/",
				MTLSTokenEndpoint: "SELF/mtls", AuthorizationResponseIssParameterSupported: true,
				TokenEndpointAuthMethods: []oauth.Method{"private_key_jwt", "tls_client_auth", "of_its_own"},
				CodeChallengeMethods:     []string{"plain", "S256"},
			},
		},
		"what cannot be used": {
			`,"authorization_endpoint":"SELF/a#b","device_authorization_endpoint":"https://x:y@id.example.com/","revocation_endpoint":7,` +
				`"mtls_endpoint_aliases":[],"token_endpoint_auth_methods_supported":"none","code_challenge_methods_supported":"S256","authorization_response_iss_parameter_supported":"true"`,
			oauth.Metadata{},
		},
		"what is no URL": {
			`,"authorization_endpoint":"/a","device_authorization_endpoint":"ftp://id.example.com/","revocation_endpoint":"https://id.example.com/` + long + `"`,
			oauth.Metadata{},
		},
		"nulls": {`,"authorization_endpoint":null,"revocation_endpoint":"","mtls_endpoint_aliases":{"token_endpoint":null}`, oauth.Metadata{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := issue(t, map[string]http.HandlerFunc{rfc8414: metadata("SELF", test.more)})

			got, err := discover(t, server, "")
			if err != nil {
				t.Fatal(err)
			}

			self := strings.NewReplacer("SELF", server.URL)
			test.want.Issuer, test.want.TokenEndpoint = server.URL, server.URL+"/token"
			test.want.AuthorizationEndpoint = self.Replace(test.want.AuthorizationEndpoint)
			test.want.DeviceAuthorizationEndpoint = self.Replace(test.want.DeviceAuthorizationEndpoint)

			if test.want.MTLSTokenEndpoint = self.Replace(test.want.MTLSTokenEndpoint); test.want.MTLSTokenEndpoint == "" {
				test.want.MTLSTokenEndpoint = test.want.TokenEndpoint
			}

			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMetadataThatCannotBeUsed(t *testing.T) {
	t.Parallel()

	const (
		exactly = ", but issuer has to be exactly the same (HTTP status 200). Check issuer, or set tokenURL instead."
		secret  = "hunter22hunter22"
	)

	none := "has no metadata, neither at " + rfc8414 + " nor at " + openID

	for name, test := range map[string]struct {
		first, second http.HandlerFunc
		want          verdict
		text          string
	}{
		"neither":           {nil, nil, unusable(""), none + " (HTTP status 404). Check issuer, or set tokenURL instead."},
		"both are refused":  {reply(401, `{"error":"invalid_client"}`), reply(403, secret), unusable(""), none + " (HTTP status 401)."},
		"another host":      {metadata("https://other.example.com/"+secret, ""), nil, unusable(""), "names another issuer, of the host other.example.com" + exactly},
		"an odd host":       {metadata("https://a\u202eb\u200b.example.com/", ""), nil, unusable(""), "of the host ab.example.com" + exactly},
		"another path":      {metadata("SELF/"+secret, ""), nil, unusable(""), "names an issuer of the same host that is spelled differently" + exactly},
		"a slash more":      {metadata("SELF/", ""), nil, unusable(""), "names an issuer with a slash at its end" + exactly},
		"no URL":            {metadata("a "+secret, ""), nil, unusable(""), "names an issuer that is not a URL" + exactly},
		"no issuer":         {reply(200, `{"token_endpoint":"SELF/token"}`), nil, unusable(""), "has no issuer (HTTP status 200)."},
		"an issuer number":  {reply(200, `{"issuer":5}`), nil, unusable(""), "has no issuer"},
		"no token endpoint": {reply(200, `{"issuer":"SELF"}`), nil, unusable(""), "has no token_endpoint"},
		"an odd endpoint":   {reply(200, `{"issuer":"SELF","token_endpoint":"https://`+secret+`@x.example.com/"}`), nil, unusable(""), "has a token_endpoint that is not an absolute https URL without userinfo and fragment"},
		"an odd alias":      {metadata("SELF", `,"mtls_endpoint_aliases":{"token_endpoint":"`+secret+`"}`), nil, unusable(""), "has a mtls_endpoint_aliases.token_endpoint that is not"},
		"nothing":           {reply(200, ``), nil, unusable(""), "has no body"},
		"a page":            {nil, reply(200, `<html>`), unusable(""), "is an HTML or XML page"},
		"an array":          {nil, reply(200, `["`+secret+`"]`), unusable(""), "is neither JSON nor form-encoded"},
		"a form":            {nil, reply(200, `error=x&issuer=y`), unusable(""), "is not valid JSON"},
		"half an object":    {nil, reply(200, `{"issuer":"`+secret), unusable(""), "is not valid JSON"},
		"what is huge":      {nil, reply(200, strings.Repeat("x", 1<<20+1)), unusable(""), "is larger than 1 MiB"},
		"what is deep":      {nil, reply(200, strings.Repeat(`{"a":`, 100)), unusable(""), "nested too deeply"},
		"a redirect":        {nil, reply(302, "", "Location: https://"+secret+"@x.example.com/"+secret), unusable(""), "answered with a redirect to https://x.example.com (HTTP status 302), which is never followed. Set issuer to"},
		"unwell":            {reply(500, secret), metadata("SELF", ""), unreachable(""), "The issuer at 127.0.0.1"},
		"then unwell":       {nil, reply(502, secret), unreachable(""), "cannot answer for now (HTTP status 502). tokensync tries again."},
		"busy":              {reply(429, secret, "Retry-After: 7"), metadata("SELF", ""), limited(7 * time.Second), "limits the number of requests"},
		"then busy":         {nil, reply(503, secret, "Retry-After: 7"), limited(7 * time.Second), "limits the number of requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			paths := map[string]http.HandlerFunc{}
			if test.first != nil {
				paths[rfc8414] = test.first
			}

			if test.second != nil {
				paths[openID] = test.second
			}

			server, received := issue(t, paths)
			m, err := discover(t, server, "")
			e := undiscovered(t, m, err)

			if diff := cmp.Diff(test.want, verdict{e.Kind, e.Class, e.Code, e.RetryAfter}); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			encoded, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}

			if !strings.Contains(e.Error(), test.text) || strings.Contains(string(encoded), "hunter22") || len([]rune(e.Error())) > 512 {
				t.Errorf("got %q, want it to contain %q", e, test.text)
			}

			for _, request := range received() {
				if request.uri != rfc8414 && request.uri != openID {
					t.Errorf("a redirect was followed to %s", request.uri)
				}
			}
		})
	}
}
