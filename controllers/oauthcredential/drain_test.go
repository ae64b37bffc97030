package oauthcredential

import (
	"context"
	"testing"
	"testing/synctest"
)

func closed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

func TestTheProcessOutlivesItsAnswers(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	for range 2 {
		if !r.unanswered.add() {
			t.Fatal("nothing may be sent")
		}
	}
	drained := r.Drained()
	if closed(drained) {
		t.Error("the process ends with two answers to come")
	}
	if r.unanswered.add() {
		t.Error("something is sent while the process is about to stop")
	}
	r.unanswered.done()
	if closed(r.Drained()) {
		t.Error("the process ends with one answer to come")
	}
	r.unanswered.done()
	if !closed(drained) || !closed(r.Drained()) {
		t.Error("the process does not end although all answers are kept")
	}
	if r.unanswered.add() {
		t.Error("something is sent after the end")
	}
}

func TestAProcessThatWaitsForNothingEndsAtOnce(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	if !r.unanswered.add() {
		t.Fatal("nothing may be sent")
	}
	r.unanswered.done()
	if !closed(r.Drained()) {
		t.Error("the process waits for nothing")
	}
}

// TestTheLeaseIsKeptUntilAllAnswersAre: it is given up when the last runnable ends.
func TestTheLeaseIsKeptUntilAllAnswersAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &Reconciler{}
		r.unanswered.add()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := (lastOut{r}).Start(ctx); err != nil {
				t.Error(err)
			}
		}()
		cancel()
		synctest.Wait()
		if closed(ended) {
			t.Error("the lease is given up with an answer to come")
		}
		if r.unanswered.add() {
			t.Error("something is sent although the lease is about to be given up")
		}
		r.unanswered.done()
		synctest.Wait()
		if !closed(ended) {
			t.Error("the lease is kept although all answers are")
		}
	})
}
