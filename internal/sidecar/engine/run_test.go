package engine

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// run runs the engine until the test ends, or the answer is called.
func (s *stage) run() (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(ctx, s.current) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				s.t.Errorf("it ended by %v", err)
			}
		case <-time.After(10 * time.Second):
			s.t.Fatal("it does not end")
		}
	}
	s.t.Cleanup(stop)
	return stop
}

// soon waits for the set with a token.
func (s *stage) soon(token string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	var set *sidecar.Set
	for {
		var err error
		if set, err = s.current.Next(ctx, set); err != nil {
			s.t.Fatalf("no set with %q comes\n%s", token, s.log.String())
		}
		if set.Token.Reveal() == token {
			return
		}
	}
}

// TestRun: changes of files and of the time are seen as they happen.
func TestRun(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	remove(t, s.options.SecretsDir)
	s.make()
	stop := s.run()
	for s.log.count(missing) == 0 {
		time.Sleep(time.Millisecond)
	}
	// Its directory's directory is made in the meantime, too, so that only the poll finds it.
	s.project(secretName, map[string]string{"client_secret": "first-secret"})
	s.clock.Step(pollEvery)
	s.soon("token-1")
	s.clock.Step(2 * time.Second)
	s.project(secretName, map[string]string{"client_secret": "second-secret"})
	s.soon("token-2")
	s.clock.Step(2 * time.Second)
	s.writeManifest(manifestOf(s.provider.URL, "  scopes: [news]\n"))
	s.soon("token-3")
	s.clock.Step(2 * time.Second)
	s.clock.Step(41 * time.Minute)
	s.soon("token-4")
	s.clock.Step(2 * time.Second)
	if err := s.engine.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.soon("token-5")
	stop()
	s.run() // Whoever goes on has the token still.
	s.clock.Step(time.Minute)
	s.expect(5, "token-5")
}

// TestEnd: a request under way is cut off, and so is one that still waits for the issuer.
func TestEnd(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(text string, s *stage) string{
		"of the token": func(text string, _ *stage) string { return text },
		"of the issuer": func(text string, s *stage) string {
			return strings.Replace(text, "tokenURL: "+s.provider.URL+"/oauth/token", "issuer: "+s.provider.URL, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.writeManifest(change(manifestOf(s.provider.URL), s))
			arrived, cut := make(chan struct{}), make(chan struct{})
			s.provider.set(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
				close(cut)
			})
			s.make()
			stop := s.run()
			<-arrived
			stop()
			select {
			case <-cut:
			case <-time.After(5 * time.Second):
				t.Error("it goes on")
			}
			s.expect(1, "")
			if s.log.count(missing) != 0 {
				t.Errorf("that was told as a failure\n%s", s.log.String())
			}
		})
	}
}

// TestEndInLine: a request that waits for its turn leaves its line.
func TestEndInLine(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.writeManifest(limited(s))
	s.make()
	stop := s.run()
	s.soon("token-1")
	s.clock.Step(2 * time.Second)
	if err := s.engine.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	line := s.engine.loaded.plan.Line()
	for s.options.Gate.Waiting(line) == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if s.options.Gate.Waiting(line) != 0 {
		t.Error("it waits on")
	}
}

// TestWithoutAWatch: the poll alone finds what has changed.
func TestWithoutAWatch(t *testing.T) {
	t.Parallel()
	s := newStage(t).open()
	s.loop.watch.follow([]string{filepath.Join(s.dir, "none")}) // It is not there, and that is no trouble.
	_ = s.loop.watch.watcher.Close()
	s.loop.watch.watcher = nil
	before := s.clock.Waiters()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.loop.watch.run(ctx)
	}()
	for s.clock.Waiters() == before {
		time.Sleep(time.Millisecond)
	}
	s.clock.Step(pollEvery)
	<-s.engine.wake
	cancel()
	<-ended
	if strings.Contains(s.log.String(), "watched") {
		t.Error("there was no trouble to tell")
	}
}
