package main

import (
	"errors"
	"sync"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// consumer knows of every Secret which token it holds and how long that is good.
// It is safe for concurrent use.
type consumer struct {
	provider *standin.Server

	mu     sync.Mutex
	tokens map[string]*token
	// having counts Secrets by how many tokens they have had: having[2] is how many
	// had two at least.
	having []int
	// ready are the credentials that are Ready, allReady since when all n are, and
	// due when each asks for its next token.
	ready    map[string]bool
	n        int
	allReady time.Time
	due      map[string]time.Time
	// gaps are the times in which a Secret held an expired token.
	gaps []gap
	err  error
}

// token is the token that a Secret holds.
type token struct {
	value     string
	count     int
	expiresAt time.Time
}

// gap is a time in which one Secret held an expired token.
type gap struct{ from, to time.Time }

func newConsumer(provider *standin.Server, n int) *consumer {
	return &consumer{provider: provider, n: n, tokens: map[string]*token{}, ready: map[string]bool{}, due: map[string]time.Time{}}
}

// seeSecret takes what a Secret holds now.
func (c *consumer) seeSecret(key, value string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tokens[key]
	if t == nil {
		t = &token{}
		c.tokens[key] = t
	}
	if t.value == value {
		return
	}
	_, expiresAt, good := c.provider.Check(value)
	if t.count > 0 && now.After(t.expiresAt) {
		c.gaps = append(c.gaps, gap{t.expiresAt, now})
	}
	if !good {
		c.err = errors.Join(c.err, errors.New("the Secret "+key+" was given a token that its provider does not take"))
	}
	t.value, t.expiresAt, t.count = value, expiresAt, t.count+1
	for len(c.having) <= t.count {
		c.having = append(c.having, 0)
	}
	c.having[t.count]++
}

// seeCredential takes the status of a credential.
func (c *consumer) seeCredential(key string, ready bool, refreshAt, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due[key] = refreshAt
	if !ready {
		delete(c.ready, key)
		return
	}
	if c.ready[key] = true; len(c.ready) == c.n && c.allReady.IsZero() {
		c.allReady = now
	}
}

// hadTokens is how many Secrets have had so many tokens.
func (c *consumer) hadTokens(count int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if count >= len(c.having) {
		return 0
	}
	return c.having[count]
}

// fewestTokens is how many tokens every Secret has had at least.
func (c *consumer) fewestTokens() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	fewest := 0
	for count := 1; count < len(c.having) && c.having[count] == c.n; count++ {
		fewest = count
	}
	return fewest
}

// readiness is how many credentials are Ready, and since when all were.
func (c *consumer) readiness() (ready int, all time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ready), c.allReady
}

// nextDue is when the next refresh is due.
func (c *consumer) nextDue() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next time.Time
	for _, at := range c.due {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// expired is how many Secrets hold an expired token, and when the last one of
// those that did was given a good one.
func (c *consumer) expired(now time.Time) (count int, repaired time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tokens {
		if now.After(t.expiresAt) {
			count++
		}
	}
	for _, g := range c.gaps {
		if g.to.After(repaired) {
			repaired = g.to
		}
	}
	return count, repaired
}

// expiredSeconds adds up how long Secrets held expired tokens, within a span of
// time and outside of it.
func (c *consumer) expiredSeconds(from, to, now time.Time) (within, outside float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := append([]gap(nil), c.gaps...)
	for _, t := range c.tokens {
		if now.After(t.expiresAt) {
			all = append(all, gap{t.expiresAt, now})
		}
	}
	for _, g := range all {
		total := g.to.Sub(g.from).Seconds()
		common := max(0, earlier(g.to, to).Sub(later(g.from, from)).Seconds())
		within += common
		outside += total - common
	}
	return within, outside
}

func (c *consumer) failed() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *consumer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
