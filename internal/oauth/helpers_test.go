package oauth_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// loopbackAllowed is what the tests' servers need.
func loopbackAllowed() *egress.Policy {
	return egress.NewPolicy(egress.Options{Allow: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}})
}

// sevens is a random source that always gives the same.
type sevens struct{}

func (sevens) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}

	return len(p), nil
}

// newClient returns a client for servers on this machine, with a clock that
// stands still.
func newClient(t *testing.T) *oauth.Client {
	t.Helper()

	c := oauth.NewClient(oauth.Options{
		Egress: loopbackAllowed(), AllowInsecureHTTP: true, Now: func() time.Time { return start }, Random: sevens{},
	})
	t.Cleanup(c.CloseIdleConnections)

	return c
}

// newRequest returns a request that is good for the server.
func newRequest(server *httptest.Server) oauth.Request {
	return oauth.Request{
		TokenURL:  server.URL + "/oauth/token",
		GrantType: "client_credentials",
		Client: oauth.ClientAuthentication{
			Method: oauth.MethodClientSecretBasic, ID: "client", Secret: redact.New("hunter22hunter22"),
		},
		Timeout: 10 * time.Second,
	}
}

// sent is what a server received.
type sent struct {
	method, uri, body string
	header            http.Header
	form              url.Values
}

// serve starts a server that notes what it receives and answers with handle.
func serve(t *testing.T, handle http.HandlerFunc) (*httptest.Server, func() []sent) {
	t.Helper()

	var (
		mu       sync.Mutex
		requests []sent
	)

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}

		var form url.Values

		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			if form, err = url.ParseQuery(string(body)); err != nil {
				t.Error(err)
			}
		}

		mu.Lock()
		requests = append(requests, sent{r.Method, r.RequestURI, string(body), r.Header, form})
		mu.Unlock()

		handle(w, r)
	}))
	t.Cleanup(server.Close)

	return server, func() []sent {
		mu.Lock()
		defer mu.Unlock()

		return requests
	}
}

// reply answers with a status, a body, and headers given as "Name: value".
func reply(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header()["Date"] = nil

		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			w.Header().Set(name, value)
		}

		w.WriteHeader(status)

		if _, err := io.WriteString(w, body); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

const good = `{"access_token":"t0ken","token_type":"bearer","expires_in":3600}`

// failure returns the *Error in err.
func failure(t *testing.T, answer *oauth.Answer, err error) *oauth.Error {
	t.Helper()

	var e *oauth.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, %v, want an *Error", answer, err)
	}

	if answer != nil {
		t.Errorf("an answer beside the error: %v", answer)
	}

	return e
}

// decode reads a JSON object.
func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()

	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}

	return object
}
