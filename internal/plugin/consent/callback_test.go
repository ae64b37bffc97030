package consent

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// heard listens for a redirect URI until the test ends.
func heard(t *testing.T, redirectURI string) *callback {
	t.Helper()
	c, err := listen(t.Context(), redirectURI, redact.New("b"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.close(context.WithoutCancel(t.Context())) })
	return c
}

// ask makes a request as a browser would, with a Host if one is given.
func ask(t *testing.T, method, target, host string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	browser := &http.Client{Timeout: 10 * time.Second}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

func TestOnlyTheAnswerIsTaken(t *testing.T) {
	t.Parallel()
	c := heard(t, "http://127.0.0.1/callback")
	base := "http://127.0.0.1:" + c.port
	for name, test := range map[string]struct {
		method, target, host string
		status               int
	}{
		"an icon":             {http.MethodGet, base + "/favicon.ico", "", http.StatusNotFound},
		"another path":        {http.MethodGet, base + "/other?code=a&state=b", "", http.StatusNotFound},
		"no answer":           {http.MethodGet, base + "/callback", "", http.StatusNotFound},
		"a form":              {http.MethodPost, base + "/callback?code=a&state=b", "", http.StatusMethodNotAllowed},
		"a name of another":   {http.MethodGet, base + "/callback?code=a&state=b", "evil.example.com:" + c.port, http.StatusMisdirectedRequest},
		"another port":        {http.MethodGet, base + "/callback?code=a&state=b", "127.0.0.1:1", http.StatusMisdirectedRequest},
		"a Host with no port": {http.MethodGet, base + "/callback?code=a&state=b", "127.0.0.1", http.StatusMisdirectedRequest},
	} {
		if status, _, _ := ask(t, test.method, test.target, test.host); status != test.status {
			t.Errorf("%s: got %d, want %d", name, status, test.status)
		}
	}
	go func() { (<-c.answers).outcome <- outcome{note: "All <is> well."} }()
	status, page, header := ask(t, http.MethodGet, c.uri+"?code=a&state=b", "")
	if status != http.StatusOK || !strings.Contains(page, "You are logged in") || !strings.Contains(page, "All &lt;is&gt; well.") {
		t.Errorf("got %d\n%s", status, page)
	}
	if header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("got %v", header)
	}
	if status, _, _ := ask(t, http.MethodGet, c.uri+"?code=c&state=b", ""); status != http.StatusGone {
		t.Errorf("a second answer got %d", status)
	}
}

func TestThePageTellsWhatWentWrong(t *testing.T) {
	t.Parallel()
	c := heard(t, "http://localhost/")
	go func() { (<-c.answers).outcome <- outcome{err: errors.New(`<script>alert("no")</script>`)} }()
	status, page, _ := ask(t, http.MethodGet, c.uri+"?error=access_denied&state=b", "")
	if status != http.StatusBadRequest || !strings.Contains(page, "has not worked") || strings.Contains(page, "<script>") {
		t.Errorf("got %d\n%s", status, page)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for redirectURI, says := range map[string]string{
		"https://127.0.0.1/callback":            "not one of this machine",
		"http://example.com/callback":           "not one of this machine",
		"http://127.0.0.1.example.com/callback": "not one of this machine",
		"http://" + taken.Addr().String() + "/": "is taken",
		"urn:ietf:wg:oauth:2.0:oob":             "not one of this machine",
	} {
		if _, err := listen(t.Context(), redirectURI, redact.New("b")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", redirectURI, err)
		}
	}
	for _, redirectURI := range []string{"http://127.0.0.1/callback", "http://localhost/a/b", "http://127.0.0.1"} {
		c := heard(t, redirectURI)
		declared, _ := url.Parse(redirectURI)
		got, err := url.Parse(c.uri)
		if err != nil || got.Hostname() != declared.Hostname() || got.Path != declared.Path || got.Port() != c.port || c.port == "" {
			t.Errorf("%s: got %s", redirectURI, c.uri)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	if got := printable("https://a.example/?x=\u202e\x1b[2J y"); got != "https://a.example/?x=%E2%80%AE%1B[2J%20y" {
		t.Errorf("got %s", got)
	}
}

func TestAnErrorWithoutAPageIsNoHang(t *testing.T) {
	t.Parallel()
	c := heard(t, "http://127.0.0.1/callback")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.uri+"?code=a&state=b", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
		t.Error("there was a page although nobody has decided")
	}
}
