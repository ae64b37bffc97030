package sidecar

import (
	"context"
	"iter"
	"sync"
)

// Current is the newest set, for all who deliver it: whoever is slow misses the ones
// between. It is safe for concurrent use.
type Current struct {
	mu  sync.Mutex
	set *Set
	// next is closed when there is another set.
	next chan struct{}
}

// NewCurrent answers one that holds no set yet.
func NewCurrent() *Current { return &Current{next: make(chan struct{})} }

// Offer makes a set the newest, unless it is what there is already, and tells whether it
// did.
func (c *Current) Offer(set *Set) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if set == nil || set.Is(c.set) {
		return false
	}
	c.set = set
	close(c.next)
	c.next = make(chan struct{})
	return true
}

// Set is the newest set, nil before the first.
func (c *Current) Set() *Set {
	set, _ := c.state()
	return set
}

// Next waits for a set other than the one that the caller has, nil for none. The error is
// that of the context.
func (c *Current) Next(ctx context.Context, after *Set) (*Set, error) {
	for {
		set, next := c.state()
		if !set.Is(after) {
			return set, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// All goes on with each set that is the newest when the one before was dealt with, until the
// context ends.
func (c *Current) All(ctx context.Context) iter.Seq[*Set] {
	return func(yield func(*Set) bool) {
		var last *Set
		for {
			set, err := c.Next(ctx, last)
			if err != nil || !yield(set) {
				return
			}
			last = set
		}
	}
}

func (c *Current) state() (*Set, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set, c.next
}
