package engine

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// published is the token that waits to be published, empty for none.
func (s *stage) published() string {
	select {
	case token := <-s.loop.publisher.tokens:
		return string(token.Data["access_token"])
	default:
		return ""
	}
}

// TestRepair: a token is published once more without another request, and not at any pace.
func TestRepair(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	if got := s.published(); got != "token-1" {
		t.Fatalf("published %q", got)
	}
	for range 3 {
		s.engine.Repair()
		s.settle()
		if got := s.published(); got != "token-1" {
			t.Errorf("published %q", got)
		}
		s.settle()
		if got := s.published(); got != "" {
			t.Errorf("published %q although nothing was wrong", got)
		}
	}
	s.engine.Repair()
	s.settle()
	if got := s.published(); got != "" {
		t.Errorf("the fourth time in a row it published %q at once", got)
	}
	s.after(lifetime.RepairStep)
	if got := s.published(); got != "token-1" {
		t.Errorf("published %q", got)
	}
	s.expect(1, "token-1")
}

// TestHoldOn: what another run has left undone is done by the next.
func TestHoldOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		unpublished, refused bool
		published, current   string
		requests             int
	}{
		"a token that is in use":     {current: "held"},
		"one that nobody else has":   {unpublished: true, published: "held", current: "held"},
		"one that was refused":       {refused: true, published: "token-1", current: "token-1", requests: 1},
		"one that is refused by now": {unpublished: true, refused: true, published: "token-1", current: "token-1", requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.make()
			token := secretstore.Token{
				Data: render.Data{"access_token": []byte("held")}, IssuedAt: start.Add(-time.Minute), ExpiresAt: start.Add(hour),
				InputsHash: s.engine.loaded.inputsHash,
			}
			s.engine.Hold(Held{Token: token, Unpublished: test.unpublished, Refused: test.refused})
			s.loop = s.engine.newLoop(t.Context(), s.current)
			t.Cleanup(func() { _ = s.loop.watch.watcher.Close() })
			s.settle()
			s.expect(test.requests, test.current)
			if got := s.published(); got != test.published {
				t.Errorf("published %q, want %q", got, test.published)
			}
		})
	}
}

// TestAChangeBetweenTwoRuns: a client secret that has changed since the token was asked for
// is another one to the next run, too.
func TestAChangeBetweenTwoRuns(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	s.expect(1, "token-1")
	s.project(secretName, map[string]string{"client_secret": "another"})
	_ = s.loop.watch.watcher.Close()
	s.loop = s.engine.newLoop(t.Context(), s.current) // That of open ends this one.
	s.settle()
	s.expect(2, "token-2")
}
