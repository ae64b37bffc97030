package expression

import (
	"container/list"
	"sync"
)

// key identifies a compiled expression.
type key struct {
	environment Environment
	source      string
}

// entry is an element of the list of a cache.
type entry struct {
	key     key
	program *program
}

// cache holds the programs that were used last. It is safe for concurrent use.
type cache struct {
	// programs and bytes bound what is held: a program takes memory in proportion to its source.
	programs, bytes int

	mutex   sync.Mutex
	entries map[key]*list.Element
	// recent has the entries, the one used last in front.
	recent *list.List
	// held is the length of all sources, in bytes.
	held int
}

func newCache(programs, bytes int) *cache {
	return &cache{programs: programs, bytes: bytes, entries: map[key]*list.Element{}, recent: list.New()}
}

// get returns the program of a key, or nil.
func (c *cache) get(k key) *program {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	element, found := c.entries[k]
	if !found {
		return nil
	}

	c.recent.MoveToFront(element)

	return entryOf(element).program
}

// put adds a program, and drops those that were not used for the longest time if there are too many.
func (c *cache) put(k key, p *program) {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	if element, found := c.entries[k]; found {
		// Two callers compiled the same expression at the same time: either program will do.
		c.recent.MoveToFront(element)

		return
	}

	c.entries[k] = c.recent.PushFront(&entry{key: k, program: p})
	c.held += len(k.source)

	for c.recent.Len() > c.programs || c.held > c.bytes {
		oldest := entryOf(c.recent.Back()).key
		c.held -= len(oldest.source)

		delete(c.entries, oldest)
		c.recent.Remove(c.recent.Back())
	}
}

// entryOf returns the entry in an element: there is nothing else in the list.
func entryOf(element *list.Element) *entry {
	e, _ := element.Value.(*entry)

	return e
}
