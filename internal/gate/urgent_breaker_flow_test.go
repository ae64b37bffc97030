package gate_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

// closeToA closes the line to the namespace a alone.
func closeToA(t *testing.T, g *gate.Gate) {
	t.Helper()
	closeTo(t, g, "a")
}

func TestWhatIsUrgentHasTheOthersProbedAsIfItWereNotThere(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]func(*testing.T, *gate.Gate){"a line": open, "a namespace": closeToA} {
		for _, outcome := range []gate.Outcome{gate.Failed, gate.Unsent, gate.Cut} {
			t.Run(fmt.Sprintf("%s, outcome %d", name, outcome), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					g, probes, urgent := newGate(), newJournal(), newJournal()
					closed(t, g)
					for range 3 {
						g.Submit(common("a", probes.takes(0, "", gate.Failed)))
					}
					for range 160 {
						request := common("a", urgent.takes(0, "", outcome))
						// Its patience is no reason to probe for others more often.
						request.Urgent, request.Patience = true, time.Second
						g.Submit(request)
						after(100 * time.Millisecond)
					}
					probes.wantTimes(t, 5*time.Second, 10*time.Second, 15*time.Second)
					if urgent.count() != 160 || !g.Closed("key", "a") {
						t.Errorf("%d of 160 ran, and closed is %t", urgent.count(), g.Closed("key", "a"))
					}
				})
			})
		}
	}
}

func TestWhatIsUrgentAndIsHeldHasNobodyProbedSooner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, probes := newGate(), newJournal()
		refuse(g, "held", time.Hour)
		open(t, g)
		g.Submit(gate.Request{Key: "key", Client: "held", Urgent: true, Patience: time.Second, Run: ending(gate.Cut)})
		for range 2 {
			g.Submit(gate.Request{Key: "key", Run: probes.takes(0, "", gate.Failed)})
		}
		after(2 * time.Hour)
		probes.wantTimes(t, 5*time.Second, 10*time.Second)
	})
}

func TestWhatComesOfAnUrgentRequestIsNews(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]func(*testing.T, *gate.Gate){"a line": open, "a namespace": closeToA} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, j := newGate(), newJournal()
				urgent := func(outcome gate.Outcome) {
					request := common("a", ending(outcome))
					request.Urgent = true
					g.Submit(request)
				}
				closed(t, g)
				for range 3 {
					g.Submit(common("a", j.takes(time.Second, "", gate.Answered)))
				}
				urgent(gate.Answered)
				after(10 * time.Second)
				if g.Closed("key", "a") {
					t.Error("an answer did not open it")
				}
				j.wantTimes(t, time.Second, 2*time.Second, 2*time.Second)
				for range 5 {
					urgent(gate.Failed)
					synctest.Wait()
				}
				if !g.Closed("key", "a") {
					t.Error("five failures in a row did not close it")
				}
			})
		})
	}
}

func TestWhatIsUrgentAndHangsKeepsNobodyFromRecovering(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		closed  func(*testing.T, *gate.Gate)
		refused []string
	}{
		"a line":             {closed: open},
		"a namespace":        {closed: closeToA},
		"a throttled client": {refused: []string{"a"}},
		"a throttled line":   {refused: []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, j := newGate(), newJournal()
				if c.closed != nil {
					c.closed(t, g)
				}
				for _, client := range c.refused {
					refuse(g, client, 5*time.Second)
				}
				for range 3 {
					request := common("a", newJournal().takes(time.Hour, "", gate.Cut))
					request.Urgent = true
					g.Submit(request)
				}
				for range 10 {
					g.Submit(common("a", j.takes(0, "", gate.Answered)))
				}
				after(time.Minute)
				if j.count() != 10 || j.ran()[0] < 5*time.Second {
					t.Errorf("they were served at %s", j.ran())
				}
				after(2 * time.Hour)
			})
		})
	}
}
