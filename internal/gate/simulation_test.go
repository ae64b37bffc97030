package gate_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

// provider is a token endpoint that allows only so many requests.
type provider interface {
	allows(now time.Time) bool
}

// fixedWindow allows some requests in every window that its clock knows.
type fixedWindow struct {
	limit  int
	length time.Duration
	offset time.Duration
	number int64
	seen   int
}

func (w *fixedWindow) allows(now time.Time) bool {
	if number := (now.UnixNano() + int64(w.offset)) / int64(w.length); number != w.number {
		w.number, w.seen = number, 0
	}
	w.seen++
	return w.seen <= w.limit
}

// tokenBucket allows rate requests per second, and burst at once.
type tokenBucket struct {
	rate, burst float64
	tokens      float64
	at          time.Time
}

func (b *tokenBucket) allows(now time.Time) bool {
	if b.at.IsZero() {
		b.tokens = b.burst
	} else {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// simulation has credentials ask one provider until each of them has its token.
type simulation struct {
	provider    provider
	credentials int
	shared      bool          // one client instead of one per credential
	own         bool          // the provider holds that client
	retryAfter  time.Duration // what a refusal names; zero is nothing
	limits      gate.Limits
	seed        uint64
}

// simulated is how a simulation ended.
type simulated struct {
	refused, served int
	took            time.Duration
}

func (s simulation) run(limit time.Duration) simulated {
	var mu sync.Mutex
	rand := rand.New(rand.NewPCG(s.seed, 0))
	g := newGate()
	start := time.Now()
	var result simulated
	var submit func(id, failures int)
	submit = func(id, failures int) {
		request := gate.Request{Key: "key", Limits: s.limits, Namespace: fmt.Sprint(id % 7), Failures: failures, Shared: s.own}
		request.Urgent = id%20 == 0 // That is no excuse for more refusals.
		if !s.shared {
			request.Client = fmt.Sprint(id)
		}
		request.Run = func(*gate.Turn) gate.Result {
			mu.Lock()
			there := time.Duration(2500+rand.IntN(22500)) * time.Microsecond
			back := time.Duration(2500+rand.IntN(22500)) * time.Microsecond
			mu.Unlock()
			time.Sleep(there)
			mu.Lock()
			allowed := s.provider.allows(time.Now())
			mu.Unlock()
			time.Sleep(back)
			mu.Lock()
			defer mu.Unlock()
			if allowed {
				result.served++
				result.took = time.Since(start)
				return gate.Result{Outcome: gate.Answered}
			}
			result.refused++
			time.AfterFunc(max(s.retryAfter, time.Second), func() { submit(id, failures+1) })
			return gate.Result{Outcome: gate.Throttled, RetryAfter: s.retryAfter}
		}
		g.Submit(request)
	}
	for id := range s.credentials {
		submit(id, 0)
	}
	time.Sleep(limit)
	mu.Lock()
	defer mu.Unlock()
	return result
}

func TestAThrottlingProviderServesAllAndRefusesFew(t *testing.T) {
	t.Parallel()
	const (
		credentials = 200
		perSecond   = 5
		ideal       = credentials / perSecond * time.Second
		atMost      = 20
	)
	providers := map[string]func(seed uint64) provider{
		"fixed window": func(seed uint64) provider {
			return &fixedWindow{limit: perSecond, length: time.Second, offset: time.Duration(seed) * 97 * time.Millisecond}
		},
		"token bucket": func(uint64) provider { return &tokenBucket{rate: perSecond, burst: perSecond} },
	}
	for name, provider := range providers {
		for _, retryAfter := range []time.Duration{0, time.Second, 30 * time.Second} {
			for _, clients := range []string{"own clients", "one client", "the provider's client"} {
				t.Run(fmt.Sprintf("%s, Retry-After %s, %s", name, retryAfter, clients), func(t *testing.T) {
					t.Parallel()
					for seed := range uint64(20) {
						synctest.Test(t, func(t *testing.T) {
							s := simulation{
								provider:    provider(seed),
								credentials: credentials,
								shared:      clients != "own clients",
								own:         clients == "the provider's client",
								retryAfter:  retryAfter,
								seed:        seed,
							}
							longest := (ideal + retryAfter) * 3 / 2
							got := s.run(longest)
							if got.served != credentials || got.refused > atMost {
								t.Errorf("seed %d: %d of %d served within %s, and %d refused, want at most %d",
									seed, got.served, credentials, longest, got.refused, atMost)
							}
						})
					}
				})
			}
		}
	}
}
