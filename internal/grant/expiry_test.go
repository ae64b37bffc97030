package grant_test

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
)

const day = 24 * time.Hour

func TestEnds(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return base.Add(d) }
	for name, test := range map[string]struct {
		change func(c *grant.Chain)
		limits grant.Limits
		want   grant.End
	}{
		"not known": {func(*grant.Chain) {}, grant.Limits{}, grant.End{}},
		"the provider says": {
			func(c *grant.Chain) { c.ExpiresAt, c.Generation = at(60*day), 2 }, grant.Limits{}, grant.End{At: at(60 * day), WarnAt: at(46 * day)},
		},
		"it may move on": {
			func(c *grant.Chain) { c.ExpiresAt, c.Generation = at(60*day), 1 },
			grant.Limits{},
			grant.End{At: at(60 * day), WarnAt: at(46 * day), UseBy: at(40 * day)},
		},
		"lost": {func(c *grant.Chain) { c.ExpiresAt, c.Lost = at(60*day), true }, grant.Limits{}, grant.End{}},
		"it moves on": {
			func(c *grant.Chain) { c.ExpiresAt, c.Renews = at(90*day), true },
			grant.Limits{},
			grant.End{At: at(90 * day), WarnAt: at(76 * day), UseBy: at(60 * day)},
		},
		"it moves on, and is short": {
			func(c *grant.Chain) { c.ExpiresAt, c.Renews = at(24*time.Hour), true },
			grant.Limits{},
			grant.End{At: at(24 * time.Hour), WarnAt: at(18 * time.Hour), UseBy: at(16 * time.Hour)},
		},
		"not used": {
			func(c *grant.Chain) { c.RotatedAt = at(day) },
			grant.Limits{Idle: 30 * day},
			grant.End{At: at(31 * day), WarnAt: at(31*day - 7*day - 12*time.Hour), UseBy: at(21 * day)},
		},
		"since the login": {
			func(c *grant.Chain) { c.RotatedAt = at(day) }, grant.Limits{Maximum: 30 * day}, grant.End{At: at(30 * day), WarnAt: at(16 * day)},
		},
		"the soonest counts": {
			func(c *grant.Chain) { c.ExpiresAt, c.Renews = at(90*day), true },
			grant.Limits{Maximum: 20 * day, Idle: 60 * day},
			grant.End{At: at(20 * day), WarnAt: at(6 * day)},
		},
		"no refresh token": {func(c *grant.Chain) { c.RefreshToken = redact.String{} }, grant.Limits{Maximum: day}, grant.End{}},
		"never proven":     {func(c *grant.Chain) { c.Generation = 0 }, grant.Limits{Maximum: day}, grant.End{}},
	} {
		c := newRecord(t).Chain
		test.change(c)
		if got := c.Ends(test.limits); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
	if got := (*grant.Chain)(nil).Ends(grant.Limits{Idle: day}); got != (grant.End{}) {
		t.Errorf("no chain: %+v", got)
	}
}

func TestAnEndThatMovesOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		second time.Duration // the end that comes with the answer a day later
		want   bool
	}{
		"with each use": {31 * day, true},
		"nearly":        {30*day + 23*time.Hour, true},
		"not at all":    {30 * day, false},
		"by the clock":  {30*day + time.Minute, false},
	} {
		r := newRecord(t)
		for _, answer := range []struct{ at, ends time.Duration }{{0, 30 * day}, {day, test.second}} {
			taken := answered("R2", base.Add(answer.at))
			taken.ExpiresAt = base.Add(answer.ends)
			r.Keep(begin(t, r, send(grant.Refresh), "id", base), taken)
		}
		if r.Chain.Renews != test.want {
			t.Errorf("%s: %v", name, r.Chain.Renews)
		}
	}
}
