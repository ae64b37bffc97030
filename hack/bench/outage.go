package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// measureOutage lets the provider fail from the moment at which the next tokens
// are due, and looks how soon all is good again once it answers.
func (b *bench) measureOutage(ctx context.Context) error {
	b.sayf("outage: wait for the next refresh, in %.0f s", time.Until(b.consumer.nextDue()).Seconds())
	if err := b.pause(ctx, b.consumer.nextDue().Add(-time.Second)); err != nil {
		return err
	}
	requested := b.requested()
	b.sayf("outage: the provider answers 503 for %s", b.options.outage)
	began := time.Now()
	b.provider.Misbehave(standin.Behavior{Fault: standin.Respond})
	if err := b.pause(ctx, began.Add(b.options.outage)); err != nil {
		return err
	}
	failed := b.requested() - requested
	count, _ := b.consumer.expired(time.Now())
	b.sayf("outage: over, with %d expired tokens after %d token requests", count, failed)
	b.recoverProvider()
	ended := time.Now()
	if err := b.awaitGood(ctx); err != nil {
		return err
	}
	_, repaired := b.consumer.expired(time.Now())
	after := max(0, repaired.Sub(ended).Seconds())
	b.sayf("outage: all good after %.1f s", after)
	b.report.outage = gap{began, later(ended, repaired)}
	b.report.add(figure{Name: "outage: token requests in it, for each credential", Value: float64(failed) / float64(b.options.n), Decimals: 2})
	b.report.add(figure{
		Name: fmt.Sprintf("outage of %s: all good again after", b.options.outage), Value: after, Unit: "s", Decimals: 1,
		Target: 5, Peer: "100 to 141",
	})
	return nil
}

// awaitGood waits until no Secret has held an expired token for a while.
func (b *bench) awaitGood(ctx context.Context) error {
	var since time.Time
	return b.await(ctx, 10*time.Minute, func() bool {
		now := time.Now()
		if count, _ := b.consumer.expired(now); count > 0 {
			since = time.Time{}
			return false
		}
		if since.IsZero() {
			since = now
		}
		return now.Sub(since) > 2*settle
	}, func() string {
		count, _ := b.consumer.expired(time.Now())
		return fmt.Sprintf("%d tokens are expired", count)
	})
}
