package discovery_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/discovery"
	"github.com/tokensync/tokensync/internal/oauth"
)

func TestRequestsThatDifferShareNothing(t *testing.T) {
	inBubble(t, 0, func(h house) {
		ask := func(request oauth.MetadataRequest) string {
			m, err := h.cache.Metadata(h.Context(), request)
			if err != nil {
				h.Fatal(err)
			}

			return m.TokenEndpoint
		}

		other := request
		other.Timeout = time.Minute

		if ask(request) != ask(other) {
			h.Error("the time-out counts")
		}

		pool, bundle, empty, issuer := request, request, request, request
		pool.Pool, bundle.CABundle, empty.CABundle, issuer.Issuer = "b", []byte("x"), []byte{}, "https://id.example.com/"
		seen := map[string]bool{ask(request): true}

		for _, other := range []oauth.MetadataRequest{pool, bundle, empty, issuer} {
			if got := ask(other); seen[got] {
				h.Errorf("%+v shares an answer", other)
			} else {
				seen[got] = true
			}
		}
	})
}

func TestEntriesAreBounded(t *testing.T) {
	inBubble(t, 2, func(h house) {
		other := oauth.MetadataRequest{Issuer: "https://b.example.com"}
		third := oauth.MetadataRequest{Issuer: "https://c.example.com"}

		h.expect(1, true, 1)

		if _, err := h.cache.Metadata(h.Context(), other); err != nil {
			h.Error(err)
		}

		h.expect(1, false, 2) // now other is the one used least recently

		waited := make(chan error)

		go func() {
			_, err := h.cache.Metadata(h.Context(), third)
			waited <- err
		}()

		synctest.Wait()

		h.expect(1, false, 3)

		if err := <-waited; err != nil {
			h.Error(err)
		}

		if m, err := h.cache.Metadata(h.Context(), other); err != nil || m.TokenEndpoint != "4" {
			h.Errorf("got %+v, %v", m, err)
		}
	})
}

// TestAPoolCrowdsOutNobodyElse asks for issuers, each named by its pool and a number, and
// then checks for which the answer is kept.
func TestAPoolCrowdsOutNobodyElse(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		asked      string
		kept, gone string
	}{
		"within all bounds":               {asked: "a1 a2 b1 c1", kept: "a1 a2 b1 c1"},
		"beyond the bound of a pool":      {asked: "b1 a1 a2 a3 a4", kept: "b1 a2 a3 a4", gone: "a1"},
		"far beyond it":                   {asked: "b1 a1 a2 a3 a4 a5 a6 a7 a8 a9", kept: "b1 a7 a8 a9", gone: "a1 a5 a6"},
		"and of another one":              {asked: "a1 a2 a3 a4 b1 b2 b3 b4", kept: "a3 a4 b2 b3 b4", gone: "a1 a2 b1"},
		"what was used again":             {asked: "a1 a2 a3 a1 a4", kept: "a1 a3 a4", gone: "a2"},
		"beyond the bound of all":         {asked: "b1 a1 a2 a3 c1 d1", kept: "b1 a2 a3 c1 d1", gone: "a1"},
		"a pool that grows takes its own": {asked: "a1 b1 c1 d1 d2 d3", kept: "a1 b1 c1 d2 d3", gone: "d1"},
		"many pools of one":               {asked: "a1 b1 c1 d1 e1 f1 g1", kept: "c1 d1 e1 f1 g1", gone: "a1 b1"},
		"a pool that has gone and back":   {asked: "a1 b1 c1 d1 e1 f1 a1 a2 a3", kept: "c1 d1 e1 f1 a3", gone: "a1 b1 a2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				known := &issuers{}
				cache := discovery.NewCache(discovery.Options{Discoverer: known, Now: time.Now, MaxEntries: 5, MaxPerPool: 3})
				isKept := func(issuer string) bool {
					before := known.count

					if _, err := cache.Metadata(t.Context(), oauth.MetadataRequest{Issuer: issuer, Pool: issuer[:1]}); err != nil {
						t.Fatal(err)
					}

					return known.count == before
				}

				for issuer := range strings.FieldsSeq(test.asked) {
					isKept(issuer)
				}

				for issuer := range strings.FieldsSeq(test.kept) {
					if !isKept(issuer) {
						t.Errorf("%s has gone", issuer)
					}
				}

				for issuer := range strings.FieldsSeq(test.gone) {
					if isKept(issuer) {
						t.Errorf("%s is still there", issuer)
					}
				}
			})
		})
	}
}

// TestATenantWithManyIssuers is about the bounds that hold by default.
func TestATenantWithManyIssuers(t *testing.T) {
	inBubble(t, 0, func(h house) {
		const asked, kept = 1100, 128

		ask := func(number int) {
			if _, err := h.cache.Metadata(h.Context(), oauth.MetadataRequest{Issuer: fmt.Sprint(number), Pool: "b"}); err != nil {
				h.Fatal(err)
			}
		}

		h.expect(1, true, 1)

		for number := range asked {
			ask(number)
		}

		h.expect(1, false, 1+asked)

		for number := range kept {
			ask(asked - 1 - number)
		}

		h.expect(1, false, 1+asked)
		ask(asked - 1 - kept)
		h.expect(1, false, 1+asked+1)
	})
}
