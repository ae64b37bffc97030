package lease

import (
	"context"
	"time"
)

// Run calls work whenever the elector holds the Lease. The context of work ends with that
// or with ctx, and work is waited for before the Lease is given back or tried again. Run
// ends with ctx, or when work ends by itself. The error is that times do not fit together.
func Run(ctx context.Context, elector Elector, work func(ctx context.Context)) error {
	if err := elector.Times.check(); err != nil {
		return err
	}
	e := &election{
		Elector: elector,
		member:  member{identity: elector.Identity, times: elector.Times},
		store:   store{client: elector.Client.Coordination, namespace: elector.Client.Namespace, name: elector.Name},
	}
	for e.acquire(ctx) {
		e.Log.Info("holds the Lease", "lease", e.Name, "identity", e.Identity)
		if !e.hold(ctx, work) {
			e.giveBack(context.WithoutCancel(ctx))
			return nil
		}
		e.Log.Warn("has lost the Lease", "lease", e.Name, "identity", e.Identity)
	}
	return nil
}

// acquire tries until the elector holds the Lease. It answers false when the context ends.
func (e *election) acquire(ctx context.Context) bool {
	for {
		err := e.attempt(ctx)
		if ctx.Err() != nil {
			e.giveBack(context.WithoutCancel(ctx)) // The last attempt may have succeeded.
			return false
		}
		e.tell(err)
		if e.holds(e.Clock.Now()) {
			return true
		}
		timer := e.Clock.NewTimer(e.Times.RetryPeriod)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// hold lets work go on for as long as the Lease is held, and renews that. It answers
// whether the Lease was lost. While work comes to its end, renewals go on.
func (e *election) hold(ctx context.Context, work func(ctx context.Context)) (lost bool) {
	until := e.until // The renewals change it.
	working, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		work(working)
	}()
	renewing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	renewals, ended := make(chan time.Time), make(chan struct{})
	go func() {
		defer close(ended)
		e.renew(renewing, renewals)
	}()
	defer func() {
		giveUp()
		<-ended
	}()

	lost = e.await(until, worked, renewals)
	stop()
	<-worked
	return lost
}

// await waits for the end of work, or for that of the Lease, which it answers as true. The
// end of the Lease comes again with each renewal.
func (e *election) await(until time.Time, worked <-chan struct{}, renewals <-chan time.Time) bool {
	deadline := e.Clock.NewTimer(until.Sub(e.Clock.Now()))
	defer func() { deadline.Stop() }()
	for {
		select {
		case <-worked:
			return false
		case <-deadline.C():
			return true
		case until := <-renewals:
			left := until.Sub(e.Clock.Now())
			if left <= 0 {
				return true
			}
			deadline.Stop()
			deadline = e.Clock.NewTimer(left)
		}
	}
}

// renew renews the Lease time and again, and tells until when it is held, which is the past
// once another holds it.
func (e *election) renew(ctx context.Context, renewals chan<- time.Time) {
	for {
		timer := e.Clock.NewTimer(e.Times.RetryPeriod)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return
		}
		err := e.attempt(ctx)
		if ctx.Err() == nil {
			e.tell(err)
		}
		select {
		case renewals <- e.until:
		case <-ctx.Done():
			return
		}
	}
}
