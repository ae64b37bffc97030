package lease

import (
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	const lasts = 15 * time.Second
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		seen Observed
		want Decision
	}{
		"there is none, and never was": {
			seen: Observed{},
			want: Decision{Action: Create},
		},
		"it is mine": {
			seen: Observed{Record: Record{Version: "1", Holder: "me", Lasts: lasts}, Since: now.Add(-time.Second)},
			want: Decision{Action: Renew},
		},
		"it is mine, and has long run out": {
			seen: Observed{Record: Record{Version: "1", Holder: "me", Lasts: lasts}, Since: now.Add(-time.Hour)},
			want: Decision{Action: Renew},
		},
		"it was given back": {
			seen: Observed{Record: Record{Version: "1", Lasts: lasts}, Since: now},
			want: Decision{Action: Take},
		},
		"another has it, and it has just changed": {
			seen: Observed{Record: Record{Version: "1", Holder: "you", Lasts: lasts}, Since: now},
			want: Decision{Action: Wait, Until: now.Add(lasts)},
		},
		"another has it, just before its end": {
			seen: Observed{Record: Record{Version: "1", Holder: "you", Lasts: lasts}, Since: now.Add(1 - lasts)},
			want: Decision{Action: Wait, Until: now.Add(1)},
		},
		"another has it, at its very end": {
			seen: Observed{Record: Record{Version: "1", Holder: "you", Lasts: lasts}, Since: now.Add(-lasts)},
			want: Decision{Action: Take},
		},
		"it has vanished, and its holder may still believe": {
			seen: Observed{Record: Record{Lasts: lasts}, Since: now.Add(-time.Second)},
			want: Decision{Action: Wait, Until: now.Add(lasts - time.Second)},
		},
		"it has vanished long ago": {
			seen: Observed{Record: Record{Lasts: lasts}, Since: now.Add(-lasts)},
			want: Decision{Action: Create},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Decide("me", test.seen, now); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	held := Record{Version: "1", Holder: "you", Lasts: time.Minute}
	renewed := Record{Version: "2", Holder: "you", Lasts: time.Minute}
	seen := Observed{}.Read(held, now)
	for name, test := range map[string]struct {
		seen   Observed
		record Record
		want   Observed
	}{
		"the first":                  {seen: Observed{}, record: held, want: Observed{Record: held, Since: now}},
		"the same again":             {seen: seen, record: held, want: seen},
		"a renewal":                  {seen: seen, record: renewed, want: Observed{Record: renewed, Since: now.Add(time.Second)}},
		"none, and never one before": {seen: Observed{}, record: Record{}, want: Observed{}},
		"none, where there was one": {
			seen: seen, record: Record{},
			want: Observed{Record: Record{Lasts: time.Minute}, Since: now.Add(time.Second)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := now.Add(time.Second)
			if name == "the first" {
				at = now
			}
			if got := test.seen.Read(test.record, at); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// A duration that is missing, or shorter than one's own, says nothing about what writes it
// believes.
func TestReadTakesNoDurationShorterThanItsOwn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct{ written, want time.Duration }{
		{0, 15 * time.Second}, {time.Second, 15 * time.Second}, {time.Minute, time.Minute},
	} {
		m := member{identity: "me", times: DefaultTimes()}
		m.read(Record{Version: "1", Holder: "you", Lasts: test.written}, now)
		if got := Decide("me", m.seen, now); got != (Decision{Action: Wait, Until: now.Add(test.want)}) {
			t.Errorf("%v: got %+v", test.written, got)
		}
	}
}

func TestRunRefusesTimesThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, times := range []Times{
		{},
		{Duration: 10 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second},
		{Duration: 15 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 2 * time.Second},
		{Duration: 2500 * time.Millisecond, RenewDeadline: 2 * time.Second, RetryPeriod: time.Second},
		{Duration: 15 * time.Second, RenewDeadline: 10 * time.Second},
	} {
		if err := Run(t.Context(), Elector{Times: times}, nil); err == nil {
			t.Errorf("%+v: no error", times)
		}
	}
	if err := DefaultTimes().check(); err != nil {
		t.Error(err)
	}
}
