package files

import (
	"context"
	"time"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// After a failure the first try again comes soon, for what passes by itself, and the later
// ones ever later, up to what a person waits after having mended something.
const (
	firstDelay = time.Second
	maxDelay   = 30 * time.Second
)

// Run writes the newest set whenever there is another, until the context ends, and tries
// again what fails. report hears of each try: err is nil when the files are those of the
// set, and only then changed tells whether readers see something else than at the success
// before, which is when to notify the application. It must not wait for anything.
func (w *Writer) Run(ctx context.Context, current *sidecar.Current, report func(set *sidecar.Set, changed bool, err error)) {
	untold := false
	for set := range current.All(ctx) {
		untold = w.deliver(ctx, current, set, untold, report)
	}
}

// deliver writes a set, and tries until it is written or there is a newer one. untold says
// that readers see something of which report has not heard, because a set was visible
// before all of its links were: it goes in, and comes out for the next one.
func (w *Writer) deliver(ctx context.Context, current *sidecar.Current, set *sidecar.Set, untold bool, report func(*sidecar.Set, bool, error)) bool {
	said := ""
	for delay := firstDelay; ; delay = min(2*delay, maxDelay) {
		changed, err := w.Write(set)
		untold = untold || changed
		if err == nil {
			if untold {
				w.Log.Info("The files are written", "directory", w.Dir)
			}
			report(set, untold, nil)
			return false
		}
		if said != err.Error() {
			said = err.Error()
			w.Log.Error("The files are not written, and what is there stays", "directory", w.Dir, "error", err)
		}
		report(set, false, err)
		if w.wait(ctx, current, set, delay) {
			return untold
		}
	}
}

// wait waits for a time, and tells whether there is no use in another try: because a newer
// set is there, or because the context has ended.
func (w *Writer) wait(ctx context.Context, current *sidecar.Current, set *sidecar.Set, d time.Duration) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := w.Clock.NewTimer(d)
	defer timer.Stop()
	newer := make(chan struct{})
	go func() {
		defer close(newer)
		_, _ = current.Next(ctx, set) // It ends for a newer set, or with the context.
	}()
	select {
	case <-newer:
		return true
	case <-timer.C():
		cancel()
		<-newer
		return false
	}
}
