package oauth_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

const (
	rfc8414 = "/.well-known/oauth-authorization-server"
	openID  = "/.well-known/openid-configuration"
)

// issue starts an issuer with a handler for each path; SELF in a text stands for
// its URL. Other paths are not found.
func issue(t *testing.T, paths map[string]http.HandlerFunc) (*httptest.Server, func() []sent) {
	t.Helper()

	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		handle := paths[r.URL.EscapedPath()]
		if handle == nil {
			handle = reply(http.StatusNotFound, "<html>")
		}

		recorder := httptest.NewRecorder()
		handle(recorder, r)

		self := strings.NewReplacer("SELF", "http://"+r.Host)
		for name, values := range recorder.Header() {
			for _, value := range values {
				w.Header().Add(name, self.Replace(value))
			}
		}

		reply(recorder.Code, self.Replace(recorder.Body.String()))(w, r)
	})
}

// metadata returns a document of the issuer, with further members.
func metadata(issuer, more string) http.HandlerFunc {
	return reply(http.StatusOK, fmt.Sprintf(`{"issuer":%q,"token_endpoint":"SELF/token"%s}`, issuer, more))
}

// discover asks the server, of which issuer is the path.
func discover(t *testing.T, server *httptest.Server, issuer string) (*oauth.Metadata, error) {
	t.Helper()

	return newClient(t).Discover(t.Context(), oauth.MetadataRequest{Issuer: server.URL + issuer, Timeout: 10 * time.Second})
}

func TestWhereMetadataIsFound(t *testing.T) {
	t.Parallel()

	failing := map[string]http.HandlerFunc{
		"401":          reply(401, `{"error":"invalid_client"}`),
		"405":          reply(405, ``),
		"a redirect":   reply(302, ``, "Location: SELF/login"),
		"a page":       reply(200, `<html>`),
		"not JSON":     reply(200, `{"issuer`),
		"a mismatch":   metadata("SELF/x", ""),
		"no endpoint":  reply(200, `{"issuer":"SELF"}`),
		"what is huge": reply(200, strings.Repeat(" ", 1<<20)+`{}`),
	}

	for name, test := range map[string]struct {
		issuer string
		paths  map[string]http.HandlerFunc
		want   []string
	}{
		"RFC 8414":                      {"", map[string]http.HandlerFunc{rfc8414: metadata("SELF", "")}, []string{rfc8414}},
		"OpenID Connect":                {"", map[string]http.HandlerFunc{openID: metadata("SELF", "")}, []string{rfc8414, openID}},
		"RFC 8414 with a path":          {"/a/b", map[string]http.HandlerFunc{rfc8414 + "/a/b": metadata("SELF/a/b", "")}, []string{rfc8414 + "/a/b"}},
		"OpenID Connect with a path":    {"/a/b", map[string]http.HandlerFunc{"/a/b" + openID: metadata("SELF/a/b", "")}, []string{rfc8414 + "/a/b", "/a/b" + openID}},
		"RFC 8414 with a slash":         {"/a/", map[string]http.HandlerFunc{rfc8414 + "/a": metadata("SELF/a/", "")}, []string{rfc8414 + "/a"}},
		"OpenID Connect with a slash":   {"/a/", map[string]http.HandlerFunc{"/a" + openID: metadata("SELF/a/", "")}, []string{rfc8414 + "/a", "/a" + openID}},
		"a slash alone":                 {"/", map[string]http.HandlerFunc{openID: metadata("SELF/", "")}, []string{rfc8414, openID}},
		"a path that is escaped":        {"/a%2Fb%20c", map[string]http.HandlerFunc{rfc8414 + "/a%2Fb%20c": metadata("SELF/a%2Fb%20c", "")}, []string{rfc8414 + "/a%2Fb%20c"}},
		"the first where both are good": {"", map[string]http.HandlerFunc{rfc8414: metadata("SELF", ""), openID: metadata("SELF", "")}, []string{rfc8414}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := issue(t, test.paths)

			m, err := discover(t, server, test.issuer)
			if err != nil {
				t.Fatal(err)
			}

			if m.Issuer != server.URL+test.issuer || m.TokenEndpoint != server.URL+"/token" {
				t.Errorf("got %+v", m)
			}

			var got []string

			for _, request := range received() {
				got = append(got, request.uri)

				if request.method != http.MethodGet || request.body != "" ||
					request.header.Get("Accept") != "application/json" || request.header.Get("User-Agent") != "tokensync" {
					t.Errorf("got the request %+v", request)
				}
			}

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}

	for name, handle := range failing {
		t.Run("after "+name, func(t *testing.T) {
			t.Parallel()

			server, _ := issue(t, map[string]http.HandlerFunc{rfc8414: handle, openID: metadata("SELF", "")})

			if _, err := discover(t, server, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestIssuersThatAreNotAsked(t *testing.T) {
	t.Parallel()

	const secret = "hunter22"

	now := func() time.Time { return start }
	lenient := oauth.Options{AllowInsecureHTTP: true, Now: now, Random: sevens{}}
	strict := oauth.Options{Egress: loopbackAllowed(), Now: now, Random: sevens{}}

	for name, test := range map[string]struct {
		options oauth.Options
		issuer  string
		kind    oauth.Kind
		text    string
	}{
		"nothing":             {strict, "", oauth.KindInvalidRequest, "issuer is not an absolute https URL."},
		"a path":              {strict, "/" + secret, oauth.KindInvalidRequest, "issuer is not an absolute https URL."},
		"a broken URL":        {strict, "https://id.example.com/%zz" + secret, oauth.KindInvalidRequest, "issuer is not an absolute https URL."},
		"userinfo":            {strict, "https://x:" + secret + "@id.example.com/", oauth.KindInvalidRequest, "a user name or a password"},
		"a query":             {strict, "https://id.example.com/?" + secret, oauth.KindInvalidRequest, "a query or a fragment"},
		"a fragment":          {strict, "https://id.example.com/#" + secret, oauth.KindInvalidRequest, "a query or a fragment"},
		"another scheme":      {strict, "ftp://id.example.com/", oauth.KindInvalidRequest, "issuer is not an https URL."},
		"http":                {strict, "http://127.0.0.1:1/", oauth.KindEgressDenied, "issuer begins with http://"},
		"an address":          {lenient, "https://127.0.0.1/", oauth.KindEgressDenied, "The host 127.0.0.1 of issuer leads to a loopback address"},
		"a name":              {lenient, "https://localhost/", oauth.KindEgressDenied, "The host localhost of issuer leads to a loopback address"},
		"an address of cloud": {oauth.Options{Now: now, Random: sevens{}, UseProxy: true}, "https://169.254.169.254/", oauth.KindEgressDenied, "cloud metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m, err := oauth.NewClient(test.options).Discover(t.Context(), oauth.MetadataRequest{Issuer: test.issuer})
			e := undiscovered(t, m, err)

			if e.Kind != test.kind || e.Class != lifetime.Configuration || !strings.Contains(e.Error(), test.text) || strings.Contains(e.Error(), secret) {
				t.Errorf("got %s, %s: %s", e.Kind, e.Class, e)
			}
		})
	}
}

func TestIssuersThatCannotBeReached(t *testing.T) {
	t.Parallel()

	hang := rawServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })

	for issuer, want := range map[string]string{
		"http://127.0.0.1:1":             "The connection to the issuer at 127.0.0.1:1 failed: connection refused.",
		"https://does-not-exist.invalid": "is not known to DNS. Check issuer.",
		"http://" + hang:                 "did not answer within 1s.",
	} {
		m, err := newClient(t).Discover(t.Context(), oauth.MetadataRequest{Issuer: issuer, Timeout: time.Second})
		checkUnreachable(t, undiscovered(t, m, err), want)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	m, err := newClient(t).Discover(ctx, oauth.MetadataRequest{Issuer: "http://" + hang})
	checkUnreachable(t, undiscovered(t, m, err), "The request to the issuer at "+hang+" was given up")
}

func TestMetadataOverTLS(t *testing.T) {
	t.Parallel()

	certificate, _ := selfSigned(t, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
	server, own := serveTLS(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// The path of the alias says whether a certificate was presented.
			reply(http.StatusOK, fmt.Sprintf(`{"issuer":"https://%[1]s","token_endpoint":"https://%[1]s/%d"}`,
				r.Host, len(r.TLS.PeerCertificates)))(w, r)
		})
	})
	strict := oauth.NewClient(oauth.Options{Egress: loopbackAllowed(), Now: func() time.Time { return start }, Random: sevens{}})
	t.Cleanup(strict.CloseIdleConnections)

	request := oauth.MetadataRequest{Issuer: server.URL, Timeout: 10 * time.Second}

	m, err := strict.Discover(t.Context(), request)
	checkUnreachable(t, undiscovered(t, m, err), "unknown authority. If it is a CA of your own, set tls.caRef.")

	request.CABundle = own

	if m, err := strict.Discover(t.Context(), request); err != nil || m.TokenEndpoint != server.URL+"/0" {
		t.Errorf("got %+v, %v", m, err)
	}

	request.Certificate = &certificate

	if m, err := strict.Discover(t.Context(), request); err != nil || m.TokenEndpoint != server.URL+"/1" {
		t.Errorf("with a certificate: got %+v, %v", m, err)
	}

	request.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})

	if m, err := strict.Discover(t.Context(), request); undiscovered(t, m, err).Kind != oauth.KindInvalidKey {
		t.Errorf("with a broken CA: %v", err)
	}
}

// undiscovered returns the *Error in err.
func undiscovered(t *testing.T, m *oauth.Metadata, err error) *oauth.Error {
	t.Helper()

	if m != nil {
		t.Errorf("metadata beside the error: %+v", m)
	}

	return failure(t, nil, err)
}
