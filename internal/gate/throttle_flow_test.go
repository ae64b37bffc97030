package gate_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

// refuse has the provider refuse a client.
func refuse(g *gate.Gate, client string, retryAfter time.Duration) {
	g.Submit(gate.Request{Key: "key", Client: client, Run: func(*gate.Turn) gate.Result {
		return gate.Result{Outcome: gate.Throttled, RetryAfter: retryAfter}
	}})
	synctest.Wait()
}

func TestWhoIsHeldWhenAProviderThrottles(t *testing.T) {
	t.Parallel()
	type refusal struct {
		client    string
		after     time.Duration
		shared    bool
		namespace string // of a line that namespaces share
	}
	for name, c := range map[string]struct {
		refusals []refusal
		everyone bool
	}{
		"one client":                      {refusals: []refusal{{"a", 0, false, ""}}},
		"one client, twice":               {refusals: []refusal{{"a", 0, false, ""}, {"a", 59 * time.Second, false, ""}}},
		"two clients within a minute":     {[]refusal{{"a", 0, false, ""}, {"b", 59 * time.Second, false, ""}}, true},
		"two clients, a minute apart":     {refusals: []refusal{{"a", 0, false, ""}, {"b", time.Minute, false, ""}}},
		"the client that the provider is": {[]refusal{{"a", 0, true, ""}}, true},
		"two clients of one namespace":    {refusals: []refusal{{"a", 0, false, "x"}, {"b", time.Second, false, "x"}}},
		"clients of two namespaces":       {[]refusal{{"a", 0, false, "x"}, {"b", time.Second, false, "y"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, j := newGate(), newJournal()
				var last, namespace string
				for _, r := range c.refusals {
					time.Sleep(r.after)
					last, namespace = r.client, r.namespace
					g.Submit(gate.Request{Key: "key", Client: r.client, Shared: r.shared, Namespace: r.namespace, Common: r.namespace != "", Run: func(*gate.Turn) gate.Result {
						return gate.Result{Outcome: gate.Throttled, RetryAfter: 50 * time.Second}
					}})
					synctest.Wait()
				}
				held := time.Now().Add(50 * time.Second)
				j.restart()
				if until, is := g.HeldUntil("key", namespace, last); !is || !until.Equal(held) {
					t.Errorf("its client is held until %s, want %s", until, held)
				}
				if until, is := g.HeldUntil("key", "", "other"); is != c.everyone || (is && !until.Equal(held)) {
					t.Errorf("another client is held: %t until %s, want %t", is, until, c.everyone)
				}
				g.Submit(gate.Request{Key: "key", Client: last, Namespace: namespace, Common: namespace != "", Run: j.takes(0, "it", gate.Answered)})
				g.Submit(gate.Request{Key: "key", Client: "other", Run: j.takes(time.Second, "other", gate.Answered)})
				after(10 * time.Minute)
				if c.everyone {
					j.want(t, "it", "other")
				} else {
					j.want(t, "other", "it")
					j.wantTimes(t, time.Second, 50*time.Second)
				}
				if until, is := g.HeldUntil("key", namespace, last); is {
					t.Errorf("still held, until %s", until)
				}
			})
		})
	}
}

func TestHowLongAProviderIsLeftAlone(t *testing.T) {
	t.Parallel()
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for name, c := range map[string]struct {
		retryAfter time.Duration
		want       []time.Duration // between the requests
	}{
		"as it asks":                {minutes(2), []time.Duration{minutes(2), minutes(2), minutes(2)}},
		"believed up to 15 minutes": {24 * time.Hour, []time.Duration{minutes(15), minutes(15), minutes(15)}},
		"longer each time where it does not say": {0, []time.Duration{
			1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute,
		}},
	} {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, shared %t", name, shared), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					g, j := newGate(), newJournal()
					for range 1 + len(c.want) {
						// Each gives the next one a chance: one probe at a time.
						g.Submit(gate.Request{Key: "key", Shared: shared, Limits: gate.Limits{MaxConcurrent: 1}, Run: func(*gate.Turn) gate.Result {
							j.note("")
							return gate.Result{Outcome: gate.Throttled, RetryAfter: c.retryAfter}
						}})
					}
					after(time.Hour)
					if j.count() != 1+len(c.want) {
						t.Fatalf("%d ran, want %d", j.count(), 1+len(c.want))
					}
					for i, want := range c.want {
						// The rate falls as well, which may add a little.
						if got := j.ran()[i+1] - j.ran()[i]; got < want || got > want*6/5 {
							t.Errorf("pause %d was %s, want about %s", i, got, want)
						}
					}
				})
			})
		}
	}
}

func TestAfterAHoldOneRequestGoesAhead(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g, j := newGate(), newJournal()
			for range 10 {
				g.Submit(gate.Request{Key: "key", Shared: shared, Run: j.takes(time.Second, "", gate.Answered)})
			}
			after(time.Second)
			g.Submit(gate.Request{Key: "key", Shared: shared, Run: func(*gate.Turn) gate.Result {
				return gate.Result{Outcome: gate.Throttled, RetryAfter: time.Minute}
			}})
			synctest.Wait()
			j.restart()
			for range 10 {
				g.Submit(gate.Request{Key: "key", Shared: shared, Run: j.takes(10*time.Second, "", gate.Answered)})
			}
			after(75 * time.Second)
			if j.count() != 1 || j.ran()[0] != 70*time.Second {
				t.Errorf("ended at %s, want one that started after the hold", j.ran())
			}
			after(time.Hour)
			if j.count() != 10 {
				t.Errorf("%d ran, want 10", j.count())
			}
		})
	}
}

func TestALearnedRateIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		refuse(g, "client", time.Second)
		// Nothing had been accepted in the second before: so 0.9 per second, at first.
		burst := func() {
			j.restart()
			for range 6 {
				g.Submit(gate.Request{Key: "key", Client: "client", Run: j.takes(0, "", gate.Answered)})
			}
			after(30 * time.Second)
		}
		time.Sleep(time.Second)
		burst()
		if got := j.ran()[5]; got < 5*time.Second || got > 6*time.Second {
			t.Errorf("the last of six ran after %s, want it at some 0.9 per second", got)
		}
		after(10 * time.Minute)
		burst()
		if got := j.ran()[5]; got != 0 {
			t.Errorf("the last of six ran after %s, want it at once", got)
		}
	})
}

func TestWhoStandsAsideCanBeWithdrawnAndComesBackWhenNothingIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		refuse(g, "client", time.Minute)
		var tickets []*gate.Ticket
		for i := range 3 {
			tickets = append(tickets, g.Submit(gate.Request{Key: "key", Client: "client", Run: j.takes(0, fmt.Sprint(i), gate.Answered)}))
		}
		if g.Waiting("key") != 3 || !g.Withdraw(tickets[1]) || g.Withdraw(tickets[1]) || g.Waiting("key") != 2 {
			t.Errorf("%d wait, want the other 2", g.Waiting("key"))
		}
		after(2 * time.Minute)
		j.want(t, "0", "2")
	})
}

func TestAnUnsentRequestGivesTheTurnOfItsClientBack(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g, j := newGate(), newJournal()
			g.Submit(gate.Request{Key: "key", Shared: shared, Run: func(*gate.Turn) gate.Result {
				return gate.Result{Outcome: gate.Throttled, RetryAfter: 10 * time.Second}
			}})
			synctest.Wait()
			for _, outcome := range []gate.Outcome{gate.Unsent, gate.Answered} {
				g.Submit(gate.Request{Key: "key", Shared: shared, Run: j.takes(0, "", outcome)})
			}
			after(time.Minute)
			j.wantTimes(t, 10*time.Second, 10*time.Second)
		})
	}
}

func TestAHeldClientIsProbedAfterItsHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		refuse(g, "client", time.Minute)
		open(t, g)
		g.Submit(gate.Request{Key: "key", Client: "client", Run: j.takes(0, "held", gate.Answered)})
		g.Submit(gate.Request{Key: "key", Client: "other", Run: j.takes(0, "other", gate.Failed)})
		after(time.Hour)
		j.want(t, "other", "held")
		j.wantTimes(t, 5*time.Second, time.Minute)
	})
}
