package conformance

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/eventually"
)

// front stands before the token endpoint, and can get in the way of the next request.
type front struct {
	// URL is the token endpoint as the operator sees it.
	URL string

	forward http.Handler
	// What is in hold has the next request not get further, until its client is gone, and
	// came tells of it; what is in lose has the next answer get lost.
	hold, came, lose chan struct{}
}

// newFront stands before the token endpoint of a server until the test ends.
func newFront(t *testing.T, tokenURL string) *front {
	t.Helper()
	target, err := url.Parse(tokenURL)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{
		forward: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL, r.Out.Host = target, target.Host }},
		came:    make(chan struct{}, 1), hold: make(chan struct{}, 1), lose: make(chan struct{}, 1),
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-f.hold: // Its client is gone before the server hears of it.
		_, _ = io.Copy(io.Discard, r.Body) // Until then nobody here would notice.
		f.came <- struct{}{}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case <-f.lose:
		f.forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	default:
		f.forward.ServeHTTP(w, r)
	}
}

// through has a credential ask for tokens at the front.
func (f *front) through(o *office, spec string) string {
	endpoints := `{tokenURL: "` + f.URL + `", authorizationURL: "` + o.server.Issuer + `/auth"}`
	return strings.Replace(spec, `{issuer: "${ISSUER}"}`, endpoints, 1)
}

// asksAgain kills the operator while its request is on the way to the server: the refresh
// token that it has sent was never spent.
func asksAgain(t *testing.T, o *office) {
	t.Helper()
	f := newFront(t, o.server.TokenURL)
	o.declare(t, "halfway", f.through(o, byCode))
	o.waitFor(t, waitsForAPerson, "halfway")
	o.logIn(t, "halfway", byCode)
	o.waitFor(t, isReady, "halfway")
	before := o.record(t, "halfway").Chain.Generation
	f.hold <- struct{}{}
	o.askFor(t, "halfway")
	select {
	case <-f.came:
	case <-time.After(time.Minute):
		t.Fatal("the operator does not ask")
	}
	if o.record(t, "halfway").Attempt == nil {
		t.Error("nothing was written down before the refresh token was sent")
	}
	o.kill(t)
	o.startOperator(t)
	eventually.Holds(t, "the refresh was repeated", func() bool {
		record := o.record(t, "halfway")
		return record.Attempt == nil && record.Chain.Generation == before+1
	})
	o.waitFor(t, isReady, "halfway")
	o.refreshed(t, "halfway")
}

// tells has an answer get lost. This server knows no grace: what was asked for twice is
// taken for stolen, so that all that is left is to say so.
func tells(t *testing.T, o *office) {
	t.Helper()
	f := newFront(t, o.server.TokenURL)
	o.declare(t, "lost", f.through(o, byCode))
	o.waitFor(t, waitsForAPerson, "lost")
	o.logIn(t, "lost", byCode)
	o.waitFor(t, isReady, "lost")
	before := o.counts(t)
	f.lose <- struct{}{}
	o.askFor(t, "lost")
	eventually.Holds(t, "it is told that the refresh token is lost", func() bool {
		failed := o.credential(t, "lost").Status.LastFailure
		return failed != nil && failed.Reason == v1alpha1.ReasonRefreshTokenLost && strings.Contains(failed.Message, "kubectl tokensync login lost")
	})
	if after := o.counts(t); after.Reused != before.Reused+1 {
		t.Errorf("the server has counted %+v, and before that %+v", after, before)
	}
}
