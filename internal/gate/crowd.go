package gate

import (
	"container/heap"
	"time"
)

// slots are the distances in whole seconds that suit those who wait, the first unused.
const slots = int(Distance/time.Second) + 1

// crowd counts those who wait in a line, and those that are not urgent by the distance
// that suits them; the retries among them apart, because a budget concerns them alone.
type crowd struct {
	waiting      int
	all, retries [slots]int
}

func (c *crowd) join(t *Ticket)  { c.count(t, 1) }
func (c *crowd) leave(t *Ticket) { c.count(t, -1) }

func (c *crowd) count(t *Ticket, n int) {
	c.waiting += n
	if t.urgent { // It waits for no probe and no budget.
		return
	}
	slot := int(distanceOf(t.patience) / time.Second)
	c.all[slot] += n
	if t.retry {
		c.retries[slot] += n
	}
}

// distance is the one that suits all who wait, and retryDistance all retries.
func (c *crowd) distance() time.Duration      { return shortest(&c.all) }
func (c *crowd) retryDistance() time.Duration { return shortest(&c.retries) }

func shortest(counts *[slots]int) time.Duration {
	for seconds, count := range counts {
		if count > 0 {
			return time.Duration(seconds) * time.Second
		}
	}
	return Distance
}

// expire takes notice of tokens that have expired while their requests waited at the
// head of a queue: they cannot be saved any more, and others can.
func (c *crowd) expire(q *queue, now time.Time) {
	for top := q.top(); top != nil && top.isLate(now); top = q.top() {
		c.leave(top)
		top.held, top.patience = false, 0
		c.join(top)
		heap.Fix(q, top.index)
	}
}
