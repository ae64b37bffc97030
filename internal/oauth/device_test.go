package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const deviceCode = "d3viceCODEd3viceCODE"

// deviceAnswer is a good answer with further members, which may replace those
// here.
func deviceAnswer(more string) string {
	return `{"device_code":"` + deviceCode + `","user_code":"WDJB-MJHT","verification_uri":"https://id.example.com/device"` + more + `}`
}

// newDeviceRequest returns a request that is good for the server.
func newDeviceRequest(server *httptest.Server) oauth.Request {
	request := newRequest(server)
	request.TokenURL, request.GrantType = server.URL+"/device", ""

	return request
}

// noDevice returns the *Error of a request for a device code.
func noDevice(t *testing.T, device *oauth.DeviceAuthorization, err error) *oauth.Error {
	t.Helper()

	var e *oauth.Error
	if !errors.As(err, &e) || device != nil {
		t.Fatalf("got %v, %v, want an *Error", device, err)
	}

	return e
}

func TestDeviceAuthorizations(t *testing.T) {
	t.Parallel()

	type want struct {
		UserCode, URI, Complete string
		ExpiresIn, Interval     time.Duration
	}

	usual := func(change func(*want)) want {
		w := want{UserCode: "WDJB-MJHT", URI: "https://id.example.com/device", ExpiresIn: 15 * time.Minute, Interval: 5 * time.Second}
		if change != nil {
			change(&w)
		}

		return w
	}
	times := func(life, interval time.Duration) want {
		return usual(func(w *want) { w.ExpiresIn, w.Interval = life, interval })
	}

	for name, test := range map[string]struct {
		body string
		want want
	}{
		"the least": {deviceAnswer(""), usual(nil)},
		"RFC 8628": {
			deviceAnswer(`,"verification_uri_complete":"https://id.example.com/device?user_code=WDJB-MJHT","expires_in":1800,"interval":6`),
			want{"WDJB-MJHT", "https://id.example.com/device", "https://id.example.com/device?user_code=WDJB-MJHT", 30 * time.Minute, 6 * time.Second},
		},
		"Google": {
			`{"device_code":"` + deviceCode + `","user_code":"GQVQ-JKEC","verification_url":"https://www.google.com/device","expires_in":1800,"interval":5}`,
			want{"GQVQ-JKEC", "https://www.google.com/device", "", 30 * time.Minute, 5 * time.Second},
		},
		"a fragment": {
			deviceAnswer(`,"verification_uri_complete":"https://id.example.com/start/#/device?user_code=A"`),
			usual(func(w *want) { w.Complete = "https://id.example.com/start/#/device?user_code=A" }),
		},
		"http, which this client permits": {
			deviceAnswer(`,"verification_uri":"http://id.example.com/"`), usual(func(w *want) { w.URI = "http://id.example.com/" }),
		},
		"white space around the code": {deviceAnswer(`,"user_code":" AB CD "`), usual(func(w *want) { w.UserCode = "AB CD" })},
		"numbers as text":             {deviceAnswer(`,"expires_in":"600","interval":"7"`), times(10*time.Minute, 7*time.Second)},
		"fractions":                   {deviceAnswer(`,"expires_in":1.5,"interval":1.5`), times(1500*time.Millisecond, 1500*time.Millisecond)},
		"too long":                    {deviceAnswer(`,"expires_in":86400,"interval":3600`), times(time.Hour, time.Minute)},
		"far too long":                {deviceAnswer(`,"expires_in":92233720368547758079,"interval":1e300`), times(time.Hour, time.Minute)},
		"too short":                   {deviceAnswer(`,"expires_in":0.1,"interval":0.1`), times(time.Second, time.Second)},
		"zero":                        {deviceAnswer(`,"expires_in":0,"interval":0`), times(15*time.Minute, 5*time.Second)},
		"negative":                    {deviceAnswer(`,"expires_in":-1,"interval":-1`), times(15*time.Minute, 5*time.Second)},
		"nonsense":                    {deviceAnswer(`,"expires_in":"NaN","interval":[]`), times(15*time.Minute, 5*time.Second)},
		"a complete URL of nobody":    {deviceAnswer(`,"verification_uri_complete":"javascript:alert(1)"`), usual(nil)},
		"a complete URL with a name":  {deviceAnswer(`,"verification_uri_complete":"https://id.example.com@evil.example.com/"`), usual(nil)},
		"a complete URL with the code": {
			deviceAnswer(`,"verification_uri_complete":"https://id.example.com/?c=` + deviceCode + `"`), usual(nil),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(200, test.body))

			got, err := newClient(t).DeviceAuthorization(t.Context(), newDeviceRequest(server))
			if err != nil {
				t.Fatal(err)
			}

			shown := want{got.UserCode, got.VerificationURI, got.VerificationURIComplete, got.ExpiresIn, got.Interval}
			if diff := cmp.Diff(test.want, shown); diff != "" {
				t.Error(diff)
			}

			if got.DeviceCode.Reveal() != deviceCode || !got.Sent.Equal(start) || strings.Contains(fmt.Sprintf("%+v %#v", *got, got), "CODEd3v") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAnswersThatAreNoDeviceAuthorization(t *testing.T) {
	t.Parallel()

	const secret = "hunter22hunter22"

	uri := func(uri string) http.HandlerFunc { return reply(200, deviceAnswer(`,"verification_uri":"`+uri+`"`)) }
	check := " Check that deviceAuthorizationURL is the device authorization endpoint."
	odd := "has a verification_uri that is not an absolute https URL, or cannot be shown"
	busy := verdict{oauth.KindRateLimited, lifetime.Throttled, "", 7 * time.Second}

	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   verdict
		text   string
	}{
		"no device code":       {reply(200, `{"user_code":"A","verification_uri":"https://id.example.com/"}`), unusable(""), "has no device_code (HTTP status 200)." + check},
		"an odd device code":   {reply(200, deviceAnswer(`,"device_code":"a\nb"`)), unusable(""), "has no device_code"},
		"no user code":         {reply(200, deviceAnswer(`,"user_code":""`)), unusable(""), "has no user_code"},
		"a user code number":   {reply(200, deviceAnswer(`,"user_code":5`)), unusable(""), "has no user_code"},
		"an odd user code":     {reply(200, deviceAnswer(`,"user_code":"a\u202eb"`)), unusable(""), "has a user_code that cannot be shown"},
		"a long user code":     {reply(200, deviceAnswer(`,"user_code":"`+strings.Repeat("x", 257)+`"`)), unusable(""), "has a user_code that cannot be shown"},
		"the code for show":    {reply(200, deviceAnswer(`,"user_code":"`+deviceCode+`"`)), unusable(""), "has a user_code that cannot be shown"},
		"the secret for show":  {reply(200, deviceAnswer(`,"user_code":"`+secret+`"`)), unusable(""), "has a user_code that cannot be shown"},
		"no page":              {reply(200, `{"device_code":"x","user_code":"A"}`), unusable(""), "has no verification_uri"},
		"a path":               {uri("/device"), unusable(""), odd},
		"a script":             {uri("javascript:alert(1)"), unusable(""), odd},
		"a file":               {uri("file:///etc/passwd"), unusable(""), odd},
		"a name":               {uri("https://id.example.com@evil.example.com/"), unusable(""), odd},
		"a space":              {uri("https://id.example.com/ x"), unusable(""), odd},
		"a quote":              {uri("https://id.example.com/\\\"x"), unusable(""), odd},
		"a direction":          {uri("https://id.example.com/\u202ex"), unusable(""), odd},
		"a page without end":   {uri("https://id.example.com/" + strings.Repeat("x", 256)), unusable(""), odd},
		"a page with the code": {uri("https://id.example.com/" + deviceCode), unusable(""), odd},
		"a number":             {reply(200, deviceAnswer(`,"verification_uri":5`)), unusable(""), odd},
		"a token":              {reply(200, good), unusable(""), "has no device_code"},
		"a page of HTML":       {reply(200, `<html>`), unusable(""), "is an HTML or XML page (HTTP status 200)." + check},
		"nothing":              {reply(200, ``), unusable(""), "has no body"},
		"an error in a 200":    {reply(200, `{"error":"device_flow_disabled"}`), unusable("device_flow_disabled"), `has no device_code (HTTP status 200, error "device_flow_disabled").`},
		"a known one in a 200": {reply(200, `{"error":"invalid_scope"}`), rejected("invalid_scope"), "The device authorization endpoint at 127.0.0.1"},
		"invalid_client":       {reply(401, `{"error":"invalid_client"}`), rejected("invalid_client"), "Check the client ID, the client secret"},
		"unauthorized_client":  {reply(400, `{"error":"unauthorized_client"}`), rejected("unauthorized_client"), "may use the grant type " + deviceGrant},
		"pending":              {reply(400, `{"error":"authorization_pending"}`), unusable("authorization_pending"), "without a known OAuth error code"},
		"not found":            {reply(404, `<html>`), unusable(""), "Check deviceAuthorizationURL."},
		"a redirect":           {reply(302, ``, "Location: https://id.example.com/"), unusable(""), "Set deviceAuthorizationURL to where it really is."},
		"unwell":               {reply(500, ``), unreachable(""), "cannot answer for now"},
		"busy":                 {reply(503, ``, "Retry-After: 7"), busy, "limits the number of requests"},
		"the code in an error": {reply(400, `{"error":"x","error_description":"`+deviceCode+`","device_code":"`+deviceCode+`"}`), unusable("x"), redact.Marker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, test.handle)
			device, err := newClient(t).DeviceAuthorization(t.Context(), newDeviceRequest(server))
			e := noDevice(t, device, err)

			if diff := cmp.Diff(test.want, verdict{e.Kind, e.Class, e.Code, e.RetryAfter}); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			if !strings.Contains(e.Error(), test.text) || strings.Contains(fmt.Sprintf("%+v", *e), deviceCode) {
				t.Errorf("got %s, want %s", e, test.text)
			}

			if e.GrantRefused || len(received()) != 1 {
				t.Error("refused, or not asked once")
			}
		})
	}
}

func TestPagesAreSecure(t *testing.T) {
	t.Parallel()

	server, own := serveTLS(t, nil)
	server.Config.Handler = reply(200, deviceAnswer(`,"verification_uri":"http://id.example.com/"`))

	client := oauth.NewClient(oauth.Options{Egress: loopbackAllowed(), Now: func() time.Time { return start }, Random: sevens{}})
	t.Cleanup(client.CloseIdleConnections)

	request := newDeviceRequest(server)
	request.CABundle = own

	device, err := client.DeviceAuthorization(t.Context(), request)

	if e := noDevice(t, device, err); !strings.Contains(e.Error(), "has a verification_uri that is not an absolute https URL") {
		t.Errorf("got %s", e)
	}
}

func TestWhatADeviceEndpointIsSent(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(200, deviceAnswer("")))
	request := newDeviceRequest(server)
	request.GrantType, request.Grant = deviceGrant, []oauth.Field{field("device_code", "old")}
	request.Client.Method = oauth.MethodClientSecretPost
	request.Scopes, request.Audiences, request.Resources = []string{"a", "b"}, []string{"x"}, []string{"urn:y"}
	request.Headers = []oauth.Field{field("X-Tenant", "acme")}
	request.Parameters = []oauth.Field{field("more", "1")}
	request.OmitParameters = []string{"client_secret"}
	// What a provider maps is for its tokens.
	request.Response = found(map[oauth.Name]any{oauth.NameSucceeded: false, oauth.NameError: "nope"})

	if _, err := newClient(t).DeviceAuthorization(t.Context(), request); err != nil {
		t.Fatal(err)
	}

	got := received()[0]
	if want := "scope=a+b&audience=x&resource=urn%3Ay&client_id=client&more=1"; got.body != want || got.uri != "/device" ||
		got.method != http.MethodPost || got.header.Get("X-Tenant") != "acme" || got.header.Get("Authorization") != "" {
		t.Errorf("got %s %s %s %v", got.method, got.uri, got.body, got.header)
	}

	if len(request.OmitParameters) != 1 {
		t.Error("the caller's list was changed")
	}
}

func TestDeviceErrorsAreMapped(t *testing.T) {
	t.Parallel()

	for _, status := range []int{200, 400} {
		server, _ := serve(t, reply(status, `{"fault":{"code":"E7"}}`))
		request := newDeviceRequest(server)
		request.Response = at(map[oauth.Name]string{oauth.NameError: "fault/code"})

		device, err := newClient(t).DeviceAuthorization(t.Context(), request)

		if e := noDevice(t, device, err); e.Kind != oauth.KindRejected || e.Code != "E7" || e.GrantRefused {
			t.Errorf("%d: got %+v", status, e)
		}
	}
}

func TestADeviceEndpointThatMayNotBeAsked(t *testing.T) {
	t.Parallel()

	for url, want := range map[string]string{
		"":                            "deviceAuthorizationURL is not an absolute https URL.",
		"https://a@id.example.com/":   "deviceAuthorizationURL holds a user name or a password.",
		"http://169.254.169.254/":     "The host 169.254.169.254 of deviceAuthorizationURL leads to a cloud metadata address",
		"https://id.example.invalid/": "The host name of the device authorization endpoint at id.example.invalid is not known",
	} {
		request := oauth.Request{TokenURL: url, Client: oauth.ClientAuthentication{Method: oauth.MethodNone, ID: "me"}}
		device, err := newClient(t).DeviceAuthorization(t.Context(), request)

		// Where there is no DNS at all, no name is unknown to it.
		e := noDevice(t, device, err)
		if !strings.Contains(e.Error(), want) && e.Kind != oauth.KindUnreachable || e.Undecided {
			t.Errorf("%s: got %s", url, e)
		}
	}
}
