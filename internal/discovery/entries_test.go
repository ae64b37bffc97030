package discovery_test

import (
	"testing"
	"testing/synctest"
	"time"

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
