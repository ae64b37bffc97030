package integration_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
)

// front stands before a provider and remembers what was asked, whatever the path.
type front struct {
	provider http.Handler
	// translate makes the form that the provider expects of a request that has another
	// shape; nil where there is nothing to translate.
	translate func(r *http.Request, body string) url.Values
	// amend changes a good answer; nil leaves it as it is.
	amend func(r received, answer map[string]any)

	mu  sync.Mutex
	all []received
}

// received is one request as it came.
type received struct {
	method, path string
	header       http.Header
	query        url.Values
	body         string
}

// form is the body where that is one.
func (r received) form() url.Values {
	form, _ := url.ParseQuery(r.body) // the provider complains of what is no form
	return form
}

// before serves a front of the tenant's provider until the spec ends. The tenant's
// credentials ask there from now on.
func (t *tenant) before(f *front) *front {
	GinkgoHelper()
	f.provider = t.provider
	server := httptest.NewServer(f)
	DeferCleanup(server.Close)
	t.url = server.URL + standin.TokenPath
	return f
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, _ := io.ReadAll(r.Body) // what is missing, the provider misses too
	got := received{method: r.Method, path: r.URL.Path, header: r.Header.Clone(), query: r.URL.Query(), body: string(content)}
	// The token may be published as soon as the provider has answered.
	f.mu.Lock()
	f.all = append(f.all, got)
	f.mu.Unlock()

	body := got.body
	if f.translate != nil {
		body = f.translate(r, body).Encode()
		r.Method, r.URL.RawQuery, r.ContentLength = http.MethodPost, "", int64(len(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.URL.Path, r.Body = standin.TokenPath, io.NopCloser(strings.NewReader(body))
	if f.amend == nil {
		f.provider.ServeHTTP(w, r)
		return
	}
	f.answer(w, r, got)
}

// answer answers what the provider does, amended.
func (f *front) answer(w http.ResponseWriter, r *http.Request, got received) {
	recorder := httptest.NewRecorder()
	f.provider.ServeHTTP(recorder, r)
	content := recorder.Body.Bytes()
	answer := map[string]any{}
	if recorder.Code == http.StatusOK && json.Unmarshal(content, &answer) == nil {
		f.amend(got, answer)
		content = encode(answer)
	}
	maps.Copy(w.Header(), recorder.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(content) // the client may be gone
}

// encode makes JSON of what was JSON before.
func encode(answer map[string]any) []byte {
	content, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return content
}

// requests are all that came, oldest first.
func (f *front) requests() []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]received(nil), f.all...)
}

// last is the request that came last; the zero one where none came.
func (f *front) last() received {
	all := f.requests()
	if len(all) == 0 {
		return received{}
	}
	return all[len(all)-1]
}
