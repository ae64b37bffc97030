package main

import (
	"os"
	"path/filepath"
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
