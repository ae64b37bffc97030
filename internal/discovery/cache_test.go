package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/discovery"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

var (
	unreachable = &oauth.Error{Kind: oauth.KindUnreachable, Class: lifetime.Transient, Message: "unreachable"}
	throttled   = &oauth.Error{Kind: oauth.KindRateLimited, Class: lifetime.Throttled, RetryAfter: 5 * time.Minute, Message: "throttled"}
	unusable    = &oauth.Error{Kind: oauth.KindInvalidResponse, Class: lifetime.Protocol, Message: "unusable"}
)

// errBug stands for a bug in the discoverer, which panics.
var errBug = errors.New("bug")

// issuers answers after a second, with a number that counts, or with a failure.
type issuers struct {
	mu      sync.Mutex
	count   int
	failure error
	ended   error
}

func (i *issuers) Discover(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	time.Sleep(time.Second)

	i.mu.Lock()
	defer i.mu.Unlock()

	i.count++
	i.ended = ctx.Err()

	if errors.Is(i.failure, errBug) {
		panic(i.failure)
	}

	if i.failure != nil {
		return nil, i.failure
	}

	return &oauth.Metadata{Issuer: request.Issuer, TokenEndpoint: fmt.Sprint(i.count)}, nil
}

// fail sets what the next answers are; nil means metadata.
func (i *issuers) fail(failure error) {
	i.mu.Lock()
	defer i.mu.Unlock()

	i.failure = failure
}

var request = oauth.MetadataRequest{Issuer: "https://id.example.com", Pool: "a"}

// house is a cache in a bubble, where time passes only in sleep.
type house struct {
	*testing.T

	issuers *issuers
	cache   *discovery.Cache
}

func inBubble(t *testing.T, maxEntries int, test func(h house)) {
	t.Helper()
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		i := &issuers{}
		test(house{t, i, discovery.NewCache(discovery.Options{Discoverer: i, Now: time.Now, MaxEntries: maxEntries})})
	})
}

// expect asks and checks the answer, which is a number or a failure, whether it
// had to be waited for, and, once all is quiet, how many requests there were.
func (h house) expect(want any, waits bool, requests int) {
	h.Helper()

	began := time.Now()
	m, err := h.cache.Metadata(h.Context(), request)

	if waited := time.Since(began) > 0; waited != waits {
		h.Errorf("waited: %t", waited)
	}

	switch want := want.(type) {
	case error:
		if !errors.Is(err, want) || m != nil {
			h.Errorf("got %v, %v, want %v", m, err, want)
		}
	default:
		if err != nil || m == nil || m.TokenEndpoint != fmt.Sprint(want) || m.Issuer != request.Issuer {
			h.Errorf("got %+v, %v, want %v", m, err, want)
		}
	}

	h.settle()

	if h.issuers.count != requests {
		h.Errorf("%d requests, want %d", h.issuers.count, requests)
	}
}

// settle waits for a request in the background.
func (h house) settle() {
	h.Helper()
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

func TestTheLifeOfAnAnswer(t *testing.T) {
	inBubble(t, 0, func(h house) {
		h.expect(1, true, 1)
		h.expect(1, false, 1)
		time.Sleep(59 * time.Minute)
		h.expect(1, false, 1)
		time.Sleep(time.Minute)
		h.expect(1, false, 2) // fetched in the background
		h.expect(2, false, 2)
		time.Sleep(24 * time.Hour)
		h.expect(3, true, 3) // nothing that old is served
	})
}

func TestAnIssuerThatFailsLater(t *testing.T) {
	t.Parallel()

	for name, failure := range map[string]error{"unreachable": unreachable, "unusable": unusable} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 0, func(h house) {
				h.expect(1, true, 1)
				h.issuers.fail(failure)
				time.Sleep(time.Hour)
				h.expect(1, false, 2)
				h.expect(1, false, 2) // the failure is remembered
				time.Sleep(10 * time.Second)
				h.expect(1, false, 3)
				time.Sleep(22 * time.Hour)
				h.expect(1, false, 4)
				time.Sleep(time.Hour)
				h.expect(failure, true, 5)
				h.expect(failure, false, 5)
				h.issuers.fail(nil)
				time.Sleep(10 * time.Second)
				h.expect(6, true, 6)
			})
		})
	}
}

func TestAnIssuerThatFailsAtFirst(t *testing.T) {
	inBubble(t, 0, func(h house) {
		h.issuers.fail(unusable)
		h.expect(unusable, true, 1)
		h.expect(unusable, false, 1)
		time.Sleep(10 * time.Second)
		h.issuers.fail(throttled)
		h.expect(throttled, true, 2)
		time.Sleep(4 * time.Minute)
		h.expect(throttled, false, 2) // as long as it was asked
		time.Sleep(time.Minute)
		h.issuers.fail(nil)
		h.expect(3, true, 3)
	})
}

func TestForget(t *testing.T) {
	inBubble(t, 0, func(h house) {
		h.cache.Forget(request) // of nothing
		h.expect(1, true, 1)
		h.cache.Forget(request)
		h.expect(1, false, 1) // too young to be doubted
		time.Sleep(time.Minute)
		h.cache.Forget(request)
		h.expect(2, true, 2)
		h.expect(2, false, 2)

		time.Sleep(time.Minute)
		h.issuers.fail(unreachable)
		h.cache.Forget(request)
		h.expect(2, true, 3) // better than none
		h.expect(2, false, 3)
		time.Sleep(10 * time.Second)
		h.issuers.fail(unusable)
		h.expect(unusable, true, 4) // the doubt was right
		h.expect(unusable, false, 4)
		time.Sleep(10 * time.Second)
		h.issuers.fail(nil)
		h.expect(5, true, 5)
		h.expect(5, false, 5)
	})
}

func TestManyCallersMakeOneRequest(t *testing.T) {
	inBubble(t, 0, func(h house) {
		var callers sync.WaitGroup

		ask := func(ctx context.Context, want error) {
			callers.Go(func() {
				m, err := h.cache.Metadata(ctx, request)
				if !errors.Is(err, want) || want == nil && m.TokenEndpoint != "1" {
					h.Errorf("got %+v, %v", m, err)
				}
			})
		}

		impatient, cancel := context.WithTimeout(h.Context(), 100*time.Millisecond)
		defer cancel()

		ask(impatient, context.DeadlineExceeded) // the one whose request it is
		synctest.Wait()

		for range 100 {
			ask(h.Context(), nil)
			ask(impatient, context.DeadlineExceeded)
		}

		callers.Wait()

		if h.issuers.count != 1 || h.issuers.ended != nil {
			h.Errorf("%d requests, ended with %v", h.issuers.count, h.issuers.ended)
		}

		_, err := h.cache.Metadata(impatient, oauth.MetadataRequest{Issuer: "https://other.example.com"})
		if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Class != lifetime.Transient {
			h.Errorf("got %v", err)
		}

		h.settle()
	})
}

func TestOldAnswersAreFetchedOnce(t *testing.T) {
	inBubble(t, 0, func(h house) {
		h.expect(1, true, 1)
		time.Sleep(2 * time.Hour)

		for range 100 {
			if m, err := h.cache.Metadata(h.Context(), request); err != nil || m.TokenEndpoint != "1" {
				h.Errorf("got %+v, %v", m, err)
			}
		}

		h.expect(1, false, 2)
	})
}

func TestAClockThatStepsBack(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var step time.Duration

		i := &issuers{}
		h := house{t, i, discovery.NewCache(discovery.Options{Discoverer: i, Now: func() time.Time { return time.Now().Add(step) }})}

		h.expect(1, true, 1)
		step = -48 * time.Hour
		h.expect(1, false, 2)
		h.expect(2, false, 2)

		step = -96 * time.Hour
		h.issuers.fail(unreachable)
		h.expect(2, false, 3)
		step = -97 * time.Hour
		h.expect(2, false, 4)
	})
}

func TestACacheNeedsItsParts(t *testing.T) {
	t.Parallel()

	for _, options := range []discovery.Options{{Now: time.Now}, {Discoverer: &issuers{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic with %+v", options)
				}
			}()

			discovery.NewCache(options)
		}()
	}
}

func TestABugEndsNobodyElse(t *testing.T) {
	inBubble(t, 0, func(h house) {
		h.issuers.fail(errBug)

		_, err := h.cache.Metadata(h.Context(), request)
		if failed, ok := errors.AsType[*oauth.Error](err); !ok || failed.Class != lifetime.Protocol {
			h.Fatalf("got %v", err)
		}

		h.issuers.fail(nil)
		time.Sleep(time.Hour)
		h.expect("2", true, 2)
	})
}
