package oauthcredential

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// allowance is how much each credential may still ask for and repair beside its
// schedule. It goes by name, so that it outlives a credential that is deleted and
// created anew. Its owner keeps it from concurrent use.
type allowance struct {
	requests map[types.NamespacedName]lifetime.Bucket
	repairs  map[types.NamespacedName]lifetime.Bucket
	// steps are how fast the buckets for requests refill, by the last known token:
	// one that is lost is still the measure for its successor.
	steps     map[types.NamespacedName]time.Duration
	forgotten int
}

func newAllowance() allowance {
	return allowance{
		requests: map[types.NamespacedName]lifetime.Bucket{},
		repairs:  map[types.NamespacedName]lifetime.Bucket{},
		steps:    map[types.NamespacedName]time.Duration{},
	}
}

func (a *allowance) draw(key types.NamespacedName, step time.Duration, now time.Time) {
	a.requests[key] = a.requests[key].Draw(step, now)
}

// forget drops the buckets of a deleted credential that are full. The others are
// looked at again with every so many that follow.
func (a *allowance) forget(key types.NamespacedName, now time.Time) {
	const sweepEvery = 1024
	a.drop(key, now)
	if a.forgotten++; a.forgotten%sweepEvery != 0 {
		return
	}
	for key := range a.requests {
		a.drop(key, now)
	}
}

// drop drops what is known of a name, if that makes no difference.
func (a *allowance) drop(key types.NamespacedName, now time.Time) {
	step := max(a.steps[key], lifetime.BucketStep(lifetime.Token{}))
	if a.requests[key].Idle(step, now) && a.repairs[key].Idle(lifetime.RepairStep, now) {
		delete(a.requests, key)
		delete(a.repairs, key)
		delete(a.steps, key)
	}
}

// limits are when a credential may be asked for beside its schedule, and when its
// target may be repaired.
type limits struct {
	step                time.Duration
	requestAt, repairAt time.Time
}

// limits answers the limits of a credential whose target holds a token that lives
// for life, or none.
func (e *exchanges) limits(key types.NamespacedName, held bool, life lifetime.Token) limits {
	e.mu.Lock()
	defer e.mu.Unlock()
	step := e.allowance.steps[key]
	if held || step == 0 {
		step = lifetime.BucketStep(life)
	}
	if e.allowance.steps[key] != step {
		e.allowance.steps[key] = step
	}
	return limits{
		step:      step,
		requestAt: e.allowance.requests[key].AllowedAt(step),
		repairAt:  e.allowance.repairs[key].AllowedAt(lifetime.RepairStep),
	}
}

// repaired counts a repair.
func (e *exchanges) repaired(key types.NamespacedName) {
	now := e.clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.allowance.repairs[key] = e.allowance.repairs[key].Draw(lifetime.RepairStep, now)
}
