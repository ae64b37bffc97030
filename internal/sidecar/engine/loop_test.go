package engine

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// TestThreeLifetimes: each token is replaced before it expires, and nothing is asked in
// between.
func TestThreeLifetimes(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	s.expect(1, "token-1")
	set := s.current.Set()
	if set.Type != "Bearer" || !set.Life.ExpiresAt.Equal(start.Add(hour)) || string(set.Data["expires_at"]) != start.Add(hour).Format(time.RFC3339) {
		t.Errorf("got the type %q and the life %v", set.Type, set.Life)
	}
	s.until(start.Add(3 * hour))
	requests := s.provider.heard()
	for i := 1; i < len(requests); i++ {
		if apart := requests[i].at.Sub(requests[i-1].at); apart < 36*time.Minute || apart > 41*time.Minute {
			t.Errorf("request %d comes %s after the one before", i+1, apart)
		}
	}
	s.expect(5, "token-5")
	if count := s.log.count(issued); count != 5 || s.metrics.results["success"] != 5 {
		t.Errorf("%d tokens were logged, and %v counted", count, s.metrics.results)
	}
	if strings.Contains(s.log.String(), "token-") || strings.Contains(s.log.String(), "first-secret") {
		t.Error("a secret was logged")
	}
}

// TestOutage: a provider that is down past the expiry is asked by the schedule of its
// failures, the last good set stays, and it goes on when the provider is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	s.provider.answers(http.StatusServiceUnavailable, `{}`)
	s.until(start.Add(hour))
	s.expect(len(s.provider.heard()), "token-1")
	whileGood := len(s.provider.heard()) - 1
	// A tenth of what was left is some two minutes.
	if whileGood < 10 || whileGood > 25 {
		t.Errorf("asked %d times in the last third", whileGood)
	}
	s.until(start.Add(2 * hour))
	expired := len(s.provider.heard()) - 1 - whileGood
	// Every 30 s at most, less a jitter of up to a quarter and a half.
	if expired < 110 || expired > 200 {
		t.Errorf("asked %d times in the hour after the expiry", expired)
	}
	requests := s.provider.heard()
	for i := len(requests) - expired; i < len(requests); i++ {
		if apart := requests[i].at.Sub(requests[i-1].at); apart < 15*time.Second {
			t.Errorf("request %d comes %s after the one before", i+1, apart)
		}
	}
	if s.log.count(missing) != 1 || s.log.count(again) != 0 {
		t.Errorf("the failure was logged %d times", s.log.count(missing))
	}
	if s.current.Set().Usable(s.clock.Now()) || s.current.Set().Token.Reveal() != "token-1" {
		t.Error("the last good set is not the one that is kept")
	}
	s.provider.set(nil)
	s.after(time.Minute)
	s.expect(len(requests)+1, fmt.Sprintf("token-%d", len(requests)+1))
	if s.log.count(again) != 1 {
		t.Errorf("the recovery was logged %d times", s.log.count(again))
	}
	s.after(20 * time.Minute)
	s.expect(len(requests)+1, fmt.Sprintf("token-%d", len(requests)+1))
}

// TestThrottled: what the provider asks for is kept to, and nobody cuts it short but a
// person who changes something.
func TestThrottled(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.provider.answers(http.StatusTooManyRequests, `{}`, "Retry-After", "300")
	s.open()
	s.provider.set(nil)
	for range 4 {
		if err := s.engine.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.after(time.Minute)
	}
	s.expect(1, "")
	s.after(90 * time.Second)
	s.expect(2, "token-2")
	if apart := s.provider.heard()[1].at.Sub(start); apart < 300*time.Second || apart > 316*time.Second {
		t.Errorf("asked again after %s", apart)
	}
	if s.metrics.results["RateLimited"] != 1 {
		t.Errorf("counted %v", s.metrics.results)
	}
}

// TestRejected: a client that is refused is tried again slowly, and at once when its secret
// has changed.
func TestRejected(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.provider.set(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, secret, _ := r.BasicAuth(); secret != "second-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"at last","token_type":"Bearer","expires_in":3600}`))
	})
	s.open()
	s.until(start.Add(59 * time.Minute))
	// After 1, 2, 4 and 8 min, and then every 15.
	s.expect(7, "")
	if s.log.count(missing) != 1 || s.metrics.results["ProviderRejected"] != 7 {
		t.Errorf("logged %d times, counted %v", s.log.count(missing), s.metrics.results)
	}
	s.project(secretName, map[string]string{"client_secret": "second-secret"})
	s.settle()
	s.expect(8, "at last")
	s.after(30 * time.Minute)
	s.expect(8, "at last")
}

// TestRefresh: three may come at once, a second apart, and then one per tenth of the life.
func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newStage(t).open() // The first token has drawn one already.
	for end := start.Add(20 * time.Minute); s.clock.Now().Before(end); s.after(5 * time.Second) {
		if err := s.engine.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	requests := s.provider.heard()
	if len(requests) != 3+3 {
		t.Errorf("there were %d requests", len(requests))
	}
	for i := 1; i < len(requests); i++ {
		if apart := requests[i].at.Sub(requests[i-1].at); apart < time.Second {
			t.Errorf("request %d comes %s after the one before", i+1, apart)
		}
	}
}

// TestARequestUnderWayServesWhoAsks.
func TestARequestUnderWayServesWhoAsks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.provider.set(func(w http.ResponseWriter, r *http.Request) {
		_ = s.engine.Refresh(r.Context())
		_, _ = w.Write([]byte(`{"access_token":"the one","token_type":"Bearer","expires_in":3600}`))
	})
	s.open().after(10 * time.Minute)
	s.expect(1, "the one")
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.writeManifest(manifestOf(s.provider.URL, "  suspend: true\n"))
	s.open().after(hour)
	s.expect(0, "")
	if err := s.engine.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "spec.suspend") {
		t.Errorf("got %v", err)
	}
	s.writeManifest(manifestOf(s.provider.URL))
	s.settle()
	s.expect(1, "token-1")
	s.writeManifest(manifestOf(s.provider.URL, "  suspend: true\n"))
	s.after(2 * hour)
	s.expect(1, "token-1")
	if count := s.log.count("No token is asked for while spec.suspend is true"); count != 2 {
		t.Errorf("told %d times", count)
	}
}

// TestHeld: a token that is in use already costs no request, and one that was asked for
// with something else does.
func TestHeld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		issuedAt time.Time
		inputs   string
		requests int
	}{
		"good":         {start.Add(-20 * time.Minute), "", 0},
		"due":          {start.Add(-50 * time.Minute), "", 1},
		"expired":      {start.Add(-2 * hour), "", 1},
		"another spec": {start, "others", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.make()
			inputs := cmp.Or(test.inputs, s.engine.loaded.inputsHash)
			token := render.Data{"access_token": []byte("held")}
			s.engine.Hold(Held{Token: secretstore.Token{Data: token, IssuedAt: test.issuedAt, ExpiresAt: test.issuedAt.Add(hour), InputsHash: inputs}})
			s.loop = s.engine.newLoop(t.Context(), s.current)
			t.Cleanup(func() { _ = s.loop.watch.watcher.Close() })
			if set := s.current.Set(); (set == nil) != (name == "expired") {
				t.Error("the token that is held is not the current one")
			}
			s.settle()
			want := "held"
			if test.requests == 1 {
				want = "token-1"
			}
			s.expect(test.requests, want)
		})
	}
}

// TestLifetimeUnknown: a token that does not say how long it lives is replaced every hour.
func TestLifetimeUnknown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.provider.answers(http.StatusOK, `{"access_token":"eternal","token_type":"Bearer"}`)
	s.open().until(start.Add(3 * hour))
	s.expect(4, "eternal")
	if !s.current.Set().Usable(s.clock.Now()) || s.current.Set().Life != (lifetime.Token{IssuedAt: s.current.Set().Life.IssuedAt}) {
		t.Errorf("it lives %v", s.current.Set().Life)
	}
}
