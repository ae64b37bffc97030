package standin_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

const (
	id     = "app_acme_news_prod"
	secret = "s3:cr/et+=% &?"
	tenant = "acme_news_prod"
	app    = "YXBwK3Rva2Vu/w=="
)

// noon is when the tests take place, three quarters through a second.
var noon = time.Date(2022, time.December, 1, 19, 59, 20, 750_000_000, time.UTC)

func fixed() time.Time { return noon }

// clock is a clock that tests move.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func syncronexOptions() standin.Options {
	return standin.Options{Clients: map[string]string{id: secret}, Tenants: []string{tenant}, Clock: fixed}
}

func syncplicityOptions() standin.Options {
	return standin.Options{Clients: map[string]string{id: secret}, AppTokens: []string{app}, Clock: fixed}
}

// edit changes a good request into another one.
type edit func(r *http.Request, form url.Values)

// token sends a token request to the handler. Without edits it is a bare one
// with the grant type.
func token(t *testing.T, server *standin.Server, edits ...edit) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, standin.TokenPath, nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form := url.Values{"grant_type": {"client_credentials"}}
	for _, e := range edits {
		e(r, form)
	}
	if r.Body == nil || r.Body == http.NoBody {
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// try is token for an answer that may break off.
func try(t *testing.T, server *standin.Server, edits ...edit) (response answer) {
	t.Helper()
	defer func() {
		if broken := recover(); broken != nil && broken != http.ErrAbortHandler { //nolint:errorlint // it is a value, not a chain
			panic(broken)
		}
	}()
	return token(t, server, edits...)
}

// call sends any request to the handler. A body is a form.
func call(t *testing.T, server *standin.Server, method, target, body string, edits ...edit) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, e := range edits {
		e(r, nil)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// answer is what a server answered.
type answer struct {
	status int
	header http.Header
	text   string
}

func post(id, secret, scope string) edit {
	return func(_ *http.Request, form url.Values) {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
		form.Set("scope", scope)
	}
}

func rawBasic(id, secret string) edit {
	return func(r *http.Request, _ url.Values) {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
	}
}

func encodedBasic() edit {
	return rawBasic(url.QueryEscape(id), url.QueryEscape(secret))
}

func header(name, value string) edit {
	return func(r *http.Request, _ url.Values) { r.Header.Set(name, value) }
}

func parameter(name string, values ...string) edit {
	return func(_ *http.Request, form url.Values) { form[name] = values }
}
