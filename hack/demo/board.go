package main

import (
	"fmt"
	"sync"
	"time"
)

// board is what is known of all credentials, and what has happened. It is safe
// for concurrent use.
type board struct {
	began    time.Time
	delivery *delivery
	// told gets what happens, as a line; who does not listen misses it.
	told chan string

	mu      sync.Mutex
	rows    []row
	events  []string
	checks  int
	expired []string
	closest time.Duration // that a token was to its end when it was read
}

// row is one credential as it was seen last.
type row struct {
	credential
	// there says that the Secret holds a token, good that its provider takes it.
	there, good bool
	expiresAt   time.Time
	refreshAt   time.Time
	// reason is that of the Ready condition, failing that of the last failure.
	reason, failing string
	// code is what a person is to enter at the provider, empty where nobody is.
	code string
	// uid tells a Secret from one made anew.
	uid string
	// everGood says that a good token has been seen.
	everGood bool
}

func newBoard(all []credential, now time.Time) *board {
	b := &board{began: now, delivery: newDelivery(), told: make(chan string, 64), closest: -1}
	for _, c := range all {
		b.rows = append(b.rows, row{credential: c})
	}
	return b
}

// tellf says what happens.
func (b *board) tellf(format string, arguments ...any) {
	line := clock(time.Since(b.began)) + "  " + fmt.Sprintf(format, arguments...)
	b.mu.Lock()
	b.events = append(b.events, line)
	b.mu.Unlock()
	select {
	case b.told <- line:
	default:
	}
}

// update changes the row of a credential.
func (b *board) update(key string, change func(*row)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.rows {
		if r := &b.rows[i]; r.key() == key {
			change(r)
		}
	}
}

// checked counts that the token of a credential was read and checked.
func (b *board) checked(key string, good bool, left time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.checks++
	if b.closest < 0 || left < b.closest {
		b.closest = left
	}
	if !good {
		b.expired = append(b.expired, key)
	}
}

// row answers what is known of a credential.
func (b *board) row(key string) row {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.key() == key {
			return r
		}
	}
	return row{}
}

// view is the board at one instant.
type view struct {
	now     time.Time
	elapsed time.Duration
	rows    []row
	events  []string
	checks  int
	expired []string
	closest time.Duration
	sidecar delivered
}

func (b *board) view(now time.Time) view {
	b.mu.Lock()
	defer b.mu.Unlock()
	return view{
		now:     now,
		elapsed: now.Sub(b.began),
		rows:    append([]row(nil), b.rows...),
		events:  append([]string(nil), b.events...),
		checks:  b.checks,
		expired: append([]string(nil), b.expired...),
		closest: b.closest,
		sidecar: b.delivery.view(),
	}
}

// refreshes is how many tokens replaced another one.
func (r row) refreshes() int64 {
	return max(0, r.provider.issued(r.clientID)-1)
}

// totals adds up all rows.
func (v view) totals() (good int, issued, refreshes int64, shortest time.Duration) {
	shortest = -1
	for _, r := range v.rows {
		issued += r.provider.issued(r.clientID)
		refreshes += r.refreshes()
		if !r.good {
			continue
		}
		good++
		if left := r.expiresAt.Sub(v.now); shortest < 0 || left < shortest {
			shortest = left
		}
	}
	return good, issued, refreshes, shortest
}

// clock writes a duration as minutes and seconds.
func clock(d time.Duration) string {
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", d/time.Minute, d%time.Minute/time.Second)
}
