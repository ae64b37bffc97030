package lifetime_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// claimOf makes a claim of a shape that a decoded answer may have.
func claimOf(text string, shape uint8) any {
	switch shape % 8 {
	case 0:
		return nil
	case 1:
		return json.Number(text)
	case 2:
		var decoded any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&decoded) != nil {
			return text
		}
		return decoded
	case 3:
		return len(text)%2 == 0
	default:
		return text
	}
}

// instantOf bounds a fuzzed second to the years that a clock may show.
func instantOf(second int64) time.Time {
	return time.Unix(second%(1<<33), 0).UTC()
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"", "0", "-1", "1199", "5099", "3600.0", "3.6e3", "3599.99", "86399956", "9223372036854775807", "1e400", "-1e400", "1e-400",
		"NaN", "Infinity", "1h", "1h30m", "PT20M", "P1DT1H", "177:05:38", "00:20:00", "true", "{}", "[1]", "null", `"5099"`,
		"2026-03-14T09:46:53Z", "2026-03-14 09:46:53.5+02:00", "Sat, 14 Mar 2026 09:46:53 GMT", "Saturday, 14-Mar-26 09:46:53 GMT",
		"Sat Mar 14 09:46:53 2026", "1773481613", "1773481613000", "1773481613000000", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
	} {
		for shape := range uint8(8) {
			f.Add(text, text, text, shape, shape, shape, "Seconds", int64(0), int64(0), base.Unix(), int64(1e8), text, "")
		}
		f.Add(text, text, "", uint8(4), uint8(4), uint8(0), "Duration", int64(time.Hour), int64(time.Minute), base.Unix(), int64(0), "", "1")
	}
	f.Fuzz(func(t *testing.T, in, at, issued string, inShape, atShape, issuedShape uint8, unit string,
		defaultLife, maximum, sentAt, took int64, date, age string,
	) {
		claims := lifetime.Claims{
			ExpiresIn: claimOf(in, inShape), ExpiresAt: claimOf(at, atShape), IssuedAt: claimOf(issued, issuedShape),
			Date: date, Age: age,
		}
		rules := lifetime.Rules{Unit: lifetime.Unit(unit), Default: time.Duration(defaultLife), Maximum: time.Duration(maximum)}
		sent := instantOf(sentAt).Add(time.Duration(took % int64(time.Second)))
		token, _, err := lifetime.Read(claims, rules, sent, sent.Add(time.Duration(took)))
		if err != nil {
			var invalid *lifetime.InvalidError
			if !errors.As(err, &invalid) || token != (lifetime.Token{}) {
				t.Fatalf("got %v and %v", token, err)
			}
			return
		}
		if !token.IssuedAt.Equal(sent.Truncate(time.Second)) {
			t.Fatalf("issued at %v, sent at %v", token.IssuedAt, sent)
		}
		if token.ExpiresAt.IsZero() {
			return
		}
		if rules.Maximum <= 0 {
			rules.Maximum = thirtyDays
		}
		if life := token.ExpiresAt.Sub(token.IssuedAt); life < time.Second || life%time.Second != 0 || life > rules.Maximum {
			t.Fatalf("a lifetime of %v", life)
		}
	})
}

func FuzzSchedule(f *testing.F) {
	for _, life := range []int64{-1, 0, 1, 2, 3, 5, 10, 60, 1199, 3600, 86400, 2592000, 1 << 40} {
		for _, reissue := range []string{"", "Same", "Replaces"} {
			f.Add(base.Unix(), life, 0, int64(0), reissue, int64(0), "uid", "Transient", 1, int64(0), int64(30), int64(0))
			f.Add(base.Unix(), life, 95, int64(time.Minute), reissue, int64(time.Hour), "uid", "Throttled", 1<<62, int64(3600e9), int64(0), int64(1))
			f.Add(base.Unix(), life, 100, int64(time.Hour), reissue, int64(-1), "", "Rejected", 3, int64(-1), int64(-30), int64(1e9))
			f.Add(base.Unix(), life, -1, int64(-1), reissue, int64(1<<63-1), "x", "Protocol", -1<<63, int64(1), int64(1<<40), int64(5))
		}
	}
	f.Fuzz(func(t *testing.T, issuedAt, seconds int64, percent int, before int64, reissue string, timeout int64,
		seed, class string, count int, retryAfter, sinceFirst, nanos int64,
	) {
		token := lifetime.Token{IssuedAt: instantOf(issuedAt)}
		if seconds >= 0 {
			token.ExpiresAt = instantOf(issuedAt).Add(time.Duration(seconds%(1<<33)) * time.Second)
		}
		policy := lifetime.Policy{
			AfterPercent: percent, Before: time.Duration(before),
			Reissue: lifetime.Reissue(reissue), Timeout: time.Duration(timeout),
		}
		checkRefreshAt(t, token, policy, lifetime.RefreshAt(token, policy, seed))

		last := token.IssuedAt.Add(time.Duration(nanos))
		failure := lifetime.Failure{
			Class: lifetime.Class(class), Count: count, First: last.Add(time.Duration(-sinceFirst)), Last: last,
			RetryAfter: time.Duration(retryAfter),
		}
		for _, held := range []lifetime.Token{token, {}} {
			checkRetryAt(t, failure, held, lifetime.RetryAt(failure, held, seed))
			if timeout := lifetime.RequestTimeout(0, held, last); timeout < 5*time.Second || timeout > 30*time.Second {
				t.Fatalf("a time-out of %v", timeout)
			}
		}
	})
}

func checkRefreshAt(t *testing.T, token lifetime.Token, policy lifetime.Policy, at time.Time) {
	t.Helper()
	after, life := at.Sub(token.IssuedAt), token.Lifetime()
	switch {
	case at != at.Truncate(time.Second), after < time.Second, after < life/10:
		t.Fatalf("%v: refresh at %v", token, at)
	case token.ExpiresAt.IsZero():
		if after < 57*time.Minute || after > time.Hour {
			t.Fatalf("unknown lifetime: refresh after %v", after)
		}
	case policy.Reissue == lifetime.Same && policy.AfterPercent <= 0 && policy.Before <= 0:
		if left := life - after; life <= 5*time.Second && left != -time.Second ||
			life > 5*time.Second && (left < time.Second || left > 46*time.Second || left > life/10+2*time.Second) {
			t.Fatalf("%v: refresh at %v, %v before expiry", token, at, left)
		}
	case life >= 2*time.Second && !at.Before(token.ExpiresAt), life == time.Second && at.After(token.ExpiresAt):
		t.Fatalf("%v: refresh at %v", token, at)
	case policy.Reissue == lifetime.Replaces:
		checkReplaces(t, policy, life, after)
	case policy.Before > 0 && policy.Before < life && after > max(life-policy.Before, life/10+time.Second):
		t.Fatalf("%v: refresh at %v, not %v before expiry", token, at, policy.Before)
	}
}

// checkReplaces holds the bounds of a refresh that ends the token before.
func checkReplaces(t *testing.T, policy lifetime.Policy, life, after time.Duration) {
	t.Helper()
	if policy.AfterPercent > 0 || life < 4*time.Second {
		return
	}
	timeout := policy.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	latest := min(life/100*95, life-max(time.Minute, 2*min(timeout, life)))
	switch {
	case after < life-life/3:
		t.Fatalf("a life of %v: refresh after %v, before two thirds", life, after)
	case after > max(latest, life-life/3+time.Second):
		t.Fatalf("a life of %v: refresh after %v, want %v at most", life, after, latest)
	}
}

func checkRetryAt(t *testing.T, f lifetime.Failure, held lifetime.Token, at time.Time) {
	t.Helper()
	if f.Class == lifetime.Authorization {
		if !at.IsZero() {
			t.Fatalf("got %v, want never", at)
		}
		return
	}
	after := at.Sub(f.Last)
	most := 16 * time.Minute
	switch {
	case f.Class == lifetime.Transient && (held == lifetime.Token{} || held.Expired(f.Last)):
		most = 31 * time.Second
	case f.Class == lifetime.Transient, f.Class == lifetime.Protocol:
		most = 5*time.Minute + time.Second
	}
	if at != at.Truncate(time.Second) || after < time.Second || after > most {
		t.Fatalf("%+v with %v: retry at %v, after %v", f, held, at, after)
	}
}
