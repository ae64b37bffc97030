package catalog

import (
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// provider is the server of a scenario.
type provider struct {
	t *testing.T
	s *scenario
	a *answer
	// origin is where the server is, in place of the provider's own.
	origin string
	asked  int
}

// serve starts the server of a scenario. It fails the test unless it is asked once.
func serve(t *testing.T, s *scenario, a *answer) *httptest.Server {
	t.Helper()
	p := &provider{t: t, s: s, a: a}
	server := httptest.NewUnstartedServer(p)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	p.origin = server.URL
	t.Cleanup(func() {
		server.Close()
		if p.asked != 1 {
			t.Errorf("was asked %d times", p.asked)
		}
	})
	return server
}

func certificateOf(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// ServeHTTP checks the request and gives the answer.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked++
	if method := cmp.Or(p.s.Method, http.MethodPost); r.Method != method {
		p.t.Errorf("the method is %s, not %s", r.Method, method)
	}
	if presented := len(r.TLS.PeerCertificates) > 0; presented != p.s.Certificate {
		p.t.Errorf("presents a certificate: %t", presented)
	}
	p.checkHeaders(r.Header)
	p.checkParameters(r)

	header := w.Header()
	header.Set("Date", start.Format(http.TimeFormat))
	header.Set("Content-Type", "application/json")
	for name, value := range p.a.Headers {
		header.Set(name, value)
	}
	w.WriteHeader(cmp.Or(p.a.Status, http.StatusOK))
	if _, err := io.WriteString(w, fill(p.a.Body)); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) checkHeaders(got http.Header) {
	want := map[string]string{"Authorization": "", "Accept": "application/json"}
	switch {
	case p.s.Form != nil:
		want["Content-Type"] = "application/x-www-form-urlencoded"
	case p.s.JSON != nil:
		want["Content-Type"] = "application/json"
	default:
		want["Content-Type"] = ""
	}
	if p.s.Basic != "" {
		want["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(p.s.Basic))
	}
	maps.Copy(want, p.s.Headers)
	for name, value := range want {
		if got.Get(name) != value {
			p.t.Errorf("the header %s is %q, not %q", name, got.Get(name), value)
		}
	}
}

func (p *provider) checkParameters(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	form, members := url.Values{}, map[string]string{}
	switch {
	case p.s.Form != nil:
		form, err = url.ParseQuery(string(body))
	case p.s.JSON != nil:
		err = json.Unmarshal(body, &members)
	case len(body) > 0:
		p.t.Errorf("the body is %q", body)
	}
	if err != nil {
		p.t.Errorf("the body %q: %v", body, err)
	}
	p.compare("form", flatten(p.t, form), p.s.Form)
	p.compare("JSON", members, p.s.JSON)
	p.compare("query", flatten(p.t, r.URL.Query()), p.s.Query)
}

// compare compares all parameters.
func (p *provider) compare(where string, got, want map[string]string) {
	for name, value := range want {
		if value == "{assertion}" {
			p.checkAssertion(got[name])
			got[name] = value
		}
	}
	if len(got)+len(want) > 0 && !maps.Equal(got, want) {
		p.t.Errorf("the %s is %v, not %v", where, got, want)
	}
}

// checkAssertion looks at the claims of a JWT, with the provider's own address in the
// place of the server's.
func (p *provider) checkAssertion(token string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		p.t.Fatalf("the assertion %q is no JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		p.t.Fatal(err)
	}
	own := strings.TrimSuffix(p.s.URL, mustURL(p.t, p.s.URL).RequestURI())
	claims := map[string]any{}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(payload), p.origin, own)), &claims); err != nil {
		p.t.Fatal(err)
	}
	for name, value := range p.s.Assertion {
		if claims[name] != value {
			p.t.Errorf("the claim %s of the assertion is %v, not %q", name, claims[name], value)
		}
	}
	if iat, exp := claims["iat"], claims["exp"]; iat == nil || exp == nil {
		p.t.Errorf("the assertion is valid from %v to %v", iat, exp)
	}
}

// flatten returns parameters by name, none of which may be there twice.
func flatten(t *testing.T, values url.Values) map[string]string {
	t.Helper()
	flat := map[string]string{}
	for name, list := range values {
		if len(list) > 1 {
			t.Errorf("the parameter %s is sent %d times", name, len(list))
		}
		flat[name] = list[0]
	}
	return flat
}
