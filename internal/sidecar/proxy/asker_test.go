package proxy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/test/eventually"
)

func TestPause(t *testing.T) {
	t.Parallel()
	token := func(life time.Duration) lifetime.Token {
		return lifetime.Token{IssuedAt: start, ExpiresAt: start.Add(life)}
	}
	for name, test := range map[string]struct {
		life lifetime.Token
		want time.Duration
	}{
		"nothing known":    {lifetime.Token{}, 6 * time.Minute},
		"no end":           {lifetime.Token{IssuedAt: start}, 6 * time.Minute},
		"no issue":         {lifetime.Token{ExpiresAt: start.Add(time.Hour)}, 6 * time.Minute},
		"a second":         {token(time.Second), 10 * time.Second},
		"100 seconds":      {token(100 * time.Second), 10 * time.Second},
		"10 minutes":       {token(10 * time.Minute), time.Minute},
		"30 days":          {token(720 * time.Hour), 72 * time.Hour},
		"an end before it": {token(-time.Hour), 10 * time.Second},
	} {
		if got := pause(test.life); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// waiting begins a request whose token is refused, and answers when it waits for another.
func waiting(t *testing.T, s *stand, request *http.Request) <-chan reply {
	t.Helper()
	answers := make(chan reply, 1)
	go func() {
		got, err := try(request)
		if err != nil {
			got.body = err.Error()
		}
		answers <- got
	}()
	eventually.Holds(t, "the request waits", func() bool { return s.asked.Load() > 0 && s.clock.HasWaiters() })
	return answers
}

func TestPatience(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	first := waiting(t, s, s.request(t, http.MethodGet, "/", http.NoBody))
	s.clock.Step(9 * time.Second)
	second := make(chan reply, 1)
	go func() {
		got, _ := try(s.request(t, http.MethodGet, "/", http.NoBody))
		second <- got
	}()
	eventually.Holds(t, "both were refused", func() bool { return server.refused.Load() == 2 })
	select {
	case got := <-first:
		t.Fatalf("it did not wait: %d", got.status)
	case <-time.After(50 * time.Millisecond):
	}
	s.clock.Step(time.Second)
	// Who came late waits no longer than the others.
	if a, b := <-first, <-second; !a.is401() || !b.is401() {
		t.Errorf("%d %d", a.status, b.status)
	}
	// It comes in the end.
	s.offer(t, "t2", time.Hour)
	if got := s.get(t, "/"); got.status != http.StatusOK || s.asked.Load() != 1 || server.refused.Load() != 2 {
		t.Errorf("%d, asked %d, refused %d", got.status, s.asked.Load(), server.refused.Load())
	}
}

// Sets with the same token, or with one that is of no use, are not what is waited for.
func TestWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	answer := waiting(t, s, s.request(t, http.MethodGet, "/", http.NoBody))
	s.offerWith(t, map[string]string{"access_token": "t1", "other": "a"}, time.Hour)
	s.offerWith(t, map[string]string{"other": "a"}, time.Hour)
	s.offerWith(t, map[string]string{"access_token": "t0", "expires_at": start.Format(time.RFC3339)}, 0)
	select {
	case got := <-answer:
		t.Errorf("it was answered with %d", got.status)
	case <-time.After(50 * time.Millisecond):
	}
	s.offer(t, "t2", time.Hour)
	if got := <-answer; got.status != http.StatusOK || server.refused.Load() != 1 {
		t.Errorf("%d, refused %d", got.status, server.refused.Load())
	}
}

func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	s.refresh = func(context.Context) error { return sidecar.ErrNoRefresh }
	if got := s.get(t, "/"); !got.is401() || s.counts.read().repeats != 0 {
		t.Errorf("%d", got.status)
	}
	if !errors.Is(s.counts.read().refreshes[0], sidecar.ErrNoRefresh) {
		t.Errorf("counted %v", s.counts.read().refreshes)
	}
	s.clock.Step(time.Hour - time.Second)
	s.refresh = func(context.Context) error {
		s.offer(t, "t2", time.Hour)
		return sidecar.ErrNoRefresh
	}
	if got := s.get(t, "/"); got.status != http.StatusOK || s.counts.read().repeats != 1 {
		t.Errorf("with another meanwhile: %d", got.status)
	}

	alone := before(t, newPicky(t, false, "t2").Server, "")
	alone.asker.refresher = nil
	if got := alone.get(t, "/"); !got.is401() {
		t.Errorf("without a refresher: %d", got.status)
	}
}

// Asking that fails is tried again before the tenth of a life is over: nobody was asked.
func TestAskingThatFails(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	s.refresh = func(context.Context) error { return errors.New("no API server") }
	for range 3 {
		if got := s.get(t, "/"); !got.is401() {
			t.Errorf("%d", got.status)
		}
	}
	if s.asked.Load() != 1 || !strings.Contains(s.log.String(), "no API server") {
		t.Errorf("asked %d: %s", s.asked.Load(), s.log)
	}
	s.clock.Step(minPause - time.Nanosecond)
	s.get(t, "/")
	if s.asked.Load() != 1 {
		t.Errorf("asked %d times within %s", s.asked.Load(), minPause)
	}
	s.clock.Step(time.Nanosecond)
	s.brings(t, "t2", time.Hour)
	if got := s.get(t, "/"); got.status != http.StatusOK || s.asked.Load() != 2 {
		t.Errorf("%d, asked %d", got.status, s.asked.Load())
	}
}

// Asking that takes too long is over with the patience, and may have been heard.
func TestAskingThatHangs(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	s.refresh = func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	answer := waiting(t, s, s.request(t, http.MethodGet, "/", http.NoBody))
	s.clock.Step(patience)
	if got := <-answer; !got.is401() {
		t.Errorf("%d", got.status)
	}
	s.clock.Step(5 * time.Minute)
	if got := s.get(t, "/"); !got.is401() || s.asked.Load() != 1 {
		t.Errorf("%d, asked %d", got.status, s.asked.Load())
	}
}

// A client that goes takes nothing from those who still wait.
func TestAClientThatStopsWaiting(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	ctx, cancel := context.WithCancel(t.Context())
	first := waiting(t, s, s.request(t, http.MethodGet, "/", http.NoBody).WithContext(ctx))
	second := make(chan reply, 1)
	go func() {
		got, _ := try(s.request(t, http.MethodGet, "/", http.NoBody))
		second <- got
	}()
	eventually.Holds(t, "both were refused", func() bool { return server.refused.Load() == 2 })
	cancel()
	<-first
	eventually.Holds(t, "the first ended", func() bool { return s.counts.read().status[http.StatusUnauthorized] == 1 })
	s.offer(t, "t2", time.Hour)
	if got := <-second; got.status != http.StatusOK || server.taken.Load() != 1 || s.asked.Load() != 1 {
		t.Errorf("%d, taken %d, asked %d", got.status, server.taken.Load(), s.asked.Load())
	}
}

// The end of the process ends the waiting.
func TestTheEndWhileRequestsWait(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t2")
	s := before(t, server.Server, "")
	answer := waiting(t, s, s.request(t, http.MethodGet, "/", http.NoBody))
	s.Close()
	if got := <-answer; !got.is401() {
		t.Errorf("%d", got.status)
	}
	if got := s.get(t, "/"); !got.is401() || s.asked.Load() != 1 {
		t.Errorf("afterwards: %d, asked %d", got.status, s.asked.Load())
	}
}
