package gate

import (
	"testing"
	"time"
)

func TestTheBudgetOfRetries(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000_000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	requests := func(b *budget, n int) {
		for range n {
			b.take(start, false)
		}
	}
	manyOfAMinuteAgo := func(b *budget) {
		requests(b, 14)
		for range 4 { // Three of the share, and one beyond it.
			b.take(at(57), true)
		}
		b.take(at(57), false)
		b.take(at(57), false)
	}
	for name, c := range map[string]struct {
		do   func(*budget)
		now  time.Time
		want time.Time // zero is now
	}{
		"the first":             {func(*budget) {}, start, time.Time{}},
		"the second":            {func(b *budget) { b.take(start, true) }, start, at(5)},
		"five seconds later":    {func(b *budget) { b.take(start, true) }, at(5), at(5)},
		"a fifth of all":        {func(b *budget) { b.take(start, true); requests(b, 4) }, start, time.Time{}},
		"less than a fifth":     {func(b *budget) { b.take(start, true); requests(b, 3) }, start, at(5)},
		"a fifth is used up":    {func(b *budget) { b.take(start, true); requests(b, 4); b.take(start, true) }, start, at(5)},
		"requests a minute ago": {manyOfAMinuteAgo, at(60), at(62)},
		"just not a minute ago": {manyOfAMinuteAgo, at(59), time.Time{}},
		"requests of a minute":  {func(b *budget) { requests(b, 10); b.take(at(57), true) }, at(59), time.Time{}},
		"much later":            {func(b *budget) { requests(b, 50); b.take(at(9000), true) }, at(9001), at(9005)},
		"an extra one given back": {func(b *budget) {
			b.put(start, b.take(start, true), start)
		}, start, time.Time{}},
		"an extra one given back when another has been taken": {func(b *budget) {
			first := b.take(start, true)
			b.take(at(5), true)
			b.put(at(6), first, start)
		}, at(6), at(10)},
		"one of the share given back": {func(b *budget) {
			b.take(start, true)
			requests(b, 4)
			b.put(at(6), b.take(start, true), start)
		}, at(1), time.Time{}},
		"what was never sent is no request": {func(b *budget) {
			b.take(start, true)
			requests(b, 3)
			b.unsent(start, b.take(start, false), start)
		}, start, at(5)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b budget
			c.do(&b)
			if got := b.readyAt(c.now, Distance); !got.Equal(c.want) {
				t.Errorf("the next retry may start at %s, want %s", got, c.want)
			}
		})
	}
}
