package health

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/sidecar"
)

// Options are the settings of a Health.
type Options struct {
	Current *sidecar.Current
	// Sinks are the names of all that must hold a token, as Delivered gets them.
	Sinks   []string
	Version string
	Clock   clock.PassiveClock
}

// Health is the state of the sidecar. It is safe for concurrent use.
type Health struct {
	current  *sidecar.Current
	clock    clock.PassiveClock
	registry *prometheus.Registry
	metrics  *metrics

	mu    sync.Mutex
	sinks []*sink
}

// sink is what is known of one.
type sink struct {
	name string
	// holds is the set that was delivered last.
	holds *sidecar.Set
	// failed is why no newer one was, nil where nothing was in the way.
	failed error
}

// New makes the state of a sidecar that has delivered nothing yet.
func New(o Options) *Health {
	h := &Health{current: o.Current, clock: o.Clock, registry: prometheus.NewRegistry()}
	for _, name := range o.Sinks {
		h.sinks = append(h.sinks, &sink{name: name})
	}
	h.metrics = newMetrics(h.registry, o.Version)
	h.registry.MustRegister(newToken(h))
	return h
}

// Delivered notes that a sink holds a set, or why it could not be brought there. The sink
// is one of those of Options.
func (h *Health) Delivered(name string, set *sidecar.Set, err error) {
	h.note(name, err, func(s *sink) {
		if err == nil {
			s.holds = set
		}
	})
}

// Lost notes that a sink holds no token any more, and why. The sink is one of those of
// Options.
func (h *Health) Lost(name string, why error) {
	h.note(name, why, func(s *sink) { s.holds = nil })
}

// note counts what came of a delivery, and notes in the sink what follows.
func (h *Health) note(name string, err error, follows func(*sink)) {
	h.metrics.deliveries.WithLabelValues(name, result(err)).Inc()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sinks {
		if s.name == name {
			s.failed = err
			follows(s)
		}
	}
}

// nothing says why there is no token yet. The caller holds the lock.
func (h *Health) nothing() error {
	for _, s := range h.sinks {
		if s.failed != nil {
			return fmt.Errorf("no token yet: %s", redact.Message(s.failed.Error()))
		}
	}
	return errors.New("no token yet: the source has none, or cannot be read; the log tells more")
}

// Ready is nil while all sinks hold a token that has not expired. Otherwise it is a
// sentence that says what is missing.
func (h *Health) Ready() error {
	now, newest := h.clock.Now(), h.current.Set()
	h.mu.Lock()
	defer h.mu.Unlock()
	if newest == nil {
		return h.nothing()
	}
	for _, s := range h.sinks {
		switch {
		case s.holds.Usable(now):
		case !newest.Usable(now):
			return fmt.Errorf("the token expired at %s, and the source has no newer one", newest.Life.ExpiresAt.UTC().Format(time.RFC3339))
		case s.failed != nil:
			return fmt.Errorf("not delivered to %s: %s", s.name, redact.Message(s.failed.Error()))
		default:
			return fmt.Errorf("not delivered to %s yet", s.name)
		}
	}
	return nil
}
