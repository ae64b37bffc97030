package lifetime_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

func TestRefreshAtWhereTheProviderReissues(t *testing.T) {
	t.Parallel()
	const s, m, h = time.Second, time.Minute, time.Hour
	type policy = lifetime.Policy
	for name, c := range map[string]struct {
		life     time.Duration
		policy   policy
		from, to time.Duration // after the issue, both included
	}{
		"replaces: 95 percent, less the jitter":          {h, policy{}, 54 * m, 57 * m},
		"replaces: a minute before expiry":               {10 * m, policy{}, 8*m + 30*s, 9 * m},
		"replaces: twice the timeout before expiry":      {h, policy{Timeout: 3 * m}, 51 * m, 54 * m},
		"replaces: a short timeout is still a minute":    {10 * m, policy{Timeout: s}, 8*m + 30*s, 9 * m},
		"replaces: a negative timeout is the default":    {10 * m, policy{Timeout: -h}, 8*m + 30*s, 9 * m},
		"replaces: not before two thirds":                {2 * m, policy{}, 80 * s, 80 * s},
		"replaces: not before two thirds, jitter or not": {190 * s, policy{}, 127 * s, 130 * s},
		"replaces: a timeout that never ends":            {h, policy{Timeout: 1<<63 - 1}, 40 * m, 40 * m},
		"replaces: two thirds are rounded up":            {10 * s, policy{}, 7 * s, 7 * s},
		"replaces: two seconds":                          {2 * s, policy{}, s, s},
		"replaces: one second":                           {s, policy{}, s, s},
		"replaces: thirty days":                          {thirtyDays, policy{}, thirtyDays * 90 / 100, thirtyDays * 95 / 100},
		"replaces: an explicit percentage wins":          {h, policy{AfterPercent: 50}, 27 * m, 30 * m},
		"replaces: before does not make it earlier":      {h, policy{Before: 30 * m}, 54 * m, 57 * m},
		"replaces: nor with a percentage":                {h, policy{AfterPercent: 95, Before: 30 * m}, 54 * m, 57 * m},
		"replaces: an unknown lifetime: hourly":          {-1, policy{}, 57 * m, h},
		"same: half a minute before expiry, or sooner":   {h, policy{}, h - 45*s, h - 30*s},
		"same: a twentieth of the life before expiry":    {2 * m, policy{}, 2*m - 9*s, 2*m - 6*s},
		"same: a second before expiry at the least":      {10 * s, policy{}, 8 * s, 9 * s},
		"same: the rest of a life is over first":         {5 * s, policy{}, 6 * s, 6 * s},
		"same: so is the last second":                    {s, policy{}, 2 * s, 2 * s},
		"same: thirty days":                              {thirtyDays, policy{}, thirtyDays - 45*s, thirtyDays - 30*s},
		"same: an explicit percentage wins":              {h, policy{AfterPercent: 50}, 27 * m, 30 * m},
		"same: an explicit before wins":                  {h, policy{Before: 30 * m}, 27 * m, 30 * m},
		"same: the timeout has no part in it":            {h, policy{Timeout: 20 * m}, h - 45*s, h - 30*s},
		"same: an unknown lifetime: hourly":              {-1, policy{}, 57 * m, h},
		"independent: the timeout has no part in it":     {h, policy{Timeout: 20 * m}, 2232 * s, 2412 * s},
		"anything else is independent":                   {h, policy{Reissue: "replaces"}, 2232 * s, 2412 * s},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch name[:4] {
			case "repl":
				c.policy.Reissue = lifetime.Replaces
			case "same":
				c.policy.Reissue = lifetime.Same
			case "inde":
				c.policy.Reissue = lifetime.Independent
			}
			token := tokenOf(c.life)
			if c.life < 0 {
				token.ExpiresAt = time.Time{}
			}
			seen := map[time.Duration]bool{}
			for i := range 200 {
				after := lifetime.RefreshAt(token, c.policy, fmt.Sprint("uid-", i)).Sub(base)
				if after < c.from || after > c.to || after%time.Second != 0 {
					t.Fatalf("got %v after the issue, want %v to %v", after, c.from, c.to)
				}
				seen[after] = true
			}
			if room := int((c.to-c.from)/time.Second) + 1; len(seen) < min(room, 200)/2 {
				t.Errorf("%d instants of %d are used", len(seen), room)
			}
		})
	}
}

// sameProvider answers one token until it expires, each time with the rest of its life.
type sameProvider struct {
	life    time.Duration
	claims  func(rest time.Duration, expires, now time.Time) lifetime.Claims
	expires time.Time
	issued  int
	asked   int // how often the present token was answered
	worst   int
}

func (p *sameProvider) answer(now time.Time) lifetime.Claims {
	if !now.Before(p.expires) {
		p.issued, p.asked, p.expires = p.issued+1, 0, now.Add(p.life)
	}
	p.asked++
	p.worst = max(p.worst, p.asked)
	return p.claims(p.expires.Sub(now), p.expires, now)
}

func TestSameTokenIsAskedForFiveTimesAndHardlyMissed(t *testing.T) {
	t.Parallel()
	relative := func(round func(rest time.Duration) time.Duration) func(time.Duration, time.Time, time.Time) lifetime.Claims {
		return func(rest time.Duration, _, _ time.Time) lifetime.Claims {
			return lifetime.Claims{ExpiresIn: json.Number(fmt.Sprint(int64(round(rest) / time.Second)))}
		}
	}
	shapes := map[string]func(time.Duration, time.Time, time.Time) lifetime.Claims{
		"rounded down": relative(func(rest time.Duration) time.Duration { return rest }),
		"rounded up":   relative(func(rest time.Duration) time.Duration { return rest + time.Second - 1 }),
		"a fraction": func(rest time.Duration, _, _ time.Time) lifetime.Claims {
			return lifetime.Claims{ExpiresIn: rest.Seconds()}
		},
		"an instant": func(_ time.Duration, expires, _ time.Time) lifetime.Claims {
			return lifetime.Claims{ExpiresAt: expires.Format(time.RFC3339Nano)}
		},
		"an instant of a clock that is a second off": func(_ time.Duration, expires, now time.Time) lifetime.Claims {
			return lifetime.Claims{
				ExpiresAt: expires.Add(-time.Second).Format(time.RFC3339), Date: now.Add(-time.Second).Format(time.RFC1123),
			}
		},
	}
	for name, shape := range shapes {
		for _, life := range []time.Duration{5 * time.Second, 45 * time.Second, 10 * time.Minute, time.Hour, thirtyDays} {
			t.Run(fmt.Sprint(name, ", ", life), func(t *testing.T) {
				t.Parallel()
				for i := range 150 {
					provider := &sameProvider{life: life, claims: shape}
					delay, latency := time.Duration(i%10)*30*time.Millisecond, time.Duration(i%7)*130*time.Millisecond
					// With a default, as 0 must not be taken for "unknown".
					rules := lifetime.Rules{
						Default: time.Duration(i%2) * time.Hour, Maximum: 2 * thirtyDays, Reissue: lifetime.Same,
					}
					begin := base.Add(time.Duration(i) * 37 * time.Millisecond)
					simulateSame(t, provider, rules, begin, delay, latency, fmt.Sprint("uid-", i))
				}
			})
		}
	}
}

// simulateSame follows a credential through five tokens. It looks at each instant that the decision names, a delay later.
func simulateSame(
	t *testing.T, provider *sameProvider, rules lifetime.Rules, now time.Time, delay, latency time.Duration, seed string,
) {
	t.Helper()
	const most, gap = 5, 3 * time.Second
	facts := lifetime.Facts{Seed: seed, Policy: lifetime.Policy{Reissue: lifetime.Same}}
	for provider.issued < 6 {
		decision := lifetime.Decide(facts, now)
		if decision.Action != lifetime.Request {
			now = decision.NextLook.Add(delay)
			continue
		}
		if facts.Held && now.Sub(facts.LastRequest) < time.Second {
			t.Fatalf("requests %v apart", now.Sub(facts.LastRequest))
		}
		previous, issued := provider.expires, provider.issued
		claims := provider.answer(now.Add(latency / 2))
		token, warnings, err := lifetime.Read(claims, rules, now, now.Add(latency))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%+v: %v, %v", claims, warnings, err)
		}
		if missed := now.Add(latency).Sub(previous); facts.Held && provider.issued > issued && missed > gap {
			t.Fatalf("no good token for %v", missed)
		}
		if facts.Held && now.Add(latency).Sub(facts.Token.ExpiresAt) > gap {
			t.Fatalf("the token counts as expired for %v", now.Add(latency).Sub(facts.Token.ExpiresAt))
		}
		facts.Held, facts.Token, facts.LastRequest = true, token, now
		now = now.Add(latency)
	}
	if provider.worst > most {
		t.Fatalf("%d requests for one token", provider.worst)
	}
}

func TestReadUnderSame(t *testing.T) {
	t.Parallel()
	at := func(after time.Duration) any { return base.Add(after).Format(time.RFC3339Nano) }
	for name, c := range map[string]struct {
		claims lifetime.Claims
		life   time.Duration // 0: an error
	}{
		"a lifetime":                        {lifetime.Claims{ExpiresIn: "60"}, time.Minute},
		"0 is the last second":              {lifetime.Claims{ExpiresIn: "0"}, time.Second},
		"so is a part of one":               {lifetime.Claims{ExpiresIn: "0.4"}, time.Second},
		"and an instant within it":          {lifetime.Claims{ExpiresAt: at(300 * time.Millisecond)}, time.Second},
		"and one that is just past":         {lifetime.Claims{ExpiresAt: at(-4 * time.Second)}, time.Second},
		"and that beside 0":                 {lifetime.Claims{ExpiresIn: 0, ExpiresAt: at(-time.Second)}, time.Second},
		"an instant beside 0 is taken":      {lifetime.Claims{ExpiresIn: 0, ExpiresAt: at(time.Minute)}, time.Minute},
		"an instant that is long past":      {lifetime.Claims{ExpiresAt: at(-5 * time.Second)}, 0},
		"nothing said is still the default": {lifetime.Claims{}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := lifetime.Rules{Default: time.Hour, Reissue: lifetime.Same}
			token, warnings, err := lifetime.Read(c.claims, rules, base, base)
			if (err != nil) != (c.life == 0) || token.Lifetime() != c.life || len(warnings) > 0 {
				t.Errorf("got %v, %v and %v, want %v", token.Lifetime(), warnings, err, c.life)
			}
		})
	}
}

func TestDecideUnderReplaces(t *testing.T) {
	t.Parallel()
	policy := lifetime.Policy{Reissue: lifetime.Replaces}
	due := lifetime.RefreshAt(hour(), policy, "uid")
	held := lifetime.Facts{Held: true, Token: hour(), Seed: "uid", Policy: policy, LastRequest: issued}
	for name, test := range map[string]struct {
		change  func(*lifetime.Facts)
		at      time.Duration // after the issue
		action  lifetime.Action
		trigger lifetime.Trigger
	}{
		"a good token is kept":  {func(*lifetime.Facts) {}, 50 * time.Minute, lifetime.Wait, lifetime.Due},
		"a due one is replaced": {func(*lifetime.Facts) {}, due.Sub(issued), lifetime.Request, lifetime.Due},
		"a changed client alone changes nothing": {
			func(f *lifetime.Facts) { f.ClientChanged = true }, time.Minute, lifetime.Wait, lifetime.Due,
		},
		"nor does it when due": {
			func(f *lifetime.Facts) { f.ClientChanged = true }, due.Sub(issued), lifetime.Request, lifetime.Due,
		},
		"a target that drifted is repaired": {
			func(f *lifetime.Facts) { f.Drifted, f.ClientChanged = true, true }, time.Minute, lifetime.Repair, lifetime.Due,
		},
		"a lost token is replaced": {
			func(f *lifetime.Facts) { f.Held, f.Token = false, lifetime.Token{} }, time.Minute, lifetime.Request, lifetime.NoToken,
		},
		"a changed spec is followed": {
			func(f *lifetime.Facts) { f.SpecChanged, f.ClientChanged = true, true }, time.Minute, lifetime.Request, lifetime.SpecChanged,
		},
		"a person is heard": {
			func(f *lifetime.Facts) { f.Requested, f.ClientChanged = true, true }, time.Minute, lifetime.Request, lifetime.Requested,
		},
		"what failed is tried again": {
			func(f *lifetime.Facts) { f.Failed, f.RetryAt = true, issued.Add(time.Minute) }, time.Minute,
			lifetime.Request, lifetime.Retry,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := held
			test.change(&facts)
			got := lifetime.Decide(facts, issued.Add(test.at))
			if got.Action != test.action || got.Trigger != test.trigger {
				t.Errorf("got %s for %s, want %s for %s", got.Action, got.Trigger, test.action, test.trigger)
			}
			if test.action == lifetime.Wait && !got.NextLook.Equal(due) {
				t.Errorf("the next look is at %v, want %v", got.NextLook, due)
			}
		})
	}
}
