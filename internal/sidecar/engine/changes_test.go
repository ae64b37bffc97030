package engine

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

// TestRotatedSecret: a new client secret gets a new token at once, though the old one is
// good, and a Secret that is projected anew without a change gets none.
func TestRotatedSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	s.project(secretName, map[string]string{"client_secret": "first-secret"})
	s.after(time.Minute)
	s.expect(1, "token-1")
	s.project(secretName, map[string]string{"client_secret": "second-secret"})
	s.settle()
	s.expect(2, "token-2")
	s.after(10 * time.Minute)
	s.expect(2, "token-2")
	if _, secret, _ := (&http.Request{Header: s.provider.heard()[1].header}).BasicAuth(); secret != "second-secret" {
		t.Error("the old secret was sent")
	}
}

// TestOtherSecret: what is behind a header mints nothing by itself.
func TestOtherSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.writeManifest(manifestOf(s.provider.URL, "  request: {headers: [{name: X-App, valueFrom: {secretKeyRef: {name: app, key: k}}}]}\n"))
	s.project("app", map[string]string{"k": "one"})
	s.open()
	s.project("app", map[string]string{"k": "two"})
	s.after(time.Minute)
	s.expect(1, "token-1")
	s.until(start.Add(hour))
	s.expect(2, "token-2")
	if got := s.provider.heard()[1].header.Get("X-App"); got != "two" {
		t.Errorf("sent %q", got)
	}
}

// TestChangedManifest: another request is made at once, and what changes no token is read
// without one.
func TestChangedManifest(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	s.writeManifest("# A comment.\n" + manifestOf(s.provider.URL))
	s.after(time.Minute)
	s.writeManifest(manifestOf(s.provider.URL, "  refresh: {afterPercent: 50}\n"))
	s.after(time.Minute)
	s.expect(1, "token-1")
	s.writeManifest(manifestOf(s.provider.URL, "  scopes: [news]\n"))
	s.settle()
	s.expect(2, "token-2")
	if scope := s.provider.heard()[1].form.Get("scope"); scope != "news" {
		t.Errorf("asked for the scope %q", scope)
	}
}

// TestBrokenManifest: the last good one goes on, which is told once.
func TestBrokenManifest(t *testing.T) {
	t.Parallel()
	const broken, mended = "The manifest cannot be used, and the last good one stays in use", "The manifest can be used again"
	for name, text := range map[string]string{
		"no YAML":        "spec: [",
		"empty":          "",
		"no provider":    strings.Replace(manifestOf("x"), "provider: {tokenURL: x/oauth/token}", "providerRef: {name: p}", 1),
		"a kept grant":   manifestOf("https://a.example", "  grantType: authorization_code\n"),
		"no expression":  manifestOf("https://a.example", "  secret: {data: {a: 'token.'}}\n"),
		"no such field":  manifestOf("https://a.example", "  scope: a\n"),
		"no method":      strings.Replace(manifestOf("https://a.example"), "client: {id: app, ", "client: {id: app, authentication: {method: private_key_jwt}, ", 1),
		"another's name": strings.ReplaceAll(manifestOf("https://a.example"), "acme-news, namespace", "other, namespace"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.options.Credential = "acme-news"
			s.open()
			s.writeManifest(text)
			s.until(start.Add(hour))
			s.settle()
			s.expect(2, "token-2")
			if s.log.count(broken) != 1 || s.log.count(mended) != 0 {
				t.Errorf("told %d times\n%s", s.log.count(broken), s.log.String())
			}
			s.writeManifest(manifestOf(s.provider.URL))
			s.settle()
			if s.log.count(mended) != 1 {
				t.Errorf("the end was told %d times", s.log.count(mended))
			}
			s.expect(2, "token-2")
		})
	}
}

// TestAbandoned: an answer to a manifest that has changed is of no use.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	arrived, cut := make(chan struct{}), make(chan struct{})
	s.provider.set(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(cut)
	})
	s.make()
	s.loop = s.engine.newLoop(t.Context(), s.current)
	t.Cleanup(func() { _ = s.loop.watch.watcher.Close() })
	s.loop.pass(t.Context())
	<-arrived
	s.provider.set(nil)
	s.writeManifest(manifestOf(s.provider.URL, "  scopes: [news]\n"))
	s.clock.Step(time.Second)
	s.settle()
	<-cut
	s.expect(2, "token-2")
	if s.metrics.results["success"] != 1 || len(s.metrics.results) != 1 {
		t.Errorf("counted %v", s.metrics.results)
	}
}

// TestAnAnswerTooLate answers what is asked for no longer, and is not taken.
func TestAnAnswerTooLate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.make()
	s.loop = s.engine.newLoop(t.Context(), s.current)
	t.Cleanup(func() { _ = s.loop.watch.watcher.Close() })
	s.loop.pass(t.Context())
	<-s.engine.wake
	s.writeManifest(manifestOf(s.provider.URL, "  scopes: [news]\n"))
	s.loop.pass(t.Context())
	s.expect(1, "")
	s.after(2 * time.Second)
	s.expect(2, "token-2")
	if result := s.loop.run(t.Context(), &request{}, nil); result.Outcome != gate.Unsent {
		t.Errorf("a request that was given up ended as %v", result)
	}
}

// TestUnreadable: a Secret that cannot be read for a while is no other one.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	directory := filepath.Join(s.options.SecretsDir, secretName)
	remove(t, directory)
	put(t, directory, "")
	s.after(time.Minute)
	s.expect(1, "token-1")
	remove(t, directory)
	s.project(secretName, map[string]string{"client_secret": "first-secret"})
	s.after(time.Minute)
	s.expect(1, "token-1")
}
