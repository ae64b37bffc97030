package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2030, 1, 2, 3, 4, 5, 600_000_000, time.UTC)

const secret = "s3cr3t-token"

// service is an endpoint that serves on 127.0.0.1 until the test ends.
type service struct {
	current *sidecar.Current
	clock   *testclock.FakeClock
	log     *bytes.Buffer
	base    string
}

func serve(t *testing.T) *service {
	t.Helper()
	s := &service{current: sidecar.NewCurrent(), clock: testclock.NewFakeClock(start), log: &bytes.Buffer{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.base = "http://" + listener.Addr().String()
	e := New(Options{Current: s.current, TokenKey: "access_token", Clock: s.clock, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if strings.Contains(s.log.String(), secret) {
			t.Error("the token is in the log")
		}
	})
	return s
}

// offer makes a token the newest.
func (s *service) offer(t *testing.T, data map[string]string, life lifetime.Token) {
	t.Helper()
	values := map[string][]byte{}
	for key, value := range data {
		values[key] = []byte(value)
	}
	set, ok := sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"}.Set(values, life)
	if !ok || !s.current.Offer(set) {
		t.Fatal("the set was not taken")
	}
}

// ask makes a request with the header and those given; an empty value takes one away.
func (s *service) ask(t *testing.T, method, target string, headers map[string]string) (reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.base+target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"Tokensync": "true"}
	maps.Copy(all, headers)
	for name, value := range all {
		switch {
		case name == "Host":
			request.Host = value
		case value != "" || name != "Tokensync":
			request.Header[name] = []string{value}
		}
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: response.StatusCode, header: response.Header, length: response.ContentLength}, string(body)
}

// reply is an answer without its body.
type reply struct {
	status int
	header http.Header
	length int64
}

func TestTheToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		data map[string]string
		life lifetime.Token
		want string
	}{
		"all that is known": {
			map[string]string{"access_token": secret, "token_type": "DPoP", "other": "o"},
			lifetime.Token{IssuedAt: start, ExpiresAt: start.Add(time.Hour).Truncate(time.Second)},
			`{"access_token":"s3cr3t-token","token_type":"DPoP","expires_at":"2030-01-02T04:04:05Z","expires_in":3599}`,
		},
		"a key in another zone": {
			map[string]string{"access_token": secret, "expires_at": "2030-01-02T05:04:06+02:00"},
			lifetime.Token{},
			`{"access_token":"s3cr3t-token","token_type":"Bearer","expires_at":"2030-01-02T03:04:06Z","expires_in":0}`,
		},
		"no end": {
			map[string]string{"access_token": secret},
			lifetime.Token{IssuedAt: start},
			`{"access_token":"s3cr3t-token","token_type":"Bearer"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.offer(t, test.data, test.life)
			response, body := s.ask(t, http.MethodGet, "/token", nil)
			if response.status != http.StatusOK || body != test.want+"\n" {
				t.Errorf("%d %s, want %s", response.status, body, test.want)
			}
			for header, want := range map[string]string{
				"Cache-Control": "no-store", "Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
			} {
				if got := response.header.Get(header); got != want {
					t.Errorf("%s: %q", header, got)
				}
			}

			head, nothing := s.ask(t, http.MethodHead, "/token", nil)
			if head.status != http.StatusOK || nothing != "" || head.length != int64(len(body)) {
				t.Errorf("HEAD: %d, %d bytes announced, %q", head.status, head.length, nothing)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.offer(t, map[string]string{"access_token": secret}, lifetime.Token{})
	for name, test := range map[string]struct {
		method, target string
		headers        map[string]string
		status         int
		says           string
	}{
		"without the header":    {headers: map[string]string{"Tokensync": ""}, status: http.StatusForbidden, says: `Tokensync: true`},
		"with another value":    {headers: map[string]string{"Tokensync": "1"}, status: http.StatusForbidden, says: `Tokensync: true`},
		"an origin":             {headers: map[string]string{"Origin": "http://localhost"}, status: http.StatusForbidden, says: "a header Origin"},
		"the origin null":       {headers: map[string]string{"Origin": "null"}, status: http.StatusForbidden, says: "a header Origin"},
		"an empty origin":       {headers: map[string]string{"Origin": ""}, status: http.StatusForbidden, says: "a header Origin"},
		"forwarded":             {headers: map[string]string{"Forwarded": "for=a"}, status: http.StatusForbidden, says: "a header Forwarded"},
		"forwarded for":         {headers: map[string]string{"X-Forwarded-For": "10.0.0.1"}, status: http.StatusForbidden, says: "X-Forwarded-*"},
		"forwarded host":        {headers: map[string]string{"x-forwarded-host": "a"}, status: http.StatusForbidden, says: "X-Forwarded-*"},
		"forwarded proto":       {headers: map[string]string{"X-FORWARDED-PROTO": "http"}, status: http.StatusForbidden, says: "X-Forwarded-*"},
		"forwarded, any other":  {headers: map[string]string{"X-Forwarded-Unheard-Of": ""}, status: http.StatusForbidden, says: "X-Forwarded-*"},
		"an origin, elsewhere":  {target: "/other", headers: map[string]string{"Origin": "a"}, status: http.StatusForbidden, says: "a header Origin"},
		"a preflight":           {method: http.MethodOptions, headers: map[string]string{"Origin": "a", "Tokensync": ""}, status: http.StatusForbidden, says: "a header Origin"},
		"another path":          {target: "/", status: http.StatusNotFound, says: "/token"},
		"below":                 {target: "/token/", status: http.StatusNotFound, says: "/token"},
		"POST":                  {method: http.MethodPost, status: http.StatusMethodNotAllowed, says: "GET"},
		"PUT":                   {method: http.MethodPut, status: http.StatusMethodNotAllowed, says: "GET"},
		"DELETE":                {method: http.MethodDelete, status: http.StatusMethodNotAllowed, says: "GET"},
		"OPTIONS":               {method: http.MethodOptions, status: http.StatusMethodNotAllowed, says: "GET"},
		"a name of the outside": {headers: map[string]string{"Host": "evil.test"}, status: http.StatusMisdirectedRequest, says: "127.0.0.1"},
		"a referrer is no harm": {headers: map[string]string{"Referer": "http://localhost/"}, status: http.StatusOK, says: secret},
		"a query is no harm":    {target: "/token?a=b", status: http.StatusOK, says: secret},
	} {
		if test.method == "" {
			test.method = http.MethodGet
		}
		if test.target == "" {
			test.target = "/token"
		}
		response, body := s.ask(t, test.method, test.target, test.headers)
		if response.status != test.status {
			t.Errorf("%s: %d, want %d", name, response.status, test.status)
		}
		if !strings.Contains(unquoted(body), test.says) || test.status != http.StatusOK && strings.Contains(body, secret) {
			t.Errorf("%s: %s", name, body)
		}
		if test.status == http.StatusMethodNotAllowed && response.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", name, response.header.Get("Allow"))
		}
		if test.status != http.StatusMisdirectedRequest && response.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be kept", name)
		}
		for header := range response.header {
			if strings.HasPrefix(header, "Access-Control-") {
				t.Errorf("%s: %s lets web pages in", name, header)
			}
		}
	}
}

// unquoted is the sentence of a refusal, and anything else as it is.
func unquoted(body string) string {
	var refusal failure
	if json.Unmarshal([]byte(body), &refusal) == nil && refusal.Sentence != "" {
		return refusal.Sentence
	}
	return body
}

// Two values are no value: whoever added one had not made the request.
func TestTheHeaderStandsOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.offer(t, map[string]string{"access_token": secret}, lifetime.Token{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Tokensync"] = []string{"true", "true"}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("got %d", response.StatusCode)
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	s := serve(t)
	refused := func(step, code, says string) {
		t.Helper()
		response, body := s.ask(t, http.MethodGet, "/token", nil)
		var refusal failure
		if err := json.Unmarshal([]byte(body), &refusal); err != nil {
			t.Fatalf("%s: %v: %s", step, err, body)
		}
		if response.status != http.StatusServiceUnavailable || refusal.Code != code || !strings.Contains(refusal.Sentence, says) {
			t.Errorf("%s: %d %s", step, response.status, body)
		}
		if response.header.Get("Retry-After") != "5" || response.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", step, response.header)
		}
	}
	refused("at first", "no_token", "no token yet")
	s.offer(t, map[string]string{"token": secret}, lifetime.Token{})
	refused("another key", "no_token_key", "--token-key")
	s.offer(t, map[string]string{"access_token": secret}, lifetime.Token{ExpiresAt: start.Add(time.Minute)})
	if response, _ := s.ask(t, http.MethodGet, "/token", nil); response.status != http.StatusOK {
		t.Errorf("a good token: %d", response.status)
	}
	s.clock.Step(time.Minute)
	refused("after its end", "token_expired", start.Add(time.Minute).Format(time.RFC3339))
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := serve(t)
	response, _ := s.ask(t, http.MethodGet, "/token", map[string]string{"X-Large": strings.Repeat("a", maxHeaderBytes+5<<10)})
	if response.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large header: %d", response.status)
	}
}
