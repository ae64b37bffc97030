package engine

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
)

// limited is a manifest with a provider that takes one request per half minute.
func limited(s *stage, spec ...string) string {
	text := manifestOf(s.provider.URL, spec...)
	return strings.Replace(text, "provider: {tokenURL: "+s.provider.URL+"/oauth/token}", "providerRef: {name: p}", 1) +
		"---\napiVersion: tokensync.dev/v1alpha1\nkind: OAuthProvider\nmetadata: {name: p}\n" +
		"spec: {tokenURL: " + s.provider.URL + "/oauth/token, limits: {requests: 1, period: 30s}}\n"
}

// TestARequestThatWaits for its turn is made of the manifest as it is by then.
func TestARequestThatWaits(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.writeManifest(limited(s))
	s.open()
	s.expect(1, "token-1")
	s.clock.Step(2 * time.Second)
	s.writeManifest(limited(s, "  scopes: [old]\n"))
	s.loop.pass(t.Context())
	if waiting := s.options.Gate.Waiting(s.engine.loaded.plan.Line()); waiting != 1 {
		t.Fatalf("%d requests wait", waiting)
	}
	s.writeManifest(limited(s, "  scopes: [new]\n"))
	s.after(time.Second)
	s.expect(2, "token-2")
	requests := s.provider.heard()
	if apart := requests[1].at.Sub(start); apart < 30*time.Second || requests[1].form.Get("scope") != "new" {
		t.Errorf("after %s it asked for %v", apart, requests[1].form)
	}
	s.clock.Step(2 * time.Second)
	s.writeManifest(limited(s, "  scopes: [newest]\n"))
	s.loop.pass(t.Context())
	s.writeManifest(limited(s, "  scopes: [newest]\n  suspend: true\n"))
	s.after(hour)
	s.expect(2, "token-2")
}

// buggy is a client with a bug.
type buggy struct{ Client }

func (buggy) Token(context.Context, oauth.Request) (*oauth.Answer, error) { panic("the secret") }

// TestABug is a failure like others.
func TestABug(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	good := s.options.Client
	s.options.Client = buggy{good}
	s.open()
	if message := s.lastMessage(); !strings.HasPrefix(message, "InternalError") || strings.Contains(s.log.String(), "the secret") {
		t.Errorf("it says %q", message)
	}
	s.engine.options.Client = good
	s.after(2 * time.Minute)
	s.expect(1, "token-1")
}

// TestWarnings about the same thing are told once.
func TestWarnings(t *testing.T) {
	t.Parallel()
	const warning = "The provider's word on the token's life was not taken as it stood"
	s := newStage(t)
	s.provider.answers(http.StatusOK, `{"access_token":"a","token_type":"Bearer","expires_in":30}`)
	s.open().after(time.Minute)
	if s.log.count(issued) < 2 || s.log.count(warning) != 0 {
		t.Errorf("a short life was told %d times", s.log.count(warning))
	}
	s.provider.answers(http.StatusOK, `{"access_token":"b","token_type":"Bearer","expires_in":86399956}`)
	s.after(time.Minute)
	s.expect(len(s.provider.heard()), "b")
	for range 2 {
		_ = s.engine.Refresh(t.Context())
		s.after(80 * hour)
	}
	if s.log.count(warning) != 1 {
		t.Errorf("a long life was told %d times\n%s", s.log.count(warning), s.log.String())
	}
}
