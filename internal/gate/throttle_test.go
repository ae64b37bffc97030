package gate

import (
	"math"
	"testing"
	"time"
)

func TestTheLearnedRate(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000_000, 0)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	var limits Limits
	// first refuses after five were accepted, and holds for a second.
	first := func(t *throttle) { t.refused(start, 10, 12, pause{retryAfter: time.Second}, 5) }
	for name, c := range map[string]struct {
		do   func(*throttle)
		want float64
	}{
		"of a burst":                       {first, 4.5},
		"of a burst that accepted nothing": {func(t *throttle) { t.refused(start, 1, 1, pause{retryAfter: time.Second}, 0) }, 0.9},
		"and of those that came home late": {func(t *throttle) {
			first(t)
			t.answered(at(0.1), 12, limits)
		}, 5.4},
		"not of those that came home after the hold": {func(t *throttle) {
			first(t)
			t.answered(at(2), 12, limits)
		}, 4.5},
		"the rest of the burst being refused, too": {func(t *throttle) {
			first(t)
			t.refused(at(0.1), 12, 12, pause{retryAfter: time.Second}, 5)
		}, 4.5},
		"is left alone at first": {func(t *throttle) {
			first(t)
			t.answered(at(10.9), 13, limits)
		}, 4.5},
		"grows with each success after that": {func(t *throttle) {
			first(t)
			t.answered(at(11), 13, limits)
			t.answered(at(12), 14, limits)
		}, 4.52},
		"never above what is configured": {func(t *throttle) {
			first(t)
			t.answered(at(12), 13, Limits{Requests: 4, Period: time.Second})
		}, 4},
		"falls to what was accepted": {func(t *throttle) {
			first(t)
			for i := range 40 {
				t.answered(at(2), uint64(13+i), limits)
			}
			t.refused(at(11), 53, 53, pause{retryAfter: time.Second}, 5) // 40 in ten seconds
		}, 3.6},
		"falls by a tenth at least": {func(t *throttle) {
			first(t)
			for i := range 100 {
				t.answered(at(2), uint64(13+i), limits)
			}
			t.refused(at(11), 113, 113, pause{retryAfter: time.Second}, 5)
		}, 4.05},
		"falls by half at most": {func(t *throttle) {
			first(t)
			t.refused(at(11), 13, 13, pause{retryAfter: time.Second}, 0)
		}, 2.25},
		"has a floor": {func(t *throttle) {
			for i := range 50 {
				t.refused(at(float64(100*i)), uint64(i+1), uint64(i+1), pause{retryAfter: time.Second}, 0)
			}
		}, 1.0 / 60},
		"is never raised by a refusal": {func(t *throttle) {
			for i := range 50 {
				t.refused(at(float64(100*i)), uint64(i+1), uint64(i+1), pause{}, 0)
			}
			t.refused(at(5100), 51, 51, pause{patience: time.Second}, 0)
		}, 1.0 / 60},
		"falls for short tokens, too, where the provider says for how long": {func(t *throttle) {
			for i := range 50 {
				t.refused(at(float64(100*i)), uint64(i+1), uint64(i+1), pause{retryAfter: time.Second, patience: time.Second}, 0)
			}
		}, 1.0 / 60},
		"has a floor that the holder of a short token can wait for": {func(t *throttle) {
			for i := range 50 {
				t.refused(at(float64(100*i)), uint64(i+1), uint64(i+1), pause{patience: 2 * time.Second}, 0)
			}
		}, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var learned throttle
			c.do(&learned)
			if math.Abs(learned.rate-c.want) > 1e-9 {
				t.Errorf("%g per second, want %g", learned.rate, c.want)
			}
			if want := time.Duration(float64(time.Second) / learned.rate); learned.pace.interval != want {
				t.Errorf("its pace is one per %s, want %s", learned.pace.interval, want)
			}
		})
	}
}

func TestTheHold(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000_000, 0)
	for name, c := range map[string]struct {
		do   func(*throttle)
		want time.Duration
	}{
		"as named":         {func(t *throttle) { t.refused(start, 1, 2, pause{retryAfter: time.Minute}, 0) }, time.Minute},
		"up to a limit":    {func(t *throttle) { t.refused(start, 1, 2, pause{retryAfter: time.Hour}, 0) }, 15 * time.Minute},
		"a second":         {func(t *throttle) { t.refused(start, 1, 2, pause{}, 0) }, time.Second},
		"doubles in a row": {func(t *throttle) { t.refused(start, 1, 2, pause{}, 0); t.refused(start, 3, 3, pause{}, 0) }, 2 * time.Second},
		"up to a minute": {func(t *throttle) {
			for i := range uint64(20) {
				t.refused(start, i+1, i+1, pause{patience: time.Hour}, 0)
			}
		}, time.Minute},
		"and no longer than a short token allows": {func(t *throttle) {
			for i := range uint64(20) {
				t.refused(start, i+1, i+1, pause{patience: 2 * time.Second}, 0)
			}
		}, 2 * time.Second},
		"but as named for a short token, too": {func(t *throttle) {
			t.refused(start, 1, 2, pause{retryAfter: time.Minute, patience: 2 * time.Second}, 0)
		}, time.Minute},
		"not for old news": {func(t *throttle) { t.refused(start, 1, 2, pause{}, 0); t.refused(start, 2, 3, pause{}, 0) }, time.Second},
		"but for what it says": {func(t *throttle) {
			t.refused(start, 1, 2, pause{}, 0)
			t.refused(start, 2, 3, pause{retryAfter: time.Minute}, 0)
		}, time.Minute},
		"is never shortened": {func(t *throttle) {
			t.refused(start, 1, 2, pause{retryAfter: time.Minute}, 0)
			t.refused(start, 2, 3, pause{retryAfter: time.Second}, 0)
		}, time.Minute},
		"a second again after a success": {func(t *throttle) {
			t.refused(start, 1, 2, pause{}, 0)
			t.answered(start, 3, Limits{})
			t.refused(start, 4, 4, pause{}, 0)
		}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var held throttle
			c.do(&held)
			if got := held.until.Sub(start); got != c.want {
				t.Errorf("held for %s, want %s", got, c.want)
			}
		})
	}
}
