package engine

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"
)

// heard is a request as the provider has received it.
type heard struct {
	at     time.Time
	form   url.Values
	header http.Header
}

// provider is a token endpoint. It answers tokens named after their number, unless it was
// given another answer.
type provider struct {
	*httptest.Server

	clock *testclock.FakeClock

	mu       sync.Mutex
	requests []heard
	answer   http.HandlerFunc
}

func newProvider(t *testing.T, clock *testclock.FakeClock) *provider {
	t.Helper()
	p := &provider{clock: clock}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	p.mu.Lock()
	p.requests = append(p.requests, heard{at: p.clock.Now(), form: r.PostForm, header: r.Header})
	number, answer := len(p.requests), p.answer
	p.mu.Unlock()
	w.Header().Set("Date", p.clock.Now().Format(http.TimeFormat))
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":3600}`, number)
}

// answers has the provider answer this from now on.
func (p *provider) answers(status int, body string, header ...string) {
	p.set(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func (p *provider) set(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) heard() []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]heard(nil), p.requests...)
}
