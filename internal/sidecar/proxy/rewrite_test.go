package proxy

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// seen is what arrived at an upstream.
type seen struct {
	target, host string
	header       http.Header
}

// recorder is an upstream that keeps the last request.
func recorder(t *testing.T) (*httptest.Server, func() *seen) {
	t.Helper()
	requests := make(chan *seen, 100)
	server := upstream(t, false, func(_ http.ResponseWriter, r *http.Request) {
		requests <- &seen{r.RequestURI, r.Host, r.Header.Clone()}
	})
	return server, func() *seen {
		select {
		case s := <-requests:
			return s
		default:
			return nil
		}
	}
}

func TestWhereRequestsGo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ base, target, want string }{
		{"", "/", "/"},
		{"", "/a/b?c=d", "/a/b?c=d"},
		{"", "/a%2Fb%20c", "/a%2Fb%20c"},
		{"", "//a//b", "//a//b"},
		{"", "//evil.test/a", "//evil.test/a"},
		{"", "/a?b=1;c=2&d=%zz&e", "/a?b=1;c=2&d=%zz&e"},
		{"", "/a?", "/a?"},
		{"", "/../a", "/../a"},
		{"/", "/a", "/a"},
		{"/v1", "/", "/v1/"},
		{"/v1", "/a", "/v1/a"},
		{"/v1/", "/a/", "/v1/a/"},
		{"/v1", "/a%2Fb", "/v1/a%2Fb"},
		{"/v%2F1", "/a", "/v%2F1/a"},
		{"/v%2F1", "/a%2fb?q=%2F", "/v%2F1/a%2fb?q=%2F"},
		{"/v1", "//a", "/v1//a"},
		{"/v1", "/a/../b", "/v1/a/../b"},
		{"/v1", "http://evil.test/a?b", "/v1/a?b"},
		{"/v1", "http://user:hidden@evil.test", "/v1/"},
		{"/v1", "https://evil.test:1/a%2Fb", "/v1/a%2Fb"},
	} {
		server, last := recorder(t)
		s := before(t, server, test.base)
		// Without the guard, which lets no other host in.
		open := httptest.NewServer(s.Proxy)
		address := strings.TrimPrefix(open.URL, "http://")
		answer := speak(t, address, "GET "+test.target+" HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n")
		open.Close()
		got := last()
		if got == nil {
			t.Errorf("%s at %s did not arrive: %s", test.target, test.base, answer)
			continue
		}
		if got.target != test.want {
			t.Errorf("%s at %s arrived as %s, not %s", test.target, test.base, got.target, test.want)
		}
		if got.host != strings.TrimPrefix(server.URL, "http://") {
			t.Errorf("%s: the Host is %s", test.target, got.host)
		}
		if got.header.Get("Authorization") != "Bearer t1" {
			t.Errorf("%s: the token is missing", test.target)
		}
	}
}

func TestRequestsThatDoNotPass(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line   string
		host   string
		status string
	}{
		{line: "CONNECT evil.test:443", status: "405"},
		{line: "CONNECT 127.0.0.1:443", host: "127.0.0.1:443", status: "405"},
		{line: "TRACE /", status: "405"},
		{line: "GET http:evil", status: "400"},
		{line: "GET /../a", status: "400"},
		{line: "GET /a/../../b", status: "400"},
		{line: "GET /%2e%2E/a", status: "400"},
		{line: "GET /a%2f..%2f../b", status: "400"},
		{line: "GET //../a", status: "400"},
		{line: "GET /./../a", status: "400"},
		{line: "GET /..;x=y/a", status: "400"},
		{line: `GET /..\a`, status: "400"},
		{line: "GET /..", status: "400"},
		{line: "GET /", host: "evil.test", status: "421"},
		{line: "GET http://evil.test/", status: "421"},
		{line: "GET /", host: "10.1.2.3:80", status: "421"},
	} {
		server, last := recorder(t)
		s := before(t, server, "/v1")
		host := test.host
		if host == "" {
			host = "localhost"
		}
		answer := speak(t, strings.TrimPrefix(s.base, "http://"), test.line+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		// The Host of a CONNECT is its target, which the guard looks at first.
		if !strings.HasPrefix(answer, "HTTP/1.1 "+test.status) && (test.status != "405" || !strings.HasPrefix(answer, "HTTP/1.1 421")) {
			t.Errorf("%s: %s", test.line, answer)
		}
		if last() != nil {
			t.Errorf("%s arrived", test.line)
		}
	}
}

// Without the guard and the server, which refuse some of it as well.
func TestWhatTheProxyItselfRefuses(t *testing.T) {
	t.Parallel()
	server, last := recorder(t)
	s := before(t, server, "")
	for _, method := range []string{http.MethodConnect, http.MethodTrace} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, "http://localhost/", http.NoBody))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" || strings.Contains(w.Header().Get("Allow"), method) {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	// What is neither is no path behind a scheme, either.
	w, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	request.URL = &url.URL{Scheme: "http", Opaque: "evil"}
	if s.ServeHTTP(w, request); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "neither a path nor a URL") {
		t.Errorf("an opaque target: %d %s", w.Code, w.Body)
	}
	if last() != nil {
		t.Error("it arrived")
	}
	if got := s.counts.read(); got.status[http.StatusMethodNotAllowed] != 2 {
		t.Errorf("counted %v", got.status)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	server, last := recorder(t)
	s := before(t, server, "")
	s.offerWith(t, map[string]string{"access_token": "t2", "token_type": "DPoP"}, 0)
	const own = "Authorization: Basic aGlkZGVu\r\nauthorization: Bearer hidden\r\n"
	for name, lines := range map[string]string{
		"none":                          "",
		"an authorization":              own,
		"in Connection":                 own + "Connection: authorization\r\n",
		"in one of two Connections":     own + "Connection: keep-alive\r\nConnection: Authorization, X-A\r\n",
		"of proxies":                    "Proxy-Authorization: Basic a\r\nProxy-Connection: keep-alive\r\nProxy-Anything: a\r\nProxy-Authenticate: a\r\n",
		"of forwarding":                 "Forwarded: for=a\r\nX-Forwarded-For: a\r\nX-Forwarded-Host: a\r\nx-forwarded-proto: a\r\nX-Forwarded-Port: 1\r\nX-Forwarded: a\r\n",
		"an upgrade to HTTP/2":          "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
		"one among others":              "Connection: Upgrade\r\nUpgrade: websocket, H2C\r\n",
		"an authorization as a trailer": "Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n",
	} {
		body := ""
		if strings.Contains(lines, "chunked") {
			body = "1\r\na\r\n0\r\nAuthorization: Bearer hidden\r\n\r\n"
		}
		// The last of the Connections ends the connection.
		answer := speak(t, strings.TrimPrefix(s.base, "http://"),
			"POST / HTTP/1.1\r\nHost: localhost\r\nX-Kept: a\r\nX-Kept: b\r\nCookie: c=d\r\n"+lines+"Connection: close\r\n\r\n"+body)
		got := last()
		if got == nil {
			t.Errorf("%s: did not arrive: %s", name, answer)
			continue
		}
		if values := got.header.Values("Authorization"); !slices.Equal(values, []string{"DPoP t2"}) {
			t.Errorf("%s: the authorization is %q", name, values)
		}
		for header := range got.header {
			if strings.HasPrefix(header, "Proxy") || strings.HasPrefix(header, "X-Forwarded") || header == "Forwarded" ||
				strings.Contains(header, "Upgrade") || strings.HasPrefix(header, "Http2") || header == "Trailer" || header == "User-Agent" {
				t.Errorf("%s: %s arrived", name, header)
			}
		}
		if !slices.Equal(got.header.Values("X-Kept"), []string{"a", "b"}) || got.header.Get("Cookie") != "c=d" {
			t.Errorf("%s: not all arrived: %v", name, got.header)
		}
	}
}

func TestCheckUpstream(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"https://api.example.com":           "",
		"https://api.example.com/v1/":       "",
		"https://api.example.com:8443":      "",
		"https://[2001:db8::1]:443/a%2Fb":   "",
		"http://api.example.com":            "--proxy-insecure-upstream",
		"ftp://api.example.com":             "https://",
		"//api.example.com":                 "https://",
		"api.example.com":                   "not the URL",
		"https:api.example.com":             "not the URL",
		"https://":                          "not the URL",
		"https://:443":                      "not the URL",
		"https://api.example.com:0":         "not the URL",
		"https://api.example.com:65536":     "not the URL",
		"https://api.example.com:":          "not the URL",
		"https://me:hidden@api.example.com": "user name",
		"https://me@api.example.com":        "user name",
		"https://api.example.com/?q=hidden": "query",
		"https://api.example.com/?":         "query",
		"https://api.example.com/#hidden":   "query",
	} {
		parsed, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(Options{Upstream: parsed, Log: slog.New(slog.DiscardHandler)})
		switch {
		case says == "" && err != nil, says != "" && err == nil:
			t.Errorf("%s: %v", text, err)
		case says != "" && (!strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "--proxy-upstream") || strings.Contains(err.Error(), "hidden")):
			t.Errorf("%s: %v", text, err)
		case says == "":
			p.Close()
		}
		if parsed.Scheme == "http" && checkUpstream(parsed, true) != nil {
			t.Errorf("%s was refused although it is allowed", text)
		}
	}
}

func FuzzLeaves(f *testing.F) {
	for _, path := range []string{"/", "/a/../b", "/../a", "/a/..;/..", `/\..\`, "/a//../../b", "/%2e"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if leaves(path) || !strings.HasPrefix(path, "/") {
			return
		}
		base := &url.URL{Path: "/base/"}
		if got := base.JoinPath(path).Path; !strings.HasPrefix(got+"/", "/base/") {
			t.Fatalf("%q leads to %s", path, got)
		}
	})
}
