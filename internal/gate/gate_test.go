package gate_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

func newGate(limit int) *gate.Gate {
	return gate.New(limit, func(d time.Duration, f func()) { time.AfterFunc(d, f) })
}

// journal notes what ran, and when.
type journal struct {
	mu    sync.Mutex
	start time.Time
	names []string
	times []time.Duration
}

func newJournal() *journal { return &journal{start: time.Now()} }

func (j *journal) note(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.names = append(j.names, name)
	j.times = append(j.times, time.Since(j.start))
}

func TestALineRunsNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3)
		var mu sync.Mutex
		running, most, done := 0, 0, 0
		for range 20 {
			g.Submit("key", gate.Order{}, func() gate.Result {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running--
				done++
				mu.Unlock()
				return gate.Answered
			})
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if most != 3 || done != 20 {
			t.Errorf("%d at a time and %d in all, want 3 and 20", most, done)
		}
	})
}

func TestTokensThatExpireSoonestGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(1), newJournal()
		submit := func(name string, order gate.Order) {
			g.Submit("key", order, func() gate.Result {
				time.Sleep(time.Second)
				j.note(name)
				return gate.Answered
			})
		}
		now := time.Now()
		submit("the one under way", gate.Order{})
		submit("without a token, first", gate.Order{})
		submit("without a token, second", gate.Order{})
		submit("good for an hour", gate.Order{Held: true, ExpiresAt: now.Add(time.Hour)})
		submit("good for a minute", gate.Order{Held: true, ExpiresAt: now.Add(time.Minute)})
		time.Sleep(time.Minute)
		synctest.Wait()
		want := []string{"the one under way", "good for a minute", "good for an hour", "without a token, first", "without a token, second"}
		if !slices.Equal(j.names, want) {
			t.Errorf("got  %q\nwant %q", j.names, want)
		}
	})
}

func TestAProviderThatHangsHoldsUpOnlyItsOwnLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(2), newJournal()
		for range 10 {
			g.Submit("hanging", gate.Order{}, func() gate.Result {
				time.Sleep(time.Hour)
				return gate.Failed
			})
		}
		g.Submit("healthy", gate.Order{}, func() gate.Result {
			j.note("healthy")
			return gate.Answered
		})
		synctest.Wait()
		if len(j.names) != 1 || j.times[0] != 0 {
			t.Errorf("the healthy line waited: %v", j.times)
		}
		time.Sleep(10 * time.Hour) // Let the others end.
	})
}

func TestAFailingLineIsProbedAndOpensForAllAtTheFirstAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, probes, served := newGate(10), newJournal(), newJournal()
		var up atomic.Bool
		for range 50 {
			g.Submit("key", gate.Order{}, func() gate.Result {
				if !up.Load() {
					probes.note("failed")
					return gate.Failed
				}
				served.note("answered")
				return gate.Answered
			})
			synctest.Wait()
		}
		if len(probes.names) != 5 || !g.Closed("key") {
			t.Fatalf("%d requests failed at once, want 5 to close the line", len(probes.names))
		}
		time.Sleep(21 * time.Second)
		synctest.Wait()
		for i := 5; i < len(probes.times); i++ {
			if pause := probes.times[i] - probes.times[i-1]; pause < gate.ProbeInterval {
				t.Errorf("two probes %s apart", pause)
			}
		}
		if len(probes.names) != 5+4 {
			t.Errorf("%d probes in 21 s, want 4", len(probes.names)-5)
		}
		up.Store(true)
		time.Sleep(gate.ProbeInterval)
		synctest.Wait()
		if len(served.names) != 41 || g.Closed("key") {
			t.Fatalf("%d served, want the 41 that waited", len(served.names))
		}
		if first, last := served.times[0], served.times[40]; first != last {
			t.Errorf("the first was served at %s and the last at %s", first, last)
		}
	})
}

func TestARequestThatIsWithdrawnNeverRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(1), newJournal()
		submit := func(name string) *gate.Ticket {
			return g.Submit("key", gate.Order{}, func() gate.Result {
				time.Sleep(time.Second)
				j.note(name)
				return gate.Answered
			})
		}
		first, second, third := submit("first"), submit("second"), submit("third")
		if g.Withdraw("key", first) || !g.Withdraw("key", second) || g.Withdraw("key", second) {
			t.Error("only the one that waits can be withdrawn, once")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []string{"first", "third"}; !slices.Equal(j.names, want) {
			t.Errorf("ran %q, want %q", j.names, want)
		}
		if g.Withdraw("key", third) {
			t.Error("what has run was withdrawn")
		}
	})
}

func TestAProbeThatWasNeverSentCostsNoPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(1), newJournal()
		results := []gate.Result{gate.Failed, gate.Failed, gate.Failed, gate.Failed, gate.Failed, gate.Unsent, gate.Answered, gate.Answered}
		for _, result := range results {
			g.Submit("key", gate.Order{}, func() gate.Result {
				j.note("")
				return result
			})
		}
		time.Sleep(gate.ProbeInterval)
		synctest.Wait()
		if len(j.times) != len(results) {
			t.Errorf("%d ran, want %d", len(j.times), len(results))
		}
	})
}

func TestTheUnknownExpiryComesLastAmongGoodTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(1), newJournal()
		for name, order := range map[string]gate.Order{
			"unknown": {Held: true},
			"known":   {Held: true, ExpiresAt: time.Now().Add(time.Hour)},
			"none":    {},
		} {
			g.Submit("key", gate.Order{Held: true}, func() gate.Result {
				time.Sleep(time.Second)
				return gate.Answered
			})
			g.Submit("key", order, func() gate.Result {
				j.note(name)
				return gate.Answered
			})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Contains(j.names, "unknown") || j.names[0] != "known" || j.names[2] != "none" {
			t.Errorf("ran in the order %q", j.names)
		}
	})
}

func TestOneThatAlwaysFailsDoesNotKeepTheOthersFromTheProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(1), newJournal()
		var fail func() gate.Result
		first := gate.Order{Held: true, ExpiresAt: time.Now()}
		fail = func() gate.Result {
			if len(j.names) == 0 {
				time.AfterFunc(time.Second, func() { g.Submit("key", first, fail) })
			}
			return gate.Failed
		}
		for range 5 {
			g.Submit("key", first, func() gate.Result { return gate.Failed })
		}
		g.Submit("key", first, fail)
		g.Submit("key", gate.Order{}, func() gate.Result {
			j.note("healthy")
			return gate.Answered
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(j.names) != 1 {
			t.Error("the healthy one never had its turn")
		}
		time.Sleep(time.Hour)
	})
}
