package lifetime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// A clock that is set back must neither make all tokens due at once nor let them expire unseen.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	const credentials = 500
	for name, c := range map[string]struct {
		life, back time.Duration // 0: an unknown lifetime
		// most is until the next request. A clock that is set back by less than a third of the life is waited for.
		most time.Duration
	}{
		"an hour, a day back":        {time.Hour, 24 * time.Hour, 20 * time.Minute},
		"an hour, two minutes back":  {time.Hour, 2 * time.Minute, 43 * time.Minute},
		"five minutes, a year back":  {5 * time.Minute, 365 * 24 * time.Hour, 100 * time.Second},
		"an unknown lifetime":        {0, 24 * time.Hour, 20 * time.Minute},
		"thirty days, a day back":    {thirtyDays, 24 * time.Hour, 507 * time.Hour},
		"thirty days, 50 years back": {thirtyDays, 50 * 365 * 24 * time.Hour, 240 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := tokenOf(c.life)
			if c.life == 0 {
				token.ExpiresAt = time.Time{}
			}
			atOnce := 0
			for i := range credentials {
				facts := lifetime.Facts{Held: true, Token: token, Seed: fmt.Sprint("uid-", i), LastRequest: base}
				now := base.Add(-c.back)
				looks := 0
				for ; ; looks++ {
					d := lifetime.Decide(facts, now)
					if d.Action == lifetime.Request {
						break
					}
					if !d.NextLook.After(now) || looks > 3 {
						t.Fatalf("a hot loop: %+v at %v", d, now)
					}
					now = d.NextLook.Add(700 * time.Millisecond)
				}
				if waited := now.Sub(base.Add(-c.back)); waited > c.most+time.Second {
					t.Fatalf("the next request comes %v later, want %v at most", waited, c.most)
				}
				if looks == 0 {
					atOnce++
				}
			}
			if atOnce > credentials/4 {
				t.Errorf("%d of %d ask at once", atOnce, credentials)
			}
		})
	}
}

func TestClockSetBackALittle(t *testing.T) {
	t.Parallel()
	facts := lifetime.Facts{Held: true, Token: hour(), Seed: "uid", LastRequest: issued}
	due := lifetime.RefreshAt(hour(), lifetime.Policy{}, "uid")
	for _, back := range []time.Duration{time.Millisecond, time.Second, time.Minute} {
		got := lifetime.Decide(facts, issued.Add(-back))
		if want := (lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Due, RequestAt: due, NextLook: due}); got != want {
			t.Errorf("%v back: got %+v, want %+v", back, got, want)
		}
	}
}

func TestClockSetBackAfterAFailure(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		facts := lifetime.Facts{
			Failed: true, RetryAt: issued.Add(4 * time.Minute), LastRequest: issued, AllowedAt: issued.Add(-48 * time.Hour),
			Seed: fmt.Sprint("uid-", i),
		}
		now := issued.Add(-24 * time.Hour)
		d := lifetime.Decide(facts, now)
		if d.Action == lifetime.Wait {
			if wait := d.NextLook.Sub(now); wait <= 0 || wait > 4*time.Minute {
				t.Fatalf("the next look is in %v", wait)
			}
			d = lifetime.Decide(facts, d.NextLook)
		}
		if d.Action != lifetime.Request || d.Trigger != lifetime.Retry {
			t.Fatalf("got %+v, want the retry", d)
		}
	}
}
