package proxy

import (
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/test/output"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// stand is a proxy that serves on 127.0.0.1 until the test ends, and what is around it.
type stand struct {
	*Proxy

	current *sidecar.Current
	clock   *testclock.FakeClock
	counts  *counts
	log     *output.Log
	base    string
	// asked counts the calls of refresh, which is what the source does when it is asked.
	asked   atomic.Int32
	refresh func(ctx context.Context) error
	// end ends the proxy before its time.
	end func()
}

// Refresh makes the stand the source, too.
func (s *stand) Refresh(ctx context.Context) error {
	s.asked.Add(1)
	if s.refresh == nil {
		return nil
	}
	return s.refresh(ctx)
}

// counts are the metrics.
type counts struct {
	mu        sync.Mutex
	status    map[int]int
	repeats   int
	refreshes []error
}

func (c *counts) ProxyRequest(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status[status]++
}

func (c *counts) ProxyRepeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.repeats++
}

func (c *counts) RefreshRequest(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refreshes = append(c.refreshes, err)
}

// read answers a copy.
func (c *counts) read() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return counts{status: maps.Clone(c.status), repeats: c.repeats, refreshes: c.refreshes}
}

// upstream is a server that is asked through a proxy.
func upstream(t *testing.T, secure bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	if secure {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

// before makes a proxy before a server, at a path of it, that has the token `t1`.
func before(t *testing.T, server *httptest.Server, path string) *stand {
	t.Helper()
	s := newStand(t, server.URL+path, server.Certificate())
	s.offer(t, "t1", time.Hour)
	return s
}

func newStand(t *testing.T, target string, certificate *x509.Certificate) *stand {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if certificate != nil {
		roots.AddCert(certificate)
	}
	s := &stand{
		current: sidecar.NewCurrent(), clock: testclock.NewFakeClock(start),
		counts: &counts{status: map[int]int{}}, log: &output.Log{},
	}
	s.Proxy, err = New(Options{
		Upstream: parsed, InsecureUpstream: true, Current: s.current, Refresher: s, TokenKey: "access_token", Clock: s.clock,
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Metrics: s.counts, RootCAs: roots,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.base = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, listener) }()
	s.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		s.end()
		for _, secret := range []string{"t1", "t2", "hidden"} {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("%s is in the log: %s", secret, s.log)
			}
		}
	})
	return s
}

// offer makes a token the newest, which was issued just now. A life of 0 is not known.
func (s *stand) offer(t *testing.T, token string, life time.Duration) {
	t.Helper()
	s.offerWith(t, map[string]string{"access_token": token}, life)
}

func (s *stand) offerWith(t *testing.T, data map[string]string, life time.Duration) {
	t.Helper()
	values := map[string][]byte{}
	for key, value := range data {
		values[key] = []byte(value)
	}
	var token lifetime.Token
	if life != 0 {
		token = lifetime.Token{IssuedAt: s.clock.Now(), ExpiresAt: s.clock.Now().Add(life)}
	}
	set, ok := sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"}.Set(values, token)
	if !ok || !s.current.Offer(set) {
		t.Error("the set was not taken")
	}
}

// request makes a request to the proxy.
func (s *stand) request(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.base+target, body)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// reply is an answer that was read to its end.
type reply struct {
	status  int
	header  http.Header
	trailer http.Header
	body    string
	length  int64
}

// do sends a request, on a connection of its own.
func do(t *testing.T, request *http.Request) reply {
	t.Helper()
	r, err := try(request)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(request *http.Request) (reply, error) {
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	return reply{response.StatusCode, response.Header, response.Trailer, string(body), response.ContentLength}, nil
}

// get asks the proxy for a path.
func (s *stand) get(t *testing.T, target string) reply {
	t.Helper()
	return do(t, s.request(t, http.MethodGet, target, http.NoBody))
}

// speak writes text to a server, and answers what comes back until the other side closes.
func speak(t *testing.T, address, text string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if _, err = io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
