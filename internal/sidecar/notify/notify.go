package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// The kinds of notification, as Metrics gets them.
const (
	KindSignal = "signal"
	KindHook   = "hook"
)

// ErrUnsupported says that there are no signals on this system.
var ErrUnsupported = errors.New("only a sidecar on Linux can send signals: leave --notify-process and --notify-pid-file out")

// errAbsent marks that there is no process, which in time there may be.
var errAbsent = errors.New("there is nobody to signal")

// patience is how long a process may be absent before that is worth a warning.
const patience = time.Minute

// Metrics counts notifications.
type Metrics interface {
	// Notified counts one attempt, by its kind and by how it went.
	Notified(kind string, err error)
}

// Options are the settings of a Notifier.
type Options struct {
	// Signal is what Process or PIDFile gets, by its name. Without any of these two there
	// is no signal.
	Signal string
	// Process is what a process calls itself, in its first argument without folders or as
	// the kernel knows it. All that match are meant.
	Process string
	// PIDFile has the number of the process in its first line. It is read each time.
	PIDFile string

	// URL is the HTTP hook, nil for none.
	URL       *url.URL
	UserAgent string

	Clock   clock.Clock
	Log     *slog.Logger
	Metrics Metrics
	// Seed spreads the retries of those pods that have the same hook.
	Seed string
}

// Notifier tells the app of changes.
type Notifier struct {
	workers []*worker
}

// New makes a notifier of those kinds that are asked for. The error is ErrUnsupported, or
// says that there is no such signal.
func New(o Options) (*Notifier, error) {
	n := &Notifier{}
	add := func(kind string, begin func() attempt) {
		n.workers = append(n.workers, &worker{
			kind: kind, begin: begin, changes: make(chan struct{}, 1),
			clock: o.Clock, log: o.Log, metrics: o.Metrics, seed: o.Seed,
		})
	}
	if o.Process != "" || o.PIDFile != "" {
		begin, err := newSignaler(o)
		if err != nil {
			return nil, err
		}
		add(KindSignal, begin)
	}
	if o.URL != nil {
		add(KindHook, newHook(o.URL, o.UserAgent).begin)
	}
	return n, nil
}

// Changed says that the files are new. It does not wait, and may come before Run. Call it
// after a write that changed something, and not where the files were found to be up to
// date, such as after a restart: that would disturb the app for nothing.
func (n *Notifier) Changed() {
	for _, w := range n.workers {
		select {
		case w.changes <- struct{}{}:
		default: // One is waiting to be told, and whoever is told then reads the newest.
		}
	}
}

// Run tells of changes until the context ends.
func (n *Notifier) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, w := range n.workers {
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
}

// attempt tells of one change, and may be called again until it has told everybody.
type attempt func(ctx context.Context) error

// worker tells of changes in one way.
type worker struct {
	kind string
	// begin makes the attempt of a change.
	begin   func() attempt
	changes chan struct{}

	clock   clock.Clock
	log     *slog.Logger
	metrics Metrics
	seed    string
}

func (w *worker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changes:
		}
		for changed := true; changed; {
			changed = w.tell(ctx)
		}
	}
}

// tell tells of one change, and is true where another one came before that was done.
func (w *worker) tell(ctx context.Context) bool {
	try, since, logged := w.begin(), w.clock.Now(), &complaint{}
	for count := 1; ; count++ {
		err := try(ctx)
		if ctx.Err() != nil {
			return false
		}
		w.metrics.Notified(w.kind, err)
		now := w.clock.Now()
		if err == nil {
			w.log.Info("The app knows of its new files", "by", w.kind)
			return false
		}
		w.complain(ctx, logged, err, now.Sub(since))
		// The pace of everything that is tried again where nobody is hurt by waiting.
		failure := lifetime.Failure{Class: lifetime.Transient, Count: count, First: since, Last: now}
		timer := w.clock.NewTimer(lifetime.RetryAt(failure, lifetime.Token{}, w.seed+"/"+w.kind).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-w.changes:
			timer.Stop()
			return true
		case <-timer.C():
		}
	}
}

// complaint is what was logged of a change.
type complaint struct {
	message string
	warned  bool
}

// complain logs a failure unless that says nothing new. A process that is absent may be
// about to start, which is no reason to worry at first.
func (w *worker) complain(ctx context.Context, logged *complaint, err error, lasts time.Duration) {
	warn := !errors.Is(err, errAbsent) || lasts >= patience
	if err.Error() == logged.message && warn == logged.warned {
		return
	}
	*logged = complaint{message: err.Error(), warned: warn}
	level := slog.LevelInfo
	if warn {
		level = slog.LevelWarn
	}
	w.log.Log(ctx, level, "The app cannot be told of its new files yet, and this goes on trying", "by", w.kind, "error", err)
}
