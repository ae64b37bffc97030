package standin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

var opaque = regexp.MustCompile(`[A-Za-z0-9_-]{60,}`)

// masked is the body with the token replaced.
func (a answer) masked() string {
	return opaque.ReplaceAllString(a.text, "TOKEN")
}

func expectHeader(t *testing.T, response answer, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := response.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

func TestSyncronexAnswersByteForByte(t *testing.T) {
	response := token(t, standin.NewSyncronex(syncronexOptions()), post(id, secret, tenant))
	if response.status != http.StatusOK {
		t.Errorf("status %d", response.status)
	}
	expectHeader(t, response, map[string]string{
		"Content-Type":  "application/json;charset=UTF-8",
		"Cache-Control": "no-cache",
		"Pragma":        "no-cache",
		"Expires":       "-1",
		"Date":          "Thu, 01 Dec 2022 19:59:20 GMT",
	})
	want := `{"access_token":"TOKEN","token_type":"bearer","expires_in":1199,` +
		`".issued":"Thu, 01 Dec 2022 19:59:20 GMT",".expires":"Thu, 01 Dec 2022 20:19:20 GMT"}`
	if got := response.masked(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSyncplicityAnswersByteForByte(t *testing.T) {
	server := standin.NewSyncplicity(syncplicityOptions())
	response := token(t, server, rawBasic(id, secret), header("Sync-App-Token", app), parameter("scope", "read readwrite"))
	if response.status != http.StatusOK {
		t.Errorf("status %d", response.status)
	}
	expectHeader(t, response, map[string]string{"Content-Type": "application/json"})
	want := `{
  "refresh_token_expires_in" : "0",
  "api_product_list" : "[Syncplicity]",
  "organization_id" : "0",
  "organization_name" : "syncplicity",
  "user_company_id" : "c0ffee00-0000-4000-8000-000000000001",
  "user_id" : "c0ffee00-0000-4000-8000-000000000002",
  "user_email" : "admin@example.com",
  "token_type" : "BearerToken",
  "issued_at" : "1669924760750",
  "client_id" : "app_acme_news_prod",
  "access_token" : "TOKEN",
  "application_name" : "c0ffee00-0000-4000-8000-000000000003",
  "scope" : "read readwrite",
  "expires_in" : "5099",
  "refresh_count" : "0",
  "status" : "approved"
}`
	if got := response.masked(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOAuthAnswersByteForByte(t *testing.T) {
	server := standin.NewOAuth(standin.Options{Clients: map[string]string{id: secret, "public": ""}, Clock: fixed})
	want := `{"access_token":"TOKEN","token_type":"Bearer","expires_in":3600,"scope":"read"}`
	for name, how := range map[string]edit{
		"client_secret_basic": encodedBasic(),
		"client_secret_post":  post(id, secret, "read"),
		"none":                parameter("client_id", "public"),
	} {
		t.Run(name, func(t *testing.T) {
			response := token(t, server, how, parameter("scope", "read"))
			expectHeader(t, response, map[string]string{
				"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
			})
			if got := response.masked(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestExpiresInNeverReachesZero(t *testing.T) {
	for lifetime, want := range map[time.Duration]int64{
		time.Millisecond:        1,
		time.Second:             1,
		1500 * time.Millisecond: 1,
		2 * time.Second:         1,
		2500 * time.Millisecond: 2,
		10 * time.Second:        9,
		20 * time.Minute:        1199,
	} {
		options := syncronexOptions()
		options.Lifetime = lifetime
		var told struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int64  `json:"expires_in"`
		}
		server := standin.NewSyncronex(options)
		if err := json.Unmarshal([]byte(token(t, server, post(id, secret, tenant)).text), &told); err != nil {
			t.Fatal(err)
		}
		if told.ExpiresIn != want {
			t.Errorf("lifetime %s: expires_in %d, want %d", lifetime, told.ExpiresIn, want)
		}
		_, expiresAt, ok := server.Check(told.AccessToken)
		if lives := max(lifetime, time.Second); !ok || !expiresAt.Equal(noon.Add(lives)) {
			t.Errorf("lifetime %s: expires at %s (%t)", lifetime, expiresAt, ok)
		}
	}
}

func TestUnusualStringsStayJSON(t *testing.T) {
	odd := "a\"b\\c\x01\u00e9\xff"
	server := standin.NewSyncplicity(standin.Options{AnyClient: func(string, string) bool { return true }})
	var told map[string]string
	response := token(t, server, rawBasic(odd, "x"), header("Sync-App-Token", app), parameter("scope", odd))
	if err := json.Unmarshal([]byte(response.text), &told); err != nil {
		t.Fatal(err)
	}
	if want := "a\"b\\c\x01\u00e9\ufffd"; told["client_id"] != want || told["scope"] != want {
		t.Errorf("client_id %q, scope %q", told["client_id"], told["scope"])
	}
}

// wrong is a bad request and what the log says of it.
type wrong struct {
	edits   []edit
	problem string
	outcome standin.Outcome
	status  int
	body    string
}

func expectRefusals(t *testing.T, server *standin.Server, cases map[string]wrong) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			response := token(t, server, c.edits...)
			if got := response.text; response.status != c.status || got != c.body {
				t.Errorf("got %d %s", response.status, got)
			}
			requests := server.Requests()
			last := requests[len(requests)-1]
			if last.Problem != c.problem || last.Outcome != c.outcome {
				t.Errorf("logged %s: %q", last.Outcome, last.Problem)
			}
		})
	}
}

func TestSyncronexRefusesInTheSameWords(t *testing.T) {
	good := post(id, secret, tenant)
	cases := map[string]wrong{
		"GET":                   {edits: []edit{good, func(r *http.Request, _ url.Values) { r.Method = http.MethodGet }}, problem: "the method is GET", outcome: standin.Malformed},
		"JSON":                  {edits: []edit{good, header("Content-Type", "application/json")}, problem: "the content type is not application/x-www-form-urlencoded", outcome: standin.Malformed},
		"another grant":         {edits: []edit{good, parameter("grant_type", "password")}, problem: "the grant type is not client_credentials", outcome: standin.Malformed},
		"a parameter twice":     {edits: []edit{good, parameter("scope", tenant, tenant)}, problem: "a parameter occurs twice", outcome: standin.Malformed},
		"Basic":                 {edits: []edit{rawBasic(id, secret), parameter("scope", tenant)}, problem: "there is an Authorization header; the secret belongs in the body", outcome: standin.Rejected},
		"no client":             {edits: []edit{parameter("scope", tenant)}, problem: "client_id is missing", outcome: standin.Rejected},
		"no secret":             {edits: []edit{post(id, "", tenant)}, problem: "client_secret is missing", outcome: standin.Rejected},
		"a wrong secret":        {edits: []edit{post(id, "guess", tenant)}, problem: "the client or its secret is wrong", outcome: standin.Rejected},
		"an unknown client":     {edits: []edit{post("who", secret, tenant)}, problem: "the client or its secret is wrong", outcome: standin.Rejected},
		"no tenant":             {edits: []edit{post(id, secret, "")}, problem: "scope, the tenant, is missing", outcome: standin.Rejected},
		"an unknown tenant":     {edits: []edit{post(id, secret, "other")}, problem: "the tenant is unknown", outcome: standin.Rejected},
		"a secret encoded once": {edits: []edit{post(id, url.QueryEscape(secret), tenant)}, problem: "the client or its secret is wrong", outcome: standin.Rejected},
	}
	for name, c := range cases {
		c.status = http.StatusBadRequest
		c.body = `{"error":"invalid_grant","error_description":"Client authentication failed"}`
		cases[name] = c
	}
	expectRefusals(t, standin.NewSyncronex(syncronexOptions()), cases)
}

func TestSyncplicityRefusesLikeApigee(t *testing.T) {
	const invalidClient = `{"ErrorCode" : "invalid_client", "Error" :"ClientId is Invalid"}`
	appToken := header("Sync-App-Token", app)
	expectRefusals(t, standin.NewSyncplicity(syncplicityOptions()), map[string]wrong{
		"no Authorization":      {[]edit{appToken}, "there is no Basic Authorization header", standin.Rejected, http.StatusUnauthorized, invalidClient},
		"the secret in a body":  {[]edit{appToken, post(id, secret, "")}, "there is no Basic Authorization header", standin.Rejected, http.StatusUnauthorized, invalidClient},
		"a wrong secret":        {[]edit{appToken, rawBasic(id, "guess")}, "the key or its secret is wrong", standin.Rejected, http.StatusUnauthorized, invalidClient},
		"a form-encoded secret": {[]edit{appToken, encodedBasic()}, "key and secret are form-encoded; they belong into the header as they are", standin.Rejected, http.StatusUnauthorized, invalidClient},
		"no app token":          {[]edit{rawBasic(id, secret)}, "Sync-App-Token is missing", standin.Rejected, http.StatusUnauthorized, invalidClient},
		"a wrong app token":     {[]edit{rawBasic(id, secret), header("Sync-App-Token", "x")}, "Sync-App-Token is wrong", standin.Rejected, http.StatusUnauthorized, invalidClient},
		"no grant type": {
			[]edit{appToken, rawBasic(id, secret), parameter("grant_type")},
			"grant_type is missing", standin.Malformed,
			http.StatusBadRequest, `{"ErrorCode" : "invalid_request", "Error" :"Required param : grant_type"}`,
		},
	})
}

func TestOAuthRefusesAsTheStandardSays(t *testing.T) {
	options := standin.Options{Clients: map[string]string{id: secret}, Scopes: []string{"read"}}
	expectRefusals(t, standin.NewOAuth(options), map[string]wrong{
		"a raw secret": {
			[]edit{rawBasic(id, "s3:cr/et+=% &?")},
			"id and secret are not form-encoded in the header", standin.Rejected,
			http.StatusUnauthorized, `{"error":"invalid_client","error_description":"client authentication failed"}`,
		},
		"two methods": {
			[]edit{encodedBasic(), post(id, secret, "read")},
			"the client authenticates twice", standin.Malformed,
			http.StatusBadRequest, `{"error":"invalid_request","error_description":"the client authenticates twice"}`,
		},
		"an unknown scope": {
			[]edit{encodedBasic(), parameter("scope", "read write")},
			"the scope is unknown", standin.Rejected,
			http.StatusBadRequest, `{"error":"invalid_scope","error_description":"the scope is unknown"}`,
		},
		"another grant": {
			[]edit{encodedBasic(), parameter("grant_type", "password")},
			"the grant type is not client_credentials", standin.Malformed,
			http.StatusBadRequest, `{"error":"unsupported_grant_type","error_description":"the grant type is not client_credentials"}`,
		},
	})
}
