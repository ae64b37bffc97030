package discovery

import (
	"container/list"
	"context"
	"errors"
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
	MaxEntries int
}

// Cache keeps metadata. It is safe for concurrent use.
type Cache struct {
	discoverer Discoverer
	now        func() time.Time
	max        int

	mu    sync.Mutex
	order *list.List // of *entry, the last used first
	byKey map[oauth.MetadataKey]*list.Element
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
		order:      list.New(),
		byKey:      map[oauth.MetadataKey]*list.Element{},
	}

	if c.max <= 0 {
		c.max = defaultMaxEntries
	}

	return c
}

// Metadata returns the metadata of an issuer, which must not be changed. Every
// error is an *oauth.Error. A caller whose ctx ends stops waiting; the request
// itself goes on, for those who still wait and for those who come again.
func (c *Cache) Metadata(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	c.mu.Lock()

	e, now := c.entry(request.Key()), c.now()
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

// entry returns the entry of a key, which is then the one used last. The caller
// holds the lock.
func (c *Cache) entry(key oauth.MetadataKey) *entry {
	if element, ok := c.byKey[key]; ok {
		c.order.MoveToFront(element)

		return element.Value.(*entry) //nolint:forcetypeassert // the list holds nothing else
	}

	created := &entry{key: key}
	c.byKey[key] = c.order.PushFront(created)

	if c.order.Len() > c.max {
		// Those who wait for its answer hold the flight and still get it.
		last := c.order.Remove(c.order.Back()).(*entry) //nolint:forcetypeassert // the list holds nothing else
		delete(c.byKey, last.key)
	}

	return created
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
