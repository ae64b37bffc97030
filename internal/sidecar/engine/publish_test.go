package engine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// sink is somebody whom tokens are published to.
type sink struct {
	mu     sync.Mutex
	failed *issuance.Failure
	err    error
	calls  []string
	called chan struct{}
}

func (s *sink) publish(_ context.Context, token secretstore.Token) (*issuance.Failure, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, string(token.Data["access_token"]))
	s.called <- struct{}{}
	return s.failed, s.err
}

func (s *sink) answers(failed *issuance.Failure, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.err = failed, err
}

// TestPublish: what fails is tried again with patience, holds nothing back, and asks for no
// other token.
func TestPublish(t *testing.T) {
	t.Parallel()
	const bad, good = "The token could not be published, and that is tried again", "The token was published after all"
	s := newStage(t)
	held := &sink{called: make(chan struct{}, 100), failed: &issuance.Failure{Reason: "SecretRejected", Message: "no"}}
	s.options.Publish = held.publish
	s.open()
	s.expect(1, "token-1")
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.loop.publisher.run(ctx) })
	defer running.Wait()
	defer cancel()
	<-held.called
	tries := 1
	attempt := func() {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			select {
			case <-held.called:
				tries++
				return
			default:
				if s.clock.HasWaiters() {
					s.clock.Step(time.Second)
				}
			}
		}
		t.Fatal("it is not tried again")
	}
	for range 4 {
		attempt()
	}
	if took := s.clock.Since(start); took < 8*time.Second || s.log.count(bad) != 1 {
		t.Errorf("tried %d times in %s, told %d times", tries, took, s.log.count(bad))
	}
	held.answers(nil, errors.New("the API server is away"))
	attempt()
	attempt()
	if s.log.count(bad) != 2 {
		t.Errorf("told %d times", s.log.count(bad))
	}
	held.answers(nil, nil)
	attempt()
	for s.log.count(good) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.expect(1, "token-1")
	s.until(start.Add(hour))
	<-held.called
	if last := held.calls[len(held.calls)-1]; last != "token-2" || len(held.calls) != tries+1 {
		t.Errorf("published %v", held.calls)
	}
}
