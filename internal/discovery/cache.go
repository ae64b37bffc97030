package discovery

import (
	"container/list"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

const (
	// freshFor is how long an answer is good without a second look, keptFor how
	// long it is better than none.
	freshFor = time.Hour
	keptFor  = 24 * time.Hour
	// failedFor is how long a failure answers those who come after it.
	failedFor = 10 * time.Second
	// trustedFor is how long an answer is beyond doubt: the next would be the
	// same, and a doubt may come from each of many credentials in turn.
	trustedFor = time.Minute

	defaultMaxEntries = 1024
	defaultMaxPerPool = 128
)

// Discoverer asks an issuer for its metadata. Every error is an *oauth.Error.
type Discoverer interface {
	Discover(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error)
}

// Options is what a Cache needs.
type Options struct {
	// Discoverer is required. It bounds the time that a request takes.
	Discoverer Discoverer
	// Now is the clock. It is required.
	Now func() time.Time
	// MaxEntries is the most answers that are kept; 0 or less means 1,024.
	// MaxPerPool is the most of one MetadataRequest.Pool; 0 or less means 128.
	MaxEntries, MaxPerPool int
}

// Cache keeps metadata. It is safe for concurrent use.
type Cache struct {
	discoverer Discoverer
	now        func() time.Time
	max        int
	maxPerPool int

	mu      sync.Mutex
	order   *list.List // of *entry, the last used first
	byKey   map[oauth.MetadataKey]*list.Element
	perPool map[string]int // how many entries there are of each pool
}

// NewCache makes a Cache. It panics without a Discoverer or a clock, since that
// is a mistake of the program.
func NewCache(options Options) *Cache {
	if options.Discoverer == nil || options.Now == nil {
		panic("discovery: Options.Discoverer and Options.Now are required")
	}

	c := &Cache{
		discoverer: options.Discoverer,
		now:        options.Now,
		max:        options.MaxEntries,
		maxPerPool: options.MaxPerPool,
		order:      list.New(),
		byKey:      map[oauth.MetadataKey]*list.Element{},
		perPool:    map[string]int{},
	}

	if c.max <= 0 {
		c.max = defaultMaxEntries
	}

	if c.maxPerPool <= 0 {
		c.maxPerPool = defaultMaxPerPool
	}

	return c
}

// Metadata returns the metadata of an issuer, which must not be changed. Every
// error is an *oauth.Error. A caller whose ctx ends stops waiting; the request
// itself goes on, for those who still wait and for those who come again.
func (c *Cache) Metadata(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	c.mu.Lock()

	e, now := c.entry(request), c.now()
	old := e.kept(now)

	if old != nil && e.isFresh(now) {
		c.mu.Unlock()

		return old, nil
	}

	if e.flight == nil && !e.hasJustFailed(now) {
		e.flight = &flight{landed: make(chan struct{})}

		// One caller's end is not that of the others.
		go c.fetch(context.WithoutCancel(ctx), e, request)
	}

	f, failure, doubted := e.flight, e.failure, e.doubted
	c.mu.Unlock()

	if old != nil && !doubted {
		return old, nil
	}

	if f != nil {
		select {
		case <-f.landed:
		case <-ctx.Done():
			return nil, oauth.Abandoned(ctx.Err())
		}

		if f.failure == nil {
			return f.metadata, nil
		}

		failure = f.failure
	}

	if old != nil && isPassing(failure) {
		return old, nil
	}

	return nil, failure
}

// Forget casts doubt on the metadata of an issuer, as when a token endpoint turns
// out to be none: the next caller waits for what the issuer says now. An answer
// that is not a minute old is beyond doubt.
func (c *Cache) Forget(request oauth.MetadataRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()

	element, ok := c.byKey[request.Key()]
	if !ok {
		return
	}

	e := element.Value.(*entry) //nolint:forcetypeassert // the list holds nothing else
	if age := c.now().Sub(e.askedAt); age < 0 || age >= trustedFor {
		e.doubted = true
	}
}

// entry returns the entry of a request, which is then the one used last. The
// caller holds the lock.
func (c *Cache) entry(request oauth.MetadataRequest) *entry {
	key := request.Key()
	if element, ok := c.byKey[key]; ok {
		c.order.MoveToFront(element)

		return element.Value.(*entry) //nolint:forcetypeassert // the list holds nothing else
	}

	created := &entry{key: key, pool: request.Pool}
	c.byKey[key] = c.order.PushFront(created)
	c.perPool[created.pool]++

	if c.order.Len() > c.max || c.perPool[created.pool] > c.maxPerPool {
		c.evict()
	}

	return created
}

// evict drops an entry of the pool that has the most, or of one of those: the one
// used least recently. So a pool beyond its bound loses one of its own, and a pool
// that grows takes nothing from those that are smaller. The caller holds the lock.
func (c *Cache) evict() {
	most := slices.Max(slices.Collect(maps.Values(c.perPool)))

	for element := c.order.Back(); element != nil; element = element.Prev() {
		e := element.Value.(*entry) //nolint:forcetypeassert // the list holds nothing else
		if c.perPool[e.pool] < most {
			continue
		}

		// Those who wait for its answer hold the flight and still get it.
		c.order.Remove(element)
		delete(c.byKey, e.key)

		if c.perPool[e.pool]--; c.perPool[e.pool] == 0 {
			delete(c.perPool, e.pool)
		}

		return
	}
}

// fetch asks the issuer and notes what came of it.
func (c *Cache) fetch(ctx context.Context, e *entry, request oauth.MetadataRequest) {
	asked := c.now()
	metadata, err := c.discover(ctx, request)

	c.mu.Lock()
	defer c.mu.Unlock()

	f := e.flight
	e.flight = nil
	f.metadata, f.failure = metadata, err

	if err == nil {
		e.metadata, e.askedAt, e.doubted, e.failure = metadata, asked, false, nil
	} else {
		e.failure, e.failedAt = err, c.now()
	}

	close(f.landed)
}

// discover asks the issuer. Nobody stands above this goroutine to catch a panic, and
// one issuer must not end the process for all.
func (c *Cache) discover(ctx context.Context, request oauth.MetadataRequest) (metadata *oauth.Metadata, err error) {
	defer func() {
		if recover() != nil {
			metadata, err = nil, &oauth.Error{
				Kind: oauth.KindInvalidResponse, Class: lifetime.Protocol,
				Message: "The metadata of the issuer could not be read because of a bug in tokensync: please report it, with the issuer.",
			}
		}
	}()

	return c.discoverer.Discover(ctx, request)
}

// isPassing tells whether a failure says nothing about the metadata.
func isPassing(failure error) bool {
	e, ok := errors.AsType[*oauth.Error](failure)

	return ok && (e.Class == lifetime.Transient || e.Class == lifetime.Throttled)
}
