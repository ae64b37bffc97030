package lease

import (
	"context"
	"errors"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar/kube"
)

// Times are how long things take.
type Times struct {
	// Duration is how long others wait after they saw the Lease change, RenewDeadline how
	// long a holder goes on without a renewal, and RetryPeriod the pause between requests.
	// Duration is written in whole seconds.
	Duration, RenewDeadline, RetryPeriod time.Duration
}

// DefaultTimes are those of the operator's own Lease.
func DefaultTimes() Times {
	return Times{Duration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second}
}

// longest is far more than anybody would wait for.
const longest = 24 * time.Hour

// check refuses times with which there could be two holders, or none for long.
func (t Times) check() error {
	if t.Duration > longest || t.RetryPeriod <= 0 || t.RenewDeadline <= t.RetryPeriod || t.Duration.Truncate(time.Second) <= t.RenewDeadline {
		return errors.New("the duration of a Lease, at most a day, has to be longer than the deadline of its renewal, and that longer than the retry period")
	}
	return nil
}

// tries is how many requests that hang fit into RenewDeadline.
const tries = 3

// Elector says who wants to hold which Lease.
type Elector struct {
	// Client speaks to the API server; its namespace is that of the Lease.
	Client *kube.Client
	// Name is that of the Lease.
	Name string
	// Identity is the elector's own: no other process may ever have it, one that had the
	// same pod before included.
	Identity string
	Times    Times
	Clock    clock.Clock
	Log      *slog.Logger
	// Manifest is what to apply where rights are missing, empty for those of the Lease alone.
	Manifest string
}

// Rights are those that an elector needs for a Lease.
func Rights(name string) []kube.Right {
	const group = "coordination.k8s.io"
	return []kube.Right{
		{Group: group, Resource: resource, Name: name, Verbs: []string{"get", "update"}},
		{Group: group, Resource: resource, Verbs: []string{"create"}},
	}
}

// election is an Elector at work.
type election struct {
	Elector
	member

	store store
	// current says that seen is what the elector itself has written last.
	current bool
	// awaited is the holder that was logged last.
	awaited string
	// trouble is what was logged last, empty for none.
	trouble string
}

// attempt reads the Lease where it has to, and writes what is due.
func (e *election) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.Times.RenewDeadline/tries)
	defer cancel()
	if !e.current {
		record, err := e.store.read(ctx)
		if err != nil {
			return err
		}
		e.read(record, e.Clock.Now())
	}
	e.current = false
	if Decide(e.Identity, e.seen, e.Clock.Now()).Action == Wait {
		e.noteHolder()
		return nil
	}
	return e.write(ctx, e.Identity)
}

// noteHolder logs who is waited for, where that is news.
func (e *election) noteHolder() {
	if e.seen.Holder != e.awaited {
		e.awaited = e.seen.Holder
		e.Log.Info("stands by while another replica works", "lease", e.Name, "holder", e.awaited)
	}
}

// write puts a holder into the Lease, as it was read last.
func (e *election) write(ctx context.Context, holder string) error {
	sent := e.Clock.Now()
	record, err := e.store.write(ctx, holder, e.Times.Duration, sent)
	if err != nil {
		return err
	}
	e.wrote(record, sent, e.Clock.Now())
	e.current = true
	return nil
}

// giveBack lets another elector take the Lease at once. Where that fails, they wait.
func (e *election) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.Times.RenewDeadline/tries)
	defer cancel()
	if !e.holds(e.Clock.Now()) {
		return
	}
	if err := e.write(ctx, ""); err != nil {
		e.Log.Info("the Lease could not be given back: the others wait until it has run out", "lease", e.Name, "error", err)
	}
}

// tell logs what is wrong with the attempts, where that is news.
func (e *election) tell(err error) {
	now := ""
	switch {
	case err == nil, apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), errors.Is(err, context.Canceled):
		// Another elector was faster.
	case apierrors.IsForbidden(err):
		now = "forbidden"
	default:
		now = "other"
	}
	if now == e.trouble {
		return
	}
	e.trouble = now
	log := e.Log.With("lease", e.Name, "namespace", e.Client.Namespace)
	switch now {
	case "":
		log.Info("the Lease can be read and written again")
	case "forbidden":
		manifest := e.Manifest
		if manifest == "" {
			manifest = e.Client.Manifest(e.Name, Rights(e.Name)...)
		}
		log.Error("the pod's ServiceAccount may not use the Lease: apply the manifest", "manifest", manifest)
	default:
		log.Warn("the Lease cannot be read or written at the moment", "error", err)
	}
}
