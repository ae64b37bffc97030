package oauth_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

const (
	refreshGrant = "refresh_token"
	codeGrant    = "authorization_code"
	deviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
)

func TestWhatAStatusLeavesOpen(t *testing.T) {
	t.Parallel()

	for status, undecided := range map[int]bool{
		200: false, 201: false, 302: false, 400: false, 401: false, 403: false, 404: false,
		408: true, 409: false, 428: false, 429: false, 500: true, 501: true, 502: true, 503: false, 504: true, 599: true,
	} {
		for _, body := range []string{``, `{"error":"invalid_request"}`, `{"error":"temporarily_unavailable"}`, `<html>`} {
			for _, headers := range [][]string{nil, {"Retry-After: 5"}} {
				server, _ := serve(t, reply(status, body, headers...))
				request := newRequest(server)
				request.GrantType = refreshGrant

				answer, err := newClient(t).Token(t.Context(), request)

				if e := failure(t, answer, err); e.Undecided != undecided || e.Status != status || e.GrantRefused {
					t.Errorf("%d %s %v: got %t, %d, %t", status, body, headers, e.Undecided, e.Status, e.GrantRefused)
				}
			}
		}
	}
}

func TestWhatABrokenConnectionLeavesOpen(t *testing.T) {
	t.Parallel()

	hang := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	stall := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			respond(text)(conn)
			hang(conn)
		}
	}
	plain, _ := serve(t, reply(http.StatusOK, good))

	for name, test := range map[string]struct {
		url       string
		change    func(*oauth.Request)
		undecided bool
	}{
		"nobody listens":         {url: "http://127.0.0.1:1/t"},
		"no such host":           {url: "https://does-not-exist.invalid/t"},
		"an address":             {url: "http://169.254.169.254/t"},
		"no URL":                 {url: "/t"},
		"no request":             {url: plain.URL, change: func(r *oauth.Request) { r.Client.ID = "" }},
		"no handshake":           {url: "https://" + rawServer(t, hang)},
		"no TLS":                 {url: strings.Replace(plain.URL, "http:", "https:", 1)},
		"a handshake that ends":  {url: "https://" + rawServer(t, func(net.Conn) {})},
		"no answer":              {url: "http://" + rawServer(t, hang), undecided: true},
		"a connection that ends": {url: "http://" + rawServer(t, respond("")), undecided: true},
		"a reset": {
			url: "http://" + rawServer(t, func(conn net.Conn) {
				respond("")(conn)
				_ = conn.(*net.TCPConn).SetLinger(0)
			}), undecided: true,
		},
		"headers that end":   {url: "http://" + rawServer(t, respond("HTTP/1.1 200 OK\r\nX: y\r\n")), undecided: true},
		"no HTTP":            {url: "http://" + rawServer(t, respond("SSH-2.0-OpenSSH_9.9\r\n\r\n")), undecided: true},
		"half a success":     {url: "http://" + rawServer(t, respond("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")), undecided: true},
		"an endless success": {url: "http://" + rawServer(t, stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")), undecided: true},
		"a damaged success": {
			url: "http://" + rawServer(t, respond("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n{        ")), undecided: true,
		},
		"another protocol":      {url: "http://" + rawServer(t, respond("HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")), undecided: true},
		"half a refusal":        {url: "http://" + rawServer(t, respond("HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\n{"))},
		"half a 429":            {url: "http://" + rawServer(t, respond("HTTP/1.1 429 Slow\r\nContent-Length: 9\r\n\r\n{"))},
		"half a 502":            {url: "http://" + rawServer(t, respond("HTTP/1.1 502 Bad\r\nContent-Length: 9\r\n\r\n{")), undecided: true},
		"a redirect that stops": {url: "http://" + rawServer(t, respond("HTTP/1.1 302 X\r\nContent-Length: 9\r\n\r\n{"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			request := newRequest(plain)
			request.TokenURL, request.GrantType, request.Timeout = test.url, refreshGrant, time.Second

			if test.change != nil {
				test.change(&request)
			}

			answer, err := newClient(t).Token(t.Context(), request)

			if e := failure(t, answer, err); e.Undecided != test.undecided || e.GrantRefused {
				t.Errorf("got %t, %t: %s", e.Undecided, e.GrantRefused, e)
			}
		})
	}
}

// With TLS 1.3 a server refuses a certificate when the client already takes the
// handshake for done.
func TestARefusedCertificateLeavesNothingOpen(t *testing.T) {
	t.Parallel()

	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()

			certificate, _ := selfSigned(t, inTheFuture())
			request, _ := serveMutualTLS(t, &tls.Config{
				ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MaxVersion: version,
			})
			request.Client.Certificate, request.GrantType = &certificate, refreshGrant

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			// Where the alert is lost with the connection, nobody can tell.
			if e.Undecided && strings.Contains(e.Message, "refused the TLS handshake") {
				t.Errorf("undecided: %s", e)
			}

			if version == tls.VersionTLS12 && e.Undecided {
				t.Errorf("undecided within the handshake: %s", e)
			}
		})
	}
}

func TestGrantsThatAreRefused(t *testing.T) {
	t.Parallel()

	const (
		dead    = `{"error":"invalid_grant"}`
		foreign = `{"status":401,"message":"Unauthorized"}`
	)

	tokenMapped := at(map[oauth.Name]string{oauth.NameAccessToken: "result/secret"})
	errorMapped := at(map[oauth.Name]string{oauth.NameError: "status"})
	otherMapped := at(map[oauth.Name]string{oauth.NameScope: "scopes"})

	for name, test := range map[string]struct {
		grant  string
		status int
		body   string
		mapper oauth.ResponseMapper
		want   bool
	}{
		"a refresh token":                    {refreshGrant, 400, dead, nil, true},
		"a refresh token, 401":               {refreshGrant, 401, dead, nil, true},
		"a refresh token, 403":               {refreshGrant, 403, dead, nil, true},
		"a refresh token, 200":               {refreshGrant, 200, dead, nil, true},
		"a code":                             {codeGrant, 400, dead, nil, true},
		"a device code":                      {deviceGrant, 400, dead, nil, true},
		"an assertion":                       {"urn:ietf:params:oauth:grant-type:jwt-bearer", 400, dead, nil, true},
		"a client":                           {"client_credentials", 400, dead, nil, false},
		"another code":                       {refreshGrant, 400, `{"error":"invalid_client"}`, nil, false},
		"a refresh token, 429":               {refreshGrant, 429, dead, nil, false},
		"a refresh token, 408":               {refreshGrant, 408, dead, nil, false},
		"a refresh token, 500":               {refreshGrant, 500, dead, nil, false},
		"a refresh token, 503":               {refreshGrant, 503, dead, nil, false},
		"a mapped invalid_grant":             {refreshGrant, 418, `{"status":"invalid_grant"}`, errorMapped, true},
		"a page":                             {refreshGrant, 403, `<html>`, nil, false},
		"nothing":                            {refreshGrant, 403, ``, nil, false},
		"JSON of who knows what":             {refreshGrant, 403, foreign, nil, false},
		"a code of its own":                  {refreshGrant, 400, `{"error":"nope"}`, nil, false},
		"a mapped token, 400":                {refreshGrant, 400, foreign, tokenMapped, true},
		"a mapped token, 401":                {refreshGrant, 401, foreign, tokenMapped, true},
		"a mapped token, 403":                {refreshGrant, 403, foreign, tokenMapped, true},
		"a mapped token, 404":                {refreshGrant, 404, foreign, tokenMapped, false},
		"a mapped token, 402":                {refreshGrant, 402, foreign, tokenMapped, false},
		"a mapped token, 409":                {refreshGrant, 409, foreign, tokenMapped, false},
		"a mapped token, 500":                {refreshGrant, 500, foreign, tokenMapped, false},
		"a mapped token, 200":                {refreshGrant, 200, foreign, tokenMapped, false},
		"a mapped token and a known code":    {refreshGrant, 401, `{"error":"invalid_client"}`, tokenMapped, false},
		"a mapped token and a code":          {refreshGrant, 401, `{"error":"nope"}`, tokenMapped, true},
		"a mapped token and a page":          {refreshGrant, 403, `<html>`, tokenMapped, false},
		"a mapped token and nothing":         {refreshGrant, 403, ``, tokenMapped, false},
		"a mapped token and text":            {refreshGrant, 403, `Forbidden`, tokenMapped, false},
		"a mapped token and a form":          {refreshGrant, 403, `error=nope`, tokenMapped, false},
		"a mapped error":                     {refreshGrant, 401, foreign, errorMapped, true},
		"a mapped error that is known":       {refreshGrant, 401, `{"status":"invalid_client"}`, errorMapped, false},
		"a mapped error that is unwell":      {refreshGrant, 400, `{"status":"server_error"}`, errorMapped, false},
		"a mapped scope":                     {refreshGrant, 401, foreign, otherMapped, false},
		"a code, mapped":                     {codeGrant, 401, foreign, tokenMapped, true},
		"a device code, mapped":              {deviceGrant, 401, foreign, tokenMapped, true},
		"a client, mapped":                   {"client_credentials", 401, foreign, tokenMapped, false},
		"no grant, mapped":                   {"", 401, foreign, tokenMapped, false},
		"a device code that has expired":     {deviceGrant, 400, `{"error":"expired_token"}`, nil, true},
		"a device code that was declined":    {deviceGrant, 403, `{"error":"access_denied"}`, nil, true},
		"a refresh token, access_denied":     {refreshGrant, 403, `{"error":"access_denied"}`, nil, false},
		"a device code that nobody has seen": {deviceGrant, 400, `{"error":"authorization_pending"}`, tokenMapped, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(test.status, test.body))
			request := newRequest(server)
			request.GrantType, request.Response = test.grant, test.mapper

			answer, err := newClient(t).Token(t.Context(), request)

			e := failure(t, answer, err)
			if e.GrantRefused != test.want {
				t.Errorf("got %t: %s", e.GrantRefused, e)
			}

			if e.GrantRefused && e.Undecided {
				t.Error("refused and undecided")
			}
		})
	}
}

func TestGrantsThatWaitForAPerson(t *testing.T) {
	t.Parallel()

	type want struct {
		Verdict  verdict
		SlowDown time.Duration
	}

	pending := func(code string, wait, slow time.Duration) want {
		return want{verdict{oauth.KindPending, lifetime.Authorization, code, wait}, slow}
	}
	over := func(code string) want {
		return want{verdict{oauth.KindRejected, lifetime.Authorization, code, 0}, 0}
	}

	for name, test := range map[string]struct {
		grant   string
		status  int
		code    string
		headers []string
		want    want
		text    string
	}{
		"pending":             {deviceGrant, 400, "authorization_pending", nil, pending("authorization_pending", 0, 0), "waits for a person to enter the code and to approve."},
		"pending at Google":   {deviceGrant, 428, "authorization_pending", nil, pending("authorization_pending", 0, 0), "waits for a person to enter the code and to approve."},
		"pending at GitHub":   {deviceGrant, 200, "authorization_pending", nil, pending("authorization_pending", 0, 0), "waits for a person to enter the code and to approve."},
		"pending, come back":  {deviceGrant, 400, "authorization_pending", []string{"Retry-After: 7"}, pending("authorization_pending", 7*time.Second, 0), "waits for a person"},
		"slow down":           {deviceGrant, 400, "slow_down", nil, pending("slow_down", 0, 5*time.Second), "waits for a person to enter the code and to approve."},
		"slow down at GitHub": {deviceGrant, 200, "slow_down", nil, pending("slow_down", 0, 5*time.Second), "waits for a person"},
		"too many requests":   {deviceGrant, 429, "slow_down", nil, want{verdict{oauth.KindRateLimited, lifetime.Throttled, "slow_down", 0}, 0}, "limits the number"},
		"unwell":              {deviceGrant, 500, "authorization_pending", nil, want{Verdict: unreachable("authorization_pending")}, "cannot answer for now"},
		"expired":             {deviceGrant, 400, "expired_token", nil, over("expired_token"), "Nobody approved in time. Log in again to get a new code."},
		"declined":            {deviceGrant, 400, "access_denied", nil, over("access_denied"), "The person declined, or may not give this access. Log in again to ask once more."},
		"not a device":        {"client_credentials", 400, "slow_down", nil, want{Verdict: unusable("slow_down")}, "without a known OAuth error code"},
		"not a device either": {refreshGrant, 400, "expired_token", nil, want{Verdict: rejected("expired_token")}, `error "expired_token").`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(test.status, `{"error":"`+test.code+`"}`, test.headers...))
			request := newRequest(server)
			request.GrantType = test.grant

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			if diff := cmp.Diff(test.want, want{verdict{e.Kind, e.Class, e.Code, e.RetryAfter}, e.SlowDown}); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			if !strings.Contains(e.Error(), test.text) {
				t.Errorf("got %s, want %s", e, test.text)
			}
		})
	}
}

func TestIsKnownCode(t *testing.T) {
	t.Parallel()

	for code, known := range map[string]bool{
		"invalid_grant": true, "authorization_pending": true, "slow_down": true, "expired_token": true, "access_denied": true,
		"unsupported_token_type": true, "server_error": true, "401": false, "": false, "Invalid_Grant": false,
	} {
		if oauth.IsKnownCode(code) != known {
			t.Errorf("%q: got %t", code, !known)
		}
	}
}
