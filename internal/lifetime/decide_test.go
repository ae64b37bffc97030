package lifetime_test

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// issued is when the tokens of these tests were issued; they live an hour.
var issued = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

func hour() lifetime.Token {
	return lifetime.Token{IssuedAt: issued, ExpiresAt: issued.Add(time.Hour)}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	const seed = "uid"
	due := lifetime.RefreshAt(hour(), lifetime.Policy{}, seed)
	held := lifetime.Facts{Held: true, Token: hour(), Seed: seed, LastRequest: issued}
	with := func(change func(*lifetime.Facts)) lifetime.Facts {
		f := held
		change(&f)
		return f
	}
	for name, test := range map[string]struct {
		facts lifetime.Facts
		at    time.Duration // after the issue
		want  lifetime.Decision
	}{
		"a fresh token waits for its refresh time": {
			facts: held, at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Due, RequestAt: due, NextLook: due},
		},
		"a token at its refresh time is replaced, and looked at again at its expiry": {
			facts: held, at: due.Sub(issued),
			want: lifetime.Decision{Action: lifetime.Request, Trigger: lifetime.Due, RequestAt: due, NextLook: issued.Add(time.Hour)},
		},
		"an expired token is replaced": {
			facts: held, at: 2 * time.Hour,
			want: lifetime.Decision{Action: lifetime.Request, Trigger: lifetime.Due, RequestAt: due},
		},
		"no token is asked for at once": {
			facts: lifetime.Facts{Seed: seed}, at: 0,
			want: lifetime.Decision{Action: lifetime.Request, Trigger: lifetime.NoToken, Unscheduled: true, RequestAt: time.Time{}.Add(time.Second)},
		},
		"a lost token waits for the bucket": {
			facts: lifetime.Facts{Seed: seed, AllowedAt: issued.Add(time.Minute)}, at: 0,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.NoToken, Unscheduled: true,
				RequestAt: issued.Add(time.Minute), NextLook: issued.Add(time.Minute),
			},
		},
		"a changed spec asks at once": {
			facts: with(func(f *lifetime.Facts) { f.SpecChanged = true }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Request, Trigger: lifetime.SpecChanged, Unscheduled: true,
				RequestAt: issued.Add(time.Second), NextLook: issued.Add(time.Hour),
			},
		},
		"a changed client asks at once": {
			facts: with(func(f *lifetime.Facts) { f.ClientChanged = true }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Request, Trigger: lifetime.ClientChanged, Unscheduled: true,
				RequestAt: issued.Add(time.Second), NextLook: issued.Add(time.Hour),
			},
		},
		"a change never makes a due refresh later": {
			facts: with(func(f *lifetime.Facts) { f.Requested, f.AllowedAt = true, issued.Add(2*time.Hour) }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Requested, RequestAt: due, NextLook: due},
		},
		"two requests are never closer than a second, whatever asks for them": {
			facts: with(func(f *lifetime.Facts) { f.Requested = true; f.LastRequest = issued.Add(time.Minute) }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Requested, Unscheduled: true,
				RequestAt: issued.Add(time.Minute + time.Second), NextLook: issued.Add(time.Minute + time.Second),
			},
		},
		"a failure sets the pace, whatever made the request due": {
			facts: with(func(f *lifetime.Facts) {
				f.Failed, f.RetryAt, f.SpecChanged = true, issued.Add(30*time.Minute), true
			}), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Retry,
				RequestAt: issued.Add(30 * time.Minute), NextLook: issued.Add(30 * time.Minute),
			},
		},
		"a failure is retried at its time": {
			facts: with(func(f *lifetime.Facts) { f.Failed, f.RetryAt = true, issued.Add(time.Minute) }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Request, Trigger: lifetime.Retry,
				RequestAt: issued.Add(time.Minute), NextLook: issued.Add(time.Hour),
			},
		},
		"a failure whose cause has changed is retried at once": {
			facts: with(func(f *lifetime.Facts) {
				f.Failed, f.RetryAt, f.CauseChanged = true, issued.Add(30*time.Minute), true
			}), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Request, Trigger: lifetime.Retry, Unscheduled: true,
				RequestAt: issued.Add(time.Second), NextLook: issued.Add(time.Hour),
			},
		},
		"a failure without a time of its retry is retried as the bucket allows": {
			facts: with(func(f *lifetime.Facts) { f.Failed, f.AllowedAt = true, issued.Add(2*time.Minute) }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Retry, Unscheduled: true,
				RequestAt: issued.Add(2 * time.Minute), NextLook: issued.Add(2 * time.Minute),
			},
		},
		"a changed cause never makes the retry later": {
			facts: with(func(f *lifetime.Facts) {
				f.Failed, f.CauseChanged = true, true
				f.RetryAt, f.AllowedAt = issued.Add(2*time.Minute), issued.Add(time.Hour)
			}), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Retry,
				RequestAt: issued.Add(2 * time.Minute), NextLook: issued.Add(2 * time.Minute),
			},
		},
		"a target that was tampered with is repaired": {
			facts: with(func(f *lifetime.Facts) { f.Drifted, f.InFlight = true, true }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Repair, Trigger: lifetime.Due, NextLook: issued.Add(time.Hour)},
		},
		"a target that is tampered with over and over waits for its repair": {
			facts: with(func(f *lifetime.Facts) { f.Drifted, f.RepairAt = true, issued.Add(2*time.Minute) }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Due, RequestAt: due, NextLook: issued.Add(2 * time.Minute)},
		},
		"a target whose token is asked for anew anyway is not repaired": {
			facts: with(func(f *lifetime.Facts) { f.Drifted, f.SpecChanged, f.InFlight = true, true, true }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.SpecChanged, NextLook: issued.Add(time.Hour)},
		},
		"what is under way is waited for": {
			facts: with(func(f *lifetime.Facts) { f.InFlight = true }), at: 50 * time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Due, NextLook: issued.Add(time.Hour)},
		},
		"what is blocked asks for nothing, and the expiry is still looked at": {
			facts: with(func(f *lifetime.Facts) { f.Blocked, f.Requested = true, true }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Requested, NextLook: issued.Add(time.Hour)},
		},
		"a grant that somebody has changed is looked at at once, whatever has failed": {
			facts: with(func(f *lifetime.Facts) {
				f.GrantChanged, f.NeedsPerson, f.Failed, f.RetryAt = true, true, true, issued.Add(30*time.Minute)
				f.AllowedAt = issued.Add(time.Hour)
			}), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Request, Trigger: lifetime.GrantChanged,
				RequestAt: issued.Add(time.Minute), NextLook: issued.Add(time.Hour),
			},
		},
		"a grant is not looked at before that makes sense": {
			facts: with(func(f *lifetime.Facts) { f.GrantChanged, f.NotBefore = true, issued.Add(2*time.Minute) }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.GrantChanged,
				RequestAt: issued.Add(2 * time.Minute), NextLook: issued.Add(2 * time.Minute),
			},
		},
		"a grant that changes over and over is looked at once a second": {
			facts: with(func(f *lifetime.Facts) { f.GrantChanged, f.LastRequest = true, issued.Add(time.Minute) }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.GrantChanged,
				RequestAt: issued.Add(time.Minute + time.Second), NextLook: issued.Add(time.Minute + time.Second),
			},
		},
		"a grant is not looked at while something is under way": {
			facts: with(func(f *lifetime.Facts) { f.GrantChanged, f.InFlight = true, true }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.GrantChanged, NextLook: issued.Add(time.Hour)},
		},
		"a due refresh waits until it makes sense": {
			facts: with(func(f *lifetime.Facts) { f.NotBefore = issued.Add(55 * time.Minute) }), at: 50 * time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Due,
				RequestAt: issued.Add(55 * time.Minute), NextLook: issued.Add(55 * time.Minute),
			},
		},
		"who waits for a person asks for nothing, and the expiry is still looked at": {
			facts: with(func(f *lifetime.Facts) { f.NeedsPerson, f.Failed = true, true }), at: 50 * time.Minute,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Retry, NextLook: issued.Add(time.Hour)},
		},
		"who waits for a person, and has no token, is not looked at again": {
			facts: lifetime.Facts{Seed: seed, NeedsPerson: true, Failed: true, RetryAt: issued}, at: time.Hour,
			want: lifetime.Decision{Action: lifetime.Wait, Trigger: lifetime.Retry},
		},
		"who waits for a person repairs a target all the same": {
			facts: with(func(f *lifetime.Facts) { f.NeedsPerson, f.Failed, f.Drifted = true, true, true }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Repair, Trigger: lifetime.Retry, NextLook: issued.Add(time.Hour)},
		},
		"a person who asks for a refresh is no longer waited for": {
			facts: with(func(f *lifetime.Facts) { f.NeedsPerson, f.Failed, f.Requested = true, true, true }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Request, Trigger: lifetime.Retry, Unscheduled: true,
				RequestAt: issued.Add(time.Second), NextLook: issued.Add(time.Hour),
			},
		},
		"what changes something is no longer waited for": {
			facts: with(func(f *lifetime.Facts) {
				f.NeedsPerson, f.Failed, f.CauseChanged, f.AllowedAt = true, true, true, issued.Add(2*time.Minute)
			}), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Retry, Unscheduled: true,
				RequestAt: issued.Add(2 * time.Minute), NextLook: issued.Add(2 * time.Minute),
			},
		},
		"a token at hand is published at once": {
			facts: with(func(f *lifetime.Facts) { f.Pending = true }), at: time.Minute,
			want: lifetime.Decision{Action: lifetime.Publish, Trigger: lifetime.Due, RequestAt: due, NextLook: issued.Add(time.Hour)},
		},
		"a token at hand that was refused waits for its retry": {
			facts: with(func(f *lifetime.Facts) { f.Pending, f.Failed, f.RetryAt = true, true, issued.Add(10*time.Minute) }), at: time.Minute,
			want: lifetime.Decision{
				Action: lifetime.Wait, Trigger: lifetime.Retry,
				RequestAt: issued.Add(10 * time.Minute), NextLook: issued.Add(10 * time.Minute),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := lifetime.Decide(test.facts, issued.Add(test.at)); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestBucketAllowsThreeAtOnceThenOnePerStep(t *testing.T) {
	t.Parallel()
	const step = 10 * time.Second
	var bucket lifetime.Bucket
	drawn := 0
	for now := issued; now.Before(issued.Add(time.Minute)); now = now.Add(time.Second) {
		for !now.Before(bucket.AllowedAt(step)) {
			bucket = bucket.Draw(step, now)
			drawn++
		}
		if now.Equal(issued) && drawn != 3 {
			t.Fatalf("%d drawn at once, want 3", drawn)
		}
	}
	if want := 3 + 5; drawn != want {
		t.Errorf("%d drawn in a minute, want %d", drawn, want)
	}
	if bucket.Idle(step, issued.Add(time.Minute)) || !bucket.Idle(step, issued.Add(2*time.Minute)) {
		t.Error("the bucket is full again at the wrong time")
	}
}

func TestBucketHoldsOneDrawAgainstNobodyLater(t *testing.T) {
	t.Parallel()
	const long, short = time.Hour, 10 * time.Second
	bucket := lifetime.Bucket{}.Draw(long, issued)
	if at := bucket.AllowedAt(short); at.After(issued) {
		t.Errorf("after one draw with a long step the next is allowed %s later", at.Sub(issued))
	}
	bucket = bucket.Draw(short, issued).Draw(short, issued)
	if at := bucket.AllowedAt(long); !at.Equal(issued.Add(long)) {
		t.Errorf("after three draws the next is allowed %s later, want the step", at.Sub(issued))
	}
}

func TestBucketStep(t *testing.T) {
	t.Parallel()
	if got := lifetime.BucketStep(hour()); got != 6*time.Minute {
		t.Errorf("got %s for an hour, want a tenth", got)
	}
	if got := lifetime.BucketStep(lifetime.Token{}); got != 10*time.Second {
		t.Errorf("got %s for no token, want the least step", got)
	}
}

// FuzzDecide holds what must be true of every decision.
func FuzzDecide(f *testing.F) {
	f.Add(int64(3600), int64(60), int64(0), int64(0), int64(0), int64(0), uint16(0))
	f.Add(int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), uint16(0xffff))
	f.Add(int64(3600), int64(-86400), int64(0), int64(60), int64(0), int64(0), uint16(1<<3))
	f.Add(int64(3600), int64(-86400), int64(0), int64(60), int64(0), int64(0), uint16(1<<7|1<<9))
	f.Add(int64(3600), int64(60), int64(0), int64(0), int64(0), int64(0), uint16(1<<3|1<<5|1<<11))
	f.Add(int64(3600), int64(60), int64(0), int64(0), int64(0), int64(120), uint16(1<<3|1<<13))
	f.Add(int64(3600), int64(60), int64(0), int64(30), int64(0), int64(0), uint16(1<<3|1<<7|1<<9|1<<14))
	f.Fuzz(func(t *testing.T, life, at, last, retry, allowed, sense int64, flags uint16) {
		within := func(seconds int64) time.Duration { return time.Duration(seconds%1e6) * time.Second }
		flag := func(bit int) bool { return flags&(1<<bit) != 0 }
		facts := lifetime.Facts{
			Blocked: flag(0), InFlight: flag(1), Pending: flag(2), Held: flag(3),
			SpecChanged: flag(4), ClientChanged: flag(5), Requested: flag(6),
			Failed: flag(7), CauseChanged: flag(8), Drifted: flag(10), GrantChanged: flag(13), NeedsPerson: flag(14),
			LastRequest: issued.Add(within(last)), AllowedAt: issued.Add(within(allowed)), Seed: "uid",
		}
		if flag(11) {
			facts.Policy.Reissue = lifetime.Replaces
		} else if flag(12) {
			facts.Policy.Reissue = lifetime.Same
		}
		if facts.Held {
			facts.Token = lifetime.Token{IssuedAt: issued}
			if life != 0 {
				facts.Token.ExpiresAt = issued.Add(max(within(life), time.Second))
			}
		}
		if flag(9) {
			facts.RetryAt = issued.Add(within(retry))
		}
		if sense != 0 {
			facts.NotBefore = issued.Add(within(sense))
		}
		now := issued.Add(within(at))
		d := lifetime.Decide(facts, now)
		setBack := facts.LastRequest.Sub(now) > time.Minute
		asked := facts.SpecChanged || facts.Requested || facts.Failed || !facts.Held || facts.GrantChanged
		waits := facts.NeedsPerson && !facts.GrantChanged && !facts.CauseChanged && !facts.Requested
		switch {
		case d.Action == lifetime.Request && !setBack && now.Sub(facts.LastRequest) < time.Second:
			t.Errorf("a request %s after the last one", now.Sub(facts.LastRequest))
		case d.Action == lifetime.Request && d.Unscheduled && now.Before(facts.AllowedAt):
			t.Error("an unscheduled request that the bucket does not allow")
		case d.Action == lifetime.Request && (waits || !setBack && now.Before(facts.NotBefore)):
			t.Error("a request that waits for a person, or makes no sense yet")
		case d.Action != lifetime.Wait && d.Action != lifetime.Repair && (facts.Blocked || facts.InFlight):
			t.Errorf("%s while blocked or in flight", d.Action)
		case flag(11) && d.Action == lifetime.Request && !asked && d.Trigger != lifetime.Due &&
			now.Before(lifetime.RefreshAt(facts.Token, facts.Policy, facts.Seed)):
			t.Errorf("a token is ended for %s", d.Trigger)
		case setBack && facts.Held && !facts.Failed && d.RequestAt.Sub(now) > max(within(life), time.Hour) &&
			now.Before(issued.Add(-time.Minute)) && d.RequestAt.After(facts.AllowedAt):
			t.Errorf("the clock was set back, and the next request is %v away", d.RequestAt.Sub(now))
		case !d.NextLook.IsZero() && !d.NextLook.After(now):
			t.Error("the next look lies in the past: a hot loop")
		case d.Action == lifetime.Wait && d.NextLook.IsZero() && !facts.Blocked && !facts.InFlight && !waits:
			t.Error("a credential that nobody looks at again")
		}
	})
}
