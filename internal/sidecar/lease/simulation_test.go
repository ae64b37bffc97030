package lease

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
)

// skewed is a clock that is off, and runs too fast or too slow.
type skewed struct {
	clock.RealClock
	began time.Time
	off   time.Duration
	rate  float64
}

// Now implements clock.PassiveClock.
func (c *skewed) Now() time.Time {
	return c.began.Add(c.off + time.Duration(float64(time.Since(c.began))*c.rate))
}

// NewTimer implements clock.Clock.
func (c *skewed) NewTimer(d time.Duration) clock.Timer {
	return c.RealClock.NewTimer(time.Duration(float64(d) / c.rate))
}

// holders are those who believe that they hold the Lease, until what they are kept with
// answers an error.
type holders struct {
	mu      sync.Mutex
	working map[string]func() error
	// terms counts how often somebody began to believe, and overlaps are when two did.
	terms    int
	overlaps []string
}

// work is what a holder does. It takes some time to end.
func (h *holders) work(name string, ending time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		h.mu.Lock()
		for other, ended := range h.working {
			if ended() == nil {
				h.overlaps = append(h.overlaps, other+" and "+name)
			}
		}
		h.working[name] = ctx.Err
		h.terms++
		h.mu.Unlock()
		<-ctx.Done()
		time.Sleep(ending)
		h.mu.Lock()
		delete(h.working, name)
		h.mu.Unlock()
	}
}

// simulate lets some electors run for a time, and answers the holders.
func simulate(t *testing.T, seed uint64, server *server, life func(random *rand.Rand) time.Duration) *holders {
	t.Helper()
	const electors, span = 5, 10 * time.Minute
	all := &holders{working: map[string]func() error{}}
	rates := stream(seed, 1)
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var group sync.WaitGroup
	for i := range electors {
		watch := &skewed{began: time.Now(), off: upTo(rates, 24*time.Hour), rate: 0.85 + 0.3*float64(upTo(rates, time.Second))/float64(time.Second)}
		own := stream(seed, uint64(i)+2)
		group.Go(func() {
			for number := 0; ctx.Err() == nil; number++ {
				name := fmt.Sprintf("elector-%d-%d", i, number)
				living, end := context.WithTimeout(ctx, life(own))
				err := Run(living, Elector{
					Client: server.client(), Name: "lease", Identity: name, Times: DefaultTimes(),
					Clock: watch, Log: slog.New(slog.DiscardHandler),
				}, all.work(name, upTo(own, 2*time.Second)))
				end()
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	synctest.Wait()
	time.Sleep(time.Hour) // What is still on its way arrives.
	return all
}

// seeds is how many times each simulation is run.
const seeds = 4

func forever(*rand.Rand) time.Duration { return time.Hour }

// short lives end in the midst of everything.
func short(rand *rand.Rand) time.Duration { return upTo(rand, 90*time.Second) }

// stream is one of the random streams of a seed.
func stream(seed, number uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, number)) }

func upTo(rand *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(most)))
}

func TestNeverTwoHolders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		loss  float64
		delay time.Duration
		life  func(*rand.Rand) time.Duration
		// deletes says that somebody deletes the Lease now and then.
		deletes bool
		// terms is the least number of terms, over all seeds.
		terms int
	}{
		"in a good network":           {delay: 10 * time.Millisecond, life: forever, terms: 4},
		"in a good network, restarts": {delay: 10 * time.Millisecond, life: short, terms: 20},
		"in a slow network":           {delay: 1500 * time.Millisecond, life: forever, terms: 20},
		"in a slow network, restarts": {delay: time.Second, life: short, terms: 20},
		"in a bad network":            {loss: 0.4, delay: 300 * time.Millisecond, life: forever, terms: 20},
		"in a bad network, restarts":  {loss: 0.3, delay: 500 * time.Millisecond, life: short, terms: 20},
		"while it is deleted":         {loss: 0.2, delay: 300 * time.Millisecond, life: forever, deletes: true, terms: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			terms := 0
			for seed := range uint64(seeds) {
				synctest.Test(t, func(t *testing.T) {
					server := newServer()
					server.weather = storm(stream(seed, 0), test.loss, test.delay)
					if test.deletes {
						go func() {
							for at := range 8 {
								time.Sleep(time.Minute + time.Duration(at)*time.Second)
								server.remove("lease")
							}
						}()
					}
					all := simulate(t, seed, server, test.life)
					if len(all.overlaps) > 0 {
						t.Errorf("seed %d: two holders at once: %v", seed, all.overlaps)
					}
					terms += all.terms
				})
			}
			t.Logf("%d terms", terms)
			if terms < test.terms {
				t.Errorf("%d terms are too few to show anything", terms)
			}
		})
	}
}
