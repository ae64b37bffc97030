package lifetime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

func tokenOf(life time.Duration) lifetime.Token {
	return lifetime.Token{IssuedAt: base, ExpiresAt: base.Add(life)}
}

func TestToken(t *testing.T) {
	token := tokenOf(time.Hour)
	unknown := lifetime.Token{IssuedAt: base}
	reversed := tokenOf(-time.Hour)
	for name, c := range map[string]struct{ got, want any }{
		"lifetime":                          {token.Lifetime(), time.Hour},
		"unknown lifetime":                  {unknown.Lifetime(), time.Duration(0)},
		"a lifetime is never negative":      {reversed.Lifetime(), time.Duration(0)},
		"good before expiry":                {token.Expired(base.Add(time.Hour - 1)), false},
		"expired at the very instant":       {token.Expired(base.Add(time.Hour)), true},
		"an unknown lifetime never expires": {unknown.Expired(base.Add(1e6 * time.Hour)), false},
		"left":                              {token.Left(base.Add(time.Minute)), 59 * time.Minute},
		"nothing left after expiry":         {token.Left(base.Add(2 * time.Hour)), time.Duration(0)},
		"nothing known to be left":          {unknown.Left(base), time.Duration(0)},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

func TestRefreshAt(t *testing.T) {
	for name, c := range map[string]struct {
		life     time.Duration
		policy   lifetime.Policy
		from, to time.Duration // after the issue, both included
	}{
		"two thirds by default, less the jitter":       {time.Hour, lifetime.Policy{}, 2232 * time.Second, 2412 * time.Second},
		"a percentage of the user's own":               {time.Hour, lifetime.Policy{AfterPercent: 50}, 27 * time.Minute, 30 * time.Minute},
		"late, where a new token replaces the old":     {time.Hour, lifetime.Policy{AfterPercent: 95}, 54 * time.Minute, 57 * time.Minute},
		"a negative percentage is the default":         {time.Hour, lifetime.Policy{AfterPercent: -5}, 2232 * time.Second, 2412 * time.Second},
		"a percentage of 100 is still before expiry":   {time.Hour, lifetime.Policy{AfterPercent: 100}, 57 * time.Minute, time.Hour - time.Second},
		"a percentage over 100 is 100":                 {time.Hour, lifetime.Policy{AfterPercent: 1 << 40}, 57 * time.Minute, time.Hour - time.Second},
		"a low percentage is held at a tenth":          {time.Hour, lifetime.Policy{AfterPercent: 1}, 6 * time.Minute, 6 * time.Minute},
		"before, where it is the earlier":              {time.Hour, lifetime.Policy{Before: 30 * time.Minute}, 27 * time.Minute, 30 * time.Minute},
		"before, where it is the later":                {time.Hour, lifetime.Policy{Before: time.Minute}, 2232 * time.Second, 2412 * time.Second},
		"before, just less than the lifetime":          {time.Hour, lifetime.Policy{Before: time.Hour - 1}, 6 * time.Minute, 6 * time.Minute},
		"before, as long as the lifetime, is ignored":  {time.Hour, lifetime.Policy{Before: time.Hour}, 2232 * time.Second, 2412 * time.Second},
		"before, longer than the lifetime, is ignored": {time.Hour, lifetime.Policy{Before: 5 * time.Hour}, 2232 * time.Second, 2412 * time.Second},
		"a negative before is ignored":                 {time.Hour, lifetime.Policy{Before: -time.Hour}, 2232 * time.Second, 2412 * time.Second},
		"one second: at expiry":                        {time.Second, lifetime.Policy{}, time.Second, time.Second},
		"two seconds":                                  {2 * time.Second, lifetime.Policy{}, time.Second, time.Second},
		"three seconds":                                {3 * time.Second, lifetime.Policy{}, time.Second, 2 * time.Second},
		"five seconds":                                 {5 * time.Second, lifetime.Policy{}, 3 * time.Second, 3 * time.Second},
		"two seconds at 100 percent":                   {2 * time.Second, lifetime.Policy{AfterPercent: 100}, time.Second, time.Second},
		"fifteen seconds, a tenth rounded up":          {15 * time.Second, lifetime.Policy{AfterPercent: 1}, 2 * time.Second, 2 * time.Second},
		"an unknown lifetime: hourly":                  {-1, lifetime.Policy{}, 57 * time.Minute, time.Hour},
		"no lifetime at all":                           {0, lifetime.Policy{}, time.Second, time.Second},
		"thirty days":                                  {thirtyDays, lifetime.Policy{}, thirtyDays * 62 / 100, thirtyDays * 67 / 100},
	} {
		t.Run(name, func(t *testing.T) {
			token := tokenOf(c.life)
			if c.life < 0 {
				token.ExpiresAt = time.Time{}
			}
			for i := range 200 {
				seed := fmt.Sprint("uid-", i)
				got := lifetime.RefreshAt(token, c.policy, seed)
				if after := got.Sub(base); after < c.from || after > c.to {
					t.Fatalf("seed %s: got %v after the issue, want %v to %v", seed, after, c.from, c.to)
				}
				if got != got.Truncate(time.Second) || got.Location() != time.UTC {
					t.Fatalf("got %v, want whole seconds in UTC", got)
				}
				if again := lifetime.RefreshAt(token, c.policy, seed); again != got {
					t.Fatalf("asked again, got %v instead of %v", again, got)
				}
			}
		})
	}
}

func TestRefreshAtSpreadsOverTheWholeJitter(t *testing.T) {
	const buckets, seeds = 10, 2000
	for name, question := range map[string]func(i int) (lifetime.Token, string){
		"by seed": func(i int) (lifetime.Token, string) { return tokenOf(thirtyDays), fmt.Sprintf("uid-%04d", i) },
		"by issue time": func(i int) (lifetime.Token, string) {
			issued := base.Add(time.Duration(i) * time.Second)
			return lifetime.Token{IssuedAt: issued, ExpiresAt: issued.Add(thirtyDays)}, "uid"
		},
	} {
		var counts [buckets]int
		for i := range seeds {
			token, seed := question(i)
			early := token.IssuedAt.Add(thirtyDays * 67 / 100).Sub(lifetime.RefreshAt(token, lifetime.Policy{}, seed))
			counts[min(buckets-1, int(early*buckets/(thirtyDays/20)))]++
		}
		for bucket, count := range counts {
			if count < seeds/buckets*7/10 || count > seeds/buckets*13/10 {
				t.Errorf("%s: %d of %d in bucket %d of %d: %v", name, count, seeds, bucket, buckets, counts)
			}
		}
	}
}

// A provider may answer the same token, with what remains of its life, until it has expired. Each answer then looks
// like a token that lives a third as long as the one before.
func TestRefreshAtConvergesOnATokenThatIsAnsweredAgain(t *testing.T) {
	for i := range 500 {
		seed := fmt.Sprint("uid-", i)
		expiry := base.Add(time.Hour)
		requests, last := 1, base
		for now := base; ; requests++ {
			claims := lifetime.Claims{ExpiresIn: int64(expiry.Sub(now) / time.Second)}
			token, _, err := lifetime.Read(claims, lifetime.Rules{}, now, now)
			if err != nil {
				t.Fatal(err)
			}
			now = lifetime.RefreshAt(token, lifetime.Policy{}, seed)
			if now.Sub(last) < time.Second {
				t.Fatalf("seed %s: requests at %v and %v", seed, last, now)
			}
			last = now
			if !now.Before(expiry) {
				break
			}
		}
		if requests > 12 {
			t.Fatalf("seed %s: %d requests for one token", seed, requests)
		}
	}
}
