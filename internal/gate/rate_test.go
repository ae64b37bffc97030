package gate

import (
	"testing"
	"time"
)

func FuzzSpacingKeepsItsBound(f *testing.F) {
	f.Add(int64(time.Second), 3, []byte{0, 0, 0, 0, 200, 1})
	f.Add(int64(1), 1<<30, []byte{255})
	f.Add(int64(time.Hour), 0, []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, interval int64, burst int, waits []byte) {
		s, start := spacing{}, time.Unix(1_000_000_000, 0)
		if interval < 0 {
			return
		}
		s.set(start, time.Duration(interval), burst)
		now := start
		for taken := 1; taken <= len(waits); taken++ {
			now = now.Add(time.Duration(waits[taken-1]) * 10 * time.Millisecond)
			if at := s.readyAt(); at.After(now) {
				now = at
			}
			s.take(now)
			if due := time.Duration(taken-max(burst, 1)) * time.Duration(interval); now.Sub(start) < due {
				t.Fatalf("%d started within %s, the last is due at %s", taken, now.Sub(start), due)
			}
		}
	})
}

func TestSpacing(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000_000, 0)
	for name, c := range map[string]struct {
		do   func(*spacing)
		want time.Duration // until the next may start
	}{
		"nothing taken":        {func(*spacing) {}, 0},
		"all of the burst":     {func(s *spacing) { s.take(start); s.take(start) }, time.Second},
		"one put back":         {func(s *spacing) { s.take(start); s.take(start); s.put() }, 0},
		"twice as fast":        {func(s *spacing) { s.take(start); s.take(start); s.set(start, time.Second/2, 2) }, time.Second / 2},
		"half as fast":         {func(s *spacing) { s.take(start); s.take(start); s.set(start, 2*time.Second, 2) }, 2 * time.Second},
		"a smaller burst":      {func(s *spacing) { s.take(start); s.take(start); s.set(start, time.Second, 1) }, time.Second},
		"a larger burst":       {func(s *spacing) { s.take(start); s.take(start); s.set(start, time.Second, 3) }, 0},
		"without bound":        {func(s *spacing) { s.take(start); s.take(start); s.set(start, 0, 0) }, 0},
		"a burst of centuries": {func(s *spacing) { s.set(start, 24*time.Hour, 1<<62); s.take(start) }, 0},
		"far behind, slower":   {func(s *spacing) { s.set(start, 1, 1<<40); s.quiet = start.Add(1 << 40); s.set(start, time.Hour, 1) }, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spacing{}
			s.set(start, time.Second, 2)
			c.do(&s)
			if got := max(s.readyAt().Sub(start), 0); got != c.want {
				t.Errorf("the next may start in %s, want %s", got, c.want)
			}
		})
	}
}

func TestLimitsInterval(t *testing.T) {
	t.Parallel()
	for limits, want := range map[Limits]time.Duration{
		{}:                                 0,
		{Requests: 10}:                     0,
		{Period: time.Second}:              0,
		{Requests: 60, Period: time.Hour}:  time.Minute,
		{Requests: 1 << 62, Period: 1_000}: 1,
	} {
		if got := limits.interval(); got != want {
			t.Errorf("the interval of %+v is %s, want %s", limits, got, want)
		}
	}
}
