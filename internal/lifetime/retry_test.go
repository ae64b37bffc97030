package lifetime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

func TestRetryAt(t *testing.T) {
	hour := tokenOf(time.Hour) // good at base, with all of its life left
	none := lifetime.Token{}
	unknown := lifetime.Token{IssuedAt: base.Add(-time.Hour)}
	expired := lifetime.Token{IssuedAt: base.Add(-time.Hour), ExpiresAt: base}
	left := func(d time.Duration) lifetime.Token {
		return lifetime.Token{IssuedAt: base.Add(-time.Hour), ExpiresAt: base.Add(d)}
	}
	const s, m = time.Second, time.Minute
	for name, c := range map[string]struct {
		class      lifetime.Class
		count      int
		first      time.Duration // before the last failure
		retryAfter time.Duration
		token      lifetime.Token
		from, to   time.Duration // after the last failure, both included
	}{
		"transient, the first":                           {lifetime.Transient, 1, 0, 0, hour, s, 2 * s},
		"transient, the fourth":                          {lifetime.Transient, 4, 0, 0, hour, 6 * s, 10 * s},
		"transient, never beyond five minutes":           {lifetime.Transient, 20, 0, 0, hour, 225 * s, 300 * s},
		"transient, a count that would overflow":         {lifetime.Transient, 1<<63 - 1, 0, 0, hour, 225 * s, 300 * s},
		"transient, a count that makes no sense":         {lifetime.Transient, -5, 0, 0, hour, s, 2 * s},
		"transient, a tenth of what is left":             {lifetime.Transient, 20, 0, 0, left(20 * m), 90 * s, 120 * s},
		"transient, a tenth of what was left at first":   {lifetime.Transient, 20, 20 * m, 0, left(10 * m), 135 * s, 180 * s},
		"transient, a tenth is never under a second":     {lifetime.Transient, 20, 0, 0, left(5 * s), s, s},
		"transient, a tenth of 15 seconds":               {lifetime.Transient, 20, 0, 0, left(15 * s), s, s},
		"transient, expiry within the wait":              {lifetime.Transient, 20, 50 * m, 0, left(10 * s), 23 * s, 30 * s},
		"transient, expiry just within the wait":         {lifetime.Transient, 20, 50 * m, 0, left(2 * m), 90 * s, 120 * s},
		"transient, an unknown lifetime":                 {lifetime.Transient, 20, 0, 0, unknown, 225 * s, 300 * s},
		"transient, expired":                             {lifetime.Transient, 20, 0, 0, expired, 23 * s, 30 * s},
		"transient, expired since the first failure":     {lifetime.Transient, 20, 50 * m, 0, expired, 23 * s, 30 * s},
		"transient, no token":                            {lifetime.Transient, 20, 0, 0, none, 23 * s, 30 * s},
		"transient, no token, the first":                 {lifetime.Transient, 1, 0, 0, none, s, 2 * s},
		"throttled, as asked":                            {lifetime.Throttled, 1, 0, 100 * s, hour, 100 * s, 105 * s},
		"throttled, as asked however often":              {lifetime.Throttled, 99, 0, 100 * s, none, 100 * s, 105 * s},
		"throttled, believed up to 15 minutes":           {lifetime.Throttled, 1, 0, 1<<63 - 1, none, 15 * m, 15*m + 45*s},
		"throttled, asked for less than a second":        {lifetime.Throttled, 1, 0, 1, none, s, s},
		"throttled, with nothing asked, is transient":    {lifetime.Throttled, 20, 0, 0, none, 23 * s, 30 * s},
		"throttled, a negative wait is nothing asked":    {lifetime.Throttled, 1, 0, -m, hour, s, 2 * s},
		"rejected, a third of what is left":              {lifetime.Rejected, 1, 0, 0, left(30 * m), 10 * m, 10 * m},
		"rejected, what is left now, not at first":       {lifetime.Rejected, 9, 20 * m, 0, left(6 * m), 2 * m, 2 * m},
		"rejected, up to 15 minutes":                     {lifetime.Rejected, 1, 0, 0, left(10 * time.Hour), 15 * m, 15 * m},
		"rejected, not under a minute":                   {lifetime.Rejected, 1, 0, 0, left(2 * m), m, m},
		"rejected, an unknown lifetime":                  {lifetime.Rejected, 1, 0, 0, unknown, 15 * m, 15 * m},
		"rejected, no token, the first":                  {lifetime.Rejected, 1, 0, 0, none, m, m},
		"rejected, no token, the fourth":                 {lifetime.Rejected, 4, 0, 0, none, 8 * m, 8 * m},
		"rejected, no token, up to 15 minutes":           {lifetime.Rejected, 1 << 40, 0, 0, expired, 15 * m, 15 * m},
		"protocol, no token, the first":                  {lifetime.Protocol, 1, 0, 0, none, 45 * s, 75 * s},
		"protocol, no token, up to five minutes":         {lifetime.Protocol, 20, 0, 0, expired, 225 * s, 300 * s},
		"protocol, a long token":                         {lifetime.Protocol, 1, 0, 0, hour, 45 * s, 75 * s},
		"protocol, a short token":                        {lifetime.Protocol, 1, 0, 0, left(100 * s), 8 * s, 10 * s},
		"protocol, a short token, later":                 {lifetime.Protocol, 9, 0, 0, left(100 * s), 8 * s, 10 * s},
		"a class that is not known is protocol":          {"Whatever", 1, 0, 0, none, 45 * s, 75 * s},
		"configuration: a safety net":                    {lifetime.Configuration, 7, 0, 0, none, 10 * m, 10 * m},
		"a first failure after the last counts as last":  {lifetime.Transient, 20, -5 * m, 0, left(20 * m), 90 * s, 120 * s},
		"a first failure that is not given is the last":  {lifetime.Transient, 20, 1 << 62, 0, left(20 * m), 90 * s, 120 * s},
		"a wait that crosses expiry ends soon after it ": {lifetime.Protocol, 20, 50 * m, 0, left(s), 23 * s, 30 * s},
	} {
		t.Run(name, func(t *testing.T) {
			f := lifetime.Failure{Class: c.class, Count: c.count, First: base.Add(-c.first), Last: base, RetryAfter: c.retryAfter}
			if c.first == 1<<62 {
				f.First = time.Time{}
			}
			for i := range 200 {
				seed := fmt.Sprint("uid-", i)
				got := lifetime.RetryAt(f, c.token, seed)
				if after := got.Sub(base); after < c.from || after > c.to {
					t.Fatalf("seed %s: got %v after the failure, want %v to %v", seed, after, c.from, c.to)
				}
				if got != got.Truncate(time.Second) || got.Location() != time.UTC {
					t.Fatalf("got %v, want whole seconds in UTC", got)
				}
				if again := lifetime.RetryAt(f, c.token, seed); again != got {
					t.Fatalf("asked again, got %v instead of %v", again, got)
				}
			}
		})
	}
}

func TestRetryAtWaitsForAPerson(t *testing.T) {
	f := lifetime.Failure{Class: lifetime.Authorization, Count: 1, First: base, Last: base}
	if got := lifetime.RetryAt(f, lifetime.Token{}, "uid"); !got.IsZero() {
		t.Errorf("got %v, want never", got)
	}
}

func TestRetryAtRoundsUp(t *testing.T) {
	f := lifetime.Failure{Class: lifetime.Configuration, Count: 1, First: base, Last: base.Add(time.Millisecond)}
	if got, want := lifetime.RetryAt(f, lifetime.Token{}, "uid"), base.Add(10*time.Minute+time.Second); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRetryAtKeepsASecondFromAnInstantWithinOne(t *testing.T) {
	f := lifetime.Failure{Class: lifetime.Throttled, Count: 1, Last: base.Add(500 * time.Millisecond), RetryAfter: 1}
	if got, want := lifetime.RetryAt(f, lifetime.Token{}, "uid"), base.Add(2*time.Second); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRetryAtSpreadsAtTheLimit(t *testing.T) {
	f := lifetime.Failure{Class: lifetime.Transient, Count: 20, First: base, Last: base}
	seen := map[time.Time]int{}
	for i := range 1000 {
		seen[lifetime.RetryAt(f, tokenOf(time.Hour), fmt.Sprint("uid-", i))]++
	}
	for at, count := range seen {
		if count > 40 {
			t.Errorf("%d of 1000 at %v", count, at)
		}
	}
}

// Two thirds into its life a token has a third left for retries: the provider needs to be well only once.
func TestRetriesWithinTheLastThird(t *testing.T) {
	for life, least := range map[time.Duration]int{
		time.Minute: 8, 10 * time.Minute: 10, time.Hour: 12, 24 * time.Hour: 30, thirtyDays: 700,
	} {
		token := tokenOf(life)
		now := lifetime.RefreshAt(token, lifetime.Policy{}, "uid")
		f := lifetime.Failure{Class: lifetime.Transient, First: now, Last: now}
		for !token.Expired(f.Last) {
			f.Count++
			f.Last = lifetime.RetryAt(f, token, "uid")
		}
		if f.Count < least {
			t.Errorf("a token of %v: %d tries before it expired, want at least %d", life, f.Count, least)
		}
		if over := f.Last.Sub(token.ExpiresAt); over > 30*time.Second {
			t.Errorf("a token of %v: the first try after expiry comes %v late", life, over)
		}
	}
}

func TestRequestTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		configured time.Duration
		token      lifetime.Token
		want       time.Duration
	}{
		"no token":                         {0, lifetime.Token{}, 30 * time.Second},
		"an expired token":                 {0, tokenOf(0), 30 * time.Second},
		"a token of unknown lifetime":      {0, lifetime.Token{IssuedAt: base}, 30 * time.Second},
		"a token with an hour left":        {0, tokenOf(time.Hour), 30 * time.Second},
		"a token with 40 seconds left":     {0, tokenOf(40 * time.Second), 20 * time.Second},
		"a token with three seconds left":  {0, tokenOf(3 * time.Second), 5 * time.Second},
		"configured":                       {time.Minute, lifetime.Token{}, time.Minute},
		"configured, with a dying token":   {time.Minute, tokenOf(10 * time.Second), time.Minute},
		"configured below zero is default": {-time.Minute, lifetime.Token{}, 30 * time.Second},
	} {
		if got := lifetime.RequestTimeout(c.configured, c.token, base); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
