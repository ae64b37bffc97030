package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/eventually"
)

// picky is an upstream that takes one token, and answers with what it was sent. Others it
// refuses, and says so.
type picky struct {
	*httptest.Server

	good        atomic.Value
	refused     atomic.Int32
	taken       atomic.Int32
	connections atomic.Int32
}

const refusal = "the token was refused"

func newPicky(t *testing.T, secure bool, good string) *picky {
	t.Helper()
	p := &picky{}
	p.good.Store(good)
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Header.Get("Authorization") != "Bearer "+p.good.Load().(string) {
			p.refused.Add(1)
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, refusal)
			return
		}
		p.taken.Add(1)
		_, _ = w.Write(body)
	}))
	p.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			p.connections.Add(1)
		}
	}
	if secure {
		p.EnableHTTP2 = true
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

// brings has the source bring a token when it is asked.
func (s *stand) brings(t *testing.T, token string, life time.Duration) {
	t.Helper()
	s.refresh = func(context.Context) error {
		s.offer(t, token, life)
		return nil
	}
}

// is401 tells whether an answer is the refusal of the upstream, as that wrote it.
func (r reply) is401() bool {
	return r.status == http.StatusUnauthorized && r.body == refusal && r.header.Get("WWW-Authenticate") == `Bearer error="invalid_token"`
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method string
		body   string
		// unknown hides the length of the body.
		unknown, passed bool
	}{
		"GET":                     {method: http.MethodGet},
		"DELETE":                  {method: http.MethodDelete},
		"POST nothing":            {method: http.MethodPost},
		"POST a little":           {method: http.MethodPost, body: "a little"},
		"POST as much as is held": {method: http.MethodPost, body: strings.Repeat("a", maxHeld)},
		"POST a byte more":        {method: http.MethodPost, body: strings.Repeat("a", maxHeld+1), passed: true},
		"POST in chunks":          {method: http.MethodPost, body: "a little", unknown: true, passed: true},
	} {
		for protocol, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			t.Run(name+" by "+protocol, func(t *testing.T) {
				t.Parallel()
				server := newPicky(t, secure, "t2")
				s := before(t, server.Server, "")
				s.brings(t, "t2", time.Hour)
				send := func() reply {
					body := io.Reader(strings.NewReader(test.body))
					if test.unknown {
						body = struct{ io.Reader }{body}
					}
					return do(t, s.request(t, test.method, "/", body))
				}
				got := send()
				if test.passed {
					if !got.is401() {
						t.Errorf("%d %.100s", got.status, got.body)
					}
					// It was asked for all the same, and the next request has it.
					eventually.Holds(t, "the token comes", func() bool { return s.current.Set().Token.Reveal() == "t2" })
					got = send()
				}
				if got.status != http.StatusOK || got.body != test.body {
					t.Errorf("%d %.100s", got.status, got.body)
				}
				if server.refused.Load() != 1 || server.taken.Load() != 1 || s.asked.Load() != 1 {
					t.Errorf("refused %d, taken %d, asked %d", server.refused.Load(), server.taken.Load(), s.asked.Load())
				}
				repeats := 1
				if test.passed {
					repeats = 0
				}
				if counted := s.counts.read(); counted.repeats != repeats || len(counted.refreshes) != 1 || counted.refreshes[0] != nil {
					t.Errorf("counted %d repeats and %v", counted.repeats, counted.refreshes)
				}
				// The refusal was read, so that its connection serves on.
				if n := server.connections.Load(); n != 1 && !test.passed {
					t.Errorf("%d connections", n)
				}
			})
		}
	}
}

// Nobody is asked for what is there already.
func TestATokenThatWasReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]io.Reader{"nothing": http.NoBody, "a body in chunks": struct{ io.Reader }{strings.NewReader("a")}} {
		var s *stand
		server := upstream(t, false, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer t1" {
				_, _ = io.Copy(io.Discard, r.Body)
				s.offer(t, "t2", time.Hour)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		s = before(t, server, "")
		got := do(t, s.request(t, http.MethodPost, "/", body))
		status, repeats := http.StatusOK, 1
		if body != http.NoBody {
			status, repeats = http.StatusUnauthorized, 0
		}
		if got.status != status || s.asked.Load() != 0 || s.counts.read().repeats != repeats {
			t.Errorf("%s: %d, asked %d", name, got.status, s.asked.Load())
		}
	}
}

// While one is asked for, no other is: the answer may be on its way.
func TestAnotherTokenThatIsRefusedMeanwhile(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "t3")
	s := before(t, server.Server, "")
	release := make(chan struct{})
	s.refresh = func(context.Context) error {
		<-release
		return nil
	}
	first := waiting(t, s, s.request(t, http.MethodGet, "/", http.NoBody))
	s.offer(t, "t2", time.Hour)
	if got := s.get(t, "/"); !got.is401() || s.asked.Load() != 1 {
		t.Errorf("%d, asked %d", got.status, s.asked.Load())
	}
	close(release)
	// The first goes on with what there is.
	if got := <-first; !got.is401() || server.refused.Load() != 3 {
		t.Errorf("%d, refused %d", got.status, server.refused.Load())
	}
}

func TestManyRefusals(t *testing.T) {
	t.Parallel()
	const many = 50
	server := newPicky(t, true, "t2")
	s := before(t, server.Server, "")
	arrived := make(chan struct{})
	s.refresh = func(context.Context) error {
		<-arrived
		s.offer(t, "t2", time.Hour)
		return nil
	}
	var clients sync.WaitGroup
	for range many {
		clients.Go(func() {
			if got, err := try(s.request(t, http.MethodPost, "/", strings.NewReader("a"))); err != nil || got.status != http.StatusOK || got.body != "a" {
				t.Errorf("%d %s, %v", got.status, got.body, err)
			}
		})
	}
	eventually.Holds(t, "all were refused", func() bool { return server.refused.Load() == many })
	close(arrived)
	clients.Wait()
	if s.asked.Load() != 1 || server.taken.Load() != many {
		t.Errorf("asked %d, taken %d", s.asked.Load(), server.taken.Load())
	}
}

// A token that is refused as well is passed on, and is no reason to ask again so soon.
func TestATokenThatIsRefusedTwice(t *testing.T) {
	t.Parallel()
	server := newPicky(t, false, "none")
	s := before(t, server.Server, "")
	tokens := []string{"t2", "t3", "t4"}
	s.refresh = func(context.Context) error {
		s.offer(t, tokens[s.asked.Load()-1], time.Hour)
		return nil
	}
	if got := s.get(t, "/"); !got.is401() || server.refused.Load() != 2 || s.asked.Load() != 1 {
		t.Errorf("%d, refused %d, asked %d", got.status, server.refused.Load(), s.asked.Load())
	}
	for range 5 {
		if got := s.get(t, "/"); !got.is401() {
			t.Errorf("%d", got.status)
		}
	}
	s.clock.Step(6*time.Minute - time.Nanosecond)
	s.get(t, "/")
	if s.asked.Load() != 1 || server.refused.Load() != 8 {
		t.Errorf("asked %d within a tenth of the life, refused %d", s.asked.Load(), server.refused.Load())
	}
	s.clock.Step(time.Nanosecond)
	if got := s.get(t, "/"); !got.is401() || s.asked.Load() != 2 {
		t.Errorf("%d, asked %d after a tenth of the life", got.status, s.asked.Load())
	}
}

// Only a 401 is about the token.
func TestOtherRefusals(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusInternalServerError} {
		server := upstream(t, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		s := before(t, server, "")
		if got := s.get(t, "/"); got.status != status || s.asked.Load() != 0 {
			t.Errorf("%d became %d, asked %d", status, got.status, s.asked.Load())
		}
	}
}

// What a 401 says is read no further than it is short.
func TestRefusalsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	server := upstream(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t1" {
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	s := before(t, server, "")
	s.brings(t, "t2", time.Hour)
	if got := s.get(t, "/"); got.status != http.StatusOK {
		t.Errorf("%d", got.status)
	}
	if got := s.counts.read(); !slices.Equal([]int{got.status[http.StatusOK], got.status[http.StatusUnauthorized]}, []int{1, 0}) {
		t.Errorf("counted %v", got.status)
	}
}
