package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/standin"
)

func TestLocalizeReplacesEveryProviderAndPlaceholder(t *testing.T) {
	providers := []*provider{
		{host: "identity.syncronex.com", url: "http://127.0.0.1:1"},
		{host: "api.syncplicity.com", url: "http://127.0.0.1:2"},
		{host: "login.example.com", url: "http://127.0.0.1:3"},
		{
			host: "api.synqly.com", url: "http://127.0.0.1:4", keepsPath: true,
			values: map[string]string{"put-your-token-id-here": "t0ken", "put-your-refresh-token-here": "r3fresh"},
		},
	}
	manifests := map[string]string{"more.yaml": more}
	for _, name := range samples() {
		content, err := os.ReadFile(filepath.Join(cluster.Root(), "config", "samples", name))
		if err != nil {
			t.Fatal(err)
		}
		manifests[name] = string(content)
	}
	for name, manifest := range manifests {
		localized := localize(manifest, providers)
		if strings.Contains(localized, "URL: https://") || strings.Contains(localized, "put-your") {
			t.Errorf("%s still names a real provider or a placeholder:\n%s", name, localized)
		}
		if strings.Count(localized, "\n") != strings.Count(manifest, "\n") {
			t.Errorf("%s has changed in more than values", name)
		}
	}
	if localized := localize(more, providers); !strings.Contains(localized, "tokenURL: http://127.0.0.1:4/v1/tokens/t0ken/refresh\n") {
		t.Errorf("a path that is the provider's own is lost:\n%s", localized)
	} else if !strings.Contains(localized, "deviceAuthorizationURL: http://127.0.0.1:3/oauth/device_authorization\n") {
		t.Errorf("the device authorization endpoint is not the stand-in's:\n%s", localized)
	}
}

func TestBarIsAsWideAsItsColumn(t *testing.T) {
	plain := &terminal{}
	const life = 20 * time.Second
	for left := -time.Second; left <= life+time.Second; left += time.Second / 4 {
		for _, refresh := range []time.Duration{0, life / 3, life, 2 * life, -life} {
			if bar := plain.bar(left, refresh, life); len([]rune(bar)) != barWidth {
				t.Fatalf("bar(%s, %s) is %d wide: %s", left, refresh, len([]rune(bar)), bar)
			}
		}
	}
	if bar := plain.bar(life/2, life/3, life); bar != "━━━━━━━╋━━━━────────────" {
		t.Errorf("bar = %s", bar)
	}
	if bar := plain.bar(life/4, life/3, life); bar != "━━━━━━─┼────────────────" {
		t.Errorf("bar = %s", bar)
	}
}

func TestRowShowsTheCodeThatAPersonIsToEnter(t *testing.T) {
	const told = "open http://127.0.0.1:3/device and enter the code WDJB-MJHT (or open http://127.0.0.1:3/device?user_code=WDJB-MJHT), " +
		"before 2026-11-22 09:26:31 UTC, to let this credential act for you"
	plain, now := &terminal{}, time.Now()
	waiting := row{
		credential: credential{"web", "calendar", "calendar-sync", &provider{name: "RFC 6749", server: standin.NewOAuth(standin.Options{})}},
		code:       codeIn(told),
	}
	if shown := plain.row(waiting, now); !strings.Contains(shown, " ○ waits for a person: enter WDJB-MJHT ") {
		t.Errorf("the row of one that waits is %q", shown)
	}
	other := waiting
	other.code = codeIn("The token endpoint refused the request. Check the code.")
	waits, asks := plain.row(waiting, now), plain.row(other, now)
	if strings.Contains(asks, "person") || len([]rune(waits)) != len([]rune(asks)) {
		t.Errorf("the rows do not line up:\n%s\n%s", waits, asks)
	}
}

func TestDelivery(t *testing.T) {
	now := time.Now()
	at := func(milliseconds int) time.Time { return now.Add(time.Duration(milliseconds) * time.Millisecond) }
	d := newDelivery()
	if calls, tokens := d.view().outcome(); calls != "0 calls, none refused" || tokens != "" {
		t.Errorf("before anything: %s%s", calls, tokens)
	}
	d.inFile("first", at(0))
	d.inSecret("first", at(-900)) // It was there before anybody looked.
	d.inSecret("second", at(1000))
	d.inSecret("second", at(1001))
	d.called(false)
	d.inFile("second", at(1003))
	d.inFile("second", at(1500)) // Another event, of the same token.
	d.inFile("third", at(2000))
	d.inSecret("third", at(2004)) // The file was there first.
	d.inSecret("fourth", at(3000))
	d.called(false)
	if v := d.view(); !slices.Equal(v.later, []time.Duration{-4 * time.Millisecond, 3 * time.Millisecond}) || v.verdict(true) != nil {
		t.Errorf("%+v, %v", v, v.verdict(true))
	}
	plain := &terminal{}
	if got := plain.consumer(d.view()); got != "  consumer  via tokensync-sidecar: 2 calls, none refused; "+
		"a new token is in its file 3 ms after the Secret (at most 3 ms)" {
		t.Errorf("shown: %s", got)
	}
	d.called(true)
	if calls, _ := d.view().outcome(); calls != "3 calls, 1 REFUSED" {
		t.Errorf("one refused: %s", calls)
	}
	for want, err := range map[string]error{
		"the consumer via tokensync-sidecar was refused in 1 of 3 calls": d.view().verdict(false),
		"the consumer via tokensync-sidecar never had a token":           delivered{}.verdict(true),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := (delivered{}).verdict(false); err != nil {
		t.Errorf("ended before its end: %v", err)
	}
}

func TestCallTellsARefusalFromAFailure(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer good":
		case "Bearer expired":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer service.Close()
	for token, want := range map[string]struct{ refused, failed bool }{
		"good": {}, "expired": {refused: true}, "else": {failed: true},
	} {
		if refused, err := call(t.Context(), service.URL, token); refused != want.refused || (err != nil) != want.failed {
			t.Errorf("%s: refused %v, %v", token, refused, err)
		}
	}
}

func TestTableFitsATerminal(t *testing.T) {
	const rows, underneath = 24, 2
	v := view{rows: make([]row, 0, 11)}
	for _, c := range credentials([]*provider{{server: standin.NewOAuth(standin.Options{})}, {}, {}, {}}) {
		c.provider = &provider{name: "RFC 6749", lifetime: time.Second, server: standin.NewOAuth(standin.Options{})}
		v.rows = append(v.rows, row{credential: c})
	}
	if lines := (&terminal{}).table(v); len(lines)+underneath >= rows {
		t.Errorf("%d lines, and %d below them", len(lines), underneath)
	}
}

func TestVerdict(t *testing.T) {
	good := row{credential: credential{namespace: "web", name: "a"}, everGood: true}
	never := row{credential: credential{namespace: "web", name: "b"}}
	const length = time.Minute
	for name, c := range map[string]struct {
		view view
		want string
	}{
		"all good":             {view{elapsed: length, rows: []row{good}}, ""},
		"never a token":        {view{elapsed: length, rows: []row{good, never}}, "never got a token: web/b"},
		"ended before its end": {view{elapsed: time.Second, rows: []row{never}}, ""},
		"an expired token":     {view{elapsed: time.Second, expired: []string{"web/a", "web/a"}}, "expired tokens were found: web/a"},
	} {
		got := ""
		if err := c.view.verdict(length); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
