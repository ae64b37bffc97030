package oauth_test

import (
	"net/http"
	"testing"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// TestTheWireOfProviders has requests as the documentation of providers shows
// them. A token URL stands for what follows its path.
func TestTheWireOfProviders(t *testing.T) {
	t.Parallel()

	const jwtBearer = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"

	anybody := oauth.ClientAuthentication{Method: oauth.MethodNone}
	post := func(id string) oauth.ClientAuthentication {
		return oauth.ClientAuthentication{Method: oauth.MethodClientSecretPost, ID: id, Secret: redact.New("s+/=")}
	}
	form := func(body string, headers ...string) string {
		headers = append([]string{accept}, append(headers, asForm)...)

		return raw(http.MethodPost, "/oauth/token", len(body), headers, body)
	}
	object := func(body string, headers ...string) string {
		headers = append([]string{accept}, append(headers, asJSON)...)

		return raw(http.MethodPost, "/oauth/token", len(body), headers, body)
	}

	for name, test := range map[string]struct {
		request oauth.Request
		want    string
	}{
		"Syncplicity": {
			request: oauth.Request{
				GrantType: "client_credentials",
				Client: oauth.ClientAuthentication{
					Method: oauth.MethodClientSecretBasic, BasicEncoding: oauth.Raw, ID: "key", Secret: redact.New("s+/="),
				},
				Headers: []oauth.Field{field("Sync-App-Token", "a+b/c==")},
			},
			want: raw(http.MethodPost, "/oauth/token", 29, []string{
				accept, "Authorization: Basic a2V5OnMrLz0=", asForm, "Sync-App-Token: a+b/c==",
			}, "grant_type=client_credentials"),
		},
		"Synqly refreshes": {
			request: oauth.Request{
				Method: http.MethodPut, BodyFormat: oauth.BodyNone, Client: anybody, GrantType: "refresh_token",
				Grant:   []oauth.Field{field("refresh_token", "r3fresh")},
				Headers: []oauth.Field{field("Authorization", "Bearer r3fresh")}, Parameters: []oauth.Field{field("not", "sent")},
			},
			want: raw(http.MethodPut, "/oauth/token", 0, []string{accept, "Authorization: Bearer r3fresh"}, ""),
		},
		"Synqly mints": {
			request: oauth.Request{
				BodyFormat: oauth.BodyJSON, Client: anybody, GrantType: "client_credentials",
				OmitParameters: []string{"grant_type"},
				Headers:        []oauth.Field{field("Authorization", "Bearer t0ken")},
			},
			want: object("{}", "Authorization: Bearer t0ken"),
		},
		"Marketo": {
			request: oauth.Request{
				Method: http.MethodGet, BodyFormat: oauth.BodyQuery, GrantType: "client_credentials", Client: post("me"),
			},
			want: raw(http.MethodGet,
				"/oauth/token?grant_type=client_credentials&client_id=me&client_secret=s%2B%2F%3D", 0, []string{accept}, ""),
		},
		"Marketo, with what the documentation has in the URL": {
			request: oauth.Request{
				TokenURL: "?grant_type=x&partner_id=a%20b&client_id=",
				Method:   http.MethodGet, BodyFormat: oauth.BodyQuery, GrantType: "client_credentials", Client: post("me"),
			},
			want: raw(http.MethodGet,
				"/oauth/token?partner_id=a%20b&grant_type=client_credentials&client_id=me&client_secret=s%2B%2F%3D", 0,
				[]string{accept}, ""),
		},
		"Auth0": {
			request: oauth.Request{
				BodyFormat: oauth.BodyJSON, GrantType: "client_credentials", Client: post("me"),
				Audiences: []string{"https://api.example.com/"},
			},
			want: object(`{"grant_type":"client_credentials","audience":"https://api.example.com/",` +
				`"client_id":"me","client_secret":"s+/="}`),
		},
		"Zendesk": {
			request: oauth.Request{
				BodyFormat: oauth.BodyJSON, GrantType: "client_credentials", Client: post("me"),
				Scopes:     []string{"tickets:read", "users:read"},
				Parameters: []oauth.Field{field("expires_in", "172800")},
			},
			want: object(`{"grant_type":"client_credentials","scope":"tickets:read users:read","client_id":"me",` +
				`"client_secret":"s+/=","expires_in":"172800"}`),
		},
		"Google, an assertion": {
			request: oauth.Request{
				GrantType: "urn:ietf:params:oauth:grant-type:jwt-bearer", Client: anybody,
				Assertion: &oauth.Assertion{
					Key: rsaKey(t).key, Issuer: "robot@example.iam.gserviceaccount.com",
					Claims: map[string]any{"scope": "https://www.googleapis.com/auth/cloud-platform"},
				},
			},
			want: form("grant_type=" + jwtBearer + "&assertion=JWT"),
		},
		"Google STS, a token exchange": {
			request: oauth.Request{
				GrantType: "urn:ietf:params:oauth:grant-type:token-exchange", Client: anybody,
				Grant: []oauth.Field{
					field("subject_token", "s.ubjec.t"),
					field("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
					field("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
				},
				Scopes:    []string{"https://www.googleapis.com/auth/cloud-platform"},
				Audiences: []string{"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"},
			},
			want: form("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=s.ubjec.t" +
				"&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt" +
				"&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token" +
				"&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform" +
				"&audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations%2Fglobal%2FworkloadIdentityPools%2Fp%2Fproviders%2Fx"),
		},
		"Zoom": {
			request: oauth.Request{
				GrantType: "account_credentials",
				Client: oauth.ClientAuthentication{
					Method: oauth.MethodClientSecretBasic, ID: "me", Secret: redact.New("s3cret"),
				},
				Parameters: []oauth.Field{field("account_id", "acc-1"), field("token_index", "2")},
			},
			want: form("grant_type=account_credentials&account_id=acc-1&token_index=2", "Authorization: Basic bWU6czNjcmV0"),
		},
		"Adobe": {
			request: oauth.Request{
				GrantType: "client_credentials", Client: post("me"), Scopes: []string{"openid", "AdobeID"}, ScopeSeparator: ",",
			},
			want: form("grant_type=client_credentials&scope=openid%2CAdobeID&client_id=me&client_secret=s%2B%2F%3D"),
		},
		"Entra ID, a ServiceAccount's token": {
			request: oauth.Request{
				GrantType: "client_credentials", Scopes: []string{"https://graph.microsoft.com/.default"},
				Client: oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, ID: "app", Token: redact.New("t.o.k")},
			},
			want: form("grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_id=app" +
				"&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=t.o.k"),
		},
		"WeChat, with names of its own": {
			request: oauth.Request{
				BodyFormat: oauth.BodyJSON, GrantType: "client_credential", Client: anybody,
				Parameters: []oauth.Field{field("appid", "wx"), field("secret", "s3cret")},
			},
			want: object(`{"grant_type":"client_credential","appid":"wx","secret":"s3cret"}`),
		},
		"a password": {
			request: oauth.Request{
				GrantType: "password", Client: post("me"),
				Grant: []oauth.Field{field("username", "j@example.com"), field("password", "p&w")},
			},
			want: form("grant_type=password&username=j%40example.com&password=p%26w&client_id=me&client_secret=s%2B%2F%3D"),
		},
		"an ID that is not wanted": {
			request: oauth.Request{
				GrantType: "password", Client: post("me"), OmitParameters: []string{"grant_type", "client_id", "username", "nonesuch"},
				Grant:      []oauth.Field{field("username", "j"), field("password", "p")},
				Parameters: []oauth.Field{field("grant_type", "login"), field("password", "q")},
			},
			want: form("client_secret=s%2B%2F%3D&grant_type=login&password=q"),
		},
		"nothing but what the URL has": {
			request: oauth.Request{TokenURL: "?a", BodyFormat: oauth.BodyQuery, Client: anybody},
			want:    raw(http.MethodPost, "/oauth/token?a", 0, []string{accept}, ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			checkWire(t, test.want, test.request)
		})
	}
}
