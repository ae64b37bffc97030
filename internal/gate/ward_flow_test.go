package gate_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

// common is a request in a line that namespaces share.
func common(namespace string, run func(*gate.Turn) gate.Result) gate.Request {
	return gate.Request{Key: "key", Namespace: namespace, Client: namespace, Common: true, Run: run}
}

func ending(outcome gate.Outcome) func(*gate.Turn) gate.Result {
	return func(*gate.Turn) gate.Result { return gate.Result{Outcome: outcome} }
}

// closeTo closes the line to a namespace alone.
func closeTo(t *testing.T, g *gate.Gate, namespace string) {
	t.Helper()
	for range 5 {
		g.Submit(common(namespace, ending(gate.Failed)))
		synctest.Wait()
	}
	if !g.Closed("key", namespace) || g.ClosedToAll("key") {
		t.Fatal("five failures in a row did not close the line to their namespace alone")
	}
}

func TestWhomFailuresCloseASharedLineTo(t *testing.T) {
	t.Parallel()
	type result struct {
		namespace string
		outcome   gate.Outcome
	}
	a, b, c := result{"a", gate.Failed}, result{"b", gate.Failed}, result{"c", gate.Answered}
	for name, test := range map[string]struct {
		results []result
		closed  []string
		toAll   bool
	}{
		"of one namespace":                 {results: []result{a, a, a, a, a}, closed: []string{"a"}},
		"of one, more than enough":         {results: []result{a, a, a, a, a, a, a, a}, closed: []string{"a"}},
		"of one between answers to others": {results: []result{a, c, a, c, a, c, a, c, a}, closed: []string{"a"}},
		"of two, each for itself":          {results: []result{a, a, a, a, c, b, b, b, b}},
		"of two together":                  {[]result{a, a, b, a, b}, []string{"a", "b", "c"}, true},
		"of one, and then of another":      {[]result{a, a, a, a, a, b}, []string{"a", "b", "c"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate.New(gate.Options{Now: time.Now, AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } }})
				for _, r := range test.results {
					g.Submit(common(r.namespace, ending(r.outcome)))
					synctest.Wait()
				}
				var closed []string
				for _, namespace := range []string{"a", "b", "c"} {
					if g.Closed("key", namespace) {
						closed = append(closed, namespace)
					}
				}
				if fmt.Sprint(closed) != fmt.Sprint(test.closed) || g.ClosedToAll("key") != test.toAll {
					t.Errorf("closed to %v, to all: %t; want %v, %t", closed, g.ClosedToAll("key"), test.closed, test.toAll)
				}
			})
		})
	}
}

func TestANamespaceThatFailsIsProbedByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, probes, healthy := newGate(), newJournal(), newJournal()
		closeTo(t, g, "bad")
		var well atomic.Bool
		for i := range 30 {
			request := common("bad", func(*gate.Turn) gate.Result {
				time.Sleep(100 * time.Millisecond)
				probes.note(fmt.Sprint(i))
				if well.Load() {
					return gate.Result{Outcome: gate.Answered}
				}
				return gate.Result{Outcome: gate.Failed}
			})
			request.Failures = i % 3
			g.Submit(request)
		}
		for range 20 {
			g.Submit(common("good", healthy.takes(100*time.Millisecond, "", gate.Answered)))
		}
		after(11 * time.Second)
		probes.wantTimes(t, 5100*time.Millisecond, 10100*time.Millisecond)
		probes.want(t, "0", "1")
		if got := healthy.ran(); len(got) != 20 || got[19] > 300*time.Millisecond {
			t.Errorf("the others were served at %s", got)
		}

		// A short token that waits there has it probed more often, and only as long as it waits.
		impatient := common("bad", probes.takes(0, "", gate.Failed))
		impatient.Patience = 2 * time.Second
		ticket := g.Submit(impatient)
		probes.restart()
		after(5 * time.Second)
		if got := probes.count(); got != 2 {
			t.Errorf("%d probes in 5 s for who waits 2", got)
		}
		g.Withdraw(ticket)
		after(10 * time.Second)
		if got := probes.count(); got > 5 {
			t.Errorf("%d probes in 15 s, want at most three in the last ten", got)
		}

		well.Store(true)
		after(20 * time.Second)
		if g.Closed("key", "bad") || g.Waiting("key") != 0 {
			t.Errorf("it is closed: %t, and %d wait", g.Closed("key", "bad"), g.Waiting("key"))
		}
		// One at first, two more with each success.
		ran := probes.ran()
		last := ran[len(ran)-1]
		if first := ran[len(ran)-20]; last-first < 200*time.Millisecond || last-first > time.Second {
			t.Errorf("it came back at %s", ran)
		}
	})
}

func TestATenantWhoFailsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	for _, attackers := range []int{5, 300} {
		for _, recreated := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				var over atomic.Bool
				var served, attempts, longest atomic.Int64
				var serve func()
				serve = func() {
					at := time.Now()
					request := common("good", func(*gate.Turn) gate.Result {
						if over.Load() {
							return gate.Result{Outcome: gate.Unsent}
						}
						time.Sleep(100 * time.Millisecond)
						served.Add(1)
						if waited := time.Since(at); waited > 500*time.Millisecond {
							longest.Store(int64(waited))
						}
						time.AfterFunc(40*time.Second, serve)
						return gate.Result{Outcome: gate.Answered}
					})
					request.Held, request.ExpiresAt, request.Patience = true, at.Add(20*time.Second), 6*time.Second
					g.Submit(request)
				}
				var attack func(failures int)
				attack = func(failures int) {
					request := common("bad", func(*gate.Turn) gate.Result {
						if over.Load() {
							return gate.Result{Outcome: gate.Unsent}
						}
						attempts.Add(1)
						time.Sleep(50 * time.Millisecond)
						time.AfterFunc(time.Second, func() { attack(failures + 1) })
						return gate.Result{Outcome: gate.Failed}
					})
					if !recreated {
						request.Failures = failures
					}
					g.Submit(request)
				}
				for i := range 100 {
					time.AfterFunc(time.Duration(i)*400*time.Millisecond, serve)
				}
				time.Sleep(time.Minute)
				for range attackers {
					attack(0)
				}
				time.Sleep(10 * time.Minute)
				over.Store(true)
				if served.Load() < 1500 || longest.Load() > 0 {
					t.Errorf("beside %d: %d were served, one in %s", attackers, served.Load(), time.Duration(longest.Load()))
				}
				if attempts.Load() > 150 {
					t.Errorf("%d attempts of %d that fail, in 10 min", attempts.Load(), attackers)
				}
				time.Sleep(time.Hour)
			})
		}
	}
}

func TestTheRecoveryOfAProviderIsEverybodys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		closeTo(t, g, "a")
		for range 10 {
			g.Submit(common("a", j.takes(0, "a", gate.Answered)))
		}
		g.Submit(common("b", ending(gate.Failed)))
		synctest.Wait()
		if !g.ClosedToAll("key") {
			t.Fatal("two namespaces that fail did not close the line")
		}
		after(5 * time.Second)
		if got := j.ran(); len(got) != 10 || got[9] != 5*time.Second {
			t.Errorf("they were served at %s", got)
		}
	})
}

func TestTheProbesOfANamespace(t *testing.T) {
	t.Parallel()
	type step struct {
		namespace string
		takes     time.Duration
		outcome   gate.Outcome
		failures  int
	}
	slow := step{"a", 20 * time.Second, gate.Failed, 0}
	retry, answer := step{"a", 0, gate.Failed, 1}, step{"a", 0, gate.Answered, 1}
	for name, test := range map[string]struct {
		steps []step
		want  []time.Duration
	}{
		"go one at a time":          {[]step{slow, {"a", 0, gate.Failed, 0}}, []time.Duration{25 * time.Second, 25 * time.Second}},
		"start over if never sent":  {[]step{{"a", 0, gate.Unsent, 0}, retry}, []time.Duration{5 * time.Second, 5 * time.Second}},
		"take nothing of a budget":  {[]step{retry, retry, retry, answer, answer}, []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 20 * time.Second}},
		"say nothing of the others": {[]step{{"c", 0, gate.Answered, 0}, {"b", 0, gate.Failed, 0}, retry, retry, retry, retry, retry, {"b", 21 * time.Second, gate.Answered, 0}}, []time.Duration{0, 0, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 21 * time.Second, 25 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, j := newGate(), newJournal()
				closeTo(t, g, "a")
				for _, s := range test.steps {
					request := common(s.namespace, j.takes(s.takes, "", s.outcome))
					request.Failures = s.failures
					g.Submit(request)
					synctest.Wait()
				}
				after(time.Minute)
				j.wantTimes(t, test.want...)
			})
		})
	}
}

func TestTheProbesOfANamespaceAndTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		closeTo(t, g, "a")
		retry := func(namespace, name string, failures int) {
			request := common(namespace, j.takes(0, name, gate.Cut))
			request.Failures = failures
			g.Submit(request)
			synctest.Wait()
		}
		retry("a", "a probe", 1)
		after(5 * time.Second)
		retry("a", "another", 1)
		after(5 * time.Second)
		retry("b", "is not paid for", 1)
		retry("a", "the older, without a budget", 1)
		retry("a", "the younger", 0)
		after(10 * time.Second)
		j.want(t, "a probe", "another", "is not paid for", "the older, without a budget", "the younger")
		j.wantTimes(t, 5*time.Second, 10*time.Second, 10*time.Second, 15*time.Second, 20*time.Second)
	})
}

func TestANamespaceIsRememberedAsLongAsItFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		closeTo(t, g, "a")
		after(9 * time.Minute)
		g.Submit(common("a", ending(gate.Failed)))
		after(9 * time.Minute)
		if !g.Closed("key", "a") {
			t.Error("it was forgotten")
		}
		after(2 * time.Minute)
		if g.Closed("key", "a") {
			t.Error("it is remembered for ever")
		}
	})
}
