package main

import (
	"bytes"
	"net/http"
	"net/url"
	"testing"

	"github.com/tokensync/tokensync/test/e2e/app/report"
	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/standin"
)

// counts are those of the provider.
func (p *place) counts(t *testing.T) report.Provider {
	t.Helper()
	return read[report.Provider](t, bytes.NewReader(p.send(t, http.MethodGet, p.control+"/counts", nil, nil).body))
}

func TestTokensOfBothEndpointsAreGood(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	client := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}
	plain, got := p.ask(t, plainPrefix+standin.TokenPath, client)
	if plain == "" {
		t.Fatalf("plain OAuth: %s", got)
	}
	for _, token := range []string{p.issue(t), plain} {
		if status := p.use(t, token); status != http.StatusOK {
			t.Errorf("got %d with a good token", status)
		}
	}
	if status := p.use(t, "none"); status != http.StatusUnauthorized {
		t.Errorf("got %d with no token of it", status)
	}
	client.Set("client_secret", "wrong")
	for _, path := range []string{standin.TokenPath, plainPrefix + standin.TokenPath} {
		if token, _ := p.ask(t, path, client); token != "" {
			t.Errorf("%s: a wrong secret is good", path)
		}
	}
	told := p.counts(t)
	if told.TokenRequests["issued"] != 2 || told.TokenRequests["rejected"] != 2 || told.LastProblem == "" ||
		told.ResourceRequests["200"] != 2 || told.ResourceRequests["401"] != 1 {
		t.Errorf("got %+v", told)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	p := startProvider(t, "--lifetime=1h")
	withdrawn := p.issue(t)
	for target, want := range map[string]int{
		"/lifetime?d=1s": http.StatusNoContent, "/withdraw": http.StatusNoContent,
		"/lifetime?d=999ms": http.StatusBadRequest, "/lifetime": http.StatusBadRequest,
		"/fail?status=200&for=1s": http.StatusBadRequest, "/fail?status=503": http.StatusBadRequest,
	} {
		if got := p.tell(t, target); got != want {
			t.Errorf("%s: got %d, want %d", target, got, want)
		}
	}
	if got := p.use(t, withdrawn); got != http.StatusUnauthorized {
		t.Errorf("got %d with a token that was withdrawn", got)
	}
	brief := p.issue(t)
	if got := p.use(t, brief); got != http.StatusOK {
		t.Errorf("got %d with a new token", got)
	}
	eventually.Holds(t, "a token of a second expires", func() bool { return p.use(t, brief) == http.StatusUnauthorized })
}

func TestTokenRequestsFailOnDemand(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	token := p.issue(t)
	p.tell(t, "/fail?status=502&for=1h")
	for _, path := range []string{standin.TokenPath, plainPrefix + standin.TokenPath} {
		if _, got := p.ask(t, path, url.Values{}); got.status != http.StatusBadGateway {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := p.use(t, token); got != http.StatusOK {
		t.Errorf("the service answers %d", got)
	}
	p.tell(t, "/fail?status=502&for=0s")
	p.issue(t)
}

func TestARestartedProviderTakesItsTokens(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	token := p.issue(t)
	p.end()
	p.exit(t)
	again := start(t, "provider", "--listen=127.0.0.1:0", "--control=127.0.0.1:0", "--cert="+p.file("tls.crt"), "--key="+p.file("tls.key"))
	p.base = "https://" + again.address(t, "serves at")
	if got := p.use(t, token); got != http.StatusOK {
		t.Errorf("got %d", got)
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{},
		{"unknown"},
		{"provider"},
		{"provider", "--cert=c", "--key=k", "--lifetime=1ms"},
		{"provider", "--cert=c", "--key=k", "--client-id=x"},
		{"provider", "--cert=c", "--key=k", "--subject=x", "--api-server=y"},
		{"provider", "--cert=c", "--key=k", "more"},
		{"provider", "--nonsense"},
		{"consumer", "--url=u"},
		{"consumer", "--token-file=f"},
		{"consumer", "--url=u", "--token-file=f", "--proxy=p"},
		{"consumer", "--url=u", "--token-file=f", "--interval=0s"},
		{"consumer", "--url=u", "--token-file=f", "--poll=-1s"},
	} {
		if p := start(t, arguments...); p.exit(t) != 2 || p.stderr.String() == "" {
			t.Errorf("%q: exit code %d, said %q", arguments, p.code, &p.stderr)
		}
	}
}
